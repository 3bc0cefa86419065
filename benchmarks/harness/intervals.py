"""Bootstrap intervals of the difference between two systems, which are scored on the same draws of the test data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

import numpy

from .class_scores import OTHER

DRAWS, LEVEL = 1_000, 0.95


def difference(better: numpy.ndarray, worse: numpy.ndarray, *, score: str) -> dict[str, float]:
    """Compare two systems.

    better (numpy.ndarray): Scores of one, fractions: first of the whole data, then of each draw. Shape (draws + 1,)
    worse (numpy.ndarray): Scores of the other. Shape (draws + 1,)
    RETURNS (dict[str, float]): `<score>_difference` on the whole data, and the ends of its 95 % interval,
        `<score>_difference_low` and `<score>_difference_high`, from -1 to 1.
    """
    differences = better - worse
    low, high = numpy.quantile(differences[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    named = {"difference": differences[0], "difference_low": low, "difference_high": high}
    return {f"{score}_{name}": float(value) for name, value in named.items()}


def interval_over_seeds(differences: Sequence[float]) -> tuple[float, float, float]:
    """Estimate the mean of a difference from its values for several seeds, by the t-distribution.

    RETURNS (tuple[float, float, float]): The mean, and the ends of its 95 % interval.
    """
    from scipy.stats import ttest_1samp

    interval = ttest_1samp(differences, 0.0).confidence_interval(LEVEL)
    return float(numpy.mean(differences)), float(interval.low), float(interval.high)


def drawn_scores(gold: Sequence[str], predicted: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> numpy.ndarray:
    """Score bootstrap draws of sentences by the official score, macro-F over the relations, direction required.

    gold (Sequence[str]): Label of each sentence's pair. Length P
    seed (int): Seed of the draws: two systems with the same seed are scored on the same draws.
    RETURNS (numpy.ndarray): The score of all sentences, then of each draw, fractions. Shape (draws + 1,)
    """
    wanted, named = ([label.partition("(")[0] for label in labels] for labels in (gold, predicted))
    relations = numpy.array(sorted({relation for relation in wanted if relation != OTHER}))
    is_wanted, is_said = (numpy.array(each)[:, None] == relations for each in (wanted, named))  # (P, R)
    correct = is_wanted & numpy.array(list(starmap(str.__eq__, zip(gold, predicted, strict=True))))[:, None]
    times = numpy.ones((draws + 1, len(gold)))
    generator = numpy.random.default_rng(seed)
    for number in range(1, draws + 1):
        times[number] = numpy.bincount(generator.integers(len(gold), size=len(gold)), minlength=len(gold))
    counted = times @ is_wanted + times @ is_said  # (draws + 1, R)
    scores: numpy.ndarray = (2 * (times @ correct) / numpy.maximum(counted, 1)).mean(1)
    return scores
