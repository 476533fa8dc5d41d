"""A command ends with the right status, prints its documents alone on stdout, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import wave

import pytest

import vcnb.workflow.doctor
from vcnb import errors
from vcnb.audio.samples import samples
from vcnb.cli.app import run
from vcnb.cli.diagnosing import plainly_asked
from vcnb.cli.ending import STATUS, UnreadableError, status_of
from vcnb.cli.output import LONGEST_CELL, table
from vcnb.cli.voices import safe_file
from vcnb.workflow.sending import Manner

HTTP = "qwen3-tts-vc-2026-01-22"
CONSENT = ("--consent", "the speaker gave it to everybody")
COMMANDS = ["lab", "demo", "diagnose", "repair", "enroll", "voices", "delete", "speak", "practice", "doctor", "test"]


@pytest.fixture
def shell(practice, monkeypatch, capsys, tmp_path):
    """Run a command against the practice service: status, documents, words for people."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", practice.api_key.reveal())
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        capsys.readouterr()
        status = run([*map(str, arguments), "--base-url", practice.base_url])
        printed = capsys.readouterr()
        assert practice.api_key.reveal() not in printed.out + printed.err
        assert "Traceback" not in printed.err
        documents = [json.loads(line) for line in printed.out.splitlines()] if "--json" in arguments else printed.out
        return status, documents, printed.err

    return command


def wrong(error_lines):
    """Exactly one line what happened, one what to do."""
    lines = error_lines.splitlines()
    return len(lines) >= 2 and lines[-1].startswith("  try: ") and not lines[-2].startswith(" ")


def test_the_table_gives_every_error_its_status():
    expected = dict.fromkeys(["ClipError", "SettingsError", "ConsentMissingError", "SpendLimitError"], 2)
    expected |= {"LibraryError": 3, "ServiceUnreachableError": 5, "CancelledError": 130}
    expected |= {"OutcomeUnknownError": 6, "SpeechInterruptedError": 6}
    for name in (name for name in errors.__all__ if name.endswith("Error")):
        kind = getattr(errors, name)
        wanted = 4 if issubclass(kind, errors.ServiceError) else expected.get(name, 1)
        assert status_of(kind("no")) == wanted, name
    assert status_of(UnreadableError("no")) == 3
    assert STATUS[-1][0] is errors.VcnbError


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_common_options(name, capsys):
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--region", "--base-url", "--data", "--json"))


def test_the_whole_journey_in_a_shell(shell, tmp_path):
    recording = samples()["kathleen_en"]
    status, made, said = shell("enroll", recording, "--name", "guanyu", *CONSENT, "--json")
    assert status == 0
    assert made[0]["name"] == "guanyu"
    assert re.fullmatch("guanyu_[0-9a-z]{6}", made[0]["preferred_name"])
    assert f"guanyu is called {made[0]['preferred_name']} at the service" in said
    assert (made[0]["target_model"], made[0]["language"]) == (HTTP, None)
    assert "No language was given" in said
    status, listed, _ = shell("voices", "--json")
    assert (status, [row["voice"] for row in listed]) == (0, [made[0]["voice"]])
    assert listed[0]["created_at"]
    # The service's clock is not ours.
    told = {name: value for name, value in listed[0].items() if name != "created_at"}
    assert {name: made[0][name] for name in told} == told
    assert (told["state"], told["verdict"], told["age"]) == ("here and there", "pass", 0)
    status, spoken, _ = shell("speak", "Hello there.", "--voice", made[0]["voice"], "--json")
    assert status == 0
    assert spoken[0]["file"] == "hello-there.wav"
    with wave.open(str(tmp_path / "hello-there.wav")) as file:
        assert file.getnframes() == round(spoken[0]["duration"] * 24_000)
    assert {"voice", "text", "first_audio_delay", "characters", "cost"} <= set(spoken[0])
    status, gone, _ = shell("delete", made[0]["voice"], "--json")
    assert (status, gone) == (0, [{"voice": made[0]["voice"], "deleted": True}])
    assert shell("voices", "--json")[1] == []


def test_several_models_are_one_document_each(shell, practice):
    realtime = "qwen3-tts-vc-realtime-2026-01-15"
    arguments = ("--model", HTTP, "--model", realtime, "--language", "en")
    status, made, _ = shell("enroll", samples()["thorsten_en"], "--name", "two", *CONSENT, *arguments, "--json")
    assert status == 0
    assert [document["target_model"] for document in made] == [HTTP, realtime]
    assert practice.counters()["creations"] == 2


def test_streamed_speech_is_written_whole(shell, practice, tmp_path):
    voice = practice.voice("qwen3-tts-vc-realtime-2026-01-15")
    status, spoken, said = shell("speak", "One. Two.", "--voice", voice, "--stream", "--out", "my.wav", "--json")
    assert status == 0
    assert said.startswith("piece 1: ")
    assert spoken[0]["first_audio_delay"] > 0
    with wave.open(str(tmp_path / "my.wav")) as file:
        assert file.getnframes() == round(spoken[0]["duration"] * 24_000)


def test_speech_never_overwrites_what_was_not_named(shell, practice, tmp_path):
    (tmp_path / "hello.wav").write_bytes(b"mine")
    voice = practice.voice()
    assert shell("speak", "Hello!", "--voice", voice, "--json")[1][0]["file"] == "hello-2.wav"
    assert (tmp_path / "hello.wav").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["enroll", "missing.wav", "--name", "a", *CONSENT], 3),
        (["enroll", "text.txt", "--name", "a", *CONSENT], 3),
        (["enroll", "good.wav", "--name", "a"], 2),
        (["enroll", "good.wav", "--name", "a-b", *CONSENT], 2),
        (["enroll", "good.wav", "--name", "a", *CONSENT, "--model", "nope"], 2),
        (["enroll", "good.wav", "--name", "a", *CONSENT, "--language", "English"], 2),
        (["enroll", "http://example.com/a.wav", "--name", "a", *CONSENT], 2),
        (["speak", "Hello.", "--voice", "Cherry"], 2),
        (["speak", "  ", "--voice", "qwen"], 4),
        (["speak", "Hello.", "--voice", "nobody"], 4),
        (["speak", "Hello.", "--voice", "nobody", "--out", "a.mp3"], 3),
        (["speak", "Hello.", "--voice", "nobody", "--out", "nowhere/a.wav"], 3),
        (["delete", "nobody"], 4),
        (["repair", "missing.wav", "out.wav"], 3),
        (["repair", "good.wav", "out.mp3"], 3),
        (["voices", "--region", "mars"], 2),
        (["voices", "--region", "beijing"], 2),
        (["voices", "--what"], 2),
        (["nonsense"], 2),
        (["enroll"], 2),
    ],
)
def test_what_is_wrong_ends_in_one_line_and_one_remedy(shell, practice, tmp_path, arguments, status):
    shutil.copy(samples()["kathleen_en"], tmp_path / "good.wav")
    (tmp_path / "text.txt").write_text("no sound")
    found, documents, said = shell(*arguments, *(["--json"] if arguments[0] != "nonsense" else []))
    assert found == status, said
    assert wrong(said), said
    assert documents in ([], "")
    seen = practice.counters()
    assert seen["create"] + seen["synthesis"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["enroll", "good.wav"], "Missing option '--name'"),
        (["speak", "Hello."], "Missing option '--voice'"),
        (["diagnose"], "Missing argument"),
        (["voices", "--what"], "No such option: --what"),
        (["practice", "--port", "65536"], "less than or equal to 65535"),
        (["practice", "--port=-1"], "greater than or equal to 0"),
        (["lab", "--port", "99999"], "less than or equal to 65535"),
    ],
)
def test_what_is_missing_or_out_of_range_is_named(shell, arguments, said):
    status, _, told = shell(*arguments)
    assert status == 2
    assert said in told
    assert told.endswith(f"  try: vcnb {arguments[0]} --help\n")


def test_without_a_command_the_help_is_shown_once(capsys):
    assert run([]) == 2
    printed = capsys.readouterr()
    assert (printed.out + printed.err).count("Usage:") == 1
    assert wrong(printed.err)


def test_remedies_speak_the_shells_language(shell, practice, capsys, monkeypatch):
    recording = samples()["kathleen_en"]
    assert '--consent "my own voice"' in shell("enroll", recording, "--name", "a")[2]
    assert "vcnb voices" in shell("speak", "Hello.", "--voice", "nobody")[2]
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    monkeypatch.setenv("DASHSCOPE_API_KEY_FILE_PATH", "nowhere")
    capsys.readouterr()
    assert run(["voices", "--region", "beijing"]) == 2
    assert "--region practice" in capsys.readouterr().err
    assert "DASHSCOPE_API_KEY" in shell("voices")[2]


def test_an_id_is_never_broken_over_two_lines(shell, practice):
    voices = [practice.voice(), practice.voice("qwen3-tts-vc-realtime-2026-01-15")]
    lines = shell("voices")[1].splitlines()
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(voices)


def test_an_unreadable_file_says_why(shell):
    status, shown, _ = shell("diagnose", "missing.wav")
    assert status == 3
    assert "there is no such file" in shown


def test_a_recording_is_not_repaired_over_itself(shell, tmp_path):
    mine = tmp_path / "mine.wav"
    shutil.copy(samples()["kathleen_en"], mine)
    before = mine.read_bytes()
    status, _, said = shell("repair", "mine.wav", "./mine.wav")
    assert (status, wrong(said)) == (2, True)
    assert mine.read_bytes() == before


def test_a_repair_says_what_it_could_not_mend(shell, tmp_path):
    from vcnb.audio.encode import save
    from vcnb.audio.load import load

    whole = load(samples()["kathleen_en"])
    save(load((whole.samples[: 2 * whole.sample_rate], whole.sample_rate)), tmp_path / "short.wav")
    status, _, said = shell("repair", "short.wav", "out.wav")
    assert status == 0
    assert "still refuse it" in said
    assert "nothing that could be mended" in said


def test_a_service_that_is_not_there_is_5_and_a_wrong_key_is_4(shell, practice, monkeypatch, capsys):
    assert run(["voices", "--base-url", "http://127.0.0.1:1/api/v1"]) == 5
    assert wrong(capsys.readouterr().err)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-somebody-else")
    assert run(["voices", "--base-url", practice.base_url]) == 4
    said = capsys.readouterr().err
    assert wrong(said)
    assert "somebody" not in said


def test_an_unknown_outcome_is_6_until_it_is_sent_once_more_by_hand(shell, practice, monkeypatch):
    # As on the hosted service, where the machine sends nothing twice; that is settled after the practice service's 2 s.
    monkeypatch.setattr("vcnb.workflow.enrolling.Manner.of", lambda region: Manner(False, lease=3.0, pause=0.2))
    practice.fault("reset", "create")
    order = ("enroll", samples()["kathleen_en"], "--name", "lost", *CONSENT, "--json")
    status, documents, said = shell(*order)
    assert (status, documents) == (6, [])
    assert "You cannot be charged twice" in said
    assert "--retry" in said
    assert wrong(said)
    assert practice.counters()["create"] == 1
    status, documents, _ = shell(*order, "--retry")
    assert status == 0
    assert documents[0]["name"] == "lost"
    assert shell(*order)[1][0]["voice"] == documents[0]["voice"]
    assert shell(*order, "--again")[1][0]["voice"] != documents[0]["voice"]
    assert practice.counters()["creations"] == 2


def test_consent_is_asked_for_on_a_terminal(shell, monkeypatch, practice):
    class Terminal:
        def isatty(self):
            return True

        def readline(self, *_):
            return "my own voice\n"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("typer.prompt", lambda question, err: sys.stdin.readline().strip())
    status, made, _ = shell("enroll", samples()["kathleen_en"], "--name", "asked", "--json")
    assert status == 0
    assert made[0]["consent"] == "my own voice"


def test_a_practice_service_that_runs_already_is_told_and_left_running(tmp_path):
    from vcnb.practice.launch import ensure

    with ensure(tmp_path / "practice", engine="tone") as running:
        command = [sys.executable, "-m", "vcnb", "practice", "--json", "--data", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
            told = json.loads(second.stdout.readline())
            second.terminate()
        assert told["base_http_api_url"] == running.base_url
        assert told["api_key"] == running.api_key.reveal()
        assert running.alive()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, errors.CancelledError("stopped")])
def test_a_cancelled_command_is_130(monkeypatch, capsys, interruption):
    def interrupted(*_, **__):
        raise interruption

    monkeypatch.setattr(vcnb.workflow.doctor, "doctor", interrupted)
    assert run(["doctor"]) == 130
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "stopped" in said.lower()


def started(*arguments, code=None, **options):
    command = [sys.executable, *(["-c", code] if code else ["-m", "vcnb"]), *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **options)


def test_a_fault_of_our_own_is_one_line_without_the_key_and_status_1():
    code = (
        "import vcnb.workflow.doctor as d\n"
        "def broken(*a, **k): raise RuntimeError('sk-0123456789abcdef is odd')\n"
        "d.doctor = broken\n"
        "import sys; from vcnb.cli import main; sys.argv = ['vcnb', 'doctor']; sys.exit(main())"
    )
    done = started(code=code)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "RuntimeError" in said
    assert "Traceback" not in said
    assert "0123456789" not in said
    assert len(said.splitlines()) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipe that breaks like this")
def test_a_reader_that_goes_away_ends_it_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "vcnb", "doctor", "--json"],
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.stderr == b""
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only here may a name hold any byte")
def test_odd_bytes_in_a_name_and_a_terminal_without_letters_are_survived(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xe4\xf6 [red].wav"
    shutil.copy(samples()["kathleen_en"], name)
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = started("diagnose", name, env=ascii_only)
    assert shown.returncode == 0, shown.stderr
    assert b"[red].wav" in shown.stdout
    document = json.loads(started("diagnose", name, "--json", env=ascii_only).stdout)
    assert os.fsencode(document["file"]) == name


def test_help_comes_without_the_heavy_rooms():
    code = (
        "import sys; from vcnb.cli.app import run; run(['--help']);"
        "print(sorted({'numpy', 'pandas', 'dashscope', 'aiohttp', 'requests', 'av', 'librosa'} & set(sys.modules)))"
    )
    assert started(code=code).stdout.decode().splitlines()[-1] == "[]"


def test_a_plain_diagnosis_does_without_typer_and_says_the_same(capsys):
    file = str(samples()["kathleen_en"])
    code = (
        f"import sys, vcnb.cli; sys.argv[1:] = ['diagnose', {file!r}, '--json'];"
        "print(vcnb.cli.main(), 'typer' in sys.modules, file=sys.stderr)"
    )
    plain = started(code=code)
    assert plain.stderr == b"0 False\n"
    assert run(["diagnose", file, "--json"]) == 0
    assert plain.stdout.decode() == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        (["diagnose", "a.wav", "--json", "b"], (["a.wav", "b"], True)),
        (["diagnose", "a.wav"], (["a.wav"], False)),
        (["diagnose"], None),
        (["diagnose", "--json"], None),
        (["diagnose", "a.wav", "--language", "en"], None),
        (["diagnose", "-h"], None),
        (["diagnose", "--", "a.wav"], None),
        (["repair", "a.wav", "b.wav"], None),
        ([], None),
    ],
)
def test_only_what_is_asked_plainly_goes_past_typer(arguments, plain):
    assert plainly_asked(arguments) == plain


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello there!", "hello-there"),
        ("../../etc/passwd", "etc-passwd"),
        ("con", "speech"),
        ("LPT1", "speech"),
        ("...", "speech"),
        ("你好，世界", "你好-世界"),
        ("ﬁne", "fine"),
        ("a\x00b\nc", "a-b-c"),
        ("\ud800", "speech"),
    ],
)
def test_a_file_is_named_after_the_text_as_every_system_takes_it(text, name):
    assert safe_file(text) == name


def test_a_long_name_ends_within_what_a_file_system_takes():
    assert len(safe_file("ü" * 500).encode()) <= 60
    assert safe_file("ü" * 500).endswith("ü")


def test_a_cell_without_end_makes_no_row_without_end_and_hides_no_other(capsys):
    table(
        ("name", "note", "voice"),
        [("x" * 1_000_000, "漢" * 1_000_000, "kept"), ("y" * LONGEST_CELL, 1, None)],
        fold=False,
    )
    _heads, long, whole = capsys.readouterr().out.splitlines()
    assert long.split() == ["x" * (LONGEST_CELL - 1) + "…", "漢" * (LONGEST_CELL - 1) + "…", "kept"]
    assert whole.split() == ["y" * LONGEST_CELL, "1"]
