"""Whether the file is mono.

Source: the page, "Channels": mono.
"""

from __future__ import annotations

from vcnb.diagnose.subject import Judged, Subject, check

__all__ = ["channels"]


@check(rank=60, required="1", hard=True)
def channels(subject: Subject) -> Judged:
    """Judge the number of channels in the file."""
    n_channels = subject.source.n_channels
    if n_channels == 1:
        return Judged("pass", 1, "The file is mono.")
    message = f"The file has {n_channels} channels; the service takes mono."
    return Judged("fail", n_channels, message, "Make one channel of them.", "mono")
