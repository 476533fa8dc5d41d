"""A similarity is read as what it is: tested on pairs whose truth we made."""

from __future__ import annotations

import io

import numpy as np
import pytest

import vcnb
from vcnb.audio.clip import Clip
from vcnb.compare.calibration import Calibration, Scores, built_in, calibrated
from vcnb.compare.comparison import Comparison
from vcnb.compare.figures import KINDS, places
from vcnb.compare.transcription import error_rate
from vcnb.errors import ClipError

# Two normal distributions of one width: the true log ratio is a straight line.
SAME, DIFFERENT, WIDTH = 0.85, 0.70, 0.06
SLOPE = (SAME - DIFFERENT) / WIDTH**2
MIDDLE = (SAME + DIFFERENT) / 2


def made(rng, n_speakers=80, n_each=10):
    speakers = np.arange(n_speakers)
    first, second = rng.integers(0, n_speakers, (2, 4000))
    strangers = first != second
    return Scores(
        rng.normal(SAME, WIDTH, n_speakers * n_each),
        np.repeat(speakers, n_each),
        rng.normal(DIFFERENT, WIDTH, int(strangers.sum())),
        first[strangers],
        second[strangers],
        np.eye(n_speakers, 256),
    )


@pytest.fixture(scope="module")
def calibration():
    return Calibration(made(np.random.default_rng(440)))


@pytest.mark.parametrize("cosine", [0.70, MIDDLE, 0.80, 0.85])
def test_the_ratio_is_the_true_one_and_its_interval_holds_it(calibration, cosine):
    truth = np.exp(SLOPE * (cosine - MIDDLE))
    found = calibration.read(cosine)
    assert np.log(found.likelihood_ratio) == pytest.approx(np.log(truth), abs=0.35)
    assert found.low <= truth <= found.high
    assert found.low < found.high


def test_the_percentages_count_pairs(calibration):
    found = calibration.read(SAME)
    assert found.same_percent == pytest.approx(50, abs=4)
    assert found.different_percent == pytest.approx(100 * 0.0062, abs=0.5)  # 2.5 widths above the middle of the others
    assert calibration.equal_error_rate == pytest.approx(0.1056, abs=0.02)  # 1.25 widths from either middle


def test_its_chances_come_true_on_pairs_it_never_saw(calibration, rng):
    truth = rng.random(4000) < 0.5
    cosines = np.where(truth, rng.normal(SAME, WIDTH, 4000), rng.normal(DIFFERENT, WIDTH, 4000))
    logs = calibration.coefficients[0] @ np.stack([np.ones(4000), cosines])
    chances = 1 / (1 + np.exp(-logs))
    bins = np.clip((chances * 10).astype(int), 0, 9)
    error = sum(
        abs(chances[bins == each].mean() - truth[bins == each].mean()) * (bins == each).mean() for each in set(bins)
    )
    assert error <= 0.05


def test_words_decide_only_where_the_whole_interval_does(calibration):
    assert calibration.read(0.99).words == "the same speaker, very likely"
    assert calibration.read(0.5).words == "two speakers, likely"  # 80 speakers cannot show one in a hundred
    assert calibration.read(MIDDLE).words == "cannot tell"
    assert calibration.read(MIDDLE - 0.035).words == "two speakers, perhaps"
    least, highest = calibration.limits
    assert calibration.read(1.0).likelihood_ratio == pytest.approx(highest)
    assert calibration.read(-1.0).likelihood_ratio == pytest.approx(least) == pytest.approx(1 / 80)
    assert np.isnan(calibration.read(float("nan")).likelihood_ratio)
    assert calibration.read(float("nan")).words == "cannot tell"


def test_a_voice_that_varies_more_than_the_others_makes_the_same_cosine_say_less(rng):
    scores = made(rng)
    points = rng.normal(size=(8, 256)) + 2.5 * rng.normal(size=256)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    refined = scores.refined([points.astype(np.float32), points[:1].astype(np.float32)])
    assert refined.n_speakers == scores.n_speakers + 1  # one part alone says nothing
    assert len(refined.same) == len(scores.same) + 28
    assert len(refined.different) == len(scores.different) + len(scores.cohort)


def test_the_shipped_pairs_are_of_real_people():
    scores = built_in()
    assert len(scores.cohort) <= scores.n_speakers
    assert np.median(scores.same) > np.median(scores.different) + 0.1
    assert calibrated().equal_error_rate <= 0.05


@pytest.fixture(scope="module")
def comparison():
    clips = {name: vcnb.load(path) for name, path in vcnb.samples().items()}
    short = Clip(np.zeros(24_000, np.float32), 24_000, name="silence")
    german = clips["thorsten_de"]
    halves = [
        Clip(part, german.sample_rate, name=f"de {at}") for at, part in enumerate(np.array_split(german.samples, 2))
    ]
    return vcnb.compare([*halves, clips["thorsten_en"], clips["kathleen_en"], short])


def test_one_speaker_is_told_from_another_across_languages(comparison):
    table = comparison.similarity()
    cosines = table.to_numpy()
    assert np.allclose(cosines[:4, :4], cosines[:4, :4].T)
    assert np.allclose(np.diag(cosines)[:4], 1)
    assert np.isnan(cosines[4]).all()
    pairs = comparison.pairs()
    assert pairs.iloc[0][["item", "other"]].tolist() == ["de 0", "de 1"]
    own = table.loc["de 0", "thorsten_en.m4a"]
    assert own > table.loc["de 0", "kathleen_en.wav"]
    assert table.attrs["likelihood_ratio"]["de 0"]["de 1"] > 10
    assert table.attrs["likelihood_ratio"]["kathleen_en.wav"]["de 0"] < 1
    assert "does not prove" in table.attrs["meaning"]
    assert comparison.ranked("kathleen_en.wav")["other"].nunique() == 4
    with pytest.raises(ClipError, match="'nobody' is not compared"):
        comparison.ranked("nobody")


def test_the_table_says_what_it_was_made_with(comparison):
    attrs = comparison.to_frame().attrs
    assert set(attrs["sha256"]) == set(comparison.items)
    assert attrs["versions"]["vcnb"] == "0.1.0"
    assert comparison.embeddings().shape == (5, 256)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"measures"}))
def test_every_picture_has_a_title_units_and_all_voices(comparison, kind):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    if kind in ("pitch", "spectrograms"):
        pytest.importorskip("librosa")
    figure = comparison.plot(kind)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    print("SIZE", kind, picture.tell())
    assert figure.get_suptitle()
    drawn = " ".join(
        text.get_text() for axes in figure.axes for text in axes.findobj(lambda artist: hasattr(artist, "get_text"))
    )
    shown = comparison.items if kind != "map" else comparison.items[:4]
    assert all(item in drawn for item in shown)
    assert any(axes.get_xlabel() for axes in figure.axes)
    plt.close(figure)


def test_the_map_keeps_distances_that_fit_a_plane():
    truth = np.array([[0, 0], [0.3, 0], [0, 0.4], [0.3, 0.4]])
    squared = ((truth[:, None] - truth[None]) ** 2).sum(2)
    found, kept = places(1 - squared)
    assert ((found[:, None] - found[None]) ** 2).sum(2) == pytest.approx(squared, abs=1e-9)
    assert kept == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "heard", "rate"),
    [
        ("The cat sat.", "the cat sat", 0.0),
        ("The cat sat down", "the hat sat", 0.5),
        ("one two", "one two three four", 1.0),
        ("It's fine", "its fine", 0.5),
        ("你好世界", "你好,世 界!", 0.0),
        ("你好世界", "你好世", 0.25),
        ("Größe", "GRÖSSE", 0.0),
        ("हिन्दी भाषा", "हिन्दी भाषा", 0.0),
    ],
)
def test_words_and_characters_heard_wrong_are_counted(text, heard, rate):
    assert error_rate(text, heard) == pytest.approx(rate)


def test_a_text_without_words_has_no_rate():
    assert np.isnan(error_rate("...", "something"))


def test_two_hundred_voices_and_twins_are_drawn_or_refused(comparison):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    first = comparison.sounds[0]
    for n in (2, 200):
        items = tuple(f"clip number {at}" for at in range(n))
        many = Comparison(items, (first.clip,) * n, (comparison.measures[0],) * n, (first,) * n)
        assert len(many.pairs()) == n * (n - 1) / 2
        figure = many.plot("similarity")
        figure.canvas.draw()
        assert max(figure.get_size_inches()) < 25
        plt.close(figure)
    with pytest.raises(ClipError, match="200 recordings are too many"):
        many.plot("spectrum")


def test_many_cosines_are_read_as_each_alone(calibration):
    cosines = [0.4, float("nan"), 0.77, 0.99]
    for cosine, reading in zip(cosines, calibration.readings(cosines), strict=True):
        assert np.array_equal(
            list(vars(reading).values()), list(vars(calibration.read(cosine)).values()), equal_nan=True
        )
