"""The interval of a difference of two systems that were scored on the same draws of what they answered."""

from __future__ import annotations

import numpy

DRAWS, LEVEL = 1_000, 0.95


def difference(better: numpy.ndarray, worse: numpy.ndarray, *, score: str) -> dict[str, float]:
    """Compare two systems.

    better (numpy.ndarray): Scores of the one, fractions: first of everything, then of each draw. Shape (draws + 1,)
    worse (numpy.ndarray): Of the other. Shape (draws + 1,)
    score (str): What the score is called.
    RETURNS (dict[str, float]): `<score>_difference` of everything, and the ends of its interval,
        `<score>_difference_low` and `<score>_difference_high`, from -1 to 1.
    """
    differences = better - worse
    low, high = numpy.quantile(differences[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    named = {"difference": differences[0], "difference_low": low, "difference_high": high}
    return {f"{score}_{name}": float(value) for name, value in named.items()}
