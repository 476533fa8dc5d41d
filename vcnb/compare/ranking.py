"""Which voice is liked best, when each was heard only against some others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vcnb.errors import ClipError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bradley_terry"]

# Ours: each voice has won and lost half a choice against an average one before the test, or a voice that won everything
# would be infinitely good.
PRIOR = 0.5
TURNS = 100  # of Newton's method at most; it is done after some 6
Z_95 = 1.959964


def bradley_terry(choices: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Rank voices by choices between two [1]_.

    Parameters
    ----------
    choices : iterable of (str, str)
        The one that was chosen, and the one that was not.

    Returns
    -------
    pandas.DataFrame
        voice, rank, share (chance to be chosen against an average voice of this test), low, high (its 95 % interval),
        n_choices; best first. The interval is that of a test whose length was settled before.

    Raises
    ------
    ClipError
        If there is no choice, or one between a voice and itself.

    References
    ----------
    .. [1] R. A. Bradley and M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952.
    """
    import pandas as pd

    pairs = list(choices)
    if not pairs or any(winner == loser for winner, loser in pairs):
        raise ClipError("There is no choice between two voices to rank.", remedy="answer some trials first")
    names = sorted({name for pair in pairs for name in pair})
    place = {name: at for at, name in enumerate(names)}
    won = np.zeros((len(names), len(names)))
    for winner, loser in pairs:
        won[place[winner], place[loser]] += 1
    worth, spread = _fitted(won)
    table = pd.DataFrame(
        {
            "voice": names,
            "share": _logistic(worth),
            "low": _logistic(worth - Z_95 * spread),
            "high": _logistic(worth + Z_95 * spread),
            "n_choices": (won + won.T).sum(1).astype(int),
        }
    ).sort_values("share", ascending=False, ignore_index=True)
    table.insert(1, "rank", np.arange(1, len(names) + 1))
    return table


def _fitted(won: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Log worths around a mean of 0, by Newton's method on the likelihood; and their standard errors."""
    heard = won + won.T
    worth = np.zeros(len(won))
    for _ in range(TURNS):
        expected = _logistic(worth[:, None] - worth[None, :])
        slope = (won - heard * expected).sum(1) + PRIOR - 2 * PRIOR * _logistic(worth)
        weight = heard * expected * (1 - expected)
        own = 2 * PRIOR * _logistic(worth) * (1 - _logistic(worth))
        information = np.diag(weight.sum(1) + own) - weight
        step = np.linalg.solve(information, slope)
        worth = worth + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return worth, np.sqrt(np.diag(np.linalg.inv(information)))


def _logistic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = 0.5 + 0.5 * np.tanh(0.5 * x)
    return found
