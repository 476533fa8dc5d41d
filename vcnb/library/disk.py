"""Whether a folder is on this machine's own disk, and how a file gets there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["network_file_system", "write_whole"]

# Names as /proc/mounts and `mount` write them; FUSE ones as fuse.NAME. 9p: drives of Windows in WSL, shares of VMs.
NETWORK = (
    "9p afpfs afs beegfs ceph cifs davfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 panfs pvfs2 smb smb2 smb3 "
    "smbfs sshfs vboxsf virtiofs webdav"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")  # proc(5): space, tab, newline and backslash in octal


def network_file_system(folder: Path, *, mounts: str | None = None) -> str | None:
    """Name the network file system that a folder lies on.

    Parameters
    ----------
    folder : Path
        It exists.
    mounts : str, optional
        What is mounted, in the form of ``/proc/mounts``; else asked of the system.

    Returns
    -------
    str or None
        For example "nfs4"; None for a disk of this machine, or where the system does not tell.
    """
    place = os.path.realpath(folder)
    if mounts is None and sys.platform == "win32":
        return "a network drive" if _is_remote_drive(place) else None
    best, kind = "", ""
    for point, name in _mounted(mounts):
        # The last of the same point covers those before it.
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, name
    bare = kind.removeprefix("fuse.").removeprefix("fuseblk.")
    return kind if bare in NETWORK.split() else None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears complete and on the disk, or not at all.

    Parameters
    ----------
    path : Path
        Where; the folder is made. What was there is replaced.
    data : bytes
        The content.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, beside = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    if sys.platform != "win32":
        # The name, too, must outlive a power cut.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _mounted(mounts: str | None) -> list[tuple[str, str]]:
    """List mount points and their kinds, in the order in which they were mounted."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return _mounted_as_listed()
    rows = [line.split(" ") for line in mounts.splitlines()]
    return [(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), row[1]), row[2]) for row in rows if len(row) > 2]


def _mounted_as_listed() -> list[tuple[str, str]]:
    """Ask `mount`, where there is no /proc: ``server:/home on /Users/me (nfs, nodev)``."""
    try:
        said = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [(found[1], found[2]) for found in re.finditer(r"^.* on (/.*) \((\w+)", said, re.MULTILINE)]


def _is_remote_drive(place: str) -> bool:
    if place.startswith("\\\\"):
        return True
    import ctypes

    drive = os.path.splitdrive(place)[0] + "\\"
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # not there on other systems, where mypy runs
    return bool(kernel.GetDriveTypeW(drive) == 4)  # DRIVE_REMOTE
