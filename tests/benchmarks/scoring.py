"""What the answers about known recordings are worth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from figures import record
from voices import RATE, Voice

from vcnb.measure.speaker import speaker_embeddings
from vcnb.measure.speech import speech_activity

Answer = dict[str, Any]
Bar = tuple[str, float, str, float, int]  # what, figure, relation, bar, number of cases
WINDOW = 10  # seconds
ORDER = ("fail", "warn", "unknown", "pass")


def told(answers: Sequence[Answer]) -> tuple[list[str], bool]:
    """The table, and whether every bar holds."""
    lines = []
    made = [answer for answer in answers if answer["kind"] != "natural"]
    right: dict[str, list[bool]] = defaultdict(list)
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    for answer in made:
        for check, wanted in answer["wanted"].items():
            said = answer["verdicts"].get(check, "none")
            fine = said[0] in wanted
            right[check].append(fine)
            if not fine:
                confused[check][f"{wanted}->{said}"] += 1
                lines.append(
                    f"  {answer['case']:28} {check}: wanted {wanted}, said {said} {answer['values'].get(check)}"
                )
    lines.append(f"{'check':18} right of asserted, and what was said instead (p pass, w warn, f fail)")
    for check, each in right.items():
        instead = ", ".join(f"{what} {n}" for what, n in confused[check].most_common())
        lines.append(f"{check:18} {sum(each):4}/{len(each):<4} {100 * np.mean(each):5.1f} %  {instead}")
    every = [fine for each in right.values() for fine in each]
    bars: list[Bar] = [("all verdicts, %", 100 * float(np.mean(every)), ">=", 97, len(every))] if every else []
    bars += [(f"{check}, %", 100 * float(np.mean(each)), ">=", 90, len(each)) for check, each in right.items()]
    clean, pauses, overlaps = _on_clean(answers, lines), _pauses(made), _overlaps(made, lines)
    _note(bars, clean, overlaps)
    bars += [*clean, *pauses, *overlaps, *_measures(made)]
    held = True
    for what, figure, relation, bar, n in bars:
        fine = figure >= bar if relation == ">=" else figure <= bar
        held = held and fine
        if not fine or ", %" not in what or what.startswith("all"):
            lines.append(f"{'held ' if fine else 'SHORT'}  {what:48} {figure:7.2f}  {relation} {bar:g}  (n={n})")
    return lines, held


def _note(verdicts: Sequence[Bar], clean: Sequence[Bar], overlaps: Sequence[Bar]) -> None:
    """Record the sums for the table of figures."""
    if verdicts:
        (_, all_right, *_, n), *each = verdicts
        record("diagnosis.fresh", all_right / 100, f"{n} verdicts")
        worst = min(each, key=lambda bar: bar[1])
        record("diagnosis.fresh_worst", worst[1] / 100, worst[0].removesuffix(", %"))
    for name, kind in (("diagnosis.false_fail", "fails"), ("diagnosis.false_warn", "warnings")):
        found = [(figure * count / 100, count) for what, figure, _, _, count in clean if kind in what]
        if found:
            wrong, asked = np.sum(found, 0)
            record(name, wrong / asked, f"{asked:.0f} verdicts on clean speech")
    for what, figure, _, _, count in overlaps:
        record("diagnosis.iou", figure / 100, f"{what.partition(':')[0]}, {count} files")


def _on_clean(answers: Sequence[Answer], lines: list[str]) -> list[Bar]:
    """False alarms on recordings as they are."""
    natural = [answer for answer in answers if answer["kind"] == "natural"]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for answer in natural:
        for check in answer["wanted"]:
            said = answer["verdicts"][check]
            counted[check][said] += 1
            if said in ("warn", "fail"):
                lines.append(f"  {answer['case']:28} {check}: {said} {answer['values'][check]}")
    bars: list[Bar] = []
    if natural:
        n = len(natural)
        worst = Counter(min((each["verdicts"][name] for name in each["wanted"]), key=ORDER.index) for each in natural)
        bars.append(("clean recordings with a false fail %", 100 * worst["fail"] / n, "<=", 1, n))
        bars.append(("clean recordings with a false warning and no fail %", 100 * worst["warn"] / n, "<=", 5, n))
    for check, each in counted.items():
        n = each.total()
        bars.append((f"clean recordings, {check}: false fails %", 100 * each["fail"] / n, "<=", 1, n))
        bars.append((f"clean recordings, {check}: false warnings %", 100 * each["warn"] / n, "<=", 5, n))
    return bars


def _pauses(made: Sequence[Answer]) -> list[Bar]:
    bars: list[Bar] = []
    for what, bar in (("pause", 0.15), ("pause at 10 dB", 0.3)):
        known = [(each["truth"][what], each["values"]["longest_pause"]) for each in made if what in each["truth"]]
        if known:
            errors = [abs(truth - (found or 0.0)) for truth, found in known]
            figure = float(np.percentile(errors, 95))
            bars.append((f"{what}: 95th percentile of the error, s", figure, "<=", bar, len(errors)))
            record(
                "diagnosis.pause_clean" if what == "pause" else "diagnosis.pause_noisy", figure, f"{len(errors)} files"
            )
    return bars


def overlap(found: Sequence[Sequence[float]], true: Sequence[Sequence[float]]) -> float:
    """Intersection over union of two sets of ranges."""
    edges = sorted({float(edge) for each in (*found, *true) for edge in each})
    both = either = 0.0
    for start, end in pairwise(edges):
        middle = (start + end) / 2
        a, b = (any(s <= middle < e for s, e in each) for each in (found, true))
        both, either = both + (end - start) * (a and b), either + (end - start) * (a or b)
    return both / either if either else 0.0


def _overlaps(made: Sequence[Answer], lines: list[str]) -> list[Bar]:
    by_check: dict[str, list[float]] = defaultdict(list)
    for answer in made:
        for check, true in answer["places"].items():
            by_check[check].append(overlap(answer["segments"][check], true))
            if by_check[check][-1] < 0.7:
                told = [[round(edge, 2) for edge in each] for each in answer["segments"][check]][:6]
                lines.append(f"  {answer['case']:28} {check}: overlap {by_check[check][-1]:.2f}, {told}")
        if "pause" in answer["truth"] and answer["truth"]["pause"] > 2.2:
            marked = answer["segments"]["longest_pause"]
            longest = max((end - start for start, end in marked), default=0.0)
            truth = answer["truth"]["pause"]
            by_check["longest_pause"].append(min(longest, truth) / max(longest, truth))
    what = "ranges with an overlap of 0.7, share %"
    return [
        (f"{check}: {what}", 100 * float(np.mean(np.array(each) >= 0.7)), ">=", 95, len(each))
        for check, each in by_check.items()
    ]


def room_class(clarity_db: float) -> str:
    """The verdict that a room deserves: 8 and 18 dB of C50 part halls, rooms and dry places."""
    return "pass" if clarity_db >= 18 else "fail" if clarity_db <= 8 else "warn"


def _measures(made: Sequence[Answer]) -> list[Bar]:
    bars: list[Bar] = []
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in made:
        if "snr" in each["truth"] and each["values"].get("noise") is not None:
            series[each["truth"]["series"]].append((each["truth"]["snr"], each["values"]["noise"]))
    order = [a[1] > b[1] for each in series.values() for a in each for b in each if a[0] >= b[0] + 10]
    if order:
        record("diagnosis.snr_order", float(np.mean(order)), f"{len(order)} pairs")
        bars.append(("noise: right order 10 dB apart, share %", 100 * float(np.mean(order)), ">=", 98, len(order)))
    classes = [each for each in made if "clarity" in each["truth"]]
    if classes:
        fine = [each["verdicts"]["reverberation"] == room_class(each["truth"]["clarity"]) for each in classes]
        record("diagnosis.reverberation", float(np.mean(fine)), f"{len(fine)} files")
        bars.append(("reverberation: right class of three, share %", 100 * float(np.mean(fine)), ">=", 95, len(fine)))
    known = [(each["truth"]["bandwidth"], each["values"]["bandwidth"]) for each in made if "bandwidth" in each["truth"]]
    if known:
        near = [found is not None and abs(found - true) <= 1_000 for true, found in known]
        record("diagnosis.bandwidth", float(np.mean(near)), f"{len(near)} files")
        bars.append(("bandwidth: within 1 kHz, share %", 100 * float(np.mean(near)), ">=", 95, len(near)))
    return bars


def equal_error_rate(voices: Sequence[Voice]) -> tuple[str, bool]:
    """Two windows of ten seconds: same speaker or not, by the likeness of their mean embeddings."""
    owners, means = [], []
    for voice in voices:
        said = np.concatenate(voice.phrases)
        for start in range(0, len(said) - WINDOW * RATE + 1, WINDOW * RATE):
            window = said[start : start + WINDOW * RATE]
            _, found = speaker_embeddings(window, RATE, speech_activity(window, RATE))
            if len(found):
                mean = found.mean(0)
                owners.append(voice.name)
                means.append(mean / np.linalg.norm(mean))
    same, different = [], []
    for (a, first), (b, second) in combinations(zip(owners, means, strict=True), 2):
        (same if a == b else different).append(float(first @ second))
    if not same or not different:
        return "speaker: too few windows for an equal error rate", True
    thresholds = np.sort(np.r_[same, different])
    misses = np.searchsorted(np.sort(same), thresholds) / len(same)
    alarms = 1 - np.searchsorted(np.sort(different), thresholds) / len(different)
    at = int(np.abs(misses - alarms).argmin())
    rate = 100 * float(misses[at] + alarms[at]) / 2
    line = f"{'held ' if rate <= 5 else 'SHORT'}  speaker: equal error rate on {WINDOW} s windows, %"
    told = f"{len(same)} pairs of one voice, {len(different)} of two, threshold {thresholds[at]:.3f}"
    return f"{line:55} {rate:7.2f}  <= 5  ({told})", rate <= 5
