"""Binder gets what the project asks for, pinned, and nothing of it twice."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINUX = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}


def pinned(name):
    lines = (BINDER / name).read_text(encoding="utf-8").splitlines()
    stated = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(str(each.specifier).startswith("==") for each in stated)
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in stated}


def test_every_dependency_is_pinned_at_a_version_that_the_project_takes():
    wanted = [Requirement(each) for each in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["practice"]]
    found = pinned("requirements.txt")
    for each in wanted:
        if each.marker is None or each.marker.evaluate(LINUX):
            assert found[canonicalize_name(each.name)] in each.specifier, each


def test_nothing_that_the_image_brings_is_exchanged():
    brought, found = pinned("constraints.txt"), pinned("requirements.txt")
    assert {name: version for name, version in found.items() if name in brought}.items() <= brought.items()
    assert "jupyterlab" not in found


def test_the_python_is_one_that_the_project_takes_and_the_package_comes_last():
    python = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    assert python.removeprefix("python-") in Requirement(f"x{PROJECT['requires-python']}").specifier
    build = BINDER / "postBuild"
    assert build.stat().st_mode & 0o111
    assert "--no-deps --editable ." in build.read_text(encoding="utf-8")
