"""Which recordings travel with the package, and what is said in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sample", "samples", "samples_described"]

_FOLDER = Path(__file__).parent.parent / "data" / "samples"


@dataclass(frozen=True)
class Sample:
    """A shipped recording and its story.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    speaker : str
        Whose voice it is.
    language : str
        Two-letter code.
    transcript : str
        What was spoken.
    licence : str
        SPDX name of the licence under which the speaker gave it.
    """

    path: Path
    speaker: str
    language: str
    transcript: str
    licence: str


def samples() -> dict[str, Path]:
    """Give the shipped recordings, real speakers who gave their voices.

    Returns
    -------
    dict of str to pathlib.Path
        ``thorsten_en`` (M4A, recorded too quietly), ``thorsten_de`` (MP3), ``kathleen_en`` (WAV).
    """
    return {name: sample.path for name, sample in samples_described().items()}


def samples_described() -> dict[str, Sample]:
    """Give the shipped recordings with speaker, language, transcript and licence.

    Returns
    -------
    dict of str to Sample
        In the order of `samples`.
    """
    import tomllib

    page = tomllib.loads((_FOLDER / "samples.toml").read_text(encoding="utf-8"))
    return {
        name: Sample(
            path=_FOLDER / facts["file"],
            speaker=facts["speaker"],
            language=facts["language"],
            transcript=facts["transcript"],
            licence=facts["licence"],
        )
        for name, facts in page.items()
    }
