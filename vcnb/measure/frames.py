"""How sound is cut into frames, and how loud each is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["framed", "levels_db"]

SILENCE_DB = -120.0  # ours: digital silence; one step of 16 bits is -90


def framed(samples: npt.NDArray[np.float32], frame_length: int, hop_length: int) -> npt.NDArray[np.float32]:
    """Cut samples into overlapping frames without copying them.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono amplitudes; frames are centred, the ends padded with zeros.
    frame_length, hop_length : int
        In samples.

    Returns
    -------
    np.ndarray [shape=(n // hop_length + 1, frame_length)]
        Frame `i` is centred on sample `i * hop_length`.
    """
    padded = np.pad(np.asarray(samples, np.float32), frame_length // 2)
    if len(padded) < frame_length:
        padded = np.pad(padded, (0, frame_length - len(padded)))
    return np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop_length]


def levels_db(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Root mean square of each frame.

    Parameters
    ----------
    frames : np.ndarray [shape=(n_frames, frame_length)]
        As `framed` gives them.

    Returns
    -------
    np.ndarray [shape=(n_frames,)]
        dB relative to full scale 1, at least -120.
    """
    power = np.einsum("ij,ij->i", frames, frames) / frames.shape[1]
    levels: npt.NDArray[np.float32] = np.maximum(10 * np.log10(np.maximum(power, 1e-30)), SILENCE_DB)
    return levels.astype(np.float32)
