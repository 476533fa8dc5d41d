"""Whether a take is what was asked for: the right speaker, the whole text once, and nothing else.

A voice is measured against its own earlier takes, never against another system's idea of it. What cannot be judged yet
is "unknown", and unknown is no pass.
"""

from __future__ import annotations

import html
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Segment, Speech

from .pacing import phrases, unsaid
from .sound import Sound

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Drift", "Evidence", "Traits", "alone", "among", "watch"]

Verdict = Literal["pass", "fail", "unknown"]
Floats = npt.NDArray[np.float32]

FEWEST = 2  # earlier takes of the voice
# Ours, on takes of the practice service: a voice's own takes stay above 0.95 of their mean, another's below 0.88. The
# hosted service varies more, so the bar follows the least alike of the earlier takes, within these.
SPEAKER_BELOW = 0.05
SPEAKER_AT_MOST, SPEAKER_AT_LEAST = 0.92, 0.78
# Of short speech the encoder hears the words along with the voice. Ours: with less than 8 s of speech, or less than
# twice that to compare with, 0.9 % of the takes of nine practice voices lie below, and 3.7 % of another voice's above.
SPEAKER_SHORT, LONG_SPEECH = 0.82, 8.0
LONGER = 1.25  # of an expected length
# By how much a text whose end is missing must fit better than the whole one (see `pacing.unsaid`). Ours: of 204 good
# takes of 22 practice voices two lay above, of as many without their last tenth one below. The bar follows the worst of
# the earlier takes.
ENDED, ENDED_MARGIN, ENDED_AT_MOST = 3.2, 1.0, 6.5
LEAST_ENDED = 0.04  # of the text: a last sentence of three words is short by that much now and then
LOOKED_AT = 8  # takes, the newest; more would not change the worst by much
UNPACED = (0.4, 2.2)  # of an ordinary pace, where the voice's own is not known
ORDINARY_PACE = 1.0  # seconds a unit of weight, by the way the weights were found
SHORTEST_SPEECH = 3.0  # seconds; below it a single pause decides
LONGEST_SILENCE = 1.6  # seconds; no comma and no full stop is longer
# Of the last 3 ms against speech: what breaks off does so at full swing, and what ends by itself has come to rest.
# Ours: 336 takes of the practice service all lay below -33 dB; cut anywhere, 84 % of them lie above -25 dB.
LAST, ABRUPT_DB = 0.003, -25.0
SHOWN = 0.03  # seconds of it
# Two stretches are the same sound if their frames differ by less, averaged over the stretch.
SAME_DB = 4.5
STRETCH = 1.0  # seconds
BANDS_HZ = np.geomspace(120, 6_500, 25)
ACTIVE_DB = 35.0
AROUND = 50  # frames


@dataclass(frozen=True)
class Evidence:
    """What one check found.

    Parameters
    ----------
    check : {"speaker", "length", "silence", "ending", "loop", "leak"}
        What was looked at.
    verdict : {"pass", "fail", "unknown"}
        Unknown is no pass.
    value : float
        What was measured; NaN where nothing could be.
    unit : str
        Of the value.
    message : str
        One sentence.
    segments : tuple of Segment
        Where.
    """

    check: str
    verdict: Verdict
    value: float
    unit: str
    message: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Drift:
    """The verdict on a take.

    Parameters
    ----------
    evidence : tuple of Evidence
        One a check.
    """

    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """Fail if any check fails; else unknown if any is unknown; else pass."""
        found = {each.verdict for each in self.evidence}
        return "fail" if "fail" in found else "unknown" if "unknown" in found else "pass"

    @property
    def words(self) -> str:
        """Say what is wrong, or that nothing is, in a few words."""
        wrong = [each.message for each in self.evidence if each.verdict == "fail"]
        open_ones = [each.message for each in self.evidence if each.verdict == "unknown"]
        return " ".join(wrong or open_ones or ["The right voice, the whole text."])

    @property
    def marks(self) -> tuple[Evidence, ...]:
        """What can be shown on the time axis of a player."""
        return tuple(each for each in self.evidence if each.segments and each.verdict == "fail")

    def to_frame(self) -> pd.DataFrame:
        """Give one row a check: check, verdict, value, unit, message, segments.

        Returns
        -------
        pandas.DataFrame
            `.attrs` holds "verdict" and "words".
        """
        import pandas as pd

        rows = [vars(each) | {"segments": [(at.start, at.end) for at in each.segments]} for each in self.evidence]
        table = pd.DataFrame(rows)
        table.attrs = {"verdict": self.verdict, "words": self.words}
        return table

    def _repr_html_(self) -> str:
        table = self.to_frame().drop(columns="segments")
        return f"<p>{html.escape(self.words)}</p>{table.round(2).to_html(index=False)}"


@dataclass(frozen=True, eq=False)
class Traits:
    """What other takes of a voice are judged by.

    Parameters
    ----------
    embedding : np.ndarray [shape=(256,)]
        The speaker; NaN where it could not be measured.
    spoken : tuple of Segment
        Where somebody speaks.
    phrases : tuple of float
        Of the text, as `pacing.phrases` weighs them.
    language : str, optional
        Of the text: a pace is known for each language alone.
    """

    embedding: Floats
    spoken: tuple[Segment, ...]
    phrases: tuple[float, ...]
    language: str | None = None

    @classmethod
    def of(cls, sound: Sound) -> Traits:
        """Measure them."""
        speech = sound.clip if isinstance(sound.clip, Speech) else None
        weights = phrases(speech.text) if speech else ()
        return cls(sound.embedding, sound.activity.segments, weights, speech.language if speech else None)

    @property
    def seconds(self) -> float:
        """How long somebody speaks."""
        return sum(segment.duration for segment in self.spoken)

    @property
    def weight(self) -> float:
        """How long the text is."""
        return sum(self.phrases)


def watch(take: Speech, earlier: Sequence[Clip | Sound] = (), *, reference: Clip | Sound | None = None) -> Drift:
    """Look whether a take is what was asked for.

    Parameters
    ----------
    take : Speech
        What was spoken, with its text.
    earlier : sequence of Speech or Sound of Speech
        Other takes of the same voice that were good; from two on, speaker and length are judged by them.
    reference : Clip or Sound, optional
        The recording that the voice was made from: none of it may be heard in the take.

    Returns
    -------
    Drift
        Found with texts of 8 s and more; short ones are judged with more doubt.
    """
    sound = Sound(take)
    others = [Traits.of(_sound(each)) for each in earlier]
    return Drift((*among(Traits.of(sound), others), *alone(sound, reference)))


def among(traits: Traits, others: Sequence[Traits]) -> tuple[Evidence, Evidence]:
    """Judge speaker and length of a take by other takes of its voice.

    Parameters
    ----------
    traits : Traits
        Of the take.
    others : sequence of Traits
        Of the others.
    """
    found = (_speaker(traits, others), _length(traits, others))
    if not traits.spoken:
        return found
    whole = (Segment(traits.spoken[0].start, traits.spoken[-1].end),)  # neither is at one place
    speaker, length = (replace(each, segments=whole) if each.verdict == "fail" else each for each in found)
    return speaker, length


def alone(sound: Sound, reference: Clip | Sound | None = None) -> tuple[Evidence, ...]:
    """Judge what a take shows by itself: silence, ending, loop, and what of the reference is in it.

    Parameters
    ----------
    sound : Sound
        The take.
    reference : Clip or Sound, optional
        The recording of the voice.
    """
    found = (_silence(sound), _ending(sound), _loop(sound))
    return found if reference is None else (*found, _leak(sound, _sound(reference)))


def _sound(clip: Clip | Sound) -> Sound:
    return clip if isinstance(clip, Sound) else Sound(clip)


def _speaker(traits: Traits, others: Sequence[Traits]) -> Evidence:
    heard = [each for each in others if np.isfinite(each.embedding).all()]
    points = np.array([each.embedding for each in heard])
    if not np.isfinite(traits.embedding).all():
        return Evidence("speaker", "unknown", math.nan, "cosine", "It is too short to tell who speaks.")
    if len(points) < FEWEST:
        return Evidence("speaker", "unknown", math.nan, "cosine", f"It needs {FEWEST} other takes to know the speaker.")
    mean = points.mean(0)
    mean /= np.linalg.norm(mean)
    long = traits.seconds >= LONG_SPEECH and sum(each.seconds for each in heard) >= 2 * LONG_SPEECH
    most = SPEAKER_AT_MOST if long else SPEAKER_SHORT
    bar = float(np.clip((points @ mean).min() - SPEAKER_BELOW, SPEAKER_AT_LEAST, most))
    cosine = float(traits.embedding @ mean)
    if cosine >= bar:
        return Evidence("speaker", "pass", cosine, "cosine", "It sounds like its earlier takes.")
    return Evidence("speaker", "fail", cosine, "cosine", "It does not sound like its earlier takes.")


def _length(traits: Traits, others: Sequence[Traits]) -> Evidence:
    if not traits.weight:
        return Evidence("length", "unknown", math.nan, "", "Without words in the text its length says nothing.")
    known = [each for each in others if each.language == traits.language and each.weight]
    known = [each for each in known if each.seconds >= SHORTEST_SPEECH]
    own = [each.seconds / each.weight for each in known]
    pace = float(np.median(own)) if len(own) >= FEWEST else ORDINARY_PACE
    ratio, (low, high) = traits.seconds / (pace * traits.weight), UNPACED
    if len(own) >= FEWEST:
        high = LONGER
        score, share = unsaid(traits.phrases, traits.spoken, pace)
        worst = max(unsaid(each.phrases, each.spoken, pace)[0] for each in known[-LOOKED_AT:])
        if share > LEAST_ENDED and score > float(np.clip(worst + ENDED_MARGIN, ENDED, ENDED_AT_MOST)):
            said = f"Its end is missing: about {100 * share:.0f} % of the text."
            return Evidence("length", "fail", 1 - share, "of expected", said)
    if ratio < low:
        return Evidence("length", "fail", ratio, "of expected", "It is too short for its text: something is missing.")
    if ratio > high:
        return Evidence("length", "fail", ratio, "of expected", "It is too long for its text.")
    if len(own) < FEWEST:
        needed = f"It needs {FEWEST} other takes of {SHORTEST_SPEECH:.0f} s to know the pace."
        return Evidence("length", "unknown", ratio, "of expected", needed)
    return Evidence("length", "pass", ratio, "of expected", "It is as long as its text.")


def _silence(sound: Sound) -> Evidence:
    spoken = sound.activity.segments
    if not spoken:
        return Evidence(
            "silence", "fail", sound.clip.duration, "s", "Nobody speaks.", (Segment(0, sound.clip.duration),)
        )
    ends = [0.0, *(each.end for each in spoken)]
    starts = [*(each.start for each in spoken), sound.clip.duration]
    gaps = [Segment(end, start) for end, start in zip(ends, starts, strict=True)]
    longest = max(gap.duration for gap in gaps)
    if longest <= LONGEST_SILENCE:
        return Evidence("silence", "pass", longest, "s", "No pause is too long.")
    where = tuple(gap for gap in gaps if gap.duration > LONGEST_SILENCE)
    return Evidence("silence", "fail", longest, "s", f"It is silent for {longest:.1f} s.", where)


def _ending(sound: Sound) -> Evidence:
    samples, rate = sound.clip.samples, sound.clip.sample_rate
    last = samples[-round(LAST * rate) :]
    inside = sound.activity.at(np.arange(len(samples)) / rate) > 0.5
    spoken = samples[inside]
    if not len(spoken):
        return Evidence("ending", "unknown", math.nan, "dB", "Nobody speaks, so nothing ends.")
    level = 10 * math.log10((float(np.mean(np.square(last))) + 1e-12) / (float(np.mean(np.square(spoken))) + 1e-12))
    if level <= ABRUPT_DB:
        return Evidence("ending", "pass", level, "dB", "It ends by itself.")
    where = (Segment(max(0.0, sound.clip.duration - SHOWN), sound.clip.duration),)
    return Evidence("ending", "fail", level, "dB", "It breaks off in the middle of a sound.", where)


def _loop(sound: Sound) -> Evidence:
    if isinstance(sound.clip, Speech) and _repeats(sound.clip.text):
        return Evidence("loop", "pass", math.nan, "dB", "The text itself repeats words, so that repeating is right.")
    frames, active = _frames(sound)
    best, where = _same(frames, active, frames, active, least_lag=round(STRETCH / sound.spectrogram.hop / 2))
    if best > SAME_DB:
        return Evidence("loop", "pass", best, "dB", "Nothing is said twice in the same way.")
    return Evidence("loop", "fail", best, "dB", "A stretch is heard twice.", (where,))


def _leak(sound: Sound, reference: Sound) -> Evidence:
    best, where = _same(*_frames(sound), *_frames(reference))
    if best > SAME_DB:
        return Evidence("leak", "pass", best, "dB", "Nothing of the reference is in it.")
    return Evidence("leak", "fail", best, "dB", "A stretch of the reference is heard in it.", (where,))


def _repeats(text: str) -> bool:
    """Whether three words stand twice in the text."""
    words = re.findall(r"\w+", text.casefold())
    threes = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return len(set(threes)) < len(threes)


def _frames(sound: Sound) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Shape of the spectrum of each 10 ms in dB, whatever its level; and which frames are loud enough to compare."""
    spectrogram = sound.spectrogram
    edges = np.searchsorted(spectrogram.frequencies, BANDS_HZ)
    sums = np.stack(
        [spectrogram.power[:, low : max(high, low + 1)].sum(1) for low, high in itertools.pairwise(edges)], 1
    )
    levels = 10 * np.log10(sums.sum(1) + 1e-12)
    # What is pasted in may be soft: it is compared with what is around it.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(levels, AROUND, mode="edge"), 2 * AROUND + 1).max(1)
    spoken = sound.activity.at(spectrogram.times) > 0.5
    shape = 10 * np.log10(np.maximum(sums, sums.sum(1, keepdims=True) * 1e-5) + 1e-12)
    shape -= shape.mean(1, keepdims=True)
    return shape.astype(np.float32), spoken & (levels > around - ACTIVE_DB)


def _same(
    one: Floats,
    one_active: npt.NDArray[np.bool_],
    other: Floats,
    other_active: npt.NDArray[np.bool_],
    *,
    least_lag: int | None = None,
) -> tuple[float, Segment]:
    """Find the stretch of `one` that is most like a stretch of `other`: mean difference in dB, and where it lies."""
    n = round(STRETCH / 0.01)
    squares = (one**2).mean(1)[:, None] + (other**2).mean(1)[None] - 2 * (one @ other.T) / one.shape[1]
    distance = np.sqrt(np.maximum(squares, 0))
    both = one_active[:, None] & other_active[None]
    best, where = math.inf, Segment(0, 0)
    for lag in range(-len(one) + n, len(other) - n + 1):
        if least_lag is not None and lag < least_lag:
            continue
        along, active = np.diagonal(distance, lag), np.diagonal(both, lag)
        if len(along) < n:
            continue
        sums = np.cumsum(np.r_[0.0, np.where(active, along, 0)])
        counts = np.cumsum(np.r_[0, active])
        n_active = counts[n:] - counts[:-n]
        mean = np.where(n_active > 0.5 * n, (sums[n:] - sums[:-n]) / np.maximum(n_active, 1), math.inf)
        at = int(np.argmin(mean))
        if mean[at] < best:
            start = (at + max(0, -lag)) * 0.01
            best, where = float(mean[at]), Segment(start, start + STRETCH)
    return best, where
