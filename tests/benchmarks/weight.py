"""What a process weighs; also run by the Python of other environments, so nothing is imported here."""

import resource
import sys
from pathlib import Path

__all__ = ["megabytes"]


def megabytes() -> float:
    """The most memory that this process has held, in MB; `ru_maxrss` would count what its parent held, too."""
    status = Path("/proc/self/status")
    if status.exists():
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(found.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
