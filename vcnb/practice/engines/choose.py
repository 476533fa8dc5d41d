"""Which engine speaks."""

from __future__ import annotations

from vcnb.errors import SettingsError

from .engine import Engine

__all__ = ["choose"]


def choose(name: str | None = None) -> Engine:
    """Make an engine.

    Parameters
    ----------
    name : str, optional
        "practice" (also by default), which speaks, or "tone", which only takes the time that speech takes.

    Returns
    -------
    Engine
        To be closed by who asked for it.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    # Each is imported when chosen: the tone needs no vocoder.
    if name in (None, "practice"):
        from .practice import PracticeEngine

        return PracticeEngine()
    if name == "tone":
        from .tone import ToneEngine

        return ToneEngine()
    raise SettingsError(f"There is no engine {name!r}.", remedy='leave it out, or give "practice" or "tone"')
