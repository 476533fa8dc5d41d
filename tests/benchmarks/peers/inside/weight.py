"""The most memory that this process has held, in MB."""

import resource
import sys
from pathlib import Path

__all__ = ["megabytes"]


def megabytes():
    """By the system's own account; `ru_maxrss` alone would count what the parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(found.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
