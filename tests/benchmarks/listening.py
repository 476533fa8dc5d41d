"""Whether what a blind test says of its listeners is true of 10,000 whose truth we made.

    python tests/benchmarks/listening.py [--listeners 10000] [--seed 0]

Each listener looks after every answer and stops when the result looks good, or after 100 answers. Exits 1 where
guessers prove something more than one time in twenty, the interval at the stop misses the truth more often than that,
or it is more than 1.6 times as wide as the exact interval for a number of answers settled before.
"""

from __future__ import annotations

import argparse

import numpy as np
from figures import record
from scipy.stats import beta

from vcnb.compare.evidence import anytime_interval, anytime_p_value

MOST_ANSWERS = 100
SHARES = (0.5, 0.6, 0.75, 0.9)
LENGTHS = (5, 8, 12, 16, 20, 30, 40, 60, 80, 100)
LEVEL, WIDEST = 0.05, 1.6
Z_95 = 1.959964


def stopped(answers: list[bool]) -> list[bool]:
    """Cut off where chance was first left; evidence once met stays, so halving finds the place."""
    if anytime_p_value(answers) >= LEVEL:
        return answers
    low, high = 0, len(answers)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if anytime_p_value(answers[:middle]) < LEVEL else (middle, high)
    return answers[:high]


def widths(n_yes: int, n: int) -> tuple[float, float]:
    """Widths of the intervals for a number of answers settled before: the exact one, and Wilson's that is narrower."""
    share, tail = n_yes / n, LEVEL / 2
    high = beta.ppf(1 - tail, n_yes + 1, n - n_yes) if n_yes < n else 1.0
    exact = high - (beta.ppf(tail, n_yes, n - n_yes + 1) if n_yes else 0.0)
    return exact, 2 * Z_95 * np.sqrt(share * (1 - share) / n + Z_95**2 / 4 / n**2) / (1 + Z_95**2 / n)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--listeners", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    guessers = rng.random((options.listeners, MOST_ANSWERS)) < 0.5
    wrong = float(np.mean([anytime_p_value(answers) < LEVEL for answers in guessers.tolist()]))
    print(f"guessers who prove something although they stop when they like: {100 * wrong:.2f} %", flush=True)
    record("comparison.type_one", wrong, f"{options.listeners} listeners")
    right = wrong <= LEVEL
    for share in SHARES:
        heard = rng.random((options.listeners // len(SHARES), MOST_ANSWERS)) < share
        runs = [stopped(answers) for answers in heard.tolist()]
        bounds = [anytime_interval(answers) for answers in runs]
        covered = float(np.mean([low <= share <= high for low, high in bounds]))
        mean = np.mean([len(answers) for answers in runs])
        print(f"share {share}: {100 * covered:.2f} % covered at the stop, after {mean:.0f} answers", flush=True)
        record("comparison.coverage", covered, f"share {share}")
        right &= covered >= 1 - LEVEL
    ratios = []
    for n in LENGTHS:
        for n_yes in range(n // 2, n + 1):
            low, high = anytime_interval(rng.permutation(np.arange(n) < n_yes).tolist())
            ratios.append([n, n_yes, *((high - low) / width for width in widths(n_yes, n))])
    exact, narrow = (max(ratios, key=lambda row: row[column]) for column in (2, 3))
    print(f"at most {exact[2]:.2f} times as wide as the exact interval (at {exact[1]:.0f} of {exact[0]:.0f}), ", end="")
    print(
        f"median {np.median(ratios, 0)[2]:.2f}; {narrow[3]:.2f} times Wilson's (at {narrow[1]:.0f} of {narrow[0]:.0f})"
    )
    record("comparison.width", exact[2])
    right &= exact[2] <= WIDEST
    print("right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
