"""The colour of one voice becomes that of another, and what is silent stays so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vcnb
from vcnb.practice.engines import spectrum
from vcnb.practice.engines.engine import Reference
from vcnb.practice.engines.mapping import Coupling, learn
from vcnb.practice.engines.profile import Profile, measure
from vcnb.practice.engines.timbre import RANGE_DB, Timbre


@pytest.fixture(scope="module")
def voices() -> dict[str, Profile]:
    clips = {name: vcnb.load(vcnb.samples()[name]) for name in ("thorsten_en", "kathleen_en")}
    return {name: measure(Reference(clip.samples, clip.sample_rate)) for name, clip in clips.items()}


def apart(frames: np.ndarray, others: np.ndarray) -> float:
    """Distance of the mean shapes in dB, level left out."""
    shapes = [spectrum.smooth(each).mean(axis=0) for each in (frames, others)]
    difference = shapes[0] - shapes[1]
    return float(10 / np.log(10) * np.sqrt(np.square(difference - difference.mean()).mean()))


@pytest.mark.parametrize(("base", "voice"), [("thorsten_en", "kathleen_en"), ("kathleen_en", "thorsten_en")])
@pytest.mark.parametrize("likeness", [0.0, 1.0])
def test_voiced_and_unvoiced_sounds_take_the_shape_of_the_voice(voices, base, voice, likeness):
    of, to = voices[base].timbre, voices[voice].timbre
    mapping = learn(of, to, f0=(150.0, 150.0), likeness=likeness)
    for name in ("voiced", "unvoiced"):
        given, wanted = getattr(of, name), getattr(to, name)
        voiced = np.full(len(given), name == "voiced")
        become = spectrum.cepstra(mapping.bands(spectrum.smooth(given), voiced))
        assert apart(become, wanted) < 0.5 * apart(given, wanted), name


def test_unvoiced_sounds_lie_a_little_below_the_voice_s_own(voices):
    for base, voice in (("thorsten_en", "kathleen_en"), ("kathleen_en", "thorsten_en")):
        of, to = (voices[name].timbre for name in (base, voice))
        mapping = learn(of, to, f0=(150.0, 150.0))
        become = mapping.bands(spectrum.smooth(of.unvoiced), np.zeros(len(of.unvoiced), dtype=bool))
        below_db = 10 / np.log(10) * (spectrum.smooth(to.unvoiced).mean() - become.mean())
        assert 3 < below_db < 7, voice


def test_a_mapped_voice_moves_about_as_far_as_the_voice_itself(voices):
    of, to = voices["thorsten_en"].timbre, voices["kathleen_en"].timbre
    mapping = learn(of, to, f0=(120.0, 165.0))
    bands = spectrum.smooth(of.voiced)
    become = spectrum.cepstra(mapping.bands(bands, np.ones(len(bands), dtype=bool)))[:, 1:20].std(axis=0)
    # Without what is given back it is 0.65 of it.
    assert 0.72 < (become / to.voiced[:, 1:20].std(axis=0)).mean() < 1.1


def test_coefficients_come_to_move_together_as_those_of_the_voice(rng):
    mixed = [np.eye(40) + 0.05 * rng.standard_normal((40, 40)) for _ in range(2)]
    given, wanted = (rng.standard_normal((4000, 40)) @ each for each in mixed)
    become = Coupling.of(given, wanted + 3.0).apply(given)
    assert become.mean(axis=0) == pytest.approx(np.full(40, 3.0), abs=0.1)
    truth = np.cov(wanted.T)[1:, 1:]
    error = [np.linalg.norm(np.cov(each.T)[1:, 1:] - truth) / np.linalg.norm(truth) for each in (given, become)]
    assert error[1] < 0.15 < 0.4 < error[0]  # a tenth is taken for chance on both sides
    assert np.allclose(become[:, 0] - become[:, 0].mean(), given[:, 0] - given[:, 0].mean(), atol=1e-3)


def test_a_voice_becomes_itself(voices):
    timbre = voices["thorsten_en"].timbre
    mapping = learn(timbre, timbre, f0=(120.0, 120.0), likeness=0.0)
    bands = spectrum.smooth(timbre.voiced)
    error = mapping.bands(bands, np.ones(len(bands), dtype=bool)) - bands
    assert mapping.factor == pytest.approx(1.0, abs=0.02)
    power = spectrum.envelope(bands)
    voiced = np.ones(len(power), dtype=bool)
    assert abs(mapping.gain_db(power, voiced, (120.0, 120.0))) < 1
    # Below the lowest harmonic nothing sounds, and what is moved from there up is heard.
    assert mapping.gain_db(power, voiced, (400.0, 120.0)) > 1
    assert mapping.gain_db(power, ~voiced, (400.0, 120.0)) < 1
    assert 10 / np.log(10) * np.sqrt(np.square(error).mean()) < 2.5


@pytest.mark.parametrize("factor", [0.86, 1.16])
def test_the_length_of_the_vocal_tract_is_found(voices, factor):
    timbre = voices["kathleen_en"].timbre
    longer = Timbre(
        spectrum.cepstra(spectrum.warped(spectrum.smooth(timbre.voiced), factor)),
        timbre.unvoiced,
        timbre.breath,
        timbre.bandwidth,
    )
    assert learn(timbre, longer, f0=(160.0, 160.0)).factor == pytest.approx(factor, abs=0.04)


def test_silence_is_not_lifted(voices):
    mapping = learn(voices["thorsten_en"].timbre, voices["kathleen_en"].timbre, f0=(120.0, 165.0))
    quiet = spectrum.smooth(voices["thorsten_en"].timbre.unvoiced) - (RANGE_DB + 30) * np.log(10) / 10
    assert np.all(
        mapping.bands(quiet, np.zeros(len(quiet), dtype=bool)) <= spectrum.warped(quiet, mapping.factor) + 0.1
    )


def test_above_the_band_of_a_narrow_reference_the_base_keeps_its_shape(voices):
    base, voice = voices["thorsten_en"].timbre, voices["kathleen_en"].timbre
    narrow = Timbre(voice.voiced, voice.unvoiced, voice.breath, 4000.0)
    mapping = learn(base, narrow, f0=(120.0, 165.0))
    bands = spectrum.smooth(base.voiced)
    change = mapping.bands(bands, np.ones(len(bands), dtype=bool)) - spectrum.warped(bands, mapping.factor)
    edge = spectrum.band_of(4000.0)
    assert np.ptp(change[:, edge:], axis=1).max() < 1e-3
    assert np.abs(change[:, edge] - change[:, edge - 1]).mean() < 1  # no step at the edge


def test_parts_of_a_sentence_are_mapped_as_the_whole_is(voices):
    mapping = learn(voices["thorsten_en"].timbre, voices["kathleen_en"].timbre, f0=(120.0, 165.0))
    bands = spectrum.smooth(voices["thorsten_en"].timbre.voiced[:200])
    voiced = np.arange(200) % 40 < 25
    whole = mapping.bands(bands, voiced)
    assert np.allclose(mapping.bands(bands[50:150], voiced[50:150])[8:-8], whole[58:142], atol=1e-3)


def test_bands_come_back_from_the_bins_and_cepstra_from_the_bands(rng):
    bands = spectrum.smooth(rng.standard_normal((5, spectrum.N_CEPSTRA)).astype(np.float32) / 4)
    assert np.allclose(spectrum.cepstra(bands) @ np.eye(spectrum.N_CEPSTRA), spectrum.cepstra(bands))
    assert np.allclose(spectrum.smooth(spectrum.cepstra(bands)), bands, atol=1e-5)
    error = spectrum.log_mel(spectrum.envelope(bands)) - bands
    assert np.abs(error).mean() < 0.1
    assert np.allclose(spectrum.warped(bands, 1.0), bands, atol=1e-5)


def test_a_formant_moves_by_the_factor():
    power = np.full((1, spectrum.N_FFT // 2 + 1), 1e-6)
    bins = np.arange(spectrum.N_FFT // 2 + 1)
    power += np.exp(-((bins - 85) ** 2) / 100)  # 2 kHz
    moved = spectrum.envelope(spectrum.warped(spectrum.log_mel(power), 1.2))
    assert moved.argmax() == pytest.approx(1.2 * 85, abs=3)


def test_a_sound_that_the_voice_never_made_does_not_burst_out(voices, monkeypatch):
    mapping = learn(voices["thorsten_en"].timbre, voices["kathleen_en"].timbre, f0=(120.0, 165.0))
    bands = spectrum.smooth(voices["thorsten_en"].timbre.voiced)
    bands[::10, 40:] += 8.0  # 35 dB more above 4 kHz
    frames = spectrum.cepstra(bands)

    def loudest() -> float:
        levels = [
            np.log(np.exp(each._voiced(frames)).sum(axis=1)) for each in (mapping, replace(mapping, _coupling=None))
        ]
        return float(10 / np.log(10) * np.max(levels[0] - levels[1]))

    assert loudest() < 4
    monkeypatch.setattr("vcnb.practice.engines.mapping.MOST_LOUDER_DB", 99.0)
    assert loudest() > 6


def test_where_sounds_are_to_stay_clear_their_mean_moves_and_their_differences_stay(voices):
    of, to = voices["thorsten_en"].timbre, voices["kathleen_en"].timbre
    bands = spectrum.smooth(of.voiced)
    voiced = np.ones(len(bands), dtype=bool)
    full, clear = (learn(of, to, f0=(120.0, 165.0), clear=clear).bands(bands, voiced) for clear in (False, True))
    assert apart(spectrum.cepstra(clear), to.voiced) < 0.5 * apart(of.voiced, to.voiced)
    moved = [np.abs((each - bands) - (each - bands).mean(axis=0)).mean(axis=0) for each in (full, clear)]
    low, high = (slice(None, spectrum.band_of(1000)), slice(spectrum.band_of(2500), None))
    assert moved[1][low].mean() < 0.5 * moved[0][low].mean()
    assert moved[1][high].mean() < 0.9 * moved[0][high].mean()


def test_a_filter_makes_of_one_envelope_the_other(voices):
    of, to = voices["kathleen_en"].timbre, voices["thorsten_en"].timbre
    mapping = learn(of, to, f0=(165.0, 120.0))
    bands, voiced = spectrum.smooth(of.voiced[:200]), np.ones(200, dtype=bool)
    power = spectrum.envelope(bands)
    become = spectrum.log_mel(power * mapping.factors(power, voiced) ** 2)
    wanted = mapping.bands(spectrum.log_mel(power), voiced)
    assert np.abs(become - wanted)[:, 2:].mean() < 0.1 * np.abs(wanted - bands)[:, 2:].mean()
