"""What peers do where we do it too, in one run on one machine, each peer in an environment of its own.

    python tests/benchmarks/peers [--folder FOLDER] [--only SUBJECT ...]

Needs the package index, 8 GB of disk, a Chromium and twenty minutes; FOLDER keeps the environments for the next time.
Subjects: size, money, notebook, recording, upload, verdicts, encoder. Prints one Markdown table a subject.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import in_lab
import money
from places import PEERS, answer_of, place_of
from spoilt import SPOILT, written

import vcnb

OWN = sys.executable
Rows = Iterator[tuple[str, ...]]


def size(folder: Path) -> Rows:
    """What it takes to have it."""
    yield "package", "installed alone, MB", "packages", "import, s", "memory then, MB"
    for peer in PEERS.values():
        place = place_of(peer, folder)
        cost = answer_of(place.python, "importing", peer.module)
        yield _row(f"`{peer.package}`", place.megabytes, place.n_packages, cost["seconds"], cost["megabytes"])
    cost = answer_of(OWN, "importing", "vcnb")
    yield _row("**vcnb**", "", "", cost["seconds"], cost["megabytes"])


def about_money(_folder: Path) -> Rows:
    """What a lost answer costs, and how long one waits."""
    yield "", "the page's calls and the bare SDK", "**vcnb**"
    lost, waits = money.lost_answers(), money.first_sounds()
    yield _row("voices billed until one is in hand, one answer lost", lost["voices, requests"], lost["voices, vcnb"])
    yield _row("speeches billed by one call whose answer is lost", lost["speeches, dashscope"], lost["speeches, vcnb"])
    yield _row("seconds until something can be played, 7 s of speech", waits["dashscope"], waits["vcnb"])


def notebook(folder: Path) -> Rows:
    """What 15 s of sound, and a key, leave in a saved notebook."""
    yield "what shows 15 s", "kB in the notebook, state of widgets saved"
    for name in in_lab.PLAYERS:
        python = place_of(PEERS[name], folder).python if name in PEERS else OWN
        yield _row(f"`{name}`", in_lab.in_notebook(python, in_lab.player_kilobytes(name)))
    kept = in_lab.in_notebook(OWN, in_lab.key_is_saved)
    yield _row("a key typed into `ipywidgets.Password`", "stands in the notebook" if kept else "is not in the notebook")


def recording(folder: Path) -> Rows:
    """What becomes of a recording."""
    yield "recorder", "speech, dB", "8.5-11 kHz, dB", "16.5-19.5 kHz, dB", "kB in the notebook"
    for name in in_lab.RECORDERS:
        python = place_of(PEERS[name], folder).python if name in PEERS else OWN
        found = in_lab.in_notebook(python, in_lab.recorded(name))
        yield _row(
            f"`{name}`", *(found[each] for each in ("speech_db", "above_8_khz_db", "above_16_khz_db", "kilobytes"))
        )


def upload(_folder: Path) -> Rows:
    """How large a file may be."""
    yield "", "largest of 5, 9, 12 and 30 MB that arrives"
    yield _row("`ipywidgets.FileUpload`", in_lab.in_notebook(OWN, in_lab.largest_upload))


def verdicts(folder: Path) -> Rows:
    """Whether a recording that no service should get is told from a good one."""
    yield "recording", "`audio-data-quality-toolkit`", "**vcnb**"
    with tempfile.TemporaryDirectory() as named:
        paths = written(Path(named))
        python = place_of(PEERS["audio-data-quality-toolkit"], folder).python
        theirs = answer_of(python, "verdicts", *map(str, paths.values()))
        for name, path in paths.items():
            ours, told = vcnb.diagnose(path), theirs[str(path)]
            wrong = ", ".join(finding.check for finding in ours.findings if finding.verdict in ("fail", "warn"))
            said = f"{told['grade']}{': ' + ', '.join(told['failed']) if told['failed'] else ''}"
            yield _row(
                f"{name} ({'good' if not SPOILT[name] else 'lacks ' + SPOILT[name]})",
                said,
                f"{ours.verdict}: {wrong}" if wrong else ours.verdict,
            )


def encoder(folder: Path) -> Rows:
    """What it costs to tell voices apart."""
    yield "encoder", "times real time, one core", "memory, MB", "installed, MB"
    with tempfile.TemporaryDirectory() as named:
        path = Path(named) / "kathleen.wav"
        vcnb.save(vcnb.load(vcnb.samples()["kathleen_en"]), path)
        place = place_of(PEERS["resemblyzer"], folder)
        cost = answer_of(place.python, "encoder", str(path))
    yield _row("`resemblyzer`", cost["ratio"], cost["megabytes"], place.megabytes)
    command = [OWN, str(Path(__file__).parents[1] / "similarity.py"), "--cost"]
    ours = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    yield _row("**vcnb**, the same weights without torch", *map(float, ours), "")


SUBJECTS: dict[str, Callable[[Path], Rows]] = {
    "size": size,
    "money": about_money,
    "notebook": notebook,
    "recording": recording,
    "upload": upload,
    "verdicts": verdicts,
    "encoder": encoder,
}


def _row(*values: object) -> tuple[str, ...]:
    return tuple(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values)


def _print(rows: Rows) -> None:
    for n, row in enumerate(rows):
        sys.stdout.write(f"| {' | '.join(row)} |\n{'|---' * len(row) + '|' + chr(10) if not n else ''}")
        sys.stdout.flush()
    sys.stdout.write("\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keeps the environments")
    parser.add_argument("--only", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as named:
        folder = options.folder or Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        for subject in options.only:
            sys.stdout.write(f"### {SUBJECTS[subject].__doc__}\n\n")
            _print(SUBJECTS[subject](folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
