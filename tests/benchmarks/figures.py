"""What is asked and what was measured: benchmarks and long tests record their values, and one table comes of them.

    python tests/benchmarks/figures.py RECORD

prints the table as Markdown, from a record that was written while VCNB_FIGURES named it, as `vcnb test --all` does;
exits 1 where something falls short. What is asked stands in `figures.toml`; FOLDER stands for recordings of one's own.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["Line", "lines", "record", "record_shown", "record_test", "table"]

TABLE = Path(__file__).with_suffix(".toml")
PLACE = "VCNB_FIGURES"


@dataclass(frozen=True)
class Line:
    """One thing that is asked; exactly one of `test`, `by` and `by_hand` says how it is shown."""

    name: str
    title: str
    asked: str
    least: float | None = None
    most: float | None = None
    test: str = ""
    by: str = ""
    by_hand: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value is what is asked."""
        if self.least is None and self.most is None:
            return bool(value)
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def bound(self) -> str:
        """The bound as people write it."""
        return " ".join(
            f"{sign} {number:g}" for sign, number in (("≥", self.least), ("≤", self.most)) if number is not None
        )

    def node(self) -> str:
        """How pytest begins the names of its tests."""
        return os.path.normpath(PurePosixPath("tests", self.test)).replace(os.sep, "/") if self.test else ""

    def command(self) -> str:
        """What measures it again."""
        if self.test or self.by.endswith(".py"):
            return f"pytest {self.node() or f'tests/{self.by}'}"
        name, *words = self.by.split()
        return " ".join([f"python tests/benchmarks/{name}.py", *words])


def lines() -> dict[str, Line]:
    """Everything that is asked, by name."""
    rooms = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    found = {}
    for room, told in rooms.items():
        for each in told["lines"]:
            name = f"{room}.{each.pop('id')}"
            found[name] = Line(name, told["title"], **each)
    return found


def record(name: str, value: float, on: str = "") -> None:
    """Write down what was measured, where somebody wants to know.

    Parameters
    ----------
    name : str
        Of a line.
    value : float or bool
        What was measured.
    on : str
        On what.
    """
    line = lines()[name]
    yes_or_no = line.least is None and line.most is None
    shown = ("yes" if value else "no") if yes_or_no else f"{value:.3g}"
    record_shown(name, shown, line.holds(float(value)), on)


def record_shown(name: str, shown: str, right: bool, on: str = "") -> None:
    """Write down what a benchmark judged itself, in its own words."""
    if name not in lines():
        raise KeyError(name)
    _write({"name": name, "shown": shown, "right": bool(right), "on": on})


def record_test(node: str, *, passed: bool) -> None:
    """Write down how a test ended."""
    _write({"node": node, "passed": passed})


def table(told: list[dict[str, Any]]) -> tuple[str, list[str], list[str]]:
    """Set what was asked beside what was measured.

    Parameters
    ----------
    told : list of dict
        What `record` and `record_test` wrote.

    Returns
    -------
    (str, list of str, list of str)
        Markdown; the names of lines that nobody measured, and of those that fall short.
    """
    rows, title = ["| | asked | measured | on | again by |", "|---|---|---|---|---|"], ""
    open_ones, wrong = [], []
    for line in lines().values():
        if line.title != title:
            title = line.title
            rows.append(f"| **{title}** | | | | |")
        right, measured, on = _by_test(line, told) if line.test else _by_value(line, told)
        if right is None:
            open_ones.append(line.name)
        elif not right:
            wrong.append(line.name)
        mark = {None: " ", True: "✓", False: "✗"}[right]
        again = line.by_hand or f"`{line.command()}`"
        rows.append(f"| {mark} | {f'{line.asked} {line.bound()}'.strip()} | {measured} | {on} | {again} |")
    return "\n".join(rows), open_ones, wrong


def _by_test(line: Line, told: list[dict[str, Any]]) -> tuple[bool | None, str, str]:
    ended = [each["passed"] for each in told if each.get("node", "").startswith(line.node())]
    return (all(ended), f"{sum(ended)} of {len(ended)} tests pass", "") if ended else (None, "not run", "")


def _by_value(line: Line, told: list[dict[str, Any]]) -> tuple[bool | None, str, str]:
    found = [each for each in told if each.get("name") == line.name]
    if not found:
        return None, "by hand" if line.by_hand else "not measured", ""
    # Of several measurements all must hold; shown are those that do not, else all.
    shown = [each for each in found if not each["right"]] or found
    said, on = (dict.fromkeys(each[what] for each in shown if each[what]) for what in ("shown", "on"))
    return all(each["right"] for each in found), "; ".join(said), "; ".join(on)


def _write(told: dict[str, Any]) -> None:
    if place := os.environ.get(PLACE):
        with open(place, "a", encoding="utf-8") as file:  # short lines: processes do not write into each other's
            file.write(json.dumps(told) + "\n")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def main() -> int:
    place = sys.argv[1] if len(sys.argv) > 1 else ""
    found, open_ones, wrong = table(list(_read(Path(place))) if place and Path(place).exists() else [])
    n = len(lines())
    holds = n - len(open_ones) - len(wrong)
    sys.stdout.write(f"{found}\n\nOf {n} lines {holds} hold, {len(open_ones)} are open, {len(wrong)} fall short.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
