"""What the remedies of length and pauses do: they take parts away and change no sample that stays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Edit, Segment, Source
from vcnb.catalog import SECONDS_LIMIT
from vcnb.diagnose.report import Report, diagnose
from vcnb.measure.activity import speech_segments
from vcnb.measure.speech import speech_activity

from .picking import LONGEST, SHORTEST, burden, places, search
from .proof import similarity
from .steps import edited
from .survey import survey

__all__ = ["cut", "pause", "trim", "window"]

Floats = npt.NDArray[np.float32]

PAUSE_WITHIN = 15.0  # seconds before the limit in which a pause is looked for; ours
PAUSE = 0.2  # seconds; a shorter gap lies within a word; ours
FADE = 0.01  # seconds, at a cut; ours
LONG_PAUSE = 1.7  # seconds; the page takes 2, and edges of speech are known to 0.2
KEPT_PAUSE = 1.0  # seconds, as speakers pause between sentences; ours
JOINED = 0.02  # seconds over which two ends of a pause are blended
CHOICE = 2  # clean stretches among which is chosen
MARGIN = 0.3  # seconds left before the first and after the last word
SHORT_WINDOW = 6.0  # seconds; less than the page recommends is still better than music or a second voice


def window(clip: Clip, source: Source) -> Clip:
    """Keep the best 10 to 20 seconds; where only the ends are silent, take these away."""
    trimmed = trim(clip, source)
    if clip.duration > LONGEST and SHORTEST <= trimmed.duration <= LONGEST:
        return trimmed
    report = diagnose(clip)
    felt = survey([(clip.samples, clip.sample_rate, None)])

    def fetch(stretches: Sequence[Segment]) -> list[Clip]:
        return [Clip(_part(clip, each), clip.sample_rate) for each in stretches]

    # What lies on all of it, as its rate does, no choice of stretch changes.
    lying = {each.check for each in report.findings if each.verdict in ("warn", "fail") and not each.segments} - {
        "noise"
    }
    found = search(felt, fetch, marks=places(report), apart_from=lying, wanted=CHOICE)
    if not found or burden(found[0].report, lying)[0]:
        found += search(felt, fetch, marks=places(report), apart_from=lying, shortest=SHORT_WINDOW)
    least = min((burden(each.report) for each in found), default=None)
    equal = [each for each in found if burden(each.report) == least]
    # Of those that are equally clean, the one in which the voice is most like itself.
    best = max(equal, key=lambda each: _typical(clip, each.clip), default=None)
    too_long = clip.duration > SECONDS_LIMIT
    if best is None or (burden(best.report) >= burden(report) and not too_long):
        return cut(clip, source) if too_long else clip
    change = (
        f"{clip.duration:.2f} s became the {best.end - best.start:.2f} s from {best.start:.2f} to {best.end:.2f} s, "
        f"the best of {len(found)} stretches that were judged."
    )
    avoided = sorted(_standing(report) - _standing(best.report))
    reason = "The service recommends 10 to 20 s of clean speech."
    if avoided:
        change += f" It is free of: {', '.join(avoided)}."
    return edited(
        clip, Edit("window", reason, change), _faded(_part(clip, Segment(best.start, best.end)), clip.sample_rate)
    )


def trim(clip: Clip, _source: Source) -> Clip:
    """Take away silence before the first and after the last word, but for what the recommended length needs."""
    spoken = speech_activity(clip.samples, clip.sample_rate).segments
    if not spoken:
        return clip
    first, last = max(0.0, spoken[0].start - MARGIN), min(clip.duration, spoken[-1].end + MARGIN)
    end = min(clip.duration, max(last, first + SHORTEST + MARGIN))
    kept = Segment(max(0.0, min(first, end - SHORTEST - MARGIN)), end)
    if clip.duration - kept.duration < MARGIN:
        return clip
    change = (
        f"{clip.duration:.2f} s became {kept.duration:.2f} s: {kept.start:.2f} s before the first word went, "
        f"and {clip.duration - kept.end:.2f} s after the last."
    )
    edit = Edit("trim", "Silence at the ends teaches a clone nothing.", change)
    return edited(clip, edit, _faded(_part(clip, kept), clip.sample_rate))


def pause(clip: Clip, _source: Source) -> Clip:
    """Take the middle out of pauses that are too long; what is left of the room is blended."""
    spoken = speech_activity(clip.samples, clip.sample_rate).segments
    pauses = [Segment(before.end, after.start) for before, after in pairwise(spoken)]
    long = [each for each in pauses if each.duration > LONG_PAUSE]
    if not long:
        return clip
    excess = sum(each.duration - KEPT_PAUSE for each in long)
    # A recording that would become too short keeps more of its pauses, as far as they are allowed.
    spared = float(np.clip(SHORTEST + MARGIN - (clip.duration - excess), 0, None)) / len(long)
    kept = min(KEPT_PAUSE + spared, LONG_PAUSE - 0.1)
    samples, at = clip.samples[:0], 0
    for each in long:
        left, right = (round(second * clip.sample_rate) for second in (each.start + kept / 2, each.end - kept / 2))
        samples, at = _blended(samples, clip.samples[at:left], clip.sample_rate), right
    samples = _blended(samples, clip.samples[at:], clip.sample_rate)
    was = ", ".join(f"{each.duration:.1f} s at {each.start:.1f} s" for each in long)
    change = f"{was} became {kept:.1f} s; the recording has {len(samples) / clip.sample_rate:.2f} s now."
    return edited(clip, Edit("pause", "The service takes pauses of up to 2 s.", change), samples)


def cut(clip: Clip, _source: Source) -> Clip:
    """Shorten to the service's limit, at the last pause before it where there is one."""
    if clip.duration <= SECONDS_LIMIT:
        return clip
    pauses = _pauses(clip)
    near = [pause for pause in pauses if SECONDS_LIMIT - PAUSE_WITHIN <= pause <= SECONDS_LIMIT]
    samples = _faded(_part(clip, Segment(0.0, max(near, default=SECONDS_LIMIT))), clip.sample_rate)
    where = "in a pause" if near else "with a short fade, as no pause was near"
    change = f"{clip.duration:.2f} s became {len(samples) / clip.sample_rate:.2f} s, cut {where}."
    return edited(clip, Edit("cut", f"The service takes at most {SECONDS_LIMIT:.0f} s.", change), samples)


def _typical(clip: Clip, stretch: Clip) -> float:
    alike = similarity(clip, stretch)
    return alike if np.isfinite(alike) else -1.0


def _part(clip: Clip, segment: Segment) -> Floats:
    return clip.samples[round(segment.start * clip.sample_rate) : round(segment.end * clip.sample_rate)]


def _faded(samples: Floats, sample_rate: int) -> Floats:
    """Let a cut make no click."""
    n_faded = min(round(FADE * sample_rate), len(samples) // 2)
    ramp = np.linspace(0, 1, n_faded, dtype=np.float32)
    faded = samples.copy()
    faded[:n_faded] *= ramp
    faded[len(faded) - n_faded :] *= ramp[::-1]
    return faded


def _blended(before: Floats, after: Floats, sample_rate: int) -> Floats:
    """Join two stretches of a room, whose powers add up as they are not alike."""
    n_joined = min(round(JOINED * sample_rate), len(before), len(after))
    if not n_joined:
        return np.concatenate([before, after])
    angle = np.linspace(0, np.pi / 2, n_joined, dtype=np.float32)
    middle = before[len(before) - n_joined :] * np.cos(angle) + after[:n_joined] * np.sin(angle)
    return np.concatenate([before[: len(before) - n_joined], middle, after[n_joined:]])


def _pauses(clip: Clip) -> list[float]:
    """Find the middles of the pauses around the limit, in seconds."""
    start = max(0.0, SECONDS_LIMIT - PAUSE_WITHIN - 1)
    part = clip.samples[int(start * clip.sample_rate) : int((SECONDS_LIMIT + 1) * clip.sample_rate)]
    spoken = speech_segments(part, clip.sample_rate)
    gaps = [Segment(before.end, after.start) for before, after in pairwise(spoken)]
    return [start + (gap.start + gap.end) / 2 for gap in gaps if gap.duration >= PAUSE]


def _standing(report: Report) -> set[str]:
    return {each.check for each in report.findings if each.verdict in ("warn", "fail")}
