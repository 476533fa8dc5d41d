"""Run the tutorials again, and keep in them what a reader sees: no sound, no widget state, no path of this machine.

    python tests/benchmarks/notebooks.py            # all of them
    python tests/benchmarks/notebooks.py 02 07      # those whose names begin so

Each runs in an empty data folder, without a key, with settings of IPython that are nobody's own.
`tests/test_notebooks.py` judges what comes out; ``pytest --nbval notebooks`` compares it with another run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# An error is shown as its two lines: the places in our own files would change with every version.
SETTINGS = 'c = get_config()\nc.InteractiveShell.xmode = "Minimal"\nc.InteractiveShell.colors = "nocolor"\n'
SECONDS = 120  # for one cell
VIEW = "application/vnd.jupyter.widget-view+json"


def surroundings(folder: Path) -> dict[str, str]:
    """Give the environment of a kernel that knows no key, no proxy and nothing of earlier runs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DASHSCOPE_", "VCNB_")) and not name.lower().endswith("_proxy")
    }
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text(SETTINGS, encoding="utf-8")
    key_file = {"DASHSCOPE_API_KEY_FILE_PATH": str(folder / "no-key-here")}
    return {**kept, **key_file, "VCNB_DATA": str(folder / "data"), "IPYTHONDIR": str(folder / "ipython")}


def run(path: Path) -> None:
    """Run one notebook from the top, and write it back."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="vcnb-notebooks-", ignore_cleanup_errors=True) as folder:
        client = NotebookClient(
            book,
            timeout=SECONDS,
            kernel_name="python3",
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute(env=surroundings(Path(folder)))
    strip(book)
    path.write_text(nbformat.writes(book).replace(folder, "…") + "\n", encoding="utf-8")


def strip(book: nbformat.NotebookNode) -> None:
    """Take away what a saved notebook has no use for."""
    book.metadata.pop("widgets", None)
    book.metadata.language_info.pop("version", None)
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:  # what is displayed and no cell's value is a progress bar
            cell.outputs = [o for o in cell.outputs if not (o.output_type == "display_data" and VIEW in o.data)]
            for output in cell.outputs:
                output.get("data", {}).pop(VIEW, None)


def main(wanted: list[str]) -> int:
    """Run those that were asked for."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not wanted or path.name.startswith(tuple(wanted)):
            began = time.perf_counter()
            run(path)
            print(f"{path.name:44} {path.stat().st_size / 1000:5.0f} kB {time.perf_counter() - began:5.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
