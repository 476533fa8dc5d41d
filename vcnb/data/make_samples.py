"""How the shipped recordings are made again from their sources.

Run ``python -m vcnb.data.make_samples SOURCES TARGET`` where SOURCES holds the files that ``samples/NOTICE.txt`` names.
The three come out as the three formats that the service takes: M4A, MP3 and 16-bit WAV.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soxr

__all__ = ["encode_lossy", "join", "main", "read_wav", "write_wav"]

SENTENCES = ("a0001_1592748574", "a0002_1592748530", "a0003_1592748500", "a0009_1592748391")
PAUSE = 0.4  # seconds between two sentences
WAV_RATE = 24_000  # Hz; the least that the service takes, and small
BIT_RATE = 96_000

Samples = npt.NDArray[np.float32]


def main(sources: Path, target: Path) -> None:
    """Write the three recordings.

    Parameters
    ----------
    sources : pathlib.Path
        Folder with the originals, at any depth.
    target : pathlib.Path
        Folder to write to.
    """

    def original(name: str) -> tuple[Samples, int]:
        return read_wav(next(sources.rglob(name)))

    target.mkdir(parents=True, exist_ok=True)
    encode_lossy(target / "thorsten_en.m4a", *original("thorsten-voice_en.wav"), container="ipod", codec="aac")
    encode_lossy(target / "thorsten_de.mp3", *original("thorsten-voice_de.wav"), container="mp3", codec="libmp3lame")
    sentences = [original(f"kathleen_arctic_{name}.wav") for name in SENTENCES]
    sample_rate = sentences[0][1]
    joined = join([samples for samples, _ in sentences], sample_rate)
    write_wav(target / "kathleen_en.wav", soxr.resample(joined, sample_rate, WAV_RATE), WAV_RATE)


def read_wav(path: Path) -> tuple[Samples, int]:
    """Read a 16-bit WAV file and average its channels.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    (np.ndarray [shape=(n,)], int)
        Samples at full scale 1, and their rate (Hz).
    """
    with wave.open(str(path)) as file:
        steps = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return (steps.mean(1) / 32768).astype(np.float32), file.getframerate()


def write_wav(path: Path, samples: Samples, sample_rate: int) -> None:
    """Write a mono 16-bit WAV file.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    samples : np.ndarray [shape=(n,)]
        Amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes())


def join(sentences: list[Samples], sample_rate: int) -> Samples:
    """Put sentences one after the other, with pauses of the room's own tone.

    The originals are cut tight, and a pause of exact zeros would be heard as a hole; so the pauses are woven
    from the quietest 20 ms of the originals themselves.

    Parameters
    ----------
    sentences : list of np.ndarray [shape=(n,)]
        Mono amplitudes.
    sample_rate : int
        Samples per second (Hz).

    Returns
    -------
    np.ndarray [shape=(n,)]
        One recording.
    """
    length = sample_rate // 50
    frames = np.concatenate([each[: len(each) // length * length].reshape(-1, length) for each in sentences])
    quiet = frames[np.argsort(np.square(frames).mean(1))[: len(frames) // 20]]
    rng = np.random.default_rng(440)
    hop, n = length // 2, round(PAUSE * sample_rate)
    window = np.sin(np.pi * (np.arange(length) + 0.5) / length).astype(np.float32)  # squares of neighbours add to 1

    def room() -> Samples:
        tone = np.zeros(n + length, np.float32)
        for start in range(0, n, hop):
            tone[start : start + length] += window * quiet[rng.integers(len(quiet))]
        return tone[hop : hop + n]

    parts = [room()]
    for each in sentences:
        faded, edge = each.copy(), sample_rate // 200
        ramp = np.linspace(0, 1, edge, dtype=np.float32)
        faded[:edge] *= ramp
        faded[-edge:] *= ramp[::-1]
        parts += [faded, room()]
    return np.concatenate(parts)


def encode_lossy(path: Path, samples: Samples, sample_rate: int, *, container: str, codec: str) -> None:
    """Write a mono MP3 or M4A file.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    samples : np.ndarray [shape=(n,)]
        Amplitudes, full scale at 1.
    sample_rate : int
        Samples per second (Hz).
    container, codec : str
        FFmpeg's names.
    """
    with av.open(str(path), "w", format=container, options={"fflags": "+bitexact"}) as file:
        stream: Any = file.add_stream(codec, rate=sample_rate, layout="mono", bit_rate=BIT_RATE)
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = sample_rate
        frame.pts = 0
        for part in (frame, None):
            file.mux(stream.encode(part))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
