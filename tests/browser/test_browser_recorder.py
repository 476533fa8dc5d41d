"""The recorder in a real JupyterLab, with a microphone that plays a known file."""

from __future__ import annotations

import base64
import itertools
import time
import wave
from typing import Any

import numpy as np
import pytest
from figures import record as note
from harness import MICROPHONE, WAIT_MS, Notebook, axe_violations, play

import vcnb
from vcnb.audio.resample import resample

pytestmark = pytest.mark.browser

RATE = 44_100  # Hz, of the browser's own fake device: at any other its resampler stands between
PIECE = RATE // 4 + 2048  # samples of one message at most
SHOW = "from vcnb import Recorder\n"
# Every frame that leaves the page late by 100 to 300 ms, in order, as over a long line.
LONG_LINE = """() => {
  const send = WebSocket.prototype.send;
  let free = 0;
  globalThis.lineSent = 0;
  WebSocket.prototype.send = function (data) {
    globalThis.lineSent += data.byteLength ?? data.length;
    free = Math.max(free, performance.now() + 100 + 200 * Math.random());
    setTimeout(() => send.call(this, data), free - performance.now());
  };
  globalThis.shortLine = () => { WebSocket.prototype.send = send; };
}"""

COUNTED = """() => {
  const send = WebSocket.prototype.send;
  globalThis.lineSent = 0;
  WebSocket.prototype.send = function (data) {
    globalThis.lineSent += data.byteLength ?? data.length;
    return send.call(this, data);
  };
  globalThis.shortLine = () => { WebSocket.prototype.send = send; };
}"""
# A copy of what is kept, so many minutes old, under another name.
ANOTHER = """async ([minutes, name]) => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = reject;
  });
  const database = await done(indexedDB.open('vcnb.recordings', 1));
  const rows = {};
  for (const store of database.objectStoreNames) {
    rows[store] = await done(database.transaction(store).objectStore(store).getAll());
  }
  const { id } = rows.takes.find((row) => row.id.startsWith('2'));
  const put = (store, row) => done(database.transaction(store, 'readwrite').objectStore(store).put(row));
  await put('takes', { ...rows.takes.find((row) => row.id === id), id: name, since: Date.now() - 60000 * minutes });
  for (const row of rows.pieces.filter((each) => each.take === id)) await put('pieces', { ...row, take: name });
  database.close();
}"""


def noise(seconds: float = 60, seed: int = 5) -> np.ndarray:
    """Steps of 16 bits that no resampler, filter or gain could leave as they are."""
    return np.random.default_rng(seed).integers(-32_768, 32_768, round(seconds * RATE)).astype(np.int16)


def speech(n_times: int = 4) -> np.ndarray:
    """A real speaker, at a level that the coach likes."""
    clip = vcnb.load(vcnb.samples()["kathleen_en"])
    samples = resample(clip.samples, clip.sample_rate, RATE)
    return np.tile(np.rint(samples / np.abs(samples).max() * 24_000).astype(np.int16), n_times)


@pytest.fixture(autouse=True)
def _microphone():
    play(noise(), RATE)
    yield
    MICROPHONE.unlink(missing_ok=True)


def press(panel: Any, name: str) -> None:
    panel.get_by_role("button", name=name).first.click()


def seconds_of(panel: Any) -> float:
    return float(panel.locator(".vc-timer span").inner_text())


def record(panel: Any, seconds: float) -> None:
    press(panel, "Record")
    until(
        panel,
        f"Number(node.querySelector('.vc-timer span').textContent) >= {seconds} && node.querySelector('.vc-live')",
    )


def until(panel: Any, condition: str) -> None:
    panel.page.wait_for_function(f"node => {condition}", arg=panel.element_handle(), timeout=WAIT_MS)


def steps_of(book: Notebook, take: str = "r.clip") -> np.ndarray:
    """The samples of a take, out of the file in which the kernel keeps it."""
    with wave.open(book.value(f"{take}.source.path")) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def faithful(book: Notebook, source: np.ndarray, take: str = "r.clip") -> bool:
    """Whether a take is the source, sample for sample, but for the places where it says itself that sound was lost.

    A starved machine loses sound before the browser hands it to anybody; then what lies between is compared.
    """
    steps, at, parts = steps_of(book, take), 0, []
    for start, end in book.value(f"[[slip.start, slip.end] for slip in {take}.slips]"):
        parts.append(steps[at : max(at, int(start * RATE))])
        at = int(end * RATE) + 1
    parts.append(steps[at:])
    return sum(map(len, parts)) > len(steps) / 2 and all(part.tobytes() in source.tobytes() for part in parts)


# A whole database could not go while the recorder holds it open, and the next one would wait for that.
EMPTIED = """async () => {
  const database = await new Promise((resolve) => {
    const request = indexedDB.open('vcnb.recordings', 1);
    request.onsuccess = () => resolve(request.result);
  });
  const names = [...database.objectStoreNames];
  const emptied = database.transaction(names, 'readwrite');
  for (const name of names) emptied.objectStore(name).clear();
  await new Promise((resolve) => { emptied.oncomplete = resolve; });
  database.close();
}"""


def kept_in_browser(page: Any) -> list[Any]:
    """Everything that lies in the recorder's database, bytes as base64."""
    found: list[Any] = page.evaluate(
        """async () => {
          const done = (request) => new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = reject;
          });
          const database = await done(indexedDB.open('vcnb.recordings', 1));
          const rows = [];
          for (const name of database.objectStoreNames) {
            rows.push(...await done(database.transaction(name).objectStore(name).getAll()));
          }
          database.close();
          const text = (bytes) => btoa(Array.from(new Uint8Array(bytes), (b) => String.fromCharCode(b)).join(''));
          return rows.map((row) => ({ ...row, iv: text(row.iv), data: text(row.data) }));
        }"""
    )
    return found


def until_forgotten(page: Any) -> None:
    deadline = time.monotonic() + 10
    while left := kept_in_browser(page):
        assert time.monotonic() < deadline, f"{len(left)} rows are still kept"
        page.wait_for_timeout(50)


def restart(book: Notebook) -> None:
    book.page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    book.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")


def test_a_take_is_the_source_sample_for_sample_and_nowhere_in_the_notebook(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate(LONG_LINE)
    # A message that never arrives, besides: piece 3 is dropped once.
    book.value(
        "exec('lost, take = [], r._receive_piece\\n"
        'r._receive_piece = lambda m, b: lost.append(m) if m["seq"] == 3 and not lost else take(m, b)\')'
    )
    record(panel, 3.0)
    begun = seconds_of(panel)
    press(panel, "Stop")
    panel.get_by_role("button", name="Hear Take 1").wait_for()
    sent = book.page.evaluate("lineSent")  # all that left the page until the take had arrived, piece 3 twice
    book.page.evaluate("shortLine()")
    steps = steps_of(book)
    assert book.value("len(lost)") == 1
    assert len(steps) >= begun * RATE
    assert faithful(book, noise())
    assert 2 * len(steps) < sent <= 1.1 * 2 * len(steps) + 2 * PIECE
    facts = book.value("[r.clip.microphone, r.clip.settings, r.clip.ended, len(r.clip.slips), r.clip.language]")
    assert facts[0] == "Fake Default Audio Input"
    assert [facts[1][name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")] == [False] * 3
    assert [facts[2], facts[4]] == ["stopped", "en"]
    saved = book.saved()
    raw = steps.tobytes()
    for start, at in itertools.product(range(3), range(0, len(raw) - 100, len(raw) // 7)):
        assert base64.b64encode(raw[at + start : at + start + 60]).decode() not in saved
    assert book.value("__import__('vcnb.workflow.recording', fromlist=['x']).browser_key(r._data).hex()") not in saved
    until_forgotten(book.page)


def test_all_has_arrived_a_second_after_stop_and_little_but_the_sound_was_sent(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate(COUNTED)
    record(panel, 2.0)
    waited = panel.evaluate(
        """async (node) => {
          const start = performance.now();
          [...node.querySelectorAll('button')].find((button) => button.textContent.startsWith('Stop')).click();
          while (!node.querySelector('.vc-take')) await new Promise((r) => setTimeout(r, 10));
          return performance.now() - start;
        }"""
    )
    assert waited <= 1000
    sent = book.page.evaluate("lineSent")
    book.page.evaluate("shortLine()")
    n_bytes = 2 * len(steps_of(book))
    note("capture.wire", sent / n_bytes)
    assert n_bytes < sent <= 1.1 * n_bytes


def coach_gaps(book: Notebook, panel: Any, busy: float) -> list[float]:
    """Milliseconds between two looks of the coach while a cell runs."""
    record(panel, 0.5)
    found: dict[str, Any] = panel.evaluate(
        """async (node, busy) => {
          const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const code = `import time; end = time.time() + ${busy + 2}\\nwhile time.time() < end: pass`;
          const cell = kernel.requestExecute({ code });
          const times = [];
          let over = false;
          cell.done.then(() => { over = true; });
          await new Promise((r) => setTimeout(r, 800));
          // The scale is written with every set of figures, whether it moved or not.
          const watcher = new MutationObserver(() => { times.push(performance.now()); });
          watcher.observe(node.querySelector('.vc-length [role=meter]'), { attributeFilter: ['aria-valuenow'] });
          await new Promise((r) => setTimeout(r, 1000 * busy));
          watcher.disconnect();
          const stillBusy = !over, coach = [...node.querySelectorAll('.vc-section.is-side .vc-coach')].pop();
          const figures = [...coach.querySelectorAll(':scope > li > b')].map((b) => b.textContent);
          await cell.done;
          return { gaps: times.slice(1).map((t, i) => t - times[i]), stillBusy, figures };
        }""",
        busy,
    )
    assert found["stillBusy"]
    assert all(found["figures"][:5]), "speech, run, pause, loudness and clipping are known after three seconds"
    return list(found["gaps"])


def test_while_a_cell_runs_the_coach_goes_on_and_nothing_is_lost(book):
    play(speech(), RATE)
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    assert np.median(coach_gaps(book, panel, 2.0)) <= 100
    press(panel, "Stop")
    book.wait_for_value("len(r.takes)", 1)
    assert faithful(book, speech())


@pytest.mark.figures
def test_the_coach_looks_ten_times_a_second_while_the_kernel_is_busy(book):
    play(speech(), RATE)
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    gaps = np.array(coach_gaps(book, panel, 20.0))
    median, most_of, most = np.percentile(gaps, [50, 99, 100])
    print(f"{len(gaps)} looks: {median:.0f} ms apart in the median, {most_of:.0f} in 99 %, {most:.0f} at most")
    press(panel, "Stop")
    book.wait_for_value("len(r.takes)", 1)  # else the next recorder brings it back
    note("capture.coach_ms", most_of, f"{len(gaps)} looks, {most:.0f} at most")
    assert most_of <= 100


def test_half_a_take_survives_a_reload_of_the_page_and_says_where_sound_is_missing(book):
    source = noise()
    holes = [slice(at, at + 400) for at in range(0, len(source), 3 * RATE // 4)]
    for hole in holes:
        source[hole] = 0  # as a browser fills in what it lost
    play(source, RATE)
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    record(panel, 2.0)
    # From here on nothing arrives: what comes later can only come out of the browser's store.
    book.page.evaluate("() => { WebSocket.prototype.send = () => {}; }")
    until(panel, "Number(node.querySelector('.vc-timer span').textContent) >= 3.5")
    rows = kept_in_browser(book.page)
    assert len([row for row in rows if "seq" in row]) >= 12
    plain = source.tobytes()
    for row in rows:
        assert base64.b64decode(row["data"])[:64] not in plain
    book.page.evaluate(ANOTHER, [24 * 60 + 1, "yesterday"])
    book.page.evaluate(ANOTHER, [24 * 60 - 1, "today"])
    assert len(kept_in_browser(book.page)) >= 3 * len(rows) - 6
    book.open()
    book.wait_for_value("len(r.takes)", 1)
    steps = steps_of(book)
    assert len(steps) >= 3.0 * RATE
    assert faithful(book, source)
    # This take's end was never seen: what was lost travelled with what was kept of it.
    (missing,) = np.nonzero(np.convolve(steps == 0, np.ones(400, int), "valid") == 400)
    slips = book.value("[[slip.start, slip.end] for slip in r.clip.slips]")
    assert len(missing) >= 3
    for at in missing[missing < len(steps) - RATE // 2] / RATE:
        assert any(start <= at + 1e-6 and at + 400 / RATE <= end + 1e-6 for start, end in slips)
    assert book.value("r.clip.ended") == "interrupted"
    panel = book.page.locator(".jp-OutputArea-output .vcnb").first
    panel.get_by_text("from before the page went away").wait_for()
    # What is older than a day is gone, what is younger waits for its key: this copy bears another's seal.
    deadline = time.monotonic() + 10
    while {row.get("take") or row["id"] for row in kept_in_browser(book.page)} != {"today"}:
        assert time.monotonic() < deadline
        book.page.wait_for_timeout(50)
    book.page.evaluate(EMPTIED)


def test_marks_come_back_with_a_take_after_a_restart_and_a_reload(book, tmp_path):
    source = noise()
    for at in range(0, len(source), RATE // 2):
        source[at : at + 400] = 0
    play(source, RATE)
    code = "import os\nfrom unittest.mock import patch\n" + SHOW
    code += f"with patch.dict(os.environ, VCNB_DATA={str(tmp_path)!r}): r = Recorder(countdown=0)\nr"
    record(book.show(code), 2.0)
    kernel = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    book.page.evaluate(
        f"() => fetch(`${{location.origin}}/api/kernels/${{{kernel}.id}}/restart`, {{ method: 'POST' }})"
    )
    book.open()
    book.show(code)
    book.wait_for_value("len(r.takes)", 1)  # out of the browser's store
    marks = book.value("[r.clip.ended, [[slip.start, slip.end] for slip in r.clip.slips]]")
    assert marks[0] == "interrupted"
    assert len(marks[1]) >= 3
    restart(book)
    book.open()
    panel = book.show(code)
    press(panel, "Show 1 earlier take")  # out of the library's file
    panel.get_by_text("The browser lost sound in").wait_for()
    assert "It ends where the page went away." in panel.inner_text()
    assert book.value("[r.clip.ended, [[slip.start, slip.end] for slip in r.clip.slips]]") == marks
    book.errors.clear()  # the widget manager itself complains of the lost comms


def test_a_take_survives_a_restart_of_the_kernel(book):
    code = SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r"
    panel = book.show(code)
    record(panel, 1.0)
    restart(book)
    until(panel, "Number(node.querySelector('.vc-timer span').textContent) >= 2.5")
    press(panel, "Stop")
    panel.get_by_role("alert").get_by_text("Your take is safe in this tab.").wait_for()
    with book.page.expect_download() as waiting:
        press(panel, "Save as WAV")
    with wave.open(str(waiting.value.path())) as file:
        saved = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    book.page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
    book.page.wait_for_timeout(300)
    book.wait_for_value("len(r.takes) if 'r' in globals() else 0", 1)
    steps = steps_of(book)
    assert len(steps) >= 2.4 * RATE
    np.testing.assert_array_equal(saved, steps)
    assert faithful(book, noise())
    book.errors.clear()  # the widget manager itself complains of the lost comms


def test_a_chosen_discarded_and_retaken_take_is_what_the_notebook_sees(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    for n in (1, 2):
        record(panel, 1.0)
        press(panel, "Stop")
        panel.get_by_role("button", name=f"Hear Take {n}").wait_for()
    assert book.value("r.clip.name") == "Take 2"
    press(panel, "Keep Take 1")
    book.wait_for_value("r.clip.name", "Take 1")
    press(panel, "Hear Take 2")
    panel.get_by_role("button", name="Pause Take 2").wait_for()
    press(panel, "Pause Take 2")
    press(panel, "Discard Take 1")
    panel.get_by_text("Take 1 is discarded.").wait_for()
    book.wait_for_value("[r.clip.name, len(r.takes)]", ["Take 2", 1])
    press(panel, "Undo")
    book.wait_for_value("[r.clip.name, len(r.takes)]", ["Take 1", 2])
    press(panel, "Retake Take 1")
    until(panel, "node.querySelector('.vc-live.is-recording')")
    book.page.wait_for_timeout(600)
    press(panel, "Stop")
    panel.get_by_role("button", name="Hear Take 3").wait_for()
    assert book.value("[take.name for take in r.takes]") == ["Take 2", "Take 3"]


def test_a_take_ends_at_the_limit_or_at_a_pause_once_it_is_good_enough(book):
    spoken, hush = speech(1), np.random.default_rng(3).integers(-3, 4, 20 * RATE).astype(np.int16)
    breath, end = hush[: round(0.45 * RATE)], slice(9 * RATE // 2, 13 * RATE // 2)
    play(np.concatenate([spoken[: end.start], breath, spoken[end], hush]), RATE)
    code = "r = Recorder(countdown=0, stop_by_itself={}); limits = r.setup['limits'] | {{{}}}\n"
    code += "r.setup = r.setup | {{'limits': limits}}; r"
    panel = book.show(SHOW + code.format(True, "'longest': 3.0"))
    press(panel, "Record")
    panel.get_by_text("this take did not become good enough").wait_for()
    said = panel.locator(".vc-notice:visible").inner_text()
    assert "Clear speech: 10 s or more" in said
    assert "Loudness" not in said, "what is good was called missing"
    book.wait_for_value("len(r.takes)", 1)
    assert len(steps_of(book)) == 3 * RATE
    good = "'best': 1.0, 'run': 1.0, 'snr': 5.0"
    panel = book.show(SHOW + code.format(True, good))
    press(panel, "Record")
    panel.get_by_text("stopped by itself").wait_for(timeout=WAIT_MS)
    book.wait_for_value("r.clip and r.clip.ended", "ready")
    (loud,) = np.nonzero(np.abs(steps_of(book)) > 1000)
    assert 0.4 <= (len(steps_of(book)) - loud[-1]) / RATE <= 1.5  # at the end of the sentence, and soon
    assert len(steps_of(book)) > 6.5 * RATE
    # Longer than is best, it waits for a breath only.
    panel = book.show(SHOW + code.format(True, good + ", 'best_to': 2.0"))
    press(panel, "Record")
    panel.get_by_text("stopped by itself").wait_for(timeout=WAIT_MS)
    book.wait_for_value("len(r.takes)", 1)
    assert len(steps_of(book)) < 5.5 * RATE


def test_the_room_check_tells_noise_and_hum_as_the_kernel_would(book):
    quiet = 30 * np.random.default_rng(3).standard_normal(8 * RATE)
    hum = 60 * np.sin(2 * np.pi * 50 * np.arange(8 * RATE) / RATE) + 40 * np.sin(
        2 * np.pi * 150 * np.arange(8 * RATE) / RATE
    )
    hum += 40 * np.sin(2 * np.pi * 100 * np.arange(8 * RATE) / RATE) + 40 * np.sin(
        2 * np.pi * 250 * np.arange(8 * RATE) / RATE
    )
    play(np.rint(quiet + hum).astype(np.int16), RATE)
    panel = book.show(SHOW + "r = Recorder(); r")
    press(panel, "Check, 3 s")
    panel.get_by_text("Checked at").wait_for()
    shown = panel.locator(".is-side .vc-coach").first.locator("li > b").all_inner_texts()
    wanted = 10 * np.log10(np.mean((quiet + hum) ** 2)) - 20 * np.log10(32768)
    assert float(shown[0].split()[0].replace("−", "-")) == pytest.approx(wanted, abs=1.0)
    level = 10 * np.log10(np.mean(hum**2)) - 20 * np.log10(32768)
    mains, value = shown[1].replace(" dBFS", "").split(" Hz, ")
    assert (mains, float(value.replace("−", "-"))) == ("50", pytest.approx(level, abs=1.5))
    assert book.value("len(r.takes)") == 0


def test_two_recorders_and_one_shown_twice_do_not_disturb_each_other(book):
    first = book.show(SHOW + "a = Recorder(countdown=0, stop_by_itself=False); a")
    again = book.show("a")
    other = book.show("b = Recorder(countdown=0, stop_by_itself=False); b")
    record(first, 0.5)
    record(other, 0.5)
    assert again.get_by_role("button", name="Stop").is_visible()
    press(again, "Stop")
    book.wait_for_value("[len(a.takes), len(b.takes)]", [1, 0])
    assert other.get_by_role("button", name="Stop").is_visible()
    press(other, "Stop")
    book.wait_for_value("[len(a.takes), len(b.takes)]", [1, 1])
    assert faithful(book, noise(), "a.clip")
    assert faithful(book, noise(), "b.clip")
    again.get_by_role("button", name="Hear Take 1").wait_for()


def test_a_microphone_that_goes_away_leaves_what_was_said(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate(
        """() => {
          const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
          media.getUserMedia = async (wanted) => (globalThis.unpluggable = await ask(wanted));
        }"""
    )
    record(panel, 1.0)
    book.page.evaluate(
        "() => { const [track] = unpluggable.getAudioTracks(); track.stop(); track.dispatchEvent(new Event('ended')); }"
    )
    panel.get_by_role("alert").get_by_text("The microphone went away.").wait_for()
    book.wait_for_value("[len(r.takes), r.clip and r.clip.ended]", [1, "unplugged"])
    assert faithful(book, noise())


def test_a_refused_microphone_says_how_to_allow_it_and_works_when_it_was(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.context.clear_permissions()
    try:
        press(panel, "Record")
        alert = panel.get_by_role("alert")
        alert.get_by_text("The browser did not allow the microphone.").wait_for()
        assert "upload a file" in alert.inner_text()
        press(alert, "Upload a file instead")
        choose = panel.get_by_role("button", name="Choose files")
        choose.wait_for()
        book.page.wait_for_function("node => node === document.activeElement", arg=choose.element_handle())
        with book.page.expect_file_chooser() as chooser:
            choose.click()
        chooser.value.set_files(vcnb.samples()["kathleen_en"])
        panel.get_by_role("button", name="Discard kathleen").wait_for()
        assert book.value("[r.clip.source.container, len(r.takes)]") == ["wav", 1]
        assert axe_violations(panel) == []
    finally:
        book.page.context.grant_permissions(["microphone"])
    record(panel, 0.5)
    assert not panel.get_by_text("The browser did not allow").is_visible()
    press(panel, "Stop")
    book.wait_for_value("[len(r.takes), r.clip.name]", [2, "Take 1"])


def test_the_panel_that_goes_away_takes_its_microphone_along(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate(
        """() => {
          const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
          media.getUserMedia = async (wanted) => (globalThis.opened = await ask(wanted));
        }"""
    )
    record(panel, 1.0)
    book.page.evaluate("() => jupyterapp.commands.execute('notebook:delete-cell')")
    book.page.wait_for_function("() => opened.getAudioTracks().every((track) => track.readyState === 'ended')")
    book.wait_for_value("[len(r.takes), r.clip and r.clip.ended]", [1, "closed"])


def test_the_keyboard_does_all_and_leaves_the_notebook_alone(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    cells, keyboard = book.n_cells(), book.page.keyboard
    panel.get_by_role("button", name="Record").focus()
    for key in ("d", "d", "b", "Space"):
        keyboard.press(key)
    until(panel, "Number(node.querySelector('.vc-timer span').textContent) >= 0.5")
    keyboard.press("Space")
    panel.get_by_role("button", name="Hear Take 1").wait_for()
    names = []
    for _ in range(12):
        keyboard.press("Tab")
        names.append(
            panel.evaluate(
                "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            )
        )
    for wanted in (
        "Language of the script",
        "Scenario",
        "Hear Take 1",
        "Keep Take 1",
        "Retake Take 1",
        "Discard Take 1",
    ):
        assert wanted in names
    assert book.n_cells() == cells


def test_it_is_drawn_and_can_be_used_by_everyone(book, shots):
    play(speech(), RATE)
    book.look("dark", 1000)
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")

    def place() -> tuple[float, float]:
        """Where the text to read and the time stand in the panel."""
        text, time, whole = (
            each.bounding_box() for each in (panel.locator("blockquote"), panel.get_by_role("timer"), panel)
        )
        return text["y"] - whole["y"], time["x"] - whole["x"]

    idle = place()
    record(panel, 3.5)
    assert place() == idle, "the text to read, or the time, moved when the take began"
    shots(panel, "recorder-dark-1000-live")
    assert axe_violations(panel) == []
    assert place() == idle, "the text to read moved with what the coach says"
    press(panel, "Stop")
    panel.locator(".vc-take .vc-verdict").first.wait_for(timeout=WAIT_MS)
    assert place() == idle, "the text to read moved when the take ended"
    for theme, width in (("dark", 1000), ("light", 600), ("light", 1600)):
        book.look(theme, width)
        shots(panel, f"recorder-{theme}-{width}")
        assert axe_violations(panel) == []
        assert panel.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, "the panel is wider than its place"
    book.look("light", 1000)


def test_where_there_can_be_no_microphone_it_says_why_and_what_to_do(book):
    panel = book.show(SHOW + "r = Recorder(); r")
    alert = panel.get_by_role("alert")
    # What these places answer is known; the browser of the tests has a microphone and is no VS Code.
    for change, reason, way_out in [
        ("Object.defineProperty(navigator, 'userAgent', { value: 'Code/1.108.0', configurable: true })",
         "VS Code gives notebooks no microphone.", "Record on your phone and upload the file."),
        ("delete navigator.userAgent; navigator.mediaDevices.getUserMedia = "
         "() => Promise.reject(new DOMException('', 'NotFoundError'))",
         "No microphone found.", "Plug one in; it is noticed by itself."),
        ("navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))",
         "Another program holds the microphone.", "Close it there, then try again."),
    ]:  # fmt: skip
        book.page.evaluate(f"() => {{ {change}; }}")
        press(panel, "Record")
        alert.get_by_text(reason).wait_for()
        assert way_out in alert.inner_text()
        assert alert.get_by_role("button", name="Upload a file instead").is_visible()
    book.page.evaluate("() => { delete navigator.mediaDevices.getUserMedia; }")
    press(panel, "Record")
    panel.get_by_text("Breathe in.").wait_for()
    assert not alert.is_visible()
    press(panel, "Cancel")
    panel.get_by_role("button", name="Record").wait_for()
    assert book.value("len(r.takes)") == 0


# The tab is left, or seen again so many seconds later.
HIDE = """([hidden, later]) => {
  const now = Performance.prototype.now;
  performance.now = () => now.call(performance) + 1000 * later;
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  delete performance.now;
}"""


def test_a_hidden_tab_goes_on_recording_and_says_so(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    record(panel, 0.3)
    book.page.evaluate(HIDE, [True, 0])
    book.page.wait_for_timeout(600)
    book.page.evaluate(HIDE, [False, 0])
    panel.get_by_text("The tab was hidden for 1 s.").wait_for()
    press(panel, "Stop")
    book.wait_for_value("len(r.takes)", 1)
    assert faithful(book, noise())


def test_who_comes_back_long_after_the_limit_reads_why_the_take_ended(book):
    code = "r = Recorder(countdown=0, stop_by_itself=False); limits = r.setup['limits'] | {'longest': 2.0}\n"
    panel = book.show(SHOW + code + "r.setup = r.setup | {'limits': limits}; r")
    record(panel, 0.1)
    try:
        book.page.evaluate(HIDE, [True, 0])
        panel.get_by_text("are the most the service takes").wait_for()
    finally:
        book.page.evaluate(HIDE, [False, 3590])
    panel.get_by_text("are the most the service takes").wait_for()
    assert "hidden" not in panel.locator(".vc-notice:visible").inner_text()


def test_a_take_that_begins_in_a_hidden_tab_says_how_long_it_was_hidden(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    try:
        book.page.evaluate(HIDE, [True, 0])
        record(panel, 0.1)
    finally:
        book.page.evaluate(HIDE, [False, 3590])
    panel.get_by_text("The tab was hidden for 359").wait_for()
    press(panel, "Stop")


def test_a_browser_without_frames_records_through_its_audio_thread(book):
    panel = book.show(SHOW + "r = Recorder(countdown=0, stop_by_itself=False); r")
    book.page.evaluate(
        "() => { globalThis.framed = globalThis.MediaStreamTrackProcessor; delete MediaStreamTrackProcessor; }"
    )
    try:
        record(panel, 1.5)
    finally:
        book.page.evaluate("() => { globalThis.MediaStreamTrackProcessor = globalThis.framed; }")
    press(panel, "Stop")
    book.wait_for_value("len(r.takes)", 1)
    assert len(steps_of(book)) >= 1.5 * RATE
    assert faithful(book, noise())


def test_an_insecure_page_says_how_to_make_it_secure(book):
    panel = book.show(SHOW + "r = Recorder(); r")
    panel.get_by_role("button", name="Record").wait_for()
    book.saved()
    address = book.address.replace("127.0.0.1", "insecure.test")
    page = book.page.context.new_page()
    try:
        page.goto(address, timeout=WAIT_MS)
        page.get_by_role("button", name="Record").first.click(timeout=WAIT_MS)
        page.get_by_role("alert").get_by_text("only to https or localhost").wait_for(timeout=WAIT_MS)
        assert "SSH tunnel" in page.get_by_role("alert").inner_text()
        page.get_by_role("button", name="Upload a file instead").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click(timeout=WAIT_MS)
        chooser.value.set_files(vcnb.samples()["kathleen_en"])
        book.wait_for_value("len(r.takes)", 1)
    finally:
        page.close()


SLIPPED: list[int] = []  # runs of the minute in which sound was lost


# A mark without a loss says nothing against the recorder here: Chromium's fake microphone (fake_audio_worker.cc), late
# by a buffer or more on a busy machine, leaves out their time and plays its file on. A sound card's clock
# goes on whatever the machine does, so there a jump of the clock is sound that is missing.
@pytest.mark.figures
@pytest.mark.parametrize("run", range(5))
def test_a_minute_is_the_source_and_every_slip_is_marked(book, run):
    panel = book.show(SHOW + "r = Recorder(countdown=1, stop_by_itself=False); r")
    source = noise(90, seed=run)
    play(source, RATE)
    press(panel, "Record")
    book.page.wait_for_function(
        "node => Number(node.querySelector('.vc-timer span').textContent) >= 59",
        arg=panel.element_handle(),
        timeout=2 * WAIT_MS,
    )
    late = panel.evaluate(
        """async (node) => {
          while (node.querySelector('.vc-live.is-recording')) await new Promise((r) => setTimeout(r, 5));
          const start = performance.now();
          while (!node.querySelector('.vc-take')) await new Promise((r) => setTimeout(r, 5));
          return (performance.now() - start) / 1000;
        }"""
    )
    steps = steps_of(book)
    assert len(steps) == 60 * RATE
    lost = breaks(steps, source)
    slips = book.value("[[slip.start, slip.end] for slip in r.clip.slips]")
    SLIPPED.extend([run] if lost else [])
    gain, ripple = gain_and_ripple(steps, source)
    print(f"run {run}: sound lost at {lost}, marked {slips}; gain {gain:.4f} dB, ripple {ripple:.4f} dB", end=", ")
    print(f"all here {late:.2f} s after Stop")
    if run == 4:
        note("capture.slips", 5 - len(SLIPPED))
    assert all(any(start <= at <= end for start, end in slips) for at in lost)
    assert len(SLIPPED) <= 1
    assert late <= 1.0
    assert abs(gain) <= 0.1
    assert ripple <= 0.5


def breaks(steps: np.ndarray, source: np.ndarray) -> list[float]:
    """Seconds at which a take does not go on as its source does."""
    found, at, whole = [], 0, source.tobytes()
    while at < len(steps) - 32:
        place = whole.find(steps[at : at + 32].tobytes())
        if place < 0 or place % 2:
            at += 1  # what the browser filled in stands nowhere in the source
            continue
        follows = source[place // 2 : place // 2 + len(steps) - at]
        (different,) = np.nonzero(steps[at : at + len(follows)] != follows)
        at += int(different[0]) if len(different) else len(follows)
        found.append(at / RATE)
    return found[:-1]


def gain_and_ripple(steps: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    """Level of a take against its source, and how far third octaves from 100 Hz to 20 kHz part from it, in dB."""
    at = source.tobytes().find(steps[: RATE // 2].tobytes()) // 2
    bands = 100 * 2 ** (np.arange(0, 24) / 3)
    powers = []
    for sound in (steps, source[at : at + len(steps)]):
        power = np.abs(np.fft.rfft(sound / 32768)) ** 2
        edges = np.searchsorted(np.fft.rfftfreq(len(sound), 1 / RATE), [*bands[bands < 20_000], 20_000])
        powers.append(np.add.reduceat(power, edges)[:-1])
    differences = 10 * np.log10(powers[0] / powers[1])
    gain = 10 * np.log10(powers[0].sum() / powers[1].sum())
    return float(gain), float(np.ptp(differences))
