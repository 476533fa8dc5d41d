"""Which stretch of a recording is its best."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vcnb.audio.clip import Clip, Segment
from vcnb.diagnose.judging import DECLARED
from vcnb.diagnose.report import Report, diagnose

from .survey import HOP, Survey

__all__ = ["LONGEST", "SHORTEST", "Window", "burden", "places", "rank", "search"]

SHORTEST, LONGEST = 10.0, 20.0  # seconds; the page's recommendation
IDEAL = 17.0  # seconds; ours: more of the voice makes a better clone
MARGIN = 15  # frames left before the first and after the last word
# What a stretch is worth. Ours, set on 75 s recordings with planted noise, clipping, music, voices and pauses.
SNR_WORTH, SNR_ENOUGH_DB = 3.0, 35.0
PAUSE_FREE, PAUSE_COST = 1.0, 1.5  # seconds, and what each further one costs
LENGTH_COST = 0.02  # for each second away from the ideal
CLIPPED_COST, CLIPPED_MOST = 0.2, 3.0
MARK_COST, MARK_SHARE_COST = 1.0, 4.0  # of a defect that was heard there, and of the share it takes
TOUCHED = 0.2  # seconds; a defect that reaches in by less does not count
UNLIKE_COST, ALIKE = 6.0, 0.85  # for each 1 of likeness that its least alike halves have less; one voice has 0.8 to 0.9
DULL_COST = 0.8  # of a stretch that was judged and found wanting as a whole
SAME = 0.5  # share of overlap from which two stretches count as one

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch of a recording that was listened to.

    Parameters
    ----------
    start, end : float
        Seconds from the beginning.
    score : float
        Larger is better: by noise, share of speech, pauses, length and what was heard there.
    snr_db : float
        How far the voice stands above the room, estimated.
    clip : Clip
        The sound.
    report : Report
        What the diagnosis says of it.
    similarity : float
        Cosine of its speaker and the recording's main one; NaN where that was not asked.
    """

    start: float
    end: float
    score: float
    snr_db: float
    clip: Clip
    report: Report
    similarity: float = float("nan")

    def __repr__(self) -> str:
        return f"<Window {self.start:.2f} to {self.end:.2f} s, score {self.score:.2f}, {self.report.verdict}>"


def burden(report: Report, apart_from: Collection[str] = ()) -> tuple[int, int]:
    """Count what stands against a recording.

    Parameters
    ----------
    report : Report
        Of it.
    apart_from : collection of str
        Checks that do not count, as no choice of stretch changes them.

    Returns
    -------
    (int, int)
        Fails, and warnings with what could not be judged.
    """
    verdicts = [each.verdict for each in report.findings if each.check not in DECLARED.union(apart_from)]
    return verdicts.count("fail"), verdicts.count("warn") + verdicts.count("unknown")


def places(report: Report, offset: float = 0.0) -> list[Segment]:
    """Where a report marks what a choice of stretch can avoid.

    Parameters
    ----------
    report : Report
        Of a stretch.
    offset : float
        Seconds at which the stretch begins.

    Returns
    -------
    list of Segment
        In the time of the whole recording.
    """
    told = [
        each
        for each in report.findings
        if each.verdict in ("warn", "fail") and each.check not in ("duration", "continuous_speech")
    ]
    return [Segment(offset + at.start, offset + at.end) for each in told for at in each.segments]


def search(
    survey: Survey,
    fetch: Callable[[Sequence[Segment]], Sequence[Clip]],
    *,
    marks: Iterable[Segment] = (),
    apart_from: Collection[str] = (),
    shortest: float = SHORTEST,
    wanted: int = 1,
    batch: int = 1,
    tries: int = 6,
    on_heard: Callable[[Window], None] | None = None,
) -> list[Window]:
    """Listen to the most promising stretches until enough of them are clean.

    What is heard in one is held against all others that share the place.

    Parameters
    ----------
    survey : Survey
        Of the recording.
    fetch : callable
        Gives the sound of stretches, in their order.
    marks : iterable of Segment
        Where defects are known.
    apart_from : collection of str
        As in `burden`.
    shortest : float
        Seconds.
    wanted, batch, tries : int
        Clean stretches that are enough, stretches fetched at once, and stretches listened to at most.
    on_heard : callable, optional
        Called with each stretch that was listened to.

    Returns
    -------
    list of Window
        The best first; empty where nobody speaks for long enough.
    """
    field = _Candidates.of(survey, shortest)
    for mark in marks:
        field.hold(mark)
    heard: list[Window] = []
    while len(heard) < tries and sum(burden(each.report, apart_from) == (0, 0) for each in heard) < wanted:
        chosen = field.best(min(batch, tries - len(heard)), [Segment(each.start, each.end) for each in heard])
        if not chosen:
            break
        stretches = [Segment(float(field.starts[at]), float(field.ends[at])) for at in chosen]
        for at, stretch, clip in zip(chosen, stretches, fetch(stretches), strict=True):
            report = diagnose(clip)
            score = float(field.scores[at]) - UNLIKE_COST * max(0.0, ALIKE - _likeness(report))
            window = Window(stretch.start, stretch.end, score, float(field.snr_db[at]), clip, report)
            heard.append(window)
            if on_heard is not None:
                on_heard(window)
            for place in places(report, stretch.start):
                field.hold(place)
            if burden(report, apart_from) != (0, 0):
                field.scores -= DULL_COST * field.shared(stretch)
    return sorted((replace(each, score=round(each.score, 3)) for each in heard), key=rank)


def rank(window: Window) -> tuple[int, int, float]:
    """Order by what stands against a stretch, then by its score.

    Parameters
    ----------
    window : Window
        A stretch.

    Returns
    -------
    (int, int, float)
        Smaller is better.
    """
    return *burden(window.report), -window.score


def _likeness(report: Report) -> float:
    """How alike the least alike halves of a stretch are: where others are better, a doubt is reason enough."""
    found = [each.value for each in report.findings if each.check == "other_voices" and isinstance(each.value, float)]
    return found[0] if found else ALIKE


@dataclass(eq=False)
class _Candidates:
    """Every stretch from the start of a phrase to the end of one, with what it is worth."""

    starts: Floats
    ends: Floats
    snr_db: Floats
    scores: Floats

    @classmethod
    def of(cls, survey: Survey, shortest: float) -> _Candidates:
        phrases = survey.phrases()
        shortest = min(shortest, 0.9 * survey.duration)
        rows: list[tuple[int, int, int]] = []  # from, to, longest pause
        for first, (begin, _) in enumerate(phrases):
            longest = 0
            for at in range(first, len(phrases)):
                if at > first:
                    longest = max(longest, phrases[at][0] - phrases[at - 1][1])
                if (phrases[at][1] - begin) * HOP > LONGEST - 2 * MARGIN * HOP:
                    break
                if (phrases[at][1] - begin) * HOP >= shortest - 2 * MARGIN * HOP:
                    before = begin - phrases[first - 1][1] if first else begin
                    after = (phrases[at + 1][0] if at + 1 < len(phrases) else len(survey.speech)) - phrases[at][1]
                    rows.append((begin - min(MARGIN, before // 2), phrases[at][1] + min(MARGIN, after // 2), longest))
        rows = [row for row in rows if (row[1] - row[0]) * HOP >= shortest]
        begins, stops, pauses = np.array(rows or np.zeros((0, 3)), int).T
        return cls._valued(survey, begins, stops, pauses * HOP)

    @classmethod
    def _valued(
        cls, survey: Survey, begins: npt.NDArray[np.int_], stops: npt.NDArray[np.int_], pauses: Floats
    ) -> _Candidates:
        def total(values: npt.NDArray[np.floating]) -> Floats:
            sums = np.r_[0.0, np.cumsum(values, dtype=np.float64)]
            return np.asarray(sums[stops] - sums[begins])

        speaking = (survey.speech > 0.5).astype(np.float64)
        n_frames, n_spoken = np.maximum(stops - begins, 1), np.maximum(total(speaking), 1)
        clipped = np.zeros(len(survey.speech))
        at = np.array([each.start for each in survey.clipped]) / HOP
        np.add.at(clipped, np.minimum(at.astype(int), len(clipped) - 1), 1)
        voice_db = 10 * np.log10(total(survey.power * speaking) / n_spoken + 1e-14)
        room_db = total(10 * np.log10(survey.room + 1e-14)) / n_frames
        lengths = n_frames * HOP
        scores = (
            SNR_WORTH * np.minimum(voice_db - room_db, SNR_ENOUGH_DB) / SNR_ENOUGH_DB
            + n_spoken / n_frames
            - PAUSE_COST * np.maximum(0, pauses - PAUSE_FREE)
            - np.minimum(CLIPPED_MOST, CLIPPED_COST * total(clipped))
            - LENGTH_COST * np.abs(lengths - IDEAL)
        )
        return cls(begins * HOP, stops * HOP, voice_db - room_db, scores)

    def hold(self, place: Segment) -> None:
        """Count a defect against every stretch that it reaches into."""
        overlap = np.minimum(self.ends, place.end) - np.maximum(self.starts, place.start)
        # A place shorter than what counts as touching is a point: inside or not.
        touched = overlap > min(TOUCHED, 0.5 * place.duration)
        share = np.maximum(overlap, 0) / np.maximum(self.ends - self.starts, HOP)
        self.scores -= touched * (MARK_COST + MARK_SHARE_COST * share)

    def shared(self, stretch: Segment) -> Floats:
        """Share of each candidate that lies in a stretch."""
        overlap = np.minimum(self.ends, stretch.end) - np.maximum(self.starts, stretch.start)
        shares: Floats = np.maximum(overlap, 0) / np.maximum(self.ends - self.starts, HOP)
        return shares

    def best(self, n: int, heard: Sequence[Segment]) -> list[int]:
        """Take the best that are not the same as each other or as what was heard."""
        open_ = np.ones(len(self.scores), bool)
        for each in heard:
            # The very same again tells nothing; another cut of the same place may avoid what was found in it.
            open_ &= (np.abs(self.starts - each.start) > TOUCHED) | (np.abs(self.ends - each.end) > TOUCHED)
        chosen: list[int] = []
        while len(chosen) < n and open_.any():
            at = int(np.where(open_, self.scores, -np.inf).argmax())
            chosen.append(at)
            open_ &= self.shared(Segment(float(self.starts[at]), float(self.ends[at]))) < SAME
        return chosen
