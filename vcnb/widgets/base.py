"""What every panel stands on: its text for the browser, its words, its errors, its work beside the kernel.

Only this module knows anywidget.

State goes from here to the browser in traits; orders come back as custom messages, never as traits: a trait that both
sides set can lose a change when a thread sets it too. Sound and keys travel as message buffers: nothing saves those.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - so that its own end is known before ours, and comes after it
import difflib
import json
import logging
import re
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

import anywidget
import traitlets

from vcnb.errors import CancelledError, SettingsError, VcnbError, visible
from vcnb.settings import Secret

__all__ = [
    "BaseWidget",
    "Progress",
    "beside",
    "held",
    "joined",
    "secret_of",
    "told",
    "unless_stopped",
    "words",
    "worker",
]

STATIC = Path(__file__).parent.parent / "static"
# (step, share done or None): what a long work calls to say where it is.
Progress = Callable[[str, float | None], None]
Work = Callable[[Progress, threading.Event], None]
Result = TypeVar("Result")
LOOK = 0.1  # seconds until a press on Cancel is seen; ours
END_WITHIN = 4.0  # seconds; a kernel that is shut down is killed after five

_LOG = logging.getLogger(__name__)


def joined(*names: str, kind: str = "js") -> str:
    """Join the base and a panel's own files to one text, since an anywidget module cannot import its siblings.

    Parameters
    ----------
    *names : str
        Files of ``vcnb/static`` without their ending, in order.
    kind : {"js", "css"}
        Their ending: for ``_esm`` or for ``_css``.

    Returns
    -------
    str
        Without indentation and comments on lines of their own: it is saved with every panel.
    """
    return _bare("base", *names, kind=kind)


def worker(name: str, *names: str, call: str) -> str:
    """Join the files of a thread of the browser to a constant of a panel's text, as a thread starts from text.

    Parameters
    ----------
    name : str
        Of the constant.
    *names : str
        Files of ``vcnb/static`` without their ending, in order; the thread has neither the base nor the page.
    call : str
        The thread's first statement.

    Returns
    -------
    str
        One statement, to stand before what `joined` gives.
    """
    return f"const {name} = {json.dumps(_bare(*names) + call, ensure_ascii=False)};\n"


def _bare(*names: str, kind: str = "js") -> str:
    text = "\n".join((STATIC / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
    return re.sub(r"^(?:\s*//.*\n|\s*/\*[\s\S]*?\*/[ \t]*\n|\s+)", "", text, flags=re.MULTILINE)


def words(*parts: str, language: str = "en") -> dict[str, Any]:
    """Read the words of the interface.

    Parameters
    ----------
    *parts : str
        Sections of the table besides the base's own.
    language : str
        The table ``words.<language>.json``.

    Returns
    -------
    dict
        Key to text with ``{places}``, or to a dict of plural forms (CLDR names) chosen by ``n``.
    """
    table = json.loads((STATIC / f"words.{language}.json").read_text(encoding="utf-8"))
    return {"_language": language, **{key: text for part in ("base", *parts) for key, text in table[part].items()}}


def held() -> Any:
    """Declare a trait that holds another panel; the browser finds it with ``host.getWidget``."""
    return anywidget.WidgetTrait().tag(sync=True)


def secret_of(buffers: list[Any]) -> Secret:
    """Take a key out of the message that brought it; it was never a trait, so no notebook can save it.

    Parameters
    ----------
    buffers : list of bytes-like
        Of the custom message that the key field sends.

    Returns
    -------
    Secret

    Raises
    ------
    SettingsError
        If the field was empty.
    """
    value = bytes(buffers[0]).decode("utf-8").strip() if buffers else ""
    if not value:
        raise SettingsError("The key field is empty.", remedy="paste the key and press the button again")
    return Secret(value)


def told(error: BaseException) -> dict[str, str]:
    """Write an error down for the browser's error line.

    Parameters
    ----------
    error : BaseException
        What stopped us.

    Returns
    -------
    dict
        ``kind``, ``what``, ``remedy``, ``code`` and ``request_id``, all text.
    """
    if isinstance(error, VcnbError):
        what, remedy = error.message, error.remedy
    else:
        what, remedy = f"{type(error).__name__}: {error}", ""
    code, request_id = (str(getattr(error, name, "") or "") for name in ("code", "request_id"))
    said = {"what": what, "remedy": remedy, "code": code, "request_id": request_id}
    return {"kind": type(error).__name__} | {name: visible(text) for name, text in said.items()}


def unless_stopped(
    function: Callable[[], Result], stopping: threading.Event, *, undo: Callable[[Result], None]
) -> Result:
    """Wait for what nothing can interrupt, such as a host that does not answer, no longer than somebody wants to.

    Parameters
    ----------
    function : callable
        What may take long; it runs on in a thread of its own when nobody waits any more.
    stopping : threading.Event
        Cancel sets it.
    undo : callable
        Gets what `function` gave in the end, where nobody waited for it.

    Returns
    -------
    object
        What `function` gives.

    Raises
    ------
    CancelledError
        If `stopping` was set first.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - the thread's last line; who waits raises it
            future.set_exception(error)

    threading.Thread(target=run, name="vcnb-wait", daemon=True).start()
    while not future.done():
        if stopping.is_set():
            future.add_done_callback(lambda late: None if late.exception() else undo(late.result()))
            raise CancelledError("It was cancelled.", remedy="nothing was changed; try again whenever you like")
        wait([future], timeout=LOOK)
    return future.result()


_AT_WORK: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_STOPPING: weakref.WeakSet[threading.Event] = weakref.WeakSet()


def beside(function: Callable[..., object], *args: Any, name: str = "vcnb-panel") -> None:
    """Do something in a thread of its own, that a process at its end waits for.

    Parameters
    ----------
    function : callable
        What.
    *args
        Its arguments.
    name : str
        The thread's.
    """
    thread = threading.Thread(target=function, args=args, name=name, daemon=True)
    _AT_WORK.add(thread)
    thread.start()


def _end_work() -> None:
    """Stop what panels do: a thread that is cut off within C++ takes the whole process down with it (SIGABRT)."""
    for stopping in list(_STOPPING):
        stopping.set()
    until = time.monotonic() + END_WITHIN
    for thread in list(_AT_WORK):
        thread.join(max(0.0, until - time.monotonic()))


# Before concurrent.futures closes the pools that they work with, as it does by the same private hook; atexit is later.
getattr(threading, "_register_atexit", atexit.register)(_end_work)


class BaseWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """A panel.

    A subclass sets ``_esm``, ``_css`` and ``_parts`` and answers a message ``{"type": "x"}`` in ``_receive_x``.
    """

    _parts: tuple[str, ...] = ()
    # The table itself travels as code (see `__init_subclass__`): the state of a panel stays small.
    _words = traitlets.Dict().tag(sync=True, to_json=lambda table, _: {"_language": table["_language"]})
    error = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    working = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        code = cls.__dict__.get("_esm")
        if isinstance(code, str) and not code.startswith("const WORDS"):
            cls._esm = f"const WORDS = {json.dumps(words(*cls._parts), ensure_ascii=False)};\n{code}"
        super().__init_subclass__(**kwargs)

    def __init__(self, state: dict[str, Any] | None = None, /, **options: Any) -> None:
        # `state`: traits that the browser needs from the first moment; the rest may follow.
        known = [name for name in anywidget.AnyWidget.class_trait_names() if not name.startswith("_")]
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise SettingsError(
                    f"{type(self).__name__} has no option {name!r}.",
                    remedy=f"did you mean {near[0]!r}?" if near else "leave it out",
                )
        super().__init__(_words=words(*self._parts), **(state or {}), **options)
        self._state_lock = threading.Lock()
        self._stopping: threading.Event | None = None
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        # No address and no bytes: a notebook's text output stays the same from run to run.
        return f"<{type(self).__name__}>"

    def tell(self, error: BaseException) -> None:
        """Show an error in the panel; a fault of ours is also logged with its traceback.

        Parameters
        ----------
        error : Exception
            What stopped us.
        """
        if not isinstance(error, VcnbError):
            _LOG.warning("%s failed", type(self).__name__, exc_info=error)
        self.error = told(error)

    def work(self, kind: str, function: Work) -> bool:
        """Do something long in a thread, with progress and Cancel in the panel; return at once.

        Parameters
        ----------
        kind : str
            Its title in the table of words is ``busy.<kind>``.
        function : callable
            Takes the progress callback and the event that Cancel sets. It only sets traits and sends messages.

        Returns
        -------
        bool
            False where something runs already: a second press starts nothing.
        """
        with self._state_lock:
            if self._stopping is not None:
                return False
            stopping = self._stopping = threading.Event()
        self.error, self.working = None, {"kind": kind, "step": "", "share": None}
        _STOPPING.add(stopping)
        beside(self._run, kind, function, stopping)
        return True

    def _receive_cancel(self, _message: dict[str, Any], _buffers: list[Any]) -> None:
        """Ask the running work to stop."""
        with self._state_lock:
            stopping = self._stopping
        if stopping is not None:
            stopping.set()

    def _run(self, kind: str, function: Work, stopping: threading.Event) -> None:
        try:
            function(
                lambda step, share: setattr(self, "working", {"kind": kind, "step": step, "share": share}), stopping
            )
        except Exception as error:  # noqa: BLE001 - the thread's last line
            self.tell(error)
        finally:
            with self._state_lock:
                self._stopping = None
            self.working = None

    def _receive(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        # It may run in the main thread or in a subshell's, and must return at once (one subshell serves all panels).
        try:
            getattr(self, f"_receive_{message['type']}")(message, buffers)
        except Exception as error:  # noqa: BLE001 - what a handler raises is shown nowhere else
            self.tell(error)
