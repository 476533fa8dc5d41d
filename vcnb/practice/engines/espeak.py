"""How the espeak-ng process is asked, and what happens when it dies."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from vcnb.audio.resample import resample
from vcnb.catalog import LANGUAGES, SPEECH_SAMPLE_RATE

from .engine import EngineError
from .melody import USUAL, Melody

__all__ = ["Espeak", "REMEDY"]

REMEDY = "pip install 'vcnb[practice]'"
DEADLINE = 20.0  # ours: a clause takes some 5 ms; a busy machine and a cold disk are far slower
# ours: loading the library anew leaves some .2 MB behind each time; 40 ms for a new process are cheaper than 100 MB
CLAUSES_PER_PROCESS = 250
WORDS_PER_MINUTE = 160  # ours; espeak-ng's own default is 175
# espeak-ng's names of the ten languages
_VOICES = {code: code for code in LANGUAGES} | {"zh": "cmn", "en": "en-us", "pt": "pt-br"}
# A higher, smaller voice. Not f2, f3 or f5: espeak-ng 1.52 reads memory it never wrote where a voice has breath, so two
# processes differ; measured: f1 is as clear as f3 (phoneme error .28 each). Its lower variants are no gain: with m1 15
# men are the nearest of ten in .57 for .51, and DNSMOS of one in four languages is 1.75 for 2.22.
_HIGH = "+f1"


class Espeak:
    """Speaks through a process of its own, which is started when needed and again when it dies.

    Parameters
    ----------
    deadline : float
        Seconds that one clause may take.
    """

    def __init__(self, *, deadline: float = DEADLINE) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._spoken = 0

    @staticmethod
    def installed() -> bool:
        """Tell whether espeak-ng is there, without loading it."""
        return _folder() is not None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker, None between two."""
        return None if self._process is None else self._process.pid

    def speak(
        self, text: str, language: str, *, high: bool = False, pace: float = 1.0, melody: Melody = USUAL
    ) -> npt.NDArray[np.float64]:
        """Speak one clause.

        Parameters
        ----------
        text : str
            Already cleaned; for Japanese in kana.
        language : str
            Two-letter code.
        high : bool
            Whether to take the higher voice.
        pace : float
            1 is 160 words a minute.
        melody : Melody
            How high, and how lively.

        Returns
        -------
        np.ndarray [shape=(n,)]
            24 kHz, full scale at 1; empty where there is nothing to sound. The same for the same arguments.

        Raises
        ------
        EngineError
            If espeak-ng is not installed, refuses the text, or died twice over it.
        """
        voice = _VOICES[language] + (_HIGH if high else "")
        asked = {"text": text, "voice": voice, "rate": round(WORDS_PER_MINUTE * pace), **melody._asdict()}
        line = json.dumps(asked).encode() + b"\n"
        with self._lock:
            answer = self._ask(line) or self._ask(line)
        if answer is None:
            raise EngineError(f"espeak-ng broke off twice over {text[:40]!r}.", remedy="speak it in other words")
        sample_rate, body = answer
        if not sample_rate:
            raise EngineError(f"espeak-ng cannot speak: {body.decode(errors='replace')}.", remedy=REMEDY)
        samples = np.frombuffer(body, dtype=np.int16).astype(np.float32) / np.float32(32768)
        return resample(samples, sample_rate, SPEECH_SAMPLE_RATE).astype(np.float64)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, line: bytes) -> tuple[int, bytes] | None:
        """Send a request and wait for its answer; None when the process died over it."""
        process = self._running()
        requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        # A blocking read with a deadline on every system: the killer ends the process, and that ends the read.
        killer = threading.Timer(self.deadline, process.kill)
        killer.daemon = True
        killer.start()
        answer = None
        try:
            requests.write(line)
            requests.flush()
            sample_rate, size = struct.unpack("<ii", _exactly(answers, 8))
            answer = sample_rate, _exactly(answers, size)
            self._spoken += 1
        except (OSError, EOFError):
            pass
        finally:
            killer.cancel()
            if answer is None:  # also after an interrupt: what it still says would be taken for the next clause
                self._end()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._spoken >= CLAUSES_PER_PROCESS:
            self._end()
        if self._process is None:
            folder = _folder()
            if folder is None:
                raise EngineError("espeak-ng is not installed.", remedy=REMEDY)
            program = [sys.executable, "-I", "-S", str(Path(__file__).with_name("espeak_worker.py")), str(folder)]
            self._process = subprocess.Popen(
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                env={name: value for name, value in os.environ.items() if not name.startswith("DASHSCOPE_")},
            )
            self._spoken = 0
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _folder() -> Path | None:
    """Where the library and its data lie; the package is found and never imported."""
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
