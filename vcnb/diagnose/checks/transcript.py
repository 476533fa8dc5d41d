"""Whether the declared transcript can be what is spoken.

Source: the page, "text": the service compares it with the audio and refuses one that differs much. We do not recognise
words: script and length are compared, and the thresholds are ours.
"""

from __future__ import annotations

import unicodedata

from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["letters_by_script", "transcript"]

# True transcripts of recordings in two languages had 11.6 to 17.1 letters for each second of speech.
WARN_BELOW, WARN_ABOVE = 8.0, 24.0
FAIL_BELOW, FAIL_ABOVE = 6.0, 30.0
SCRIPTS = {"zh": {"CJK"}, "ja": {"CJK", "HIRAGANA", "KATAKANA"}, "ko": {"HANGUL"}, "ru": {"CYRILLIC"}}
# Latin letters that take as long to say as one such sign.
LETTERS = {"CJK": 3.0, "HANGUL": 2.5, "HIRAGANA": 2.0, "KATAKANA": 2.0, "DIGIT": 4.0}
OWN_SHARE = 0.5


@check(rank=250, unit="letters a second", required="the words that are spoken")
def transcript(subject: Subject) -> Judged:
    """Judge the declared text by its script and by its length."""
    if not subject.transcript:
        return Judged("unknown", None, "No transcript was declared.")
    letters = letters_by_script(subject.transcript)
    written = sum(letters.values()) - letters.get("DIGIT", 0.0)
    own = SCRIPTS.get(subject.language or "", {"LATIN"})
    if subject.language and sum(letters.get(script, 0.0) for script in own) < OWN_SHARE * written:
        message = f"The transcript is not written in the script of {subject.language!r}, the declared language."
        return Judged("fail", None, message, "Write down what is spoken, in its own script.")
    if not subject.activity.seconds:
        return Judged("unknown", None, "Nobody speaks with whom it could be compared.")
    pace = sum(letters.values()) / subject.activity.seconds
    value = round(pace, 1)
    if WARN_BELOW <= pace <= WARN_ABOVE:
        return Judged("pass", value, "The transcript is as long as the speech; its words were not compared.")
    verdict: Verdict = "warn" if FAIL_BELOW <= pace <= FAIL_ABOVE else "fail"
    much = "long" if pace > WARN_ABOVE else "short"
    message = f"The transcript is too {much} for the speech: {value:.1f} letters for each second."
    return Judged(verdict, value, message, "Write down all that is spoken and nothing else.")


def letters_by_script(text: str) -> dict[str, float]:
    """Count what there is to say, in Latin letters.

    Parameters
    ----------
    text : str
        A transcript.

    Returns
    -------
    dict
        By the first word of the signs' Unicode names ("LATIN", "CJK", ...), and "DIGIT".
    """
    counts: dict[str, float] = {}
    for sign in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(sign)[0]
        if kind in "LN":
            name = unicodedata.name(sign, "OTHER").replace("-", " ")
            script = "DIGIT" if kind == "N" else name.split(" ")[0]
            counts[script] = counts.get(script, 0.0) + LETTERS.get(script, 1.0)
    return counts
