"""How tables look: ordinary DataFrames in which every character is shown, and one that tells the quota."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pandas as pd

from vcnb.errors import visible

__all__ = ["Table", "VoiceTable"]


class Table(pd.DataFrame):
    """A DataFrame that shows control and direction characters as text: names, labels and texts come from anywhere."""

    @property
    def _constructor(self) -> Callable[..., Table]:  # what is filtered is still one
        return Table

    def __repr__(self) -> str:
        return pd.DataFrame(_shown(self)).__repr__()

    def _repr_html_(self) -> str | None:
        drawn: str | None = pd.DataFrame(_shown(self))._repr_html_()  # type: ignore[operator]
        return drawn


class VoiceTable(Table):
    """A table of voices; `attrs` hold ``quota``, ``used``, ``free``, ``region``, and which deleted came ``back``."""

    @property
    def _constructor(self) -> Callable[..., VoiceTable]:
        return VoiceTable

    def quota(self) -> str:
        """Say how much of the quota is used, "" where the attrs were lost on the way."""
        if "used" not in self.attrs:
            return ""
        used, quota, free = (self.attrs[name] for name in ("used", "quota", "free"))
        return f"{used:,} of {quota:,} voices used, {free:,} free in {self.attrs['region']}"

    def __repr__(self) -> str:
        return "\n".join(filter(None, (super().__repr__(), self.quota())))

    def _repr_html_(self) -> str | None:
        drawn = super()._repr_html_()
        return f"{drawn}<p>{html.escape(self.quota())}</p>" if drawn is not None else None


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Copy it with every character visible."""
    shown: dict[Any, Any] = {
        name: [visible(each) if isinstance(each, str) else each for each in table[name]]
        if pd.api.types.is_string_dtype(table[name]) or table[name].dtype == object
        else table[name].array
        for name in table.columns
    }
    return pd.DataFrame(shown, index=table.index)
