"""Clone, try out and compare voices in a notebook.

Everything a user needs stands on this front door; each name is loaded when it is first used.
Python 3.6 can read this file, so that ``python3 -m vcnb`` gets as far as saying that 3.11 is needed.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vcnb.audio.clip import Clip, Segment, Speech
    from vcnb.audio.encode import save
    from vcnb.audio.load import load
    from vcnb.audio.samples import samples
    from vcnb.compare.comparison import Comparison
    from vcnb.compare.listening import Listening
    from vcnb.diagnose.report import Finding, Report, diagnose
    from vcnb.errors import VcnbError
    from vcnb.protocol.voice import Voice
    from vcnb.repair.repair import repair
    from vcnb.repair.windows import best_window
    from vcnb.widgets.comparing import Comparing
    from vcnb.widgets.diagnosis import Diagnosis
    from vcnb.widgets.enrollment import Enrollment
    from vcnb.widgets.player import Player
    from vcnb.widgets.recorder import Recorder
    from vcnb.widgets.studio import Studio
    from vcnb.widgets.synthesis import Synthesis
    from vcnb.widgets.uploader import Uploader
    from vcnb.widgets.voices import Voices
    from vcnb.workflow.account import Account
    from vcnb.workflow.batch import diagnose_many
    from vcnb.workflow.comparing import compare
    from vcnb.workflow.connecting import connect
    from vcnb.workflow.doctor import doctor
    from vcnb.workflow.importing import import_library

__all__ = [
    "Account",
    "Clip",
    "Comparing",
    "Comparison",
    "Diagnosis",
    "Enrollment",
    "Finding",
    "Listening",
    "Player",
    "Recorder",
    "Report",
    "Segment",
    "Speech",
    "Studio",
    "Synthesis",
    "Uploader",
    "VcnbError",
    "Voice",
    "Voices",
    "best_window",
    "compare",
    "connect",
    "diagnose",
    "diagnose_many",
    "doctor",
    "import_library",
    "load",
    "repair",
    "samples",
    "save",
]

_ROOMS = {
    "Account": "vcnb.workflow.account",
    "Clip": "vcnb.audio.clip",
    "Comparing": "vcnb.widgets.comparing",
    "Comparison": "vcnb.compare.comparison",
    "Diagnosis": "vcnb.widgets.diagnosis",
    "Enrollment": "vcnb.widgets.enrollment",
    "Finding": "vcnb.diagnose.report",
    "Listening": "vcnb.compare.listening",
    "Player": "vcnb.widgets.player",
    "Recorder": "vcnb.widgets.recorder",
    "Report": "vcnb.diagnose.report",
    "Segment": "vcnb.audio.clip",
    "Speech": "vcnb.audio.clip",
    "Studio": "vcnb.widgets.studio",
    "Synthesis": "vcnb.widgets.synthesis",
    "Uploader": "vcnb.widgets.uploader",
    "VcnbError": "vcnb.errors",
    "Voice": "vcnb.protocol.voice",
    "Voices": "vcnb.widgets.voices",
    "best_window": "vcnb.repair.windows",
    "compare": "vcnb.workflow.comparing",
    "connect": "vcnb.workflow.connecting",
    "diagnose": "vcnb.diagnose.report",
    "diagnose_many": "vcnb.workflow.batch",
    "doctor": "vcnb.workflow.doctor",
    "import_library": "vcnb.workflow.importing",
    "load": "vcnb.audio.load",
    "repair": "vcnb.repair.repair",
    "samples": "vcnb.audio.samples",
    "save": "vcnb.audio.encode",
}


def __getattr__(name: str) -> Any:
    if name == "errors":  # a room that is a name of the door: `except vcnb.errors.ServiceError`
        return importlib.import_module("vcnb.errors")
    if name == "__version__":
        from importlib import metadata

        return metadata.version("vcnb")
    if name not in _ROOMS:
        raise AttributeError(f"module 'vcnb' has no attribute {name!r}")
    found = getattr(importlib.import_module(_ROOMS[name]), name)
    globals()[name] = found
    return found


def __dir__() -> "list[str]":
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__, "errors"})


class _FrontDoor(types.ModuleType):
    """Keeps `vcnb.diagnose` the function, although a room bears the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _ROOMS and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor


def _show_in_notebooks() -> None:
    """Make clips, listening tests and grids show their panels; registered by name, so that nothing is loaded for it."""
    ipython = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if ipython is None:
        return

    def player(clip: Any) -> Any:
        data, metadata = importlib.import_module("vcnb.widgets.player").Player(clip)._repr_mimebundle_()
        return data | {"text/plain": repr(clip)}, metadata

    def blind_test(listening: Any) -> Any:
        data, metadata = importlib.import_module("vcnb.widgets.listening").panel_of(listening)._repr_mimebundle_()
        return data | {"text/plain": repr(listening)}, metadata

    def table(grid: Any) -> Any:
        data, metadata = importlib.import_module("vcnb.widgets.grid").grid_panel_of(grid)._repr_mimebundle_()
        return data | {"text/plain": repr(grid)}, metadata

    def still(clip: Any) -> None:
        importlib.import_module("vcnb.widgets.still").display_still(clip)

    ipython.display_formatter.ipython_display_formatter.for_type_by_name("vcnb.audio.clip", "Clip", still)
    shown = ipython.display_formatter.mimebundle_formatter
    shown.for_type_by_name("vcnb.audio.clip", "Clip", player)
    shown.for_type_by_name("vcnb.compare.listening", "Listening", blind_test)
    shown.for_type_by_name("vcnb.workflow.grids", "Grid", table)


_show_in_notebooks()
