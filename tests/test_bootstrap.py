"""`python3 -m vcnb` sets a clone up by itself, once, and says in plain words what stops it."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import venv
from pathlib import Path

import pytest

import vcnb

PACKAGE = Path(vcnb.__file__).parent
# Nobody listens on port 1 of this machine, and nothing is tried twice.
OFFLINE = {
    "PIP_INDEX_URL": "http://127.0.0.1:1/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "0",
    "UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple",
    "UV_NO_CACHE": "1",
    "UV_HTTP_RETRIES": "0",
}


@pytest.fixture
def clone(tmp_path):
    """The files that the set-up looks at, in a folder of their own."""
    root = tmp_path / "a clone"
    (root / "vcnb").mkdir(parents=True)
    shutil.copy(PACKAGE.parent / "pyproject.toml", root)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(PACKAGE / name, root / "vcnb")
    return root


@pytest.fixture
def bootstrap(clone):
    """The set-up of that clone, as a module of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", clone / "vcnb" / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def installed(bootstrap, monkeypatch):
    """What was installed: real environments, but without pip, which takes seconds, and nothing put into them."""
    done = []

    def make():
        bootstrap.write_stamp({})
        venv.create(bootstrap.VENV, symlinks=os.name != "nt")
        done.append("make")

    monkeypatch.setattr(bootstrap, "make", make)
    monkeypatch.setattr(bootstrap, "install", done.append)
    return done


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_gets_far_enough_to_say_that_it_is_too_old(name):
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"), feature_version=(3, 6))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__" or node.names[0].name != "annotations", "3.6 does not know it"
        for evaluated in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            assert evaluated is None or isinstance(evaluated, ast.Constant | ast.Name), ast.unparse(evaluated)


def test_a_python_older_than_3_11_is_refused_in_one_line(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert bootstrap.main() == 2
    said = capsys.readouterr().err
    assert "needs Python 3.11 or newer; this is Python 3.10.13" in said
    assert len(said.splitlines()) == 2


def test_it_loads_nothing_but_the_standard_library(clone):
    code = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('b', sys.argv[1]);"
        "m = u.module_from_spec(s); s.loader.exec_module(m);"
        "print(sorted({n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names) - {'b', '__main__'}))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(clone / "vcnb" / "__main__.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_without_a_network_it_says_so_and_the_next_start_begins_again(clone):
    command = [sys.executable, "-m", "vcnb", "voices"]
    tidy = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON"))}
    # The environment that runs the tests has vcnb: -S hides it, as on a machine that never saw it.
    command.insert(1, "-S")
    done = subprocess.run(command, cwd=clone, env=tidy | OFFLINE, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "the package index cannot be reached" in done.stderr
    assert "try: check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert json.loads((clone / ".venv" / "vcnb-setup.json").read_text()) == {}


def test_what_is_done_is_not_done_again(bootstrap, installed):
    bootstrap.set_up("test")
    bootstrap.set_up("test")
    bootstrap.set_up("base")  # the tests' part holds the other one
    assert installed == ["make", "test"]


@pytest.mark.parametrize(("arguments", "level"), [(["test"], "test"), (["test", "--help"], "base")])
def test_help_about_the_tests_does_not_install_them(bootstrap, monkeypatch, arguments, level):
    wanted = []
    monkeypatch.setattr(sys, "argv", ["vcnb", *arguments])
    monkeypatch.setattr(bootstrap, "installed_here", lambda _: False)
    monkeypatch.setattr(bootstrap, "set_up", wanted.append)
    monkeypatch.setattr(bootstrap, "inside", lambda: False)
    monkeypatch.setattr(bootstrap, "go_inside", lambda: 0)
    assert bootstrap.main() == 0
    assert wanted == [level]


def test_a_changed_list_of_packages_is_installed_into_the_same_environment(bootstrap, installed, clone):
    bootstrap.set_up("base")
    with (clone / "pyproject.toml").open("a") as file:
        file.write("\n")
    bootstrap.set_up("base")
    assert installed == ["make", "base", "base"]


@pytest.mark.parametrize("what", ["python", "root"])
def test_another_python_or_a_moved_clone_needs_a_new_environment(bootstrap, installed, clone, what):
    bootstrap.set_up("base")
    stamp = clone / ".venv" / "vcnb-setup.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {what: "another"}))
    bootstrap.set_up("base")
    assert installed == ["make", "base", "make", "base"]


def test_an_environment_whose_python_is_gone_is_made_again(bootstrap, installed):
    bootstrap.set_up("base")
    os.remove(bootstrap.python_of(bootstrap.VENV))
    bootstrap.set_up("base")
    assert installed == ["make", "base", "make", "base"]


def test_an_interrupted_set_up_goes_on_and_is_never_taken_for_done(bootstrap, installed, monkeypatch):
    def interrupted(level):
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr(bootstrap, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.set_up("base")
    assert not bootstrap.ready("base")
    bootstrap.set_up("base")
    assert installed == ["make", "base"]
    assert bootstrap.ready("base")


def test_two_at_once_install_once(bootstrap, installed, monkeypatch):
    both_looked = threading.Barrier(2)
    looked = threading.local()
    look = bootstrap.ready

    def ready(level):
        # The first look of each comes before the lock: both have seen that nothing is there.
        if not hasattr(looked, "once"):
            looked.once = True
            found = look(level)
            both_looked.wait(20)
            return found
        return look(level)

    monkeypatch.setattr(bootstrap, "ready", ready)
    threads = [threading.Thread(target=bootstrap.set_up, args=("base",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert installed == ["make", "base"]


def test_a_folder_that_is_not_ours_is_left_alone(bootstrap, clone):
    (clone / ".venv").mkdir()
    (clone / ".venv" / "precious").write_text("not ours")
    with pytest.raises(bootstrap.SetUpError, match="is not ours"):
        bootstrap.set_up("base")
    assert (clone / ".venv" / "precious").read_text() == "not ours"


def test_a_full_disk_is_said_before_anything_is_fetched(bootstrap, monkeypatch, capsys):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: usage._replace(free=bootstrap.BYTES_NEEDED - 1))
    monkeypatch.setattr(bootstrap, "installed_here", lambda level: False)
    assert bootstrap.main() == 2
    assert "GB are free in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("error: Failed to write: No space left on device (os error 28)", "the disk is full"),
        ("error: client error (Connect): dns error: failed to lookup", "cannot be reached"),
        ("error: Permission denied (os error 13)", "may not be written"),
        ("error: something nobody has seen", "could not finish"),
    ],
)
def test_the_installers_last_words_become_one_plain_line(bootstrap, tail, said):
    assert said in str(bootstrap.why(tail).args[0])


def test_where_vcnb_is_installed_it_hands_over_at_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "vcnb", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage: vcnb" in done.stdout
    assert done.stderr == ""
