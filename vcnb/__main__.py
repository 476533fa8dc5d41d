"""What ``python3 -m vcnb COMMAND`` needs before it can run.

In a clone: an environment of its own in ``.venv``, made here with the standard library alone; elsewhere nothing.
Python 3.6 can read this file, so that it gets as far as saying that 3.11 is needed: annotations stand in quotes.
"""

import collections
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

NEEDED = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
# Everything in .venv is ours to clear only where this file stands; the stamp inside it is written last.
STAMP = os.path.join(VENV, "vcnb-setup.json")
LOCK = os.path.join(VENV, "vcnb-setup.lock")
OURS = (os.path.basename(STAMP), os.path.basename(LOCK))
EXTRAS = ".[lab,practice]"
# Ours: the environment takes 1.4 GB with the tests' part and 1.1 GB without, as uv and pip lay it out.
BYTES_NEEDED = 1700 * 1000 * 1000
# They would turn an installation away from .venv.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH")
REASONS = (
    (("no space left", "os error 28", "disk quota"), "the disk is full", "make room, then run the same command again"),
    (
        # The last is how pip ends when no index answered.
        ("dns error", "name resolution", "connection", "timed out", "unreachable", "(from versions: none)"),
        "the package index cannot be reached",
        "check the network (or set HTTPS_PROXY or PIP_INDEX_URL), then run the same command again",
    ),
    (("permission denied",), "a file may not be written", "check who owns " + VENV),
)


class SetUpError(Exception):
    """The environment could not be made; two arguments: what happened, and what to do."""


def main() -> int:
    """Set up what the command needs, then run it."""
    if sys.version_info < NEEDED:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return fail("vcnb needs Python 3.11 or newer; this is Python " + found, "install a newer Python and use that")
    helped = {"-h", "--help"} & set(sys.argv[2:])
    level = "test" if "test" in sys.argv[1:2] and not helped else "base"
    try:
        if os.path.isfile(os.path.join(ROOT, "pyproject.toml")) and not installed_here(level):
            set_up(level)
            if not inside():
                return go_inside()
    except SetUpError as error:
        return fail(*error.args)
    except KeyboardInterrupt:
        return fail("stopped before the set-up was done", "run the same command again; it starts over", status=130)
    except OSError as error:
        return fail("the set-up failed: " + str(error), "mend that, then run the same command again")
    from vcnb.cli import main as run

    return run()


def fail(happened: str, remedy: str, *, status: int = 2) -> int:
    """Say what happened and what to do."""
    say(happened)
    say("  try: " + remedy)
    return status


def say(line: str) -> None:
    """Write to people, on any terminal."""
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write("vcnb: " + line.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stderr.flush()


def inside() -> bool:
    """Say whether this is the Python of the clone's own environment."""
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def installed_here(level: str) -> bool:
    """Say whether vcnb was installed, by hand, into the environment that runs this."""
    if inside() and os.path.exists(STAMP):
        return False  # made here: it is kept up to date
    if level == "test" and not inside():
        return False  # the tests bring so much that they get an environment of their own
    from importlib import metadata

    try:
        metadata.distribution("vcnb")
    except metadata.PackageNotFoundError:
        return False
    return True


def python_of(folder: str) -> str:
    """Tell where an environment keeps its Python."""
    return os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")


def digest(level: str) -> str:
    """Sum up what an installation depends on."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        return hashlib.sha256(file.read() + (EXTRAS + level).encode()).hexdigest()


def identity() -> "dict[str, str]":
    """Tell what an environment cannot survive a change of: its Python and its place."""
    return {"python": ".".join(str(part) for part in sys.version_info[:2]), "root": ROOT}


def stamp() -> "dict[str, str]":
    """Read what was set up; empty where the set-up was not finished or is not ours."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def ready(level: str) -> bool:
    """Say whether nothing has to be done."""
    found = stamp()
    same = all(found.get(name) == value for name, value in identity().items())
    return same and found.get(level) == digest(level) and os.path.exists(python_of(VENV))


def set_up(level: str) -> None:
    """Make the environment, or bring it up to date; one process at a time."""
    if ready(level):
        return
    os.makedirs(VENV, exist_ok=True)
    foreign = not os.path.exists(STAMP) and any(name not in OURS for name in os.listdir(VENV))
    if foreign and not usable(VENV):
        raise SetUpError(VENV + " is not ours and holds no Python like this one", "rename or remove that folder")
    with Locked():
        if ready(level):
            return  # somebody else did it while we waited
        started = time.monotonic()
        kept = {} if foreign else stamp()
        moved = any(kept.get(name, value) != value for name, value in identity().items())
        if not inside() and (moved or not usable(VENV)):
            kept = {}
            make()
        install(level)
        # The tests' part holds the other one; a later `demo` finds its own digest as well.
        done = dict(identity(), **{each: digest(each) for each in ({"base", level})})
        write_stamp(dict(kept, **done))
        say(f"ready after {time.monotonic() - started:.0f} s; the next start finds it done")


def usable(folder: str) -> bool:
    """Say whether an environment runs, with the same Python as this one."""
    try:
        printed = subprocess.check_output(
            [python_of(folder), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return printed.decode().strip() == identity()["python"]


def write_stamp(content: "dict[str, str]") -> None:
    """Replace the stamp in one step."""
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(STAMP + ".new", STAMP)


class Locked:
    """Hold the folder for one process; the system lets go of it also when that one is killed."""

    def __enter__(self) -> None:
        self.file = open(LOCK, "a+b")
        waited = False
        while not self._take():
            if not waited:
                say("another vcnb is setting up this clone; waiting for it")
                waited = True
            time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def _take(self) -> bool:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self.file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # A file system without locks is no reason to wait for ever.
            import errno

            return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
        return True


def make() -> None:
    """Make an empty environment, with pip inside where this Python carries it."""
    free = shutil.disk_usage(VENV).free
    if free < BYTES_NEEDED:
        raise SetUpError(
            f"{free / 1e9:.1f} GB are free in {ROOT}, {BYTES_NEEDED / 1e9:.1f} are needed",
            "make room, then run the same command again",
        )
    say("making " + VENV + " (once; this takes a minute or two)")
    write_stamp({})  # says that what follows is ours, and not finished
    for name in os.listdir(VENV):
        path = os.path.join(VENV, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif name not in OURS:
            os.remove(path)
    if quietly([sys.executable, "-m", "venv", VENV]):
        # Debian without python3-venv has no ensurepip; its own pip can install from outside.
        quietly([sys.executable, "-m", "venv", "--without-pip", VENV])
    if not usable(VENV):
        raise SetUpError("this Python cannot make environments", "install python3-venv, or use another Python")


def quietly(command: "list[str]") -> int:
    """Run a step of which only the outcome matters."""
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pip() -> "list[str]":
    """Tell how to call pip for the environment."""
    own = [python_of(VENV), "-m", "pip"]
    if quietly([*own, "--version"]) == 0:
        return own
    return [sys.executable, "-m", "pip", "--python", python_of(VENV)]


def install(level: str) -> None:
    """Install this clone and what it needs: with uv, which is faster by far, else with pip."""
    group = ["--group", "test"] if level == "test" else []
    wanted = ["-e", EXTRAS, *group]
    tool = pip()
    status, tail = run([*tool, "install", "--quiet", "--disable-pip-version-check", "uv"])
    uv = os.path.join(os.path.dirname(python_of(VENV)), "uv.exe" if os.name == "nt" else "uv")
    if status == 0 and os.path.exists(uv):
        say("installing " + " ".join(wanted) + " with uv")
        status, tail = run([uv, "pip", "install", "--python", python_of(VENV), *wanted])
        if status == 0:
            return
        say("uv could not do it; trying pip")
    else:
        say("uv cannot be had; going on with pip")
    if group:
        run([*tool, "install", "--quiet", "--upgrade", "pip>=25.1"])  # older ones do not know --group
    status, tail = run([*tool, "install", "--disable-pip-version-check", *wanted])
    if status:
        raise why(tail)


def run(command: "list[str]") -> "tuple[int, str]":
    """Run a step with its output passed on, and keep the end of that output."""
    surroundings = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    tail = collections.deque(maxlen=60)  # type: collections.deque[str]
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    ) as process:
        for raw in process.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip()
            tail.append(line)
            if line and not line.startswith((" + ", " - ")):
                say("  " + line)  # the list of packages is no progress
        return process.wait(), "\n".join(tail)


def why(tail: str) -> "SetUpError":
    """Read the reason out of an installer's last words."""
    for words, happened, remedy in REASONS:
        if any(word in tail.lower() for word in words):
            return SetUpError("the set-up could not finish: " + happened, remedy)
    return SetUpError("the set-up could not finish", "read the lines above; mend that, then run the same command again")


def go_inside() -> int:
    """Go on with the Python of the environment."""
    command = [python_of(VENV), "-m", "vcnb", *sys.argv[1:]]
    if os.name != "nt":
        sys.stderr.flush()
        os.execv(command[0], command)  # noqa: S606
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the other one got it too, and ends in its own way


if __name__ == "__main__":
    sys.exit(main())
