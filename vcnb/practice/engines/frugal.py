"""How ten languages fit into 300 MB.

Measured on the service after a sentence in each language: 480 MB without what stands here.
"""

from __future__ import annotations

import ctypes
import functools
import marshal
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

__all__ = ["Table", "give_back", "lighten", "one_heap", "put_aside", "without"]

# glibc, malloc.h and mallopt(3)
_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
_MADV_DONTNEED = 4  # Linux, madvise(2): pages of a file are read again when they are needed
_LARGE = 1 << 20  # bytes, ours: a smaller one gives no more memory back and costs time


def one_heap() -> None:
    """Have all threads share a heap, and keep large arrays outside it, where they are given back.

    Each of several speaking threads otherwise keeps a heap as large as its longest sentence needed.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        for parameter, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE)):
            mallopt(parameter, value)


def give_back() -> None:
    """Return what is free in the heap to the system."""
    malloc_trim = _of_glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def put_aside() -> None:
    """Take code and constants of loaded libraries out of memory; what is needed again is read from their files.

    Most of it was needed once, to load a network or to open a file.
    """
    madvise = _of_glibc("madvise")
    if madvise is None:
        return
    with open("/proc/self/smaps", encoding="utf-8") as smaps:
        start, end, constant = 0, 0, False
        for line in smaps:
            fields = line.split()
            if not fields[0].endswith(":"):
                start, end = (int(each, 16) for each in fields[0].split("-"))
                constant = "w" not in fields[1] and ".so" in line.rpartition("/")[2]
            # Anonymous pages were written to, by the linker for one, and lie in no file.
            elif constant and fields[0] == "Anonymous:" and fields[1] == "0":
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


@functools.cache
def _of_glibc(name: str) -> Any:
    """Find a function of glibc; other systems, whose allocators are left as they are, have None."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


class Table:
    """A dictionary that is only read, in a fifth of the memory.

    Parameters
    ----------
    entries : mapping
        Strings to strings, numbers, or lists and dictionaries of them.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        items = sorted((key.encode(), marshal.dumps(value)) for key, value in entries.items())
        self._keys, self._key_ends = _joined([key for key, _ in items])
        self._values, self._value_ends = _joined([value for _, value in items])

    def get(self, key: str) -> Any:
        """Look up; None where there is nothing."""
        wanted = key.encode()
        at = bisect_left(range(len(self._key_ends) - 1), wanted, key=self._key)
        if at == len(self._key_ends) - 1 or self._key(at) != wanted:
            return None
        return marshal.loads(self._values[self._value_ends[at] : self._value_ends[at + 1]])  # noqa: S302 - our own

    def _key(self, at: int) -> bytes:
        return self._keys[self._key_ends[at] : self._key_ends[at + 1]]


def _joined(parts: list[bytes]) -> tuple[bytes, array[int]]:
    """One after the other, and where each begins and the last one ends."""
    return b"".join(parts), array("I", accumulate(map(len, parts), initial=0))


@contextmanager
def without(module: str) -> Iterator[None]:
    """Let an import that can do without a module do without it; one that is loaded already stays.

    Parameters
    ----------
    module : str
        Its full name.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(module, None)


def lighten(model: Any) -> None:
    """Make a loaded `hibari.Hibari` smaller: 40 MB of dictionaries, and what onnxruntime keeps of the longest sentence.

    Parameters
    ----------
    model : hibari.Hibari
        Of version 0.2; one that keeps its dictionaries elsewhere stays as it is.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    model.sess = onnxruntime.InferenceSession(model.model_path, options, providers=["CPUExecutionProvider"])
    lexicon, tagger = getattr(model.g2p, "lexicon", None), getattr(model.g2p, "tagger", None)
    for holder, name in (
        (getattr(lexicon, "golds", None), "d"),
        (getattr(lexicon, "silvers", None), "d"),
        (tagger, "weights"),
    ):
        entries = getattr(holder, name, None)
        if isinstance(entries, dict):
            setattr(holder, name, Table(entries))
