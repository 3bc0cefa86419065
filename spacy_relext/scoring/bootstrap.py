"""Bootstrap over documents: confidence intervals of F, and of the differences between two systems.

Documents are drawn with replacement, as many as there are. For a difference both systems are scored on the same draws
(paired bootstrap), so that documents which are hard for both do not widen its interval.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
"""

from typing import Callable, Iterator, Tuple

import numpy
from numpy.typing import NDArray

from .probabilities import Counts, Floats

SAMPLES = 1000

LEVEL = 0.95

# Maps correct predictions, predictions and gold items of each label, shape (3, L), to any number of scores, shape (K,).
Statistic = Callable[[Counts], Floats]


def bootstrap_f1(right: Counts, predicted: Counts, gold: Counts) -> Tuple[float, float]:
    """Compute the 95 % bootstrap confidence interval of F1 over documents; (0, 0) without documents.

    right, predicted, gold (Counts): Correct predictions, all predictions and gold items of each document. Shape (N,)
    """
    total = predicted + gold
    if not len(right):
        return 0.0, 0.0
    values = [2 * (draw @ right) / numpy.maximum(draw @ total, 1) for draw in draw_documents(len(right))]
    low, high = _interval(numpy.asarray(values))
    return float(low), float(high)


def bootstrap_differences(
    first: Counts, second: Counts, statistic: Statistic, *, seed: int = 0
) -> Tuple[Floats, Floats]:
    """Compute the 95 % intervals of the differences between two systems, second minus first.

    first, second (Counts): Correct predictions, predictions, gold items by document and label. Shape (3, D, L)
    statistic (Statistic): Computes the scores of a system.
    RETURNS (Tuple[Floats, Floats]): Lower and upper ends. Shapes (K,); 0 without documents.
    """
    if not first.shape[1]:
        nothing = numpy.zeros_like(statistic(first.sum(axis=1)))
        return nothing, nothing
    values = [statistic(draw @ second) - statistic(draw @ first) for draw in draw_documents(first.shape[1], seed=seed)]
    low, high = _interval(numpy.asarray(values))
    return low, high


def draw_documents(count: int, *, seed: int = 0) -> Iterator[Counts]:
    """Yield, for each bootstrap sample, how often each document is drawn. Shape (D,)"""
    generator = numpy.random.default_rng(seed)
    for _ in range(SAMPLES):  # one sample at a time: a matrix of (SAMPLES, D) would be large
        yield numpy.bincount(generator.integers(count, size=count), minlength=count)


def _interval(values: Floats) -> NDArray[numpy.float64]:
    """Return both ends of the interval. Shapes (SAMPLES, …) → (2, …)"""
    return numpy.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
