"""Thresholds of single labels, drawn towards the common one as far as cross-validation advises: pure functions.

With a dozen right predictions a label's best threshold is mostly chance, and taking it can be worse than taking one
for all. How much of it is chance differs from data to data, so that the share is fitted, not set.
"""

from typing import Dict, Mapping, Sequence

import numpy as np

from .calibration import Bools, Floats, best_threshold, checked_arrays, label_thresholds

# How much of a label's own threshold is kept: 0 is one threshold for all.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_EPSILON = 1e-6


def steady_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    n_gold: Mapping[str, int],
    min_positives: int = 10,
    floor: float = 0.0,
    folds: int = 5,
    seed: int = 0,
) -> Dict[str, float]:
    """Fit a threshold for each label that has enough right predictions, between its own best and the best common one.

    scores (Floats): Confidences, 0 to 1. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    labels (Sequence[str]): Label of each prediction. Shape (N,)
    n_gold (Mapping[str, int]): Gold items per label, those never proposed included.
    min_positives (int): Right predictions a label needs for a threshold of its own.
    floor (float): Least score that a prediction can have.
    folds (int): Parts that are held out in turn.
    seed (int): Start of the random numbers that divide them.
    RETURNS (Dict[str, float]): A threshold for every label; where one for all does better on this data, that one.
    """
    scores, correct = checked_arrays(scores, correct)
    names = np.asarray(labels, dtype=object)
    single, single_f1 = best_threshold(scores, correct, n_gold=sum(n_gold.values()), floor=floor)
    own = label_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=min_positives, floor=floor)
    if all(value == single for value in own.values()):
        return own
    part = np.random.default_rng(seed).integers(folds, size=len(scores))
    share = _best_share(scores, correct, names, part, n_gold=n_gold, min_positives=min_positives, floor=floor)
    shrunk = _drawn_towards(own, single, share)
    accepted = scores >= _of_each(shrunk, names, single)
    f1 = 2 * (accepted & correct).sum() / max(accepted.sum() + sum(n_gold.values()), 1)
    return shrunk if f1 >= single_f1 else dict.fromkeys(own, single)


def _best_share(
    scores: Floats,
    correct: Bools,
    names: "np.ndarray",
    part: "np.ndarray",
    *,
    n_gold: Mapping[str, int],
    min_positives: int,
    floor: float,
) -> float:
    """Find the share whose thresholds, fitted without a fold, do best on that fold; the smallest of equals."""
    folds = int(part.max()) + 1
    right, accepted = np.zeros(len(SHARES)), np.zeros(len(SHARES))
    missed = {label: count - int(correct[names == label].sum()) for label, count in n_gold.items()}
    fewer = max(1, round(min_positives * (folds - 1) / folds))
    for fold in range(folds):
        seen, held = part != fold, part == fold
        gold = {
            label: int(correct[seen & (names == label)].sum()) + round(count * (folds - 1) / folds)
            for label, count in missed.items()
        }
        data = (scores[seen], correct[seen])
        single, _ = best_threshold(*data, n_gold=sum(gold.values()), floor=floor)
        own = label_thresholds(*data, names[seen].tolist(), n_gold=gold, min_positives=fewer, floor=floor)
        for number, share in enumerate(SHARES):
            chosen = scores[held] >= _of_each(_drawn_towards(own, single, share), names[held], single)
            right[number] += (chosen & correct[held]).sum()
            accepted[number] += chosen.sum()
    f1 = 2 * right / np.maximum(accepted + sum(n_gold.values()), 1)
    return SHARES[int(np.argmax(f1))]


def _drawn_towards(own: Mapping[str, float], single: float, share: float) -> Dict[str, float]:
    """Mix thresholds as logits, which is where scores near 0 and 1 have room."""
    if share in (0.0, 1.0):
        return {label: value if share else single for label, value in own.items()}
    values = np.clip([*own.values(), single], _EPSILON, 1 - _EPSILON)
    logits = np.log(values) - np.log1p(-values)
    mixed = share * logits[:-1] + (1 - share) * logits[-1]
    found = 0.5 * (1 + np.tanh(mixed / 2))
    return {label: single if own[label] == single else float(value) for label, value in zip(own, found)}


def _of_each(thresholds: Mapping[str, float], names: "np.ndarray", default: float) -> Floats:
    """The threshold of each prediction's label. Shape (N,)"""
    return np.asarray([thresholds.get(name, default) for name in names], dtype=np.float64)
