"""Whether the recording is still small enough when it travels as text.

Source: the page, "audio.data": Base64 encoding increases the size, and the encoded version must stay under 10 MB.
"""

from __future__ import annotations

from vcnb.audio.clip import Source
from vcnb.catalog import BYTES_PER_FILE, MEDIA_TYPES
from vcnb.diagnose.subject import Judged, Subject, check

from .file_size import judged_size

__all__ = ["base64_size", "encoded_bytes"]


def encoded_bytes(source: Source) -> int:
    """Length of the data URI that would carry a file.

    Parameters
    ----------
    source : Source
        The file.

    Returns
    -------
    int
        Bytes: four for every three begun, and the prefix with its media type.
    """
    media_type = MEDIA_TYPES.get(source.container, "audio/" + source.container)
    return 4 * -(-source.size_bytes // 3) + len(f"data:{media_type};base64,")


@check(rank=40, unit="bytes", required=f"< {BYTES_PER_FILE} bytes", hard=True)
def base64_size(subject: Subject) -> Judged:
    """Judge the size in bytes after Base64."""
    n_bytes = encoded_bytes(subject.source)
    if subject.source.url:
        return Judged("pass", n_bytes, "The service fetches this file from its address; nothing is encoded.")
    return judged_size(n_bytes, "Encoded it has")
