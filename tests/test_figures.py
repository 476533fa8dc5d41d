"""Whether the page of figures leaves nothing out and can say no."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from figures import PLACE, lines, record, record_test, table

TESTS = Path(__file__).parent
SOURCES = [path for path in TESTS.rglob("*.py") if path.name not in ("figures.py", Path(__file__).name)]


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def beside(path: Path) -> list[Path]:
    """The files of its folder that a benchmark is made of."""
    imported = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
    return [path.with_name(f"{name}.py") for name in imported if path.with_name(f"{name}.py").exists()]


def test_each_line_says_in_one_way_how_it_is_shown():
    for line in lines().values():
        assert sum(map(bool, (line.test, line.by, line.by_hand))) == 1, line.name
        assert not line.test or (line.least, line.most) == (None, None), line.name


def test_each_test_that_shows_something_exists():
    for line in lines().values():
        path, _, name = line.test.partition("::")
        assert (TESTS / path).exists(), line.name
        assert not name or name in functions(TESTS / path), line.name


def test_each_measured_line_is_recorded_where_it_says():
    rooms = "|".join({name.partition(".")[0] for name in lines()})
    quoted = re.compile(rf'"((?:{rooms})\.\w+)"')
    recorded = {path: set(quoted.findall(path.read_text())) for path in SOURCES if "figures" in path.read_text()}
    for line in lines().values():
        if line.by:
            path = TESTS / line.by if line.by.endswith(".py") else TESTS / "benchmarks" / f"{line.by.split()[0]}.py"
            found = set().union(*(recorded.get(each, set()) for each in (path, *beside(path))))
            assert line.name in found, f"{path.name} records no {line.name}"


def test_what_falls_short_what_is_missing_and_what_fails_is_told_and_the_worst_counts(tmp_path, monkeypatch):
    place = tmp_path / "record"
    monkeypatch.setenv(PLACE, str(place))
    record("comparison.eer", 0.05, "8 speakers")
    record("comparison.eer", 0.034)
    record("comparison.ece", 0.051)
    record("comparison.coverage", 0.97)
    record("comparison.coverage", 0.94)
    record("comparison.grid", True)
    node = lines()["comparison.dask"].node()
    record_test(f"{node}[2]", passed=True)
    text, open_ones, wrong = table([json.loads(line) for line in place.read_text().splitlines()])
    assert wrong == ["comparison.ece", "comparison.coverage"]
    assert {"comparison.type_one", "comparison.report", "studio.binder"} <= set(open_ones)
    assert {"comparison.eer", "comparison.grid", "comparison.dask", *wrong} & set(open_ones) == set()
    assert "| ✓ | equal error rate on 10 s windows ≤ 0.05 | 0.05; 0.034 | 8 speakers | `python tests/" in text
    assert "| ✗ | the interval covers the truth at the stop ≥ 0.95 | 0.94 |" in text
    assert text.count("\n") == len(lines()) + len({line.title for line in lines().values()}) + 1
    record_test(node, passed=False)
    assert "comparison.dask" in table([json.loads(line) for line in place.read_text().splitlines()])[2]


def test_a_name_that_nobody_asks_for_is_refused_and_nothing_is_written_where_nobody_wants_it(tmp_path, monkeypatch):
    monkeypatch.delenv(PLACE, raising=False)
    monkeypatch.chdir(tmp_path)
    record("comparison.eer", 0.01)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError):
        record("comparison.nothing", 1.0)
