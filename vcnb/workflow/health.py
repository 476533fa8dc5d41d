"""How it is said what works on a machine and what does not."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Health", "Item", "State"]

State = Literal["ok", "note", "missing"]

GLYPHS: dict[State, str] = {"ok": "✓", "note": "!", "missing": "✕"}
# The colours are those of the front end where it has any; the fallbacks are readable on white and on black.
# JupyterLab's own rules make all columns as wide as each other and set all cells to the right.
STYLE = """
.vcnb-health { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 960px; }
.vcnb-health table { border-collapse: collapse; width: 100%; table-layout: auto !important; }
.vcnb-health :is(th, td) { text-align: left !important; vertical-align: top !important; padding: 6px 10px;
  white-space: normal; overflow-wrap: anywhere;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.vcnb-health :is(td:first-child, td:nth-child(2)) { font-weight: 600; white-space: nowrap; }
.vcnb-health td:last-child { min-width: 14em; }
.vcnb-health .vcnb-ok { color: color-mix(in srgb, var(--jp-success-color1, #388e3c) 80%, currentColor); }
.vcnb-health .vcnb-note { color: color-mix(in srgb, var(--jp-warn-color1, #f57c00) 64%, currentColor); }
.vcnb-health .vcnb-missing { color: color-mix(in srgb, var(--jp-error-color1, #d32f2f) 80%, currentColor); }
"""
HEADS = ("State", "What", "Found", "What to do")


@dataclass(frozen=True)
class Item:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    state : {"ok", "note", "missing"}
        Works, is good to know, or does not work.
    found : str
        What was found.
    remedy : str
        What to do, empty where nothing has to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True, repr=False)
class Health:
    """What `doctor` found.

    Parameters
    ----------
    items : tuple of Item
        In the order of looking.
    """

    items: tuple[Item, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(item.state != "missing" for item in self.items)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON."""
        return {"ok": self.ok, "items": [asdict(item) for item in self.items]}

    def __str__(self) -> str:
        missing = [item.name for item in self.items if item.state == "missing"]
        return f"Missing: {', '.join(missing)}." if missing else "Everything that is needed works."

    def __repr__(self) -> str:
        lines = []
        for item in self.items:
            lines.append(f"{item.state:7}  {item.name}: {item.found}")
            if item.remedy:
                lines.append(f"{'':7}    try: {item.remedy}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(_row(item) for item in self.items)
        heads = "".join(f'<th scope="col">{each}</th>' for each in HEADS)
        return (
            f'<div class="vcnb-health"><style>{STYLE}</style><p><strong>{html.escape(str(self))}</strong></p>'
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _row(item: Item) -> str:
    state = f'<td class="vcnb-{item.state}">{GLYPHS[item.state]} {item.state}</td>'
    words = "".join(f"<td>{html.escape(each)}</td>" for each in (item.name, item.found, item.remedy))
    return f"<tr>{state}{words}</tr>"
