"""Who speaks English: hibari-tts, a small neural voice that travels inside its wheel."""

from __future__ import annotations

import importlib.util
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from .frugal import lighten, put_aside, without

__all__ = ["English"]

# Apart from the text the model takes noise for its breath: one seed makes the same text the same sound.
_SEED = 0
_PACE_LIMITS = (0.5, 2.0)  # hibari-tts, README


class English:
    """Speaks English; loads its model at the first word."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None
        self._missing = not all(importlib.util.find_spec(name) for name in ("hibari", "onnxruntime"))

    def installed(self) -> bool:
        """Tell whether the voice can be loaded on this machine; loads it."""
        with self._lock:
            if self._model is None and not self._missing:
                try:
                    with without("scipy.fft"):  # 30 MB and .4 s for the same sound; it knows NumPy's as well
                        from hibari import Hibari
                    model = Hibari(threads=1)
                    lighten(model)
                    put_aside()
                    self._model = model
                except (ImportError, OSError):  # onnxruntime is there and its libraries are not
                    self._missing = True
            return self._model is not None

    def speak(self, text: str, *, pace: float = 1.0) -> npt.NDArray[np.float64]:
        """Speak one clause; numbers, currencies and titles are read out by hibari's own normalizer.

        Parameters
        ----------
        text : str
            English.
        pace : float
            1 is the model's own.

        Returns
        -------
        np.ndarray [shape=(n,)]
            24 kHz, full scale at 1; empty where it finds nothing that it can read. The same for the same arguments.
        """
        if not self.installed():
            return np.zeros(0)
        # "[word](/phonemes/)" is hibari's markup: without brackets it is only text.
        plain = text.translate({ord("["): " ", ord("]"): " "})
        try:
            samples = self._spoken(plain, pace)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return np.zeros(0)  # its normalizer is small, and falls over a text now and then
        return np.asarray(samples, dtype=np.float64)

    def _spoken(self, text: str, pace: float) -> Any:
        with self._lock:
            return self._model(text, speed=float(np.clip(pace, *_PACE_LIMITS)), seed=_SEED)
