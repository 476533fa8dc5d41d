"""Whether the file is small enough.

Source: the page, "File size": under 10 MB. It does not say which MB, so the smaller reading passes and what lies
between the two is a warning.
"""

from __future__ import annotations

from vcnb.catalog import BYTES_PER_FILE, BYTES_REFUSED
from vcnb.diagnose.finding import Verdict
from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["file_size", "judged_size"]


def judged_size(n_bytes: int, what: str) -> Judged:
    """Judge a size against both readings of "10 MB".

    Parameters
    ----------
    n_bytes : int
        Size in bytes.
    what : str
        Begins the sentence, for example "The file has".

    Returns
    -------
    Judged
        Warn between the two readings.
    """
    message = f"{what} {n_bytes / 1e6:.2f} MB; the service takes less than 10 MB."
    if n_bytes < BYTES_PER_FILE:
        return Judged("pass", n_bytes, message)
    verdict: Verdict = "warn" if n_bytes < BYTES_REFUSED else "fail"
    return Judged(verdict, n_bytes, message, "Send it as mono 16-bit WAV, or shorter.", "size")


@check(rank=30, unit="bytes", required=f"< {BYTES_PER_FILE} bytes", hard=True)
def file_size(subject: Subject) -> Judged:
    """Judge the size of the file in bytes."""
    return judged_size(subject.source.size_bytes, "The file has")
