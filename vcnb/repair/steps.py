"""What each remedy does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Edit, Segment, Source
from vcnb.audio.resample import resample
from vcnb.catalog import SAMPLE_RATE_LIMIT, SECONDS_LIMIT
from vcnb.measure.activity import speech_segments
from vcnb.measure.loudness import loudness_lufs
from vcnb.measure.stft import spectrogram

__all__ = ["REMEDIES", "cut", "headroom", "level", "mono", "rate", "size", "wav16"]

PAUSE_WITHIN = 15.0  # seconds before the limit in which a pause is looked for; ours
PAUSE = 0.2  # seconds; a shorter gap lies within a word; ours
FADE = 0.01  # seconds, where no pause is found; ours
LARGE_RATE = 48_000  # Hz; a minute of it is 5.8 MB, 7.7 MB encoded, and no voice needs more
LOUDNESS = -23.0  # LUFS, what broadcasting asks of speech (EBU R 128)
PEAK = 10 ** (-1 / 20)  # -1 dBFS, so that no later conversion hits the ceiling; ours


def cut(clip: Clip, _source: Source) -> Clip:
    """Shorten to the service's limit, at the last pause before it where there is one."""
    pauses = _pauses(clip)
    near = [pause for pause in pauses if SECONDS_LIMIT - PAUSE_WITHIN <= pause <= SECONDS_LIMIT]
    end = max(near, default=SECONDS_LIMIT)
    samples = clip.samples[: int(end * clip.sample_rate)].copy()
    if not near:
        n_faded = round(FADE * clip.sample_rate)
        samples[-n_faded:] *= np.linspace(1, 0, n_faded, dtype=np.float32)
    where = "in a pause" if near else "with a short fade, as no pause was near"
    change = f"{clip.duration:.2f} s became {len(samples) / clip.sample_rate:.2f} s, cut {where}."
    return _edited(clip, Edit("cut", f"The service takes at most {SECONDS_LIMIT:.0f} s.", change), samples)


def mono(clip: Clip, source: Source) -> Clip:
    """Say that the channels were averaged; the samples of a clip are mono already."""
    change = f"{source.n_channels} channels became 1, their average."
    return _edited(clip, Edit("mono", "The service takes mono.", change))


def rate(clip: Clip, _source: Source) -> Clip:
    """Raise the rate to the service's minimum; this adds no treble, and the edit says so."""
    samples = resample(clip.samples, clip.sample_rate, SAMPLE_RATE_LIMIT)
    change = (
        f"{clip.sample_rate} Hz became {SAMPLE_RATE_LIMIT} Hz; "
        f"the sound still ends at {clip.sample_rate / 2000:g} kHz, as nothing above was recorded."
    )
    reason = f"The service takes no less than {SAMPLE_RATE_LIMIT} Hz."
    return _edited(clip, Edit("rate", reason, change), samples, SAMPLE_RATE_LIMIT)


def size(clip: Clip, source: Source) -> Clip:
    """Bring the file under the limit: as 16-bit mono WAV, at 48 kHz where the rate is higher."""
    samples, sample_rate = clip.samples, clip.sample_rate
    if sample_rate > LARGE_RATE:
        samples, sample_rate = resample(samples, sample_rate, LARGE_RATE), LARGE_RATE
    lowered = "" if sample_rate == clip.sample_rate else f", the rate {clip.sample_rate} Hz became {sample_rate} Hz"
    change = f"{source.size_bytes / 1e6:.2f} MB became {2 * len(samples) / 1e6:.2f} MB as mono 16-bit WAV{lowered}."
    return _edited(clip, Edit("size", "The service takes less than 10 MB.", change), samples, sample_rate)


def wav16(clip: Clip, source: Source) -> Clip:
    """Say that the clip travels as 16-bit WAV from now on."""
    was = f"{source.codec} in {source.container}"
    change = f"{was} became 16-bit WAV at {clip.sample_rate} Hz."
    return _edited(clip, Edit("wav16", "What is mended travels as 16-bit WAV, which the service takes.", change))


def level(clip: Clip, _source: Source) -> Clip:
    """Raise a faint recording to the loudness of broadcast speech, as far as its peaks leave room."""
    before = loudness_lufs(spectrogram(clip.samples, clip.sample_rate))
    peak = float(np.abs(clip.samples).max(initial=0))
    if not np.isfinite(before) or peak == 0:
        return clip  # silence stays silence
    gain = min(10 ** ((LOUDNESS - before) / 20), PEAK / peak)
    if gain <= 1:
        return clip
    raised = 20 * np.log10(gain)
    change = (
        f"{before:.1f} LUFS became {before + raised:.1f} LUFS; the room's noise came up with it by {raised:.1f} dB."
    )
    return _edited(clip, Edit("level", "A faint voice is cloned less well.", change), clip.samples * np.float32(gain))


def headroom(clip: Clip) -> Clip:
    """Turn down what passes full scale, which 16 bits would cut flat."""
    peak = float(np.abs(clip.samples).max(initial=0))
    if peak <= 1:
        return clip
    gain = PEAK / peak
    change = f"Everything is {-20 * np.log10(gain):.1f} dB quieter; its peak was {20 * np.log10(peak):+.1f} dBFS."
    edit = Edit("headroom", "16 bits would cut the loudest places flat.", change)
    return _edited(clip, edit, clip.samples * np.float32(gain))


# The word in a finding -> what is done, in this order.
REMEDIES: dict[str, Callable[[Clip, Source], Clip]] = {
    "cut": cut,
    "mono": mono,
    "rate": rate,
    "level": level,
    "size": size,
    "wav16": wav16,
}


def _edited(
    clip: Clip, edit: Edit, samples: npt.NDArray[np.float32] | None = None, sample_rate: int | None = None
) -> Clip:
    return replace(
        clip,
        samples=clip.samples if samples is None else samples,
        sample_rate=sample_rate or clip.sample_rate,
        edits=(*clip.edits, edit),
    )


def _pauses(clip: Clip) -> list[float]:
    """Find the middles of the pauses around the limit, in seconds."""
    start = max(0.0, SECONDS_LIMIT - PAUSE_WITHIN - 1)
    part = clip.samples[int(start * clip.sample_rate) : int((SECONDS_LIMIT + 1) * clip.sample_rate)]
    spoken = speech_segments(part, clip.sample_rate)
    gaps = [Segment(before.end, after.start) for before, after in pairwise(spoken)]
    return [start + (gap.start + gap.end) / 2 for gap in gaps if gap.duration >= PAUSE]
