"""Bootstrap scores: the same draws of pairs for all systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy

from benchmarks.harness.intervals import DRAWS
from benchmarks.hrere.outputs import Outputs


class Predictions(NamedTuple):
    """Predictions of a system.

    outputs (Outputs): The bags.
    probs (numpy.ndarray): Probabilities; class 0 is no relation. Shape (G, R)
    """

    outputs: Outputs
    probs: numpy.ndarray

    def take(self, chosen: numpy.ndarray) -> Predictions:
        """RETURNS (Predictions): Those for some of the bags."""
        return Predictions(self.outputs.take(chosen), self.probs[chosen])


class DrawnRanking:
    """A ranking of all relations of all bags, which each draw weights by how often it has a bag.

    predictions (Predictions): Predictions of one system.
    """

    def __init__(self, predictions: Predictions) -> None:
        scores = predictions.probs[:, 1:].ravel()
        order = numpy.argsort(-scores, kind="stable")
        scores = scores[order]
        self.bag = order // (predictions.probs.shape[1] - 1)
        self.gold = predictions.outputs.gold[:, 1:].ravel()[order]
        self.missed = predictions.outputs.missed
        # equal scores share a threshold
        self.last = numpy.flatnonzero(numpy.append(scores[1:] != scores[:-1], True))

    def average_precision(self, counts: numpy.ndarray) -> float:
        """Score a draw.

        counts (numpy.ndarray): How often each bag was drawn. Shape (G,)
        RETURNS (float): Average precision; 0 if the draw has no true relation.
        """
        times = counts[self.bag]
        correct, taken = ((times * self.gold).cumsum()[self.last], times.cumsum()[self.last])
        positives = correct[-1] + (counts * self.missed).sum()
        if not positives:
            return 0.0
        steps = numpy.diff(correct, prepend=0)
        return float((steps * correct / numpy.maximum(taken, 1)).sum() / positives)


def drawn_scores(systems: Mapping[str, Predictions], *, draws: int = DRAWS, seed: int = 0) -> dict[str, numpy.ndarray]:
    """Score systems on the same draws of pairs; both orders of a pair are drawn together.

    systems (Mapping[str, Predictions]): Predictions of each for the same bags.
    RETURNS (dict[str, numpy.ndarray]): Average precision of each system: first on all bags, then on each draw. Shapes
        (draws + 1,)
    RAISES (ValueError): If systems have different bags.
    """
    outputs = [each.outputs for each in systems.values()]
    for each in outputs:
        if each.ids != outputs[0].ids or not numpy.array_equal(each.gold, outputs[0].gold):
            raise ValueError("systems can only be compared on the same bags")
    _, pair = numpy.unique(["\t".join(sorted(ids)) for ids in outputs[0].ids], return_inverse=True)
    total, generator = int(pair.max()) + 1, numpy.random.default_rng(seed)
    by_system: dict[str, list[float]] = {system: [] for system in systems}
    rankings = {system: DrawnRanking(each) for system, each in systems.items()}
    for number in range(draws + 1):
        counts = numpy.ones(total, dtype="int64")
        if number:
            counts = numpy.bincount(generator.integers(total, size=total), minlength=total)
        for system, ranking in rankings.items():
            by_system[system].append(ranking.average_precision(counts[pair]))
    return {system: numpy.asarray(scores) for system, scores in by_system.items()}
