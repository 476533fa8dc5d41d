"""Every error travels between processes whole, and says what to do."""

import os
import pickle
import subprocess
import sys

import pytest

from vcnb import errors

LEAVES = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_with_all_it_knows(kind):
    error = kind("what happened", remedy="do this")
    error.extra = 3
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.message, back.remedy, back.extra) == ("what happened", "do this", 3)
    assert str(back) == "what happened\n  try: do this"
    assert kind.__doc__


def test_an_error_without_a_remedy_is_one_line():
    assert str(errors.VcnbError("what happened")) == "what happened"


def test_the_services_answer_stays_with_its_error():
    error = pickle.loads(
        pickle.dumps(errors.QuotaError("full", code="Throttling.AllocationQuota", status=400, request_id="r1"))
    )
    assert (error.code, error.status, error.request_id) == ("Throttling.AllocationQuota", 400, "r1")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ClipError, ValueError),
        (errors.SettingsError, ValueError),
        (errors.InvalidRequestError, ValueError),
        (errors.VoiceNotFoundError, LookupError),
        (errors.ServiceUnreachableError, OSError),
    ],
)
def test_an_error_is_also_the_builtin_that_people_catch(kind, builtin):
    assert issubclass(kind, builtin)


def test_the_tree_in_the_docstring_names_every_error():
    assert all(kind.__name__ in errors.__doc__ for kind in LEAVES)


def test_what_acts_on_a_screen_is_shown_as_text_in_an_error():
    hostile = "gone\x1b[2J \u202egnp.exe\u202c \u200f\x07 <b>\r\nשלום, 你好"
    said = str(errors.ServiceError(hostile, remedy="ask \x1b]0;title\x07"))
    assert said == ("gone\\x1b[2J \\u202egnp.exe\\u202c \\u200f\\x07 <b>\\r\nשלום, 你好\n  try: ask \\x1b]0;title\\x07")


@pytest.mark.parametrize("mode", ["Context", "Verbose"])
def test_a_notebook_shows_ones_own_line_and_ours_only_where_that_is_wished(mode, tmp_path):
    code = "def mine():\n    import vcnb\n    vcnb.load(b'Dear Sir or Madam,')\nmine()"
    options = ["--no-banner", "--colors=NoColor", f"--InteractiveShell.xmode={mode}"]
    command = [sys.executable, "-m", "IPython", *options, "-c", code]
    surroundings = os.environ | {"IPYTHONDIR": str(tmp_path)}
    shown = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False).stdout
    assert "vcnb.load(b'Dear Sir or Madam,')" in shown
    assert "\n  try: give a WAV" in shown
    assert ("vcnb/audio/load.py" in shown) == (mode == "Verbose")
    assert "Falling back" not in shown
