"""How the colour of one voice becomes that of another, though the two never said the same.

Vocal-tract length first, then a map between clusters of sounds that is learnt from nearest neighbours in both
directions, then what the voice itself sounded like nearby, and at last its mean, and how its coefficients move
together: the map between two normal distributions that moves least (G. Peyré and M. Cuturi, "Computational Optimal
Transport", Foundations and Trends in Machine Learning 11, 2019, remark 2.31).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vcnb.measure.loudness import weighting

from .clusters import Clusters, Normal, nearby, paired, squared_distances, thinned
from .spectrum import BAND_HZ, BAND_WIDTHS, N_BANDS, Frames, band_of, cepstra, envelope, log_mel, pooled, smooth, warped
from .timbre import Timbre

__all__ = ["Coupling", "LIKENESS", "Mapping", "learn"]

# All ours, found by measuring likeness against clarity.
LIKENESS = 0.7
BREATH = 0.5  # of the difference is taken over; all of it makes a noisy reference a hoarse voice
LEAST_BREATH = 1e-4
LOWEST_HARMONIC = 0.75  # of the pitch: below there is no power
FACTORS = np.arange(0.80, 1.26, 0.03)
COMPARED_BANDS = 55  # up to 8 kHz, which narrow references have as well
COMPARED_FRAMES = 500
PITCH_EXPONENT = 0.3  # a voice an octave up has a tract shorter by about a fifth
PITCH_TRUST = 6.0
PAIRED_FRAMES = 800
SPREAD_RESTORED = (1.0, 1.6)
# What is averaged moves too little and sounds like nobody in particular: the voice's own covariance is given back. To
# each coefficient by itself, of eight voices the similarity was .714 and DNSMOS 2.89; with this they are .742 and 2.90.
INDEPENDENCE = 0.1  # share of the covariance that is taken for chance: some hundred frames tell no more
LEAST_VARIANCE = 1e-6
# A sound that is rare in the voice, a voiced s for one, lies far out, and would be thrown farther.
GAINS = (0.3, 2.0)
MOST_LOUDER_DB = 3.0
SPREADS = (0.3, 3.0)
UNVOICED_SPREADS = (0.7, 1.4)
# Below the voice's own, for the vocoder's noise is rougher than a mouth's: of eight voices DNSMOS is 2.93 at 0, 2.98 at
# 3 and 3.01 at 5, the phoneme error .106, .101 and .101, the similarity .766, .768 and .769.
UNVOICED_QUIETER_DB = 4.0
NEIGHBOUR_FRAMES = 7  # about 35 ms: a neighbour more or less makes no click
VOICING_FRAMES = 5
# About 55 ms, over which what the mapping changes may not jump: what a sound does by itself stays as quick as it was
# said. DNSMOS of six voices 2.90 with 9 and 2.81 without, for .008 of their similarity.
CHANGE_FRAMES = 11
SILENCE_DB = 45.0
SILENCE_EDGE_DB = 10.0
FEWEST_UNVOICED = 20
MOST_EXCESS = 3.0  # natural logarithm of power
# Of what is changed in some sounds only, where they are to stay clear: less where vowels are told apart, more of it
# above. Seven voices in nine languages: a recogniser's phones drift by .32, and the right one of eight is the nearest
# in .68 (.30 and .63 with 0.2 and 0.8). In six languages all of it drifted by .46, half of it at every frequency by
# .32 with the right one nearest in .63.
TAKEN_LOW, TAKEN_HIGH = 0.35, 0.8
TAKEN_FROM_HZ, TAKEN_WITHIN_HZ = 1500.0, 400.0
_HIGHNESS = 1 / (1 + np.exp((TAKEN_FROM_HZ - BAND_HZ.astype(np.float32)) / TAKEN_WITHIN_HZ))
TAKEN = TAKEN_LOW + (TAKEN_HIGH - TAKEN_LOW) * _HIGHNESS
TAKEN_FRAMES = 15  # 75 ms
_HEARD = BAND_WIDTHS * weighting(BAND_HZ.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Coupling:
    """Where mapped frames lie, where they belong, and what makes their coefficients move together as the voice's do.

    Parameters
    ----------
    mean, wanted : np.ndarray [shape=(40,)]
        Of the mapped frames, and of the voice.
    matrix : np.ndarray [shape=(40, 40)]
        For what is off the mean, from the right.
    """

    mean: Frames
    wanted: Frames
    matrix: Frames

    @classmethod
    def of(cls, mapped: Frames, voice: Frames) -> Coupling:
        """Find it from frames [shape=(n_frames, 40)] of both; the level stays as it is."""
        given, wanted = _covariance(mapped), _covariance(voice)
        root, inverse = _power_of(given, 0.5), _power_of(given, -0.5)
        values, vectors = np.linalg.eigh(inverse @ _power_of(root @ wanted @ root, 0.5) @ inverse)
        matrix = (vectors * np.clip(values, *GAINS)) @ vectors.T
        matrix[:, 0] = 0.0
        matrix[0, 0] = 1.0
        return cls(mapped.mean(axis=0), voice.mean(axis=0), matrix.astype(np.float32))

    def apply(self, frames: Frames) -> Frames:
        """Map frames [shape=(n_frames, 40)]."""
        return np.asarray(self.wanted + (frames - self.mean) @ self.matrix)


@dataclass(frozen=True, eq=False)
class Mapping:
    """What turns spectra of a base speaker into spectra of a voice.

    Parameters
    ----------
    factor : float
        By which the frequency axis is scaled.
    """

    factor: float
    _likeness: float = field(repr=False)
    _from: tuple[Normal, Normal] = field(repr=False)
    _to: tuple[Normal, Normal] = field(repr=False)
    _clusters: Clusters = field(repr=False)
    _restored: Normal = field(repr=False)
    _coupling: Coupling | None = field(repr=False)
    _neighbours: Frames = field(repr=False)
    _edge: int = field(repr=False)
    _silence: float = field(repr=False)
    _steady: tuple[Frames, Frames] | None = field(repr=False)
    _breath: Frames = field(repr=False)
    _hiss: Frames = field(repr=False)

    def recolour(
        self, power: npt.NDArray[np.float64], aperiodic: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Map what the vocoder works with.

        Parameters
        ----------
        power : np.ndarray [shape=(n_frames, 513)]
            Envelope of the base speaker, one frame every 5 ms.
        aperiodic : np.ndarray [shape=(n_frames, 513)]
            Share of the amplitude that is breath.
        voiced : np.ndarray [shape=(n_frames,)]
            Which frames have a pitch.

        Returns
        -------
        (np.ndarray [shape=(n_frames, 513)], np.ndarray [shape=(n_frames, 513)])
            Both of the voice; they depend on at most eight frames on either side.
        """
        breath = aperiodic.copy()
        if voiced.any():
            moved = np.log(pooled(aperiodic[voiced])).astype(np.float32) + self._breath
            breath[voiced] = np.clip(envelope(moved), LEAST_BREATH, 1.0)
        return envelope(self.bands(log_mel(power), voiced)), breath

    def factors(self, power: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Tell what a filter has to do.

        Parameters
        ----------
        power : np.ndarray [shape=(n_frames, 513)]
            Envelope of the base speaker, one frame every 5 ms.
        voiced : np.ndarray [shape=(n_frames,)]
            Which frames have a pitch.

        Returns
        -------
        np.ndarray [shape=(n_frames, 513)]
            By what the amplitude is multiplied; depends on at most sixteen frames on either side.
        """
        bands = log_mel(power)
        return envelope(np.float32(0.5) * (self.bands(bands, voiced) - bands))

    def gain_db(self, power: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_], f0: tuple[float, float]) -> float:
        """Tell how much louder speech becomes by it, without making it.

        Parameters
        ----------
        power : np.ndarray [shape=(n_frames, 513)]
            Envelope of some frames of the base speaker, at least one.
        voiced : np.ndarray [shape=(n_frames,)]
            Which of them have a pitch.
        f0 : (float, float)
            That pitch (Hz), and the one that they get.

        Returns
        -------
        float
            dB, as the ear weighs them.
        """
        bands = log_mel(power)
        return _sounding_db(self.bands(bands, voiced), voiced, f0[1]) - _sounding_db(bands, voiced, f0[0])

    def bands(self, bands: Frames, voiced: npt.NDArray[np.bool_]) -> Frames:
        """Map spectra.

        Parameters
        ----------
        bands : np.ndarray [shape=(n_frames, 64)]
            Of the base speaker, one frame every 5 ms.
        voiced : np.ndarray [shape=(n_frames,)]
            Which of them have a pitch.

        Returns
        -------
        np.ndarray [shape=(n_frames, 64)]
            Of the voice. Depends on at most eight frames on either side, on sixteen where sounds are to stay clear.
        """
        moved = warped(bands, self.factor)
        frames = cepstra(moved)
        share = _smoothed(voiced.astype(np.float32)[:, None], VOICING_FRAMES)
        mapped = share * self._voiced(frames) + (1 - share) * self._unvoiced(frames)
        if self._edge < N_BANDS - 1:
            near = slice(self._edge - 3, self._edge)
            step = (mapped - moved)[:, near].mean(axis=1, keepdims=True)
            mapped[:, self._edge :] = moved[:, self._edge :] + step
        mapped = moved + _smoothed(mapped - moved, CHANGE_FRAMES)
        if self._steady is not None:
            steady = bands + share * self._steady[0] + (1 - share) * self._steady[1]
            mapped = steady + TAKEN * _smoothed(mapped - steady, TAKEN_FRAMES)
        # What is silent stays so: the shape of a voice laid over it would be heard as noise.
        heard = np.clip((_level_db(bands) - self._silence) / SILENCE_EDGE_DB, 0, 1)[:, None]
        return np.asarray(heard * mapped + (1 - heard) * np.minimum(mapped, moved))

    def _voiced(self, frames: Frames) -> Frames:
        mapped = self._clusters.map(self._from[0].off(frames))
        restored = self._restored.mean + (mapped - self._restored.mean) * self._restored.spread
        near = _smoothed(nearby(mapped, self._neighbours), NEIGHBOUR_FRAMES)
        near[:, 0] = restored[:, 0]
        mixed = restored + np.float32(self._likeness) * (near - restored)
        placed = _placed(mixed, self._from[0], self._to[0], SPREADS)
        if self._coupling is None:
            return smooth(placed)
        bands = smooth(self._coupling.apply(placed))
        louder_db = _level_db(bands) - _level_db(smooth(placed))
        return np.asarray(bands - np.log(10) / 10 * np.maximum(louder_db - MOST_LOUDER_DB, 0)[:, None], np.float32)

    def _unvoiced(self, frames: Frames) -> Frames:
        placed = _placed(self._from[1].off(frames), self._from[1], self._to[1], UNVOICED_SPREADS)
        return smooth(placed) - self._hiss - np.float32(np.log(10) / 10 * UNVOICED_QUIETER_DB)


def learn(
    base: Timbre, voice: Timbre, *, f0: tuple[float, float], likeness: float = LIKENESS, clear: bool = False
) -> Mapping:
    """Learn the map from two recordings of different words.

    Parameters
    ----------
    base, voice : Timbre
        From whom, and to whom.
    f0 : (float, float)
        Middle of the pitch (Hz) of both: a higher voice mostly has a shorter vocal tract.
    likeness : float
        From 0, which keeps more of what was said, to 1, which keeps more of who is to say it.
    clear : bool
        Whether sounds are to stay as far apart as they were: what is changed in all of them still is, but what is
        changed in some only is taken over by a part.

    Returns
    -------
    Mapping
        The same for the same arguments.
    """
    factor = _factor(base.voiced, voice.voiced, f0[1] / f0[0])
    moved = [cepstra(warped(smooth(frames), factor)) for frames in (base.voiced, _unvoiced_or_voiced(base))]
    source = (Normal.of(moved[0]), Normal.of(moved[1]))
    target = (Normal.of(voice.voiced), Normal.of(_unvoiced_or_voiced(voice)))
    mine, wanted = source[0].off(moved[0]), target[0].off(voice.voiced)
    clusters = paired(thinned(mine, PAIRED_FRAMES), thinned(wanted, PAIRED_FRAMES))
    mapped = clusters.map(mine)
    restored = Normal(mapped.mean(axis=0), np.clip(1 / (mapped.std(axis=0) + 1e-6), *SPREAD_RESTORED))
    levels = _level_db(smooth(base.voiced))
    raw = Mapping(
        factor=factor,
        _likeness=likeness,
        _from=source,
        _to=target,
        _clusters=clusters,
        _restored=restored,
        _coupling=None,
        _neighbours=wanted,
        _edge=band_of(voice.bandwidth),
        _silence=float(np.percentile(levels, 97)) - SILENCE_DB,
        _steady=None,
        _breath=(BREATH * (voice.breath - base.breath)).astype(np.float32),
        _hiss=np.zeros(N_BANDS, dtype=np.float32),
    )
    hiss = _excess(raw._unvoiced(moved[1]), smooth(_unvoiced_or_voiced(voice)))
    learnt = replace(raw, _hiss=hiss, _coupling=Coupling.of(cepstra(raw._voiced(moved[0])), voice.voiced))
    if not clear:
        return learnt
    return replace(
        learnt, _steady=(_steady(learnt, base.voiced, voiced=True), _steady(learnt, base.unvoiced, voiced=False))
    )


def _steady(mapping: Mapping, frames: Frames, *, voiced: bool) -> Frames:
    """Tell what is changed in all frames of a kind, on their mean."""
    if not len(frames):
        return np.zeros(N_BANDS, dtype=np.float32)
    bands = smooth(thinned(frames, COMPARED_FRAMES))
    return np.asarray((mapping.bands(bands, np.full(len(bands), voiced)) - bands).mean(axis=0))


def _covariance(frames: Frames) -> npt.NDArray[np.float64]:
    """Of the coefficients, held near to none where few frames speak for it."""
    found = np.cov(frames.T.astype(np.float64))
    return np.asarray((1 - INDEPENDENCE) * found + INDEPENDENCE * np.diag(np.diag(found)))


def _power_of(matrix: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    """Power of a symmetric matrix without negative eigenvalues but for rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, LEAST_VARIANCE) ** exponent) @ vectors.T)


def _excess(mapped: Frames, wanted: Frames) -> Frames:
    """How much too loud each band is: where logarithms agree in mean and spread, the loudest frames may stick out."""
    excess = np.log(np.exp(mapped).mean(axis=0)) - np.log(np.exp(wanted).mean(axis=0))
    return np.asarray(np.clip(excess, 0.0, MOST_EXCESS))


def _factor(base: Frames, voice: Frames, higher: float) -> float:
    """Find the warp after which the frames of both lie nearest to each other, whatever their mean and spread."""
    expected = float(np.clip(higher**PITCH_EXPONENT, FACTORS[0], FACTORS[-1]))
    shapes = thinned(smooth(base), COMPARED_FRAMES)
    wanted = _shape(smooth(thinned(voice, COMPARED_FRAMES)))
    costs = []
    for factor in FACTORS:
        distances = np.sqrt(np.maximum(squared_distances(_shape(warped(shapes, factor)), wanted), 0))
        cost = distances.min(axis=0).mean() + distances.min(axis=1).mean()
        costs.append(cost * (1 + PITCH_TRUST * np.log(factor / expected) ** 2))
    return float(FACTORS[int(np.argmin(costs))])


def _shape(bands: Frames) -> Frames:
    """Cepstra of the bands that every reference has, without level, mean and spread."""
    n = np.arange(COMPARED_BANDS)
    cosines = np.cos(np.pi / COMPARED_BANDS * np.outer(n + 0.5, np.arange(1, 16))).astype(np.float32)
    frames = bands[:, :COMPARED_BANDS] @ cosines
    return Normal.of(frames).off(frames)


def _placed(frames: Frames, source: Normal, target: Normal, limits: tuple[float, float]) -> Frames:
    """Give normalised frames the mean of the target, and its spread as far as that is sane."""
    ratio = np.clip(target.spread / source.spread, *limits)
    ratio[0] = min(ratio[0], 1.0)  # in a noisy or echoing room levels lie far apart, and would burst out
    return np.asarray(frames * ratio * source.spread + target.mean)


def _smoothed(frames: Frames, length: int) -> Frames:
    """Weigh each frame with its neighbours in time."""
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    window /= window.sum()
    padded = np.pad(frames, ((length // 2, length // 2), (0, 0)), mode="edge")
    return np.asarray(sum(weight * padded[at : at + len(frames)] for at, weight in enumerate(window)))


def _unvoiced_or_voiced(timbre: Timbre) -> Frames:
    return timbre.unvoiced if len(timbre.unvoiced) >= FEWEST_UNVOICED else timbre.voiced


def _level_db(bands: Frames) -> Frames:
    """Power of each frame: the bands, each as wide as it is."""
    return np.asarray(10 * np.log10(np.exp(bands) @ BAND_WIDTHS + 1e-16))


def _sounding_db(bands: Frames, voiced: npt.NDArray[np.bool_], f0: float) -> float:
    """Loudness of what sounds: an envelope goes on below the pitch, where there are no harmonics."""
    heard = np.exp(bands) * _HEARD
    heard[voiced, : band_of(LOWEST_HARMONIC * f0)] = 0
    return float(10 * np.log10(heard.sum(axis=1).mean() + 1e-16))
