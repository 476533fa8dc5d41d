"""Commands about the whole: lab, demo, practice, doctor and test."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import BaseUrl, Data, Json, Region
from .output import document, result, say

__all__ = ["clone", "demo", "doctor", "lab", "practice"]

PORT = partial(typer.Option, min=0, max=65_535)  # all that TCP has


def lab(
    port: Annotated[int | None, PORT(help="Port of JupyterLab; else a free one from 8888 on.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser where there is one.")] = True,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Start JupyterLab on the first tutorial. The practice service runs as long as it does."""
    from .lab import start

    return start(port=port, browser=browser, json=json, region=region, base_url=base_url, data=data)


def demo(
    out: Annotated[str, typer.Option(metavar="DIR", help="Where sound, table and report go.")] = "vcnb-demo",
    json: Json = False,
    region: Region = "practice",
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Do the whole journey, from a recording to three ways of speech. Spends nothing unless --region is a paid one."""
    from vcnb.workflow.demo import Demo

    def show(step: Any) -> None:
        if json:
            document(step.to_dict())
        else:
            result(f"{'ok  ' if step.held else 'FAIL'} {step.name:<10} {step.figures}")

    chosen = None if base_url is not None and region == "practice" else region
    journey = Demo(Path(out), region=chosen, base_url=base_url, data=data)
    steps = journey.run(show)
    say(f"report: {journey.report}")
    held = all(step.held for step in steps)
    say("Every step held." if held else "Some steps did not hold: see FAIL above.")
    return 0 if held else 1


def practice(
    port: Annotated[int, PORT(help="Port; 0 takes a free one.")] = 0,
    api_key: Annotated[str | None, typer.Option(help="Key that it asks for; else a random one.")] = None,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> None:
    """Run the practice service, for any DashScope client. It stays in the foreground."""
    from vcnb.errors import SettingsError
    from vcnb.practice.launch import ensure, run
    from vcnb.practice.register import AlreadyRunningError
    from vcnb.settings import data_folder

    def ready(service: Any) -> None:
        addresses = {
            "base_http_api_url": service.base_url,
            "base_websocket_api_url": service.realtime_url.removesuffix("/realtime") + "/inference",
            "realtime_url": service.realtime_url,
            # The one key that is meant to be seen: it opens this service and nothing else.
            "api_key": service.api_key.reveal(),
        }
        if json:
            document(addresses)
            return
        for name, value in addresses.items():
            result(f"{name} = {value}")

    def own(service: Any) -> None:
        ready(service)
        say("Ctrl-C ends it.")

    folder = data_folder(data) / "practice"
    try:
        run(folder, port=port, api_key=api_key, on_ready=own)
    except AlreadyRunningError:
        if port or api_key:
            raise  # the one that runs has its own
        with ensure(folder) as running:
            ready(running)
            say("A notebook or another shell started it; Ctrl-C leaves it to them.")
            while running.alive():
                time.sleep(0.5)
    except OSError as error:
        raise SettingsError(
            f"The practice service cannot listen on port {port}: {error.strerror or error}.",
            remedy="leave out --port, or choose another",
        ) from None


def doctor(json: Json = False, region: Region = None, base_url: BaseUrl = None, data: Data = None) -> int:
    """Say what works on this machine and what does not."""
    from vcnb.workflow.doctor import doctor as examine

    health = examine(region, base_url=base_url, data=data)
    if json:
        document(health.to_dict())
        return 0
    result(repr(health))
    return 0


def clone(
    all_figures: Annotated[bool, typer.Option("--all", help="The full programme of figures as well.")] = False,
    json: Json = False,
    region: Region = None,
    base_url: BaseUrl = None,
    data: Data = None,
) -> int:
    """Run the tests of a clone. These are ruff, mypy, pytest with a real browser, and the notebooks."""
    from .testing import run_tests

    return run_tests(Path(sys.modules["vcnb"].__path__[0]).parent, all_figures=all_figures)
