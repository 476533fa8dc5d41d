"""How espeak-ng speaks without living in our process.

A program of its own: it reads one JSON line a request on stdin and answers in binary on stdout. It stands by itself
(standard library only, no vcnb), because espeak-ng is GPL-3 or later and vcnb is Apache-2.0. The package
espeakng-loader 0.2.4 brings espeak-ng 1.52; its source is at https://github.com/espeak-ng/espeak-ng.

Request: ``{"text": str, "voice": str, "rate": int, "pitch": int, "range": int}``. Answer: two little-endian int32,
sample rate (0 for a failure) and number of bytes; then that many bytes of 16-bit PCM, or of an error message in UTF-8.
It ends when stdin ends.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["main", "synthesize"]

# espeak-ng, speak_lib.h
_RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL: the sound comes to the callback
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8 = 1  # espeakCHARS_UTF8; neither espeakSSML nor espeakPHONEMES, so no markup has a meaning
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeakRATE (words a minute), espeakPITCH and espeakRANGE (0 to 99, 50 is usual)
_CHARACTER = 1  # POS_CHARACTER

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_LIBRARIES = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}


def synthesize(folder: Path, request: Mapping[str, Any]) -> tuple[int, bytes]:
    """Speak one clause from a fresh state.

    espeak-ng keeps the phase of its pitch flutter from one sentence to the next, and no call resets it, so the same
    clause differs when it is spoken second. The library is loaded anew for each: 3 ms, and equal to the bit.

    Parameters
    ----------
    folder : Path
        Holds the library and ``espeak-ng-data``.
    request : mapping
        ``text``, ``voice`` (espeak's name, with its variant), ``rate`` (words a minute), ``pitch`` and ``range``.

    Returns
    -------
    sample_rate : int
        Samples per second (Hz).
    pcm : bytes
        16-bit mono, in the machine's byte order.

    Raises
    ------
    OSError
        If the library cannot be loaded.
    ValueError
        If espeak-ng refuses the voice or the text.
    """
    library = ctypes.CDLL(str(folder / _LIBRARIES.get(sys.platform, "libespeak-ng.so")))
    pieces: list[bytes] = []

    def keep(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _Callback(keep)
    try:
        sample_rate = int(
            library.espeak_Initialize(_RETRIEVAL + 1, 0, os.fsencode(folder / "espeak-ng-data"), _DONT_EXIT)
        )
        if sample_rate <= 0:
            raise ValueError("espeak-ng does not find its data")
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(request["voice"].encode()):
            raise ValueError(f"espeak-ng has no voice {request['voice']!r}")
        for parameter, name in ((_RATE, "rate"), (_PITCH, "pitch"), (_RANGE, "range")):
            library.espeak_SetParameter(parameter, int(request[name]), 0)
        text = request["text"].encode() + b"\0"
        if library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, _CHARACTER, 0, _UTF8, None, None):
            raise ValueError("espeak-ng does not speak this text")
        library.espeak_Terminate()
    finally:
        _unload(library)
    return sample_rate, b"".join(pieces)


def _unload(library: ctypes.CDLL) -> None:
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def main(folder: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more.

    Parameters
    ----------
    folder : Path
        Holds the library and ``espeak-ng-data``.
    requests, answers : binary file
        The two pipes.
    """
    for line in requests:
        try:
            sample_rate, body = synthesize(folder, json.loads(line))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            sample_rate, body = 0, str(error).encode()
        answers.write(struct.pack("<ii", sample_rate, len(body)) + body)
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted cell must not take the voice away
    # Whatever the library prints must not fall into the answers.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    main(Path(sys.argv[1]), sys.stdin.buffer, pipe)
