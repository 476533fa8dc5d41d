"""Whether a repair left the speaker as it was."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip
from vcnb.measure.hum import hum as find_hum
from vcnb.measure.hum import hum_alone
from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import speech_activity

__all__ = ["HARMLESS", "similarity"]

HARMLESS = 0.97  # cosine; two recordings of one speaker have about 0.85 to 0.95

_means: WeakKeyDictionary[Clip, np.ndarray] = WeakKeyDictionary()


def similarity(before: Clip, after: Clip) -> float:
    """Compare the speaker of a clip before and after it was mended.

    Parameters
    ----------
    before, after : Clip
        Two states of a recording.

    Returns
    -------
    float
        Cosine between the mean embeddings, -1 to 1; NaN where too little is said.
    """
    if before.samples is after.samples and before.sample_rate == after.sample_rate:
        return 1.0  # the form has changed, the sound has not
    one, other = _mean(before), _mean(after)
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) or np.nan))


def _mean(clip: Clip) -> np.ndarray:
    """Mean embedding of a clip; each step of a repair is one's after and the next one's before."""
    if clip not in _means:
        samples = _voice(clip)
        activity = speech_activity(samples, clip.sample_rate)
        _, embeddings = speaker_embeddings(samples, clip.sample_rate, activity)
        _means[clip] = embeddings.mean(0) if len(embeddings) else np.zeros(256, np.float32)
    return _means[clip]


def _voice(clip: Clip) -> npt.NDArray[np.float32]:
    """Give a clip without what the network hears as part of a voice though nobody said it: an offset, and the mains.

    Held against the voice in its hum, the better the repair the more it would seem to harm.
    """
    samples: npt.NDArray[np.float32] = clip.samples - clip.samples.mean(dtype=np.float64).astype(np.float32)
    mains, _ = find_hum(samples, clip.sample_rate)
    if mains:
        samples = samples - hum_alone(samples, clip.sample_rate, mains)
    return samples
