"""What the remedies of rate, level and form do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Edit, Source
from vcnb.audio.resample import resample
from vcnb.catalog import SAMPLE_RATE_LIMIT
from vcnb.measure.loudness import loudness_lufs
from vcnb.measure.stft import spectrogram

__all__ = ["PEAK", "dc", "edited", "headroom", "level", "mono", "rate", "size", "wav16"]

LARGE_RATE = 48_000  # Hz; a minute of it is 5.8 MB, 7.7 MB encoded, and no voice needs more
LOUDNESS = -23.0  # LUFS, what broadcasting asks of speech (EBU R 128)
NEAR = 2.0  # LU; nearer than this it is left alone; ours
PEAK = 10 ** (-1 / 20)  # -1 dBFS, so that no later conversion hits the ceiling; ours


def mono(clip: Clip, source: Source) -> Clip:
    """Say that the channels became one; the samples of a clip are mono already."""
    if source.n_channels == 1:
        return clip
    change = f"{source.n_channels} channels became 1: their average, or the loudest where the others would silence it."
    return edited(clip, Edit("mono", "The service takes mono.", change))


def rate(clip: Clip, _source: Source) -> Clip:
    """Raise the rate to the service's minimum; this adds no treble, and the edit says so."""
    if clip.sample_rate >= SAMPLE_RATE_LIMIT:
        return clip
    samples = resample(clip.samples, clip.sample_rate, SAMPLE_RATE_LIMIT)
    change = (
        f"{clip.sample_rate} Hz became {SAMPLE_RATE_LIMIT} Hz; "
        f"the sound still ends at {clip.sample_rate / 2000:g} kHz, as nothing above was recorded."
    )
    reason = f"The service takes no less than {SAMPLE_RATE_LIMIT} Hz."
    return edited(clip, Edit("rate", reason, change), samples, SAMPLE_RATE_LIMIT)


def size(clip: Clip, source: Source) -> Clip:
    """Bring the file under the limit: as 16-bit mono WAV, at 48 kHz where the rate is higher."""
    samples, sample_rate = clip.samples, clip.sample_rate
    if sample_rate > LARGE_RATE:
        samples, sample_rate = resample(samples, sample_rate, LARGE_RATE), LARGE_RATE
    lowered = "" if sample_rate == clip.sample_rate else f", the rate {clip.sample_rate} Hz became {sample_rate} Hz"
    change = f"{source.size_bytes / 1e6:.2f} MB became {2 * len(samples) / 1e6:.2f} MB as mono 16-bit WAV{lowered}."
    return edited(clip, Edit("size", "The service takes less than 10 MB.", change), samples, sample_rate)


def wav16(clip: Clip, source: Source) -> Clip:
    """Say that the clip travels as 16-bit WAV from now on."""
    was = f"{source.codec} in {source.container}"
    change = f"{was} became 16-bit WAV at {clip.sample_rate} Hz."
    return edited(clip, Edit("wav16", "What is mended travels as 16-bit WAV, which the service takes.", change))


def dc(clip: Clip, _source: Source) -> Clip:
    """Put the sound back on zero."""
    mean = float(clip.samples.mean(dtype=np.float64)) if len(clip.samples) else 0.0
    if not mean:
        return clip
    change = f"The mean of {100 * mean:+.2f} % of full scale became 0."
    edit = Edit("dc", "An offset takes room from the loud places and clicks at every cut.", change)
    return edited(clip, edit, clip.samples - np.float32(mean))


def level(clip: Clip, _source: Source) -> Clip:
    """Bring a recording to the loudness of broadcast speech, as far as its peaks leave room."""
    before = loudness_lufs(spectrogram(clip.samples, clip.sample_rate))
    peak = float(np.abs(clip.samples).max(initial=0))
    if not np.isfinite(before) or peak == 0:
        return clip  # silence stays silence
    gain = min(10 ** ((LOUDNESS - before) / 20), PEAK / peak)
    moved = 20 * np.log10(gain)
    if abs(moved) < NEAR:
        return clip
    change = f"{before:.1f} LUFS became {before + moved:.1f} LUFS"
    if gain > 1:
        change, reason = (
            f"{change}; the room's noise came up with it by {moved:.1f} dB.",
            "A faint voice is cloned less well.",
        )
    else:
        change, reason = f"{change}.", "What is pressed against full scale leaves no room."
    return edited(clip, Edit("level", reason, change), clip.samples * np.float32(gain))


def headroom(clip: Clip, _source: Source) -> Clip:
    """Turn down what comes nearer to full scale than a decibel; 16 bits cut flat what passes it."""
    peak = float(np.abs(clip.samples).max(initial=0))
    if peak <= PEAK * (1 + 1e-4):
        return clip
    gain = PEAK / peak
    change = f"Everything is {-20 * np.log10(gain):.1f} dB quieter; its peak was {20 * np.log10(peak):+.1f} dBFS."
    edit = Edit("headroom", "16 bits would cut the loudest places flat.", change)
    return edited(clip, edit, clip.samples * np.float32(gain))


def edited(
    clip: Clip, edit: Edit, samples: npt.NDArray[np.float32] | None = None, sample_rate: int | None = None
) -> Clip:
    """Put an edit on record, and keep the way back.

    Parameters
    ----------
    clip : Clip
        Before the edit.
    edit : Edit
        What was done.
    samples : np.ndarray [shape=(n,)], optional
        After it; else they stay.
    sample_rate : int, optional
        After it (Hz); else it stays.

    Returns
    -------
    Clip
        After the edit; `original` is the clip before the first.
    """
    return replace(
        clip,
        samples=clip.samples if samples is None else samples,
        sample_rate=sample_rate or clip.sample_rate,
        edits=(*clip.edits, edit),
        original=clip.original or clip,
    )
