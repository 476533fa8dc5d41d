"""The house stands as it was drawn: who may know whom, what the front door shows, what an import costs."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import FunctionType

import pytest
from numpydoc.validate import validate

import vcnb

PACKAGE = Path(vcnb.__file__).parent

# The street, from left to right: a room may import only what stands in its own set.
FOUNDATION = {"errors", "catalog"}
NEIGHBOURS: dict[str, set[str]] = {
    "errors": set(),
    "catalog": set(),
    "settings": FOUNDATION,
    "audio": FOUNDATION,
    "protocol": FOUNDATION,
    "measure": FOUNDATION | {"audio"},
    "guide": FOUNDATION,
    "diagnose": FOUNDATION | {"audio", "measure", "guide"},
    "repair": FOUNDATION | {"audio", "measure", "diagnose"},
    "compare": FOUNDATION | {"audio", "measure"},
    "client": FOUNDATION | {"settings", "audio", "protocol"},
    "practice": FOUNDATION | {"settings", "audio", "protocol", "measure"},
    "library": FOUNDATION | {"audio", "protocol"},
    "workflow": FOUNDATION
    | {"settings", "audio", "protocol", "measure", "guide", "diagnose", "repair", "compare", "client", "practice"}
    | {"library"},
    "widgets": FOUNDATION
    | {"settings", "audio", "protocol", "measure", "guide", "diagnose", "repair", "compare", "workflow"},
    "cli": FOUNDATION
    | {"settings", "audio", "protocol", "measure", "guide", "diagnose", "repair", "compare", "practice", "workflow"},
    "static": set(),
    "data": set(),
}
# These two stand outside the street: the front door knows every room, the bootstrap only the shell.
DOORS = {"__init__": None, "__main__": {"cli"}}
# Of numpydoc's rules: summaries begin on the first line here, "See Also", "Extended Summary" and "Examples" stand where
# they help, a type alone may say what is returned, and what has no end (generators) needs no "Yields" beside "Returns".
NOT_ASKED = {"GL01", "GL03", "SA01", "ES01", "EX01", "RT03", "SS06", "YD01"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_notebooks" not in path.parts)


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms that a module names in an import, wherever it stands, or by importlib with a literal."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
            if node.module == "vcnb":
                names = [f"vcnb.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("vcnb."):
            names = [node.value] if node.value.replace(".", "").replace("_", "").isalnum() else []
        found |= {name.split(".")[1] for name in names if name.startswith("vcnb.")}
    return {name for name in found if (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_knows_only_its_neighbours(path):
    room = room_of(path)
    if room in DOORS:
        allowed = DOORS[room]
        assert allowed is None or imported_rooms(path) <= allowed
        return
    strangers = imported_rooms(path) - NEIGHBOURS[room] - {room}
    assert not strangers, f"{room} may not know {sorted(strangers)}"


def test_every_neighbour_stands_to_the_left():
    order = list(NEIGHBOURS)
    for room, known in NEIGHBOURS.items():
        assert all(order.index(other) < order.index(room) for other in known), room


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_says_what_it_shows(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module opens with what it is"
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    }
    if path.name in ("__main__.py", "__init__.py") or not public:
        return
    name = ".".join(("vcnb", *path.relative_to(PACKAGE).with_suffix("").parts))
    exported = importlib.import_module(name).__all__
    assert exported == sorted(exported), "__all__ is sorted"
    assert public <= set(exported), f"missing in __all__: {sorted(public - set(exported))}"
    assert all(hasattr(importlib.import_module(name), each) for each in exported)


def test_the_front_door_is_complete_and_sorted():
    assert vcnb.__all__ == sorted(vcnb.__all__)
    assert sorted(vcnb._ROOMS) == vcnb.__all__
    for name in vcnb.__all__:
        assert getattr(vcnb, name) is not None
    typed = {
        alias.name
        for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vcnb.")
        for alias in node.names
    }
    assert typed == set(vcnb.__all__)
    assert vcnb.__version__ == metadata.version("vcnb")


def test_a_name_stays_the_function_after_its_room_was_loaded():
    importlib.import_module("vcnb.diagnose.report")
    importlib.import_module("vcnb.repair.repair")
    assert callable(vcnb.diagnose)
    assert callable(vcnb.repair)


def test_the_front_door_shows_its_names_and_the_errors_and_nothing_else():
    code = "import vcnb; print(vcnb.errors.ServiceError, [n for n in dir(vcnb) if not n.startswith('__')])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == f"<class 'vcnb.errors.ServiceError'> {sorted([*vcnb.__all__, 'errors'])}"


def test_importing_vcnb_loads_nothing_but_itself():
    code = (
        "import sys; before = set(sys.modules); import vcnb;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'vcnb'}))"
    )
    printed = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_stays_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def documented() -> list[str]:
    """Every name of the front door, and what its classes offer, by the places where they are written."""
    found = {f"{each.__module__}.{each.__qualname__}" for each in (getattr(vcnb, name) for name in vcnb.__all__)}
    for each in (getattr(vcnb, name) for name in vcnb.__all__):
        for part in dir(each) if inspect.isclass(each) else ():
            value = inspect.getattr_static(each, part)
            method = value.__func__ if isinstance(value, classmethod) else value
            if isinstance(method, FunctionType) and not part.startswith("_") and method.__module__.startswith("vcnb."):
                found.add(f"{method.__module__}.{method.__qualname__}")
    return sorted(found)


# numpydoc looks at everything, what ipywidgets would rather lose too.
@pytest.mark.filterwarnings("ignore:Widget.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", documented())
def test_what_a_user_calls_is_documented_as_numpydoc_asks(name):
    errors = [" ".join(each) for each in validate(name)["errors"] if each[0] not in NOT_ASKED]
    assert errors == []
