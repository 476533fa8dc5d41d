"""The best stretch of a long recording is found without holding it, and cut to the sample."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from recordings import encoded, pcm_wav

import vcnb
from vcnb.audio.clip import Clip, Segment
from vcnb.audio.load import load
from vcnb.audio.streaming import Streamed
from vcnb.errors import CancelledError, ClipError
from vcnb.repair.windows import best_window

RATE = 24_000


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def voice():
    return load(vcnb.samples()["kathleen_en"]).samples


@pytest.fixture(scope="module")
def long(voice, tmp_path_factory):
    """Noisy speech, clean speech, clipped speech: the middle 15 s are the only good ones."""
    rng = np.random.default_rng(1)
    noisy = voice + (0.03 * rng.standard_normal(len(voice))).astype(np.float32)
    clipped = np.clip(9 * voice, -0.9, 0.9)
    path = tmp_path_factory.mktemp("long") / "long.wav"
    path.write_bytes(pcm_wav(np.concatenate([noisy, voice, clipped]), RATE))
    return path


@pytest.fixture(scope="module")
def windows(long):
    return best_window(long, progress=quiet)


def test_the_only_clean_stretch_is_found(windows, voice):
    seconds = len(voice) / RATE
    assert windows.best.start > seconds - 0.5
    assert windows.best.end < 2 * seconds + 0.5
    assert windows.best.report.verdict == "pass"
    assert 10 <= windows.best.end - windows.best.start <= 20


def test_its_sound_is_that_of_the_recording_at_its_place(windows, long):
    whole = load(long).samples
    for window in windows:
        start = round(window.start * RATE)
        assert np.array_equal(window.clip.samples, whole[start : start + len(window.clip.samples)])
        assert window.clip.duration == pytest.approx(window.end - window.start, abs=0.001)


def test_what_was_found_shows_itself(windows):
    frame = windows.to_frame()
    assert frame.loc[1, "verdict"] == "pass"
    assert len(frame) == len(windows) >= 1
    assert "candidates" in repr(windows)
    page = windows._repr_html_()
    assert "data:image/png;base64," in page
    assert page.count("<tr>") == 1 + len(windows)


def test_a_clip_is_searched_like_a_file(long, windows):
    best = best_window(load(long), progress=quiet).best
    assert (best.start, best.end) == pytest.approx((windows.best.start, windows.best.end), abs=0.05)


def test_progress_is_told_and_a_stop_is_obeyed(long):
    told = []
    cancel = threading.Event()

    def tell(said, share):
        told.append(share)
        cancel.set()

    with pytest.raises(CancelledError):
        best_window(long, progress=tell, cancel=cancel)
    assert told
    assert all(0 <= share <= 1 for share in told)


def test_where_nobody_speaks_it_is_said(rng):
    with pytest.raises(ClipError, match="nobody speaks"):
        best_window(Clip((0.01 * rng.standard_normal(12 * RATE)).astype(np.float32), RATE), progress=quiet)


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "m4a", "ogg"])
def test_stretches_of_any_format_are_fetched_where_they_were_heard(container, tmp_path, rng):
    # Noise that swells: no two places are alike.
    n = 70 * RATE
    samples = (0.2 * np.linspace(0.1, 1, n) * rng.standard_normal(n)).astype(np.float32)
    formats = {
        "wav": lambda: pcm_wav(samples, RATE, n_channels=2),
        "flac": lambda: encoded(samples, RATE, "flac", "flac", bit_rate=None),
        "mp3": lambda: encoded(samples, RATE, "mp3", "libmp3lame"),
        "m4a": lambda: encoded(samples, RATE, "ipod", "aac"),
        "ogg": lambda: encoded(np.repeat(samples, 2), 48_000, "ogg", "libopus"),
    }
    path = tmp_path / f"sound.{container}"
    path.write_bytes(formats[container]())
    streamed = Streamed(path)
    blocks = list(streamed.blocks())
    whole = np.concatenate([block for block, _, _ in blocks])
    assert [len(block) for block, _, _ in blocks[:-1]] == [30 * streamed.sample_rate] * 2
    assert np.array_equal(whole, load(path).samples[: len(whole)])
    wanted = [Segment(61.5, 63.25), Segment(2.0, 3.5), Segment(2.5, 4.0)]
    for segment, clip in zip(wanted, streamed.fetch(wanted), strict=True):
        start = round(segment.start * streamed.sample_rate)
        expected = whole[start : start + len(clip.samples)]
        assert np.abs(clip.samples - expected).max() < 1e-3 * np.abs(expected).max()


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "text.mp3").write_text("hello")
    for name in ("text.mp3", "nowhere.wav"):
        with pytest.raises(ClipError, match=name):
            best_window(tmp_path / name, progress=quiet)
    with pytest.raises(ClipError, match="A NoneType is no recording"):
        best_window(None, progress=quiet)


def test_what_can_be_loaded_can_be_searched(voice):
    (best, *_) = best_window((voice, RATE), progress=quiet)
    (same, *_) = best_window(Clip(voice, RATE), progress=quiet)
    assert (best.start, best.end) == (same.start, same.end)
