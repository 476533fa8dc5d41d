"""How the practice service starts, runs and stops."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from vcnb.errors import VcnbError
from vcnb.settings import Secret

from .app import build
from .context import Context
from .control import watch_leases
from .engines.choose import choose
from .engines.engine import Engine
from .faults import Faults
from .security import LOG
from .speaking import Speaker
from .state import State

__all__ = ["Service", "serve"]

_HOST = "127.0.0.1"
# The SDK sends a POST a second time when it finds the connection of the last one closed: it stays open.
_KEEP_ALIVE_SECONDS = 3_600.0
_STOP_SECONDS = 0.5  # what an answer gets to end by itself once the service stops


class Service:
    """A practice service of one folder, on one port of 127.0.0.1.

    Parameters
    ----------
    folder : Path
        Where its account lives.
    port : int
        0: any free one.
    api_key : str, Secret or None
        None: a new random one.
    engine : str, Engine or None
        What speaks: "tone", None for the real one, or an engine itself.
    stay : bool
        False: it ends when its last user, who holds a lease, has gone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        api_key: str | Secret | None = None,
        engine: str | Engine | None = None,
        stay: bool = True,
    ) -> None:
        self._folder = Path(folder)
        self._port = port
        self._engine = engine
        self._stay = stay
        self._runner: web.AppRunner | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_stop: asyncio.Event | None = None
        self.api_key = api_key if isinstance(api_key, Secret) else Secret(api_key or _new_key())
        self.state: State | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def base_url(self) -> str:
        """HTTP base, ending in ``/api/v1``."""
        return f"http://{_HOST}:{self._port}/api/v1"

    @property
    def realtime_url(self) -> str:
        """Address of the realtime socket."""
        return f"ws://{_HOST}:{self._port}/api-ws/v1/realtime"

    @property
    def folder_id(self) -> str:
        """What tells its account from another."""
        if self.state is None:
            raise VcnbError("The practice service is not running.", remedy="start it first")
        return self.state.folder_id

    async def start(self) -> None:
        """Listen, in the loop that runs.

        Raises
        ------
        SettingsError
            If the folder's account cannot be opened, or there is no such engine.
        OSError
            If the port is taken.
        """
        self.state = await asyncio.to_thread(State, self._folder)
        engine = self._engine
        if engine is None or isinstance(engine, str):
            engine = await asyncio.to_thread(choose, engine)
        self._context = Context(self.state, Speaker(engine, self.state), Faults(), self.api_key, self._stay)
        # A client that has gone cancels what it asked for; creations and deletions are shielded from that.
        self._runner = web.AppRunner(
            build(self._context),
            access_log=None,
            logger=LOG,
            handler_cancellation=True,
            shutdown_timeout=_STOP_SECONDS,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Hang up, end what runs, close the account, however far the start went."""
        runner, self._runner = self._runner, None
        if runner is not None:
            lines = [each.transport for each in runner.server.connections] if runner.server is not None else []
            await runner.cleanup()
            for line in lines:
                if line is not None:
                    line.abort()  # one whose client has stopped reading would never be empty and close
            if self._context.tasks:
                await asyncio.wait(self._context.tasks)
            await asyncio.to_thread(self._context.speaker.close)
        if self.state is not None:
            self.state.close()

    async def run(self, on_ready: Callable[[Service], None] | None = None) -> None:
        """Serve until stopped, or until the last user has gone.

        Parameters
        ----------
        on_ready : callable, optional
            Called with this service once it listens.
        """
        self._loop = asyncio.get_running_loop()
        self._asked_to_stop = asyncio.Event()
        try:
            await self.start()
            if on_ready is not None:
                on_ready(self)
            if self._engine in (None, "practice"):
                self._context.speaker.warm()
            ends = {
                asyncio.create_task(self._asked_to_stop.wait()),
                asyncio.create_task(watch_leases(self._context)),
            }
            _, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for each in pending:
                each.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        finally:
            await self.stop()

    def ask_to_stop(self) -> None:
        """End `run`, from any thread or signal handler."""
        if self._loop is not None and self._asked_to_stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed already
                self._loop.call_soon_threadsafe(self._asked_to_stop.set)

    def reset(self) -> None:
        """Empty the account and forget every fault, from any thread, for tests.

        Raises
        ------
        VcnbError
            If it is not running.
        """
        if self._loop is None or self.state is None:
            raise VcnbError("The practice service is not running.", remedy="start it first")
        self.state.clear()
        asyncio.run_coroutine_threadsafe(self._forget(), self._loop).result(10)

    def start_thread(self) -> None:
        """Serve on a thread of its own, for tests; returns once it listens.

        Raises
        ------
        VcnbError
            If it does not come up.
        """
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.run(lambda _: ready.set())), name="vcnb-practice", daemon=True
        )
        self._thread.start()
        while not ready.wait(0.05):
            if not self._thread.is_alive():
                raise VcnbError("The practice service did not start.", remedy="look at the log")

    def stop_thread(self) -> None:
        """Stop what `start_thread` started."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()

    async def _forget(self) -> None:
        self._context.faults.clear()
        self._context.release()


def serve(
    folder: Path,
    *,
    port: int = 0,
    api_key: str | Secret | None = None,
    engine: str | Engine | None = None,
    on_ready: Callable[[Service], None] | None = None,
    stay: bool = True,
) -> None:
    """Run the practice service in the foreground until a signal, or the end of its last user, stops it.

    Parameters
    ----------
    folder : Path
        Where its account lives.
    port, api_key, engine, stay
        As of `Service`.
    on_ready : callable, optional
        Called with the `Service` once it listens: its address and key.

    Raises
    ------
    OSError
        If the port is taken.
    """
    service = Service(folder, port=port, api_key=api_key, engine=engine, stay=stay)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no such handlers; there Ctrl-C ends asyncio.run by itself.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, service.ask_to_stop)
        await service.run(on_ready)

    asyncio.run(main())


def _new_key() -> str:
    return "sk-practice-" + secrets.token_urlsafe(32)
