"""What a browser draws of a comparison: plain numbers, each of them one of its tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .calibration import MEANING, Calibration
from .comparison import Comparison
from .figures import aligned_pitch, places
from .measures import title_of

__all__ = ["drawn", "plain"]

Floats = npt.NDArray[np.float64]
COSINES = np.linspace(0.3, 1.0, 141)  # of the curves; below 0.3 lies no pair of the built-in set


def drawn(comparison: Comparison) -> dict[str, Any]:
    """Write a comparison down for a panel.

    Parameters
    ----------
    comparison : Comparison
        Of one recording or more.

    Returns
    -------
    dict
        items, measures (name, title) and values by item; verdicts of takes (verdict, words); cosines with order and
        tree of a dendrogram; pairs, in the order (0, 1), (0, 2) …; curves of the pairs whose truth is known; map and
        the share it keeps; spectrum; pitch on the time of the first recording; meaning and what the calibration stands
        on. None where nothing can be measured.
    """
    cosines = comparison.similarity().to_numpy(float)
    order, tree = _tree(cosines)
    points, kept = places(cosines)
    middles = comparison.sounds[0].long_term_spectrum[0]
    return {
        "items": list(comparison.items),
        "measures": [{"name": name, "title": title_of(name)} for name in comparison.measured],
        "values": [[plain(each[name]) for name in comparison.measured] for each in comparison.measures],
        "verdicts": [[drift.verdict, drift.words] if drift else None for drift in comparison.drifts],
        "cosines": _listed(cosines),
        "order": order,
        "tree": tree,
        "pairs": _pairs(comparison),
        "curves": _curves(comparison.calibration),
        "map": {"points": _listed(points), "kept": kept},
        "spectrum": {
            "hertz": _listed(middles),
            "levels": [_listed(s.long_term_spectrum[1]) for s in comparison.sounds],
        },
        "pitch": {
            "duration": comparison.clips[0].duration,
            "contours": [_listed(contour) for contour in aligned_pitch(comparison)],
        },
        "meaning": MEANING,
        "calibration": {
            "n_speakers": comparison.calibration.scores.n_speakers,
            "n_pairs": len(comparison.calibration.scores.same) + len(comparison.calibration.scores.different),
            "limits": [plain(limit) for limit in comparison.calibration.limits],
        },
    }


def _pairs(comparison: Comparison) -> list[dict[str, Any]]:
    table = comparison.pairs()
    place = {item: at for at, item in enumerate(comparison.items)}
    rows = sorted(table.to_dict("records"), key=lambda row: (place[row["item"]], place[row["other"]]))
    return [{str(k): plain(v) for k, v in row.items() if k not in ("item", "other")} for row in rows]


def _tree(cosines: Floats) -> tuple[list[int], list[list[list[float]]]]:
    """Join the most alike first: the order of the leaves, and each joint as four (leaf, 1 − cosine)."""
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    known = np.flatnonzero(np.isfinite(np.diag(cosines)))
    unknown = [int(each) for each in np.flatnonzero(~np.isfinite(np.diag(cosines)))]
    if len(known) < 2:
        return list(range(len(cosines))), []
    distances = np.clip(1 - cosines[np.ix_(known, known)], 0, None)
    np.fill_diagonal(distances, 0)
    found = dendrogram(linkage(squareform(distances, checks=False), "average"), no_plot=True)
    # scipy puts the leaves at 5, 15, 25 …
    joints = [
        [[plain((x - 5) / 10), plain(y)] for x, y in zip(xs, ys, strict=True)]
        for xs, ys in zip(found["icoord"], found["dcoord"], strict=True)
    ]
    return [*(int(known[leaf]) for leaf in found["leaves"]), *unknown], joints


def _curves(calibration: Calibration) -> dict[str, Any]:
    """How often pairs score so, of one speaker and of two: densities over the cosine."""
    from scipy.stats import gaussian_kde

    scores = calibration.scores
    return {
        "cosine": _listed(COSINES),
        "same": _listed(gaussian_kde(scores.same)(COSINES)),
        "different": _listed(gaussian_kde(scores.different)(COSINES)),
    }


def plain(value: Any) -> Any:
    """Write a number down as it travels: five digits, and None for what is no number.

    Parameters
    ----------
    value : float or str
        Words stay as they are.

    Returns
    -------
    float, str or None
    """
    if isinstance(value, str):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _listed(values: npt.NDArray[Any]) -> list[Any]:
    return [_listed(each) if getattr(each, "ndim", 0) else plain(each) for each in values]
