"""Which engine speaks.

Another package brings one by an entry point of the group ``vcnb.engines``: a name, and what makes an `Engine` when it
is called without arguments.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from vcnb.errors import SettingsError

from .engine import Engine

__all__ = ["GROUP", "choose"]

GROUP = "vcnb.engines"
OWN = ("practice", "tone")


def choose(name: str | None = None) -> Engine:
    """Make an engine.

    Parameters
    ----------
    name : str, optional
        "practice" (also by default), which speaks, "tone", which only takes the time that speech takes, or one that an
        installed package brings; ours cannot be replaced by another of the same name.

    Returns
    -------
    Engine
        To be closed by who asked for it.

    Raises
    ------
    SettingsError
        If there is none of that name, or it cannot be loaded.
    """
    # Each is imported when chosen: the tone needs no vocoder.
    if name in (None, "practice"):
        from .practice import PracticeEngine

        return PracticeEngine()
    if name == "tone":
        from .tone import ToneEngine

        return ToneEngine()
    brought = {each.name: each for each in entry_points(group=GROUP)}
    if name not in brought:
        known = ", ".join(dict.fromkeys([*OWN, *sorted(brought)]))
        raise SettingsError(f"There is no engine {name!r}.", remedy=f"leave it out, or give one of {known}")
    try:
        engine: Engine = brought[name].load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"The engine {name!r} ({brought[name].value}) cannot be loaded: {error}.",
            remedy="install its package again, or leave the engine out",
        ) from error
    return engine
