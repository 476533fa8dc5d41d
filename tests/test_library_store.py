"""The library's file: on the disk or not at all, for many at once, and never touched where it is not understood."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vcnb.errors import LibraryError, ServiceUnreachableError
from vcnb.library.disk import network_file_system, write_whole
from vcnb.library.opening import MIGRATIONS, open_store
from vcnb.library.store import FILE_NAME, Store

ONE = "CREATE TABLE things(name TEXT PRIMARY KEY, n INTEGER) STRICT; CREATE INDEX by_n ON things(n);"
TWO = "ALTER TABLE things ADD COLUMN note TEXT NOT NULL DEFAULT 'semi;colon';"


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path, [ONE])
    yield found
    found.close()


def names(store):
    return [row["name"] for row in store.rows("SELECT name FROM things ORDER BY name")]


def test_every_commit_is_synced_in_a_write_ahead_log(store):
    assert store.row("PRAGMA journal_mode")[0] == "wal"
    assert store.row("PRAGMA synchronous")[0] == 2, "FULL"
    assert store.notes == ()
    assert os.stat(store.path).st_mode & 0o077 == 0, "voices are nobody else's business"


def test_a_change_is_whole_or_not_at_all(store):
    def stumble():
        with store.transaction() as db:
            db.execute("INSERT INTO things VALUES('half', 1)")
            with store.transaction() as inner:  # joins the outer one
                inner.execute("INSERT INTO things VALUES('other half', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert names(store) == []
    with store.transaction() as db:
        db.execute("INSERT INTO things VALUES('whole', 1)")
    assert names(store) == ["whole"]


def test_errors_of_others_pass_through_a_transaction_as_they_are(store):
    with pytest.raises(ServiceUnreachableError), store.transaction():
        raise ServiceUnreachableError("an OSError of another room")
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.executemany("INSERT INTO things VALUES(?, 1)", [("twice",), ("twice",)])
    assert names(store) == []


def test_threads_and_processes_lose_nothing(store, tmp_path):
    write = (
        "import sys; from pathlib import Path; from vcnb.library.store import Store\n"
        f"store = Store(Path({str(tmp_path)!r}), [{ONE!r}])\n"
        "for n in range(40):\n"
        "    with store.transaction() as db: db.execute('INSERT INTO things VALUES(?, 1)', (f'{sys.argv[1]} {n}',))\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", write, name]) for name in "ab"]

    def insert(name):
        for n in range(40):
            with store.transaction() as db:
                db.execute("INSERT INTO things VALUES(?, 1)", (f"{name} {n}",))

    threads = [threading.Thread(target=insert, args=(name,)) for name in "cd"]
    for thread in threads:
        thread.start()
    for each in (*threads, *others):
        each.wait(60) if isinstance(each, subprocess.Popen) else each.join(60)
    assert [other.returncode for other in others] == [0, 0]
    assert sorted(names(store)) == sorted(f"{name} {n}" for name in "abcd" for n in range(40))


def test_two_that_make_a_new_library_at_once_both_get_it(tmp_path):
    start, found = threading.Barrier(8), []

    def make():
        start.wait(10)
        store = Store(tmp_path, [ONE, TWO])
        found.append(store.row("SELECT count(*) FROM things")[0])
        store.close()

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [0] * 8


def test_a_store_of_an_older_version_goes_on_with_its_rows(tmp_path):
    old = Store(tmp_path, [ONE])
    with old.transaction() as db:
        db.execute("INSERT INTO things VALUES('kept', 7)")
    old.close()
    new = Store(tmp_path, [ONE, TWO])
    assert [tuple(row) for row in new.rows("SELECT * FROM things")] == [("kept", 7, "semi;colon")]
    new.close()


@pytest.mark.parametrize("left_open", [False, True], ids=["closed", "still open elsewhere"])
def test_a_store_of_a_newer_version_is_refused_and_left_byte_for_byte(tmp_path, left_open):
    newer = Store(tmp_path, [ONE, TWO])
    with newer.transaction() as db:
        db.execute("INSERT INTO things(name) VALUES('of the future')")
    if not left_open:
        newer.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(LibraryError, match="newer vcnb") as caught:
        Store(tmp_path, [ONE])
    assert "upgrade" in caught.value.remedy
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    newer.close()


@pytest.mark.parametrize("content", [b"no database, but 100 bytes of something else entirely" * 2, b"\x00" * 4096])
def test_a_file_that_is_no_library_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(LibraryError, match=FILE_NAME) as caught:
        Store(tmp_path, [ONE])
    assert "left as it is" in caught.value.remedy
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_busy_store_is_waited_for_and_then_said_so(store, tmp_path):
    impatient = Store(tmp_path, [ONE], patience=0.05)
    with store.transaction(), pytest.raises(LibraryError, match="locked") as caught, impatient.transaction():
        pytest.fail("two wrote at once")
    assert "another process" in caught.value.remedy
    with impatient.transaction() as db:
        db.execute("INSERT INTO things VALUES('afterwards', 1)")
    assert names(store) == ["afterwards"]
    impatient.close()


def in_a_process(folder: Path, body: str) -> str:
    """What a process says that the system restricts, as an account without rights or a full disk would be."""
    code = (
        "import os, resource, signal\nfrom pathlib import Path\n"
        "from vcnb.library.store import Store\nfrom vcnb.library.disk import write_whole\n"
        "from vcnb.errors import LibraryError\n"
        f"folder = Path({str(folder)!r})\n{body}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_said_so_and_leaves_nothing_half_written(tmp_path):
    said = in_a_process(
        tmp_path,
        f"""
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(folder, [{ONE!r}])
with store.transaction() as db: db.execute("INSERT INTO things VALUES('small', 1)")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with store.transaction() as db:
        db.execute("INSERT INTO things VALUES('first of two', 1)")
        db.execute("INSERT INTO things VALUES(?, 1)", ("large" * 100_000,))
except LibraryError as error: print(error)
try: write_whole(folder / "sounds" / "a", b"x" * 300_000)
except OSError as error: print("sound:", error.strerror)
print([row[0] for row in store.rows("SELECT name FROM things")], os.listdir(folder / "sounds"))
with store.transaction() as db: db.execute("INSERT INTO things VALUES('small again', 1)")
""",
    )
    assert "make room" in said
    assert "sound: File too large" in said
    assert "['small'] []" in said
    store = Store(tmp_path, [ONE])
    assert names(store) == ["small", "small again"]
    assert store.row("PRAGMA integrity_check")[0] == "ok"
    store.close()


def test_a_home_that_cannot_be_written_is_said_so(tmp_path):
    tmp_path.chmod(0o555)
    try:
        said = in_a_process(
            tmp_path,
            # Root may write anywhere: be somebody else.
            f"""
if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.umask(0)
try: Store(folder, [{ONE!r}])
except LibraryError as error: print(error)
""",
        )
    finally:
        tmp_path.chmod(0o755)
    assert "data=" in said
    assert list(tmp_path.iterdir()) == []


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/export /home nfs4 rw 0 0
/dev/vdb /home/local xfs rw 0 0
me@host:/ /home/local/far\\040away fuse.sshfs rw 0 0
tmpfs /home/shadowed tmpfs rw 0 0
//nas/share /home/shadowed cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/data", None),
        ("/homely", None),
        ("/home", "nfs4"),
        ("/home/me/vcnb", "nfs4"),
        ("/home/local/vcnb", None),
        ("/home/local/far away/vcnb", "fuse.sshfs"),
        ("/home/shadowed/x", "cifs"),
    ],
)
def test_a_network_file_system_is_told_from_a_disk(folder, kind):
    assert network_file_system(Path(folder), mounts=MOUNTS) == kind


def test_on_a_network_file_system_a_rollback_journal_is_used_and_said(tmp_path, monkeypatch):
    Store(tmp_path, [ONE]).close()  # a WAL file that was copied there goes on without WAL
    monkeypatch.setattr("vcnb.library.store.network_file_system", lambda folder: "nfs4")
    store = Store(tmp_path, [ONE])
    with store.transaction() as db:
        db.execute("INSERT INTO things VALUES('far', 1)")
    assert store.row("PRAGMA journal_mode")[0] == "delete"
    assert "nfs4" in store.notes[0]
    assert names(store) == ["far"]
    store.close()


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / "deep" / "file"
    for content in (b"first", b"second" * 1000):
        write_whole(target, content)
        assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_the_library_itself_opens_and_opens_again(tmp_path):
    for _ in range(2):
        store = open_store(tmp_path)
        assert store.row("PRAGMA user_version")[0] == len(MIGRATIONS)
        store.close()
