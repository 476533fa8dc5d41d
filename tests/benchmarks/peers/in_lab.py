"""What peers put into a saved notebook, and what they do to a recording, in a real JupyterLab of their own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BROWSER_TESTS = Path(__file__).parents[2] / "browser"
sys.path.insert(0, str(BROWSER_TESTS))

from harness import FLAGS, MICROPHONE, WAIT_MS, Notebook, find_browser, play, running_lab
from playwright.sync_api import sync_playwright

import vcnb
from vcnb.audio.resample import resample

__all__ = ["in_notebook", "key_is_saved", "largest_upload", "player_kilobytes", "recorded"]

RATE = 44_100  # Hz, of the browser's own fake device
HUSH, SPEECH, NOISE = 5.0, 4.0, 4.0  # seconds of the probe; our recorder counts down for three
KEY = "sk-this-is-no-key-of-anybody-0123456789"
SIZES = (5, 9, 12, 30)  # MB
ARRIVES_MS = 30_000
# What shows a clip of 15 s, in the words of each peer; the sound lies in `sound.npy`.
SOUND = "import numpy as np\nsound = np.load('sound.npy')\n"
PLAYERS = {
    "IPython.display.Audio": SOUND + "from IPython.display import Audio\nAudio(sound, rate=24000)",
    "wavesurfer": SOUND + "from wavesurfer import Player\nplayer = Player()\nplayer.load(sound, 24000)",
    "plotwave": SOUND + "import plotwave\nplotwave.plot(plotwave.audio(sound, 24000))",
    "vcnb": SOUND + "import vcnb\nvcnb.Player(vcnb.Clip(sound, 24000))",
}


def in_notebook(python: Path | str, ask: Callable[[Notebook], Any]) -> Any:
    """Open an empty notebook in the JupyterLab of an environment and ask something of it."""
    with tempfile.TemporaryDirectory() as named, running_lab(Path(named), python=str(python)) as base:
        clip = vcnb.load(vcnb.samples()["kathleen_en"])
        sound = resample(clip.samples, clip.sample_rate, 24_000)[: 15 * 24_000]
        np.save(Path(named) / "work" / "sound.npy", sound.astype(np.float32))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
            try:
                context = browser.new_context(viewport={"width": 1000, "height": 1000}, permissions=["microphone"])
                return ask(Notebook(context.new_page(), base, Path(named) / "work" / "peer.ipynb"))
            finally:
                browser.close()
                MICROPHONE.unlink(missing_ok=True)


def saved(book: Notebook) -> str:
    """Save with the state of widgets, and read the file."""
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    book.page.wait_for_timeout(3_000)
    return book.path.read_text()


def player_kilobytes(name: str) -> Callable[[Notebook], float]:
    """What a notebook grows by when it shows 15 s."""

    def ask(book: Notebook) -> float:
        before = len(saved(book))
        book.run(PLAYERS[name])
        book.page.wait_for_timeout(5_000)
        return (len(saved(book)) - before) / 1e3

    return ask


def key_is_saved(book: Notebook) -> bool:
    """Whether a key that was typed into ipywidgets.Password stands in the saved notebook."""
    cell = book.run("import ipywidgets\nfield = ipywidgets.Password(); field")
    cell.locator("input[type=password]").fill(KEY)
    book.page.keyboard.press("Tab")
    book.wait_for_value("field.value", KEY)
    return KEY in saved(book)


def largest_upload(book: Notebook) -> int:
    """The largest file (MB) that ipywidgets.FileUpload brings to the kernel."""
    largest = 0
    for size in SIZES:
        cell = book.run("import ipywidgets\nfield = ipywidgets.FileUpload(); field")
        path = book.path.parent / f"{size}.wav"
        path.write_bytes(bytes(size * 1_000_000))
        with book.page.expect_file_chooser() as chooser:
            cell.get_by_role("button", name="Upload").click(timeout=WAIT_MS)
        chooser.value.set_files(path)
        book.page.wait_for_timeout(ARRIVES_MS)
        status = book.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.connectionStatus")
        if status != "connected" or not book.value("len(field.value) and len(field.value[0].content)"):
            break
        largest = size
    return largest


def probe() -> np.ndarray:
    """Silence, a speaker, white noise, silence: what tells gain control, noise suppression and a lost band apart."""
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    speech = resample(clip.samples, clip.sample_rate, RATE)[: int(SPEECH * RATE)]
    noise = np.random.default_rng(440).standard_normal(int(NOISE * RATE)) * 0.05
    hush = np.zeros(int(HUSH * RATE))
    return np.concatenate([hush, 0.25 * speech / np.abs(speech).max(), noise, hush]).astype(np.float32)


def compared(samples: np.ndarray, rate: int, source: np.ndarray) -> dict[str, float]:
    """What became of the probe: level of the speech, and of the noise above 8 and above 16 kHz, in dB."""
    heard = resample(np.asarray(samples, np.float32).ravel(), rate, RATE)
    lag = _lag(heard, source)
    at = int(HUSH * RATE)
    speech, noise = (
        slice(at, at + int(SPEECH * RATE)),
        slice(at + int((SPEECH + 0.5) * RATE), at + int((SPEECH + NOISE - 0.5) * RATE)),
    )
    moved = np.pad(heard, (max(0, -lag), max(0, len(source) - len(heard) + lag)))[max(0, lag) :][: len(source)]
    return {
        "speech_db": _db(moved[speech]) - _db(source[speech]),
        "above_8_khz_db": _band(moved[noise], 8_500, 11_000) - _band(source[noise], 8_500, 11_000),
        "above_16_khz_db": _band(moved[noise], 16_500, 19_500) - _band(source[noise], 16_500, 19_500),
    }


def recorded(name: str) -> Callable[[Notebook], dict[str, float]]:
    """Record the probe; gives what became of it, and what the notebook grew by (kB)."""

    def ask(book: Notebook) -> dict[str, float]:
        source = probe()
        play(np.rint(source * 32767).astype(np.int16), RATE)
        before = len(saved(book))
        rate = RECORDERS[name](book, len(source) / RATE)
        book.value("__import__('numpy').save('heard.npy', heard) or 1")
        found = compared(np.load(book.path.parent / "heard.npy"), rate, source)
        return found | {"kilobytes": (len(saved(book)) - before) / 1e3}

    return ask


def _worklet(book: Notebook, seconds: float) -> int:
    book.run("from ipyaudioworklet import AudioRecorder\nrecorder = AudioRecorder(); recorder")
    book.page.wait_for_timeout(3_000)
    book.value("recorder.run() or 1")
    book.wait_for_value("recorder.status", "READY")
    book.value("recorder.resume() or 1")
    book.page.wait_for_timeout(1_000 * seconds)
    book.value("recorder.suspend() or 1")
    book.wait_for_value("recorder.audiodata.size > 0", True)
    book.run("heard = recorder.audiodata")
    return int(book.value("recorder.sampleRate"))


def _ipyaudio(book: Notebook, seconds: float) -> int:
    cell = book.run("from ipyaudio import Recorder\nrecorder = Recorder(sync=True, auto_display=False); recorder")
    button = cell.locator("button").first
    button.wait_for()
    book.page.wait_for_timeout(3_000)
    button.click()
    book.page.wait_for_timeout(1_000 * seconds)
    button.click()
    book.wait_for_value("recorder.completed", True)
    book.run("heard = recorder.audio")
    return int(book.value("recorder.rate"))


def _ours(book: Notebook, seconds: float) -> int:
    panel = book.show("import vcnb\nrecorder = vcnb.Recorder(); recorder")
    bar = panel.locator(".vc-transport")
    bar.get_by_role("button", name="Record", exact=True).click()
    book.page.wait_for_timeout(1_000 * seconds)
    bar.get_by_role("button", name="Stop", exact=True).click()
    book.wait_for_value("len(recorder.takes)", 1)
    book.run("heard = recorder.clip.samples")
    return int(book.value("recorder.clip.sample_rate"))


RECORDERS = {"ipyaudioworklet": _worklet, "ipyaudio": _ipyaudio, "vcnb": _ours}


def _lag(heard: np.ndarray, source: np.ndarray) -> int:
    n = 1 << (len(heard) + len(source)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, n) * np.conj(np.fft.rfft(source, n)), n)
    at = int(np.argmax(np.abs(product)))
    return at if at < n // 2 else at - n


def _db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


def _band(samples: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(power[(frequencies > low) & (frequencies < high)].mean() + 1e-12))
