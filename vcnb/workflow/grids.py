"""A grid of voices and texts: what each cell measures, how far repeats lie apart, and whether the takes are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vcnb.audio.clip import Speech
from vcnb.compare.comparison import Comparison, compare
from vcnb.compare.measures import unit_of
from vcnb.compare.sentinel import Drift, among
from vcnb.errors import SettingsError, VcnbError, visible
from vcnb.protocol.voice import Voice

from .measuring import Numbers

if TYPE_CHECKING:
    import pandas as pd

    from .account import Account

__all__ = ["Grid", "Row"]


@dataclass(frozen=True, eq=False)
class Row:
    """One cell.

    Parameters
    ----------
    voice : Voice
        Who speaks.
    text : str
        What.
    repeat : int
        From 0.
    take : str or None
        The take in the library; None where it could not be spoken.
    numbers : Numbers or None
        What it measures.
    error : VcnbError or None
        Why it could not be spoken.
    """

    voice: Voice
    text: str
    repeat: int
    take: str | None
    numbers: Numbers | None
    error: VcnbError | None


@dataclass(frozen=True, repr=False, eq=False)
class Grid:
    """Voices x texts, spoken and measured; every take is kept in the library.

    Parameters
    ----------
    rows : tuple of Row
        Text by text, repeat by repeat, voice by voice.
    account : Account
        Whose takes they are.
    """

    rows: tuple[Row, ...]
    account: Account = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a cell.

        Returns
        -------
        pandas.DataFrame
            voice, name, text, repeat, take, verdict and evidence of the sentinel, cosine to the recording the voice was
            made from ("likeness"), every measure, and the error of what could not be spoken. `.attrs["units"]` names
            the units.
        """
        import pandas as pd

        rows = []
        for at, row in enumerate(self.rows):
            drift = self.drifts[at]
            known: dict[str, Any] = dict(row.numbers.values) if row.numbers else {}
            rows.append(
                {
                    "voice": row.voice.voice,
                    "name": row.voice.name or row.voice.preferred_name,
                    "text": row.text,
                    "repeat": row.repeat,
                    "take": row.take,
                    "verdict": drift.verdict if drift else "fail",
                    "evidence": drift.words if drift else "It was not spoken.",
                    "likeness": row.numbers.reference_cosine if row.numbers else float("nan"),
                    **known,
                    "error": row.error.message if row.error else None,
                }
            )
        table = pd.DataFrame(rows)
        table.attrs["units"] = {name: unit for name in table.columns if (unit := unit_of(name))}
        return table

    def spread(self) -> pd.DataFrame:
        """Tell how far repeats of one voice and text lie apart.

        Returns
        -------
        pandas.DataFrame
            One row a voice, its name, text and measure: n, mean, std (NaN for a single take), min, max.
        """
        table = self.to_frame()
        named = ["voice", "name", "text", "repeat", "take", "verdict", "evidence", "error"]
        measures = [name for name in table.columns if name not in named]
        tall = table.melt(["voice", "name", "text"], measures, "measure").dropna(subset="value")
        tall["value"] = tall["value"].astype(float)
        grouped = tall.groupby(["voice", "name", "text", "measure"], sort=False)["value"]
        return grouped.agg(n="count", mean="mean", std="std", min="min", max="max").reset_index()

    @cached_property
    def drifts(self) -> list[Drift | None]:
        """What the sentinel says of each cell, by the other takes of its voice; None where there is no take."""
        found: list[Drift | None] = []
        for row in self.rows:
            if row.numbers is None:
                found.append(None)
                continue
            others = [
                other.numbers.traits
                for other in self.rows
                if other is not row and other.numbers is not None and other.voice.voice == row.voice.voice
            ]
            found.append(Drift((*among(row.numbers.traits, others), *row.numbers.evidence)))
        return found

    def speech(self, at: int) -> Speech:
        """Give the take of a row, to hear or to measure.

        Parameters
        ----------
        at : int
            Number of the row.

        Raises
        ------
        SettingsError
            If nothing was spoken there.
        """
        take = self.rows[at].take
        if take is None:
            raise SettingsError(f"Row {at} was not spoken.", remedy="call grid again: only what is missing is made")
        return self.account.take(take)

    def compare(self, rows: Sequence[int]) -> Comparison:
        """Compare some of the takes; see :func:`vcnb.compare`.

        Parameters
        ----------
        rows : sequence of int
            Numbers of rows.
        """
        return compare([self.speech(at) for at in rows])

    def _repr_html_(self) -> str:
        shown = self.to_frame()
        kept = ["name", "text", "repeat", "verdict", "evidence", "likeness", "duration", "f0_median", "pace", "error"]
        return visible(shown[[name for name in kept if name in shown.columns]].round(2).to_html())

    def __repr__(self) -> str:
        n_voices, n_texts = len({row.voice.voice for row in self.rows}), len({row.text for row in self.rows})
        spoken = sum(row.take is not None for row in self.rows)
        return f"<Grid of {n_voices} voices x {n_texts} texts: {spoken} of {len(self.rows)} spoken>"
