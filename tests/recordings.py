"""Sounds and files with known truth, made by the tests that need them."""

from __future__ import annotations

import io
import struct

import av
import numpy as np

FRAME = 1024


def sine(seconds: float, sample_rate: int, *, hz: float = 440.0, peak: float = 0.5) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * sample_rate)) / sample_rate)).astype(np.float32)


def voiced(f0: np.ndarray, sample_rate: int, *, peak: float = 0.5) -> np.ndarray:
    """Glottal pulses at the given f0 (Hz, one value a sample), smoothed by a vocal tract of two resonances."""
    phase = np.cumsum(f0 / sample_rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    t = np.arange(round(0.03 * sample_rate)) / sample_rate
    tract = sum(np.exp(-250 * np.pi * t) * np.sin(2 * np.pi * hz * t) for hz in (600, 1400))
    sound = np.convolve(pulses, tract)[: len(f0)]
    return (peak * sound / np.abs(sound).max()).astype(np.float32)


def pcm_wav(samples: np.ndarray, sample_rate: int, *, bits: int = 16, n_channels: int = 1, kind: int = 1) -> bytes:
    """A WAV file written by hand: kind 1 for integers, 3 for floats."""
    rows = np.repeat(np.asarray(samples)[:, None], n_channels, 1) if np.ndim(samples) == 1 else np.asarray(samples)
    if kind == 3:
        body = rows.astype("<f4" if bits == 32 else "<f8").tobytes()
    elif bits == 24:
        body = np.rint(rows * 2**23).clip(-(2**23), 2**23 - 1).astype("<i4")[..., None].view("u1")[..., :3].tobytes()
    elif bits == 8:
        body = np.rint(rows * 128 + 128).clip(0, 255).astype("u1").tobytes()
    else:
        full = 2 ** (bits - 1)
        body = np.rint(rows * full).clip(-full, full - 1).astype(f"<i{bits // 8}").tobytes()
    block = rows.shape[1] * bits // 8
    fmt = struct.pack("<HHIIHH", kind, rows.shape[1], sample_rate, sample_rate * block, block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def encoded(
    samples: np.ndarray,
    sample_rate: int,
    container: str,
    codec: str,
    *,
    bit_rate: int | None = 128_000,
    layout: str = "mono",
) -> bytes:
    """A file in any container that FFmpeg writes."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=sample_rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        n_channels = 1 if layout == "mono" else 2
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout=layout, rate=sample_rate)
        for start in range(0, len(samples), FRAME):
            block = np.repeat(samples[None, start : start + FRAME], n_channels, 0)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block, np.float32), format="fltp", layout=layout)
            frame.sample_rate, frame.pts = sample_rate, start
            for part in resampler.resample(frame):
                file.mux(stream.encode(part))
        for part in [*resampler.resample(None), None]:
            file.mux(stream.encode(part))
    return buffer.getvalue()
