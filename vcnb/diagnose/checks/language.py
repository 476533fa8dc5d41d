"""Whether the service speaks the declared language.

Source: the page, "Language": ten of them. That this language is the one spoken cannot be told from sound here.
"""

from __future__ import annotations

from vcnb.catalog import LANGUAGES
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["language"]


@check(rank=240, required=", ".join(LANGUAGES))
def language(subject: Subject) -> Judged:
    """Judge the declared code; nobody listened whether it is spoken."""
    code = subject.language
    if code is None:
        return Judged("unknown", None, "No language was declared, and it cannot be told from the sound.")
    if code in LANGUAGES:
        return Judged("pass", code, f"The service speaks {LANGUAGES[code]}; that it is spoken here was not checked.")
    return Judged("fail", code, f"{code!r} is none of the ten languages of the service.", "Record one that it speaks.")
