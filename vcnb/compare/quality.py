"""How good listeners would call the sound, guessed by a network that heard many of them.

Needs the extra ``vcnb[quality]``: the models travel in Microsoft's package speechmos, under the MIT licence.
"""

from __future__ import annotations

import importlib.util
import math

import numpy as np

from vcnb.audio.resample import resample
from vcnb.errors import SettingsError

from .sound import Sound

__all__ = ["MEANING", "mean_opinion", "require_quality"]

RATE = 16_000  # Hz; what the network was trained on
MEANING = (
    "DNSMOS guesses how listeners would rate noise and distortion on a scale from 1 to 5. It was trained on calls that "
    "noise suppressors had cleaned: it says nothing of how natural, likeable or like its model a voice is."
)


def require_quality() -> None:
    """Make sure that the models are there.

    Raises
    ------
    SettingsError
        If the extra is not installed.
    """
    if importlib.util.find_spec("speechmos") is None:
        raise SettingsError("DNSMOS is not installed.", remedy='install the extra: pip install "vcnb[quality]"')


def mean_opinion(sound: Sound) -> float:
    """Guess the overall rating of a recording by DNSMOS P.835 [1]_.

    Parameters
    ----------
    sound : Sound
        The recording; what is shorter than 9 s is heard several times.

    Returns
    -------
    float
        1…5; NaN where nobody speaks. See `MEANING` for what it does not say.

    References
    ----------
    .. [1] C. K. A. Reddy, V. Gopal and R. Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality
       metric to evaluate noise suppressors", ICASSP 2022.
    """
    if not sound.activity.segments:
        return math.nan
    from speechmos import dnsmos

    heard = resample(sound.clip.samples, sound.clip.sample_rate, RATE)
    return float(dnsmos.run(np.clip(heard, -1, 1), RATE)["ovrl_mos"])
