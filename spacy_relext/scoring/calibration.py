"""How far scores can be trusted, and where to cut them: pure functions of arrays.

`scores` are confidences of predictions, `correct` says which are right, `n_gold` counts all gold items, proposed or
not. A threshold accepts a score that is greater or equal. Equal scores stand or fall together. `probabilities.py`
makes scores into better probabilities.
"""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..errors import Errors
from .probabilities import Bools, Counts, Floats, check_scores, logit, sigmoid

DEFAULT_THRESHOLD = 0.5


class Bin(NamedTuple):
    """One bin of a reliability diagram.

    confidence (float): Mean score of its predictions.
    accuracy (float): Share of them that is right.
    size (int): How many there are.
    """

    confidence: float
    accuracy: float
    size: int


class _Sweep(NamedTuple):
    """Every place to cut: distinct scores, highest first, with what is accepted from there upwards."""

    scores: Floats
    right: Counts
    accepted: Counts


def calibration_bins(scores: Floats, correct: Bools, *, n_bins: int = 10, bins: str = "mass") -> List[Bin]:
    """Group predictions by score.

    scores (Floats): Confidences, 0 to 1. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    n_bins (int): How many groups; empty ones are left out.
    bins (str): "mass": as many predictions in each (more where N is not divisible); "width": equal steps from 0 to 1.
    RETURNS (List[Bin]): From low to high scores; among equal scores, right and wrong are spread evenly.
    """
    scores, correct = check_scores(scores, correct)
    distinct, position, counts = np.unique(scores, return_inverse=True, return_counts=True)
    share = np.bincount(position, weights=correct, minlength=len(distinct)) / np.maximum(counts, 1)
    order = np.argsort(scores, kind="stable")
    scores, accuracy = scores[order], share[position][order]
    if bins == "mass":
        groups = np.array_split(np.arange(len(scores)), n_bins)
    elif bins == "width":
        which = np.clip((scores * n_bins).astype(int), 0, n_bins - 1)
        groups = [np.flatnonzero(which == number) for number in range(n_bins)]
    else:
        raise ValueError(Errors.R209.format(what="bins", found=repr(bins), expected="'mass' or 'width'"))
    return [Bin(float(scores[g].mean()), float(accuracy[g].mean()), len(g)) for g in groups if len(g)]


def expected_calibration_error(
    scores: Floats, correct: Bools, *, n_bins: int = 10, bins: str = "mass"
) -> Optional[float]:
    """Average the distance between score and accuracy over bins, weighted by their predictions.

    scores (Floats): Confidences, 0 to 1. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    n_bins (int): How many groups.
    bins (str): "mass" or "width", as in `calibration_bins`.
    RETURNS (Optional[float]): 0 to 1; None without predictions.
    """
    groups = calibration_bins(scores, correct, n_bins=n_bins, bins=bins)
    total = sum(group.size for group in groups)
    if not total:
        return None
    return sum(group.size * abs(group.confidence - group.accuracy) for group in groups) / total


def best_threshold(
    scores: Floats, correct: Bools, *, n_gold: int, default: float = DEFAULT_THRESHOLD, floor: float = 0.0
) -> Tuple[float, float]:
    """Find the single threshold with the highest F1, by one sorted sweep.

    scores (Floats): Confidences. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    n_gold (int): All gold items, those never proposed included.
    default (float): Threshold where no prediction is right.
    floor (float): Least score that a prediction can have: a threshold that accepts all is put halfway to it.
    RETURNS (Tuple[float, float]): The threshold, halfway to the next lower score, and its F1; the highest of equals.
    """
    sweep = _sweep(scores, correct, n_gold)
    if not len(sweep.scores) or not sweep.right[-1]:
        return default, 0.0
    f1 = 2 * sweep.right / (sweep.accepted + n_gold)
    best = int(np.argmax(f1))
    return _cut(sweep, best, floor), float(f1[best])


def label_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    n_gold: Mapping[str, int],
    min_positives: int = 10,
    objective: str = "micro",
    floor: float = 0.0,
) -> Dict[str, float]:
    """Fit a threshold for each label that has enough right predictions; the others get the best single one.

    scores (Floats): Confidences. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    labels (Sequence[str]): Label of each prediction. Shape (N,)
    n_gold (Mapping[str, int]): Gold items per label, those never proposed included.
    min_positives (int): Right predictions a label needs for a threshold of its own.
    objective (str): "micro": move one label at a time while the F1 over all labels rises, beginning at the single
        threshold, so that it is never worse than that one here; "label": the best F1 of each label by itself.
    floor (float): Least score that a prediction can have.
    RETURNS (Dict[str, float]): A threshold for every label among the predictions or the gold items.
    """
    if objective not in ("micro", "label"):
        raise ValueError(Errors.R209.format(what="objective", found=repr(objective), expected="'micro' or 'label'"))
    scores, correct = check_scores(scores, correct)
    names = np.asarray(labels, dtype=object)
    total = sum(n_gold.values())
    single, _ = best_threshold(scores, correct, n_gold=total, floor=floor)
    fitted = {label: single for label in sorted({*labels, *n_gold})}
    sweeps = {label: _sweep(scores[names == label], correct[names == label], None) for label in fitted}
    rich = [label for label, sweep in sweeps.items() if len(sweep.right) and sweep.right[-1] >= min_positives]
    if objective == "label":
        for label in rich:
            own = names == label
            fitted[label], _ = best_threshold(scores[own], correct[own], n_gold=n_gold.get(label, 0), floor=floor)
        return fitted
    return {**fitted, **_fit_jointly(sweeps, rich, single=single, n_gold=total, floor=floor)}


def precision_recall_points(scores: Floats, correct: Bools, *, n_gold: int) -> Tuple[Floats, Floats, Floats]:
    """Compute the precision-recall curve, one point for each distinct score.

    scores (Floats): Confidences. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    n_gold (int): All gold items, those never proposed included.
    RETURNS (Tuple[Floats, Floats, Floats]): Precision, recall and threshold, from the highest threshold down.
    """
    sweep = _sweep(scores, correct, n_gold)
    return sweep.right / np.maximum(sweep.accepted, 1), sweep.right / max(n_gold, 1), sweep.scores


def average_precision(scores: Floats, correct: Bools, *, n_gold: int) -> Optional[float]:
    """Average the precision over the steps of recall (no interpolation).

    scores (Floats): Confidences. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    n_gold (int): All gold items, those never proposed included.
    RETURNS (Optional[float]): 0 to 1; None without gold items.
    """
    if not n_gold:
        return None
    precision, recall, _ = precision_recall_points(scores, correct, n_gold=n_gold)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def bootstrap_f1(
    right: Counts, predicted: Counts, gold: Counts, *, samples: int = 1000, level: float = 0.95, seed: int = 0
) -> Tuple[float, float]:
    """Estimate how much F1 would vary over other documents of the same kind, by drawing documents with replacement.

    right (Counts): Right predictions of each document. Shape (N,)
    predicted (Counts): All predictions of each document. Shape (N,)
    gold (Counts): Gold items of each document. Shape (N,)
    samples (int): How many draws.
    level (float): Share of the draws inside the interval.
    seed (int): Start of the random numbers.
    RETURNS (Tuple[float, float]): Lower and upper end; (0, 0) without documents.
    """
    right, total = np.asarray(right), np.asarray(predicted) + np.asarray(gold)
    if not len(right):
        return 0.0, 0.0
    generator = np.random.default_rng(seed)
    values = np.empty(samples)
    for number in range(samples):  # one draw at a time: an index matrix of (samples, N) would not be small
        drawn = generator.integers(len(right), size=len(right))
        values[number] = 2 * right[drawn].sum() / max(total[drawn].sum(), 1)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _fit_jointly(
    sweeps: Dict[str, _Sweep], rich: List[str], *, single: float, n_gold: int, floor: float
) -> Dict[str, float]:
    """Move one label's cut at a time to where the F1 over all labels is highest, until none moves."""
    cuts = {label: int(np.sum(sweep.scores >= single)) - 1 for label, sweep in sweeps.items()}  # -1: none accepted
    right = sum(int(sweeps[label].right[cut]) for label, cut in cuts.items() if cut >= 0)
    accepted = sum(int(sweeps[label].accepted[cut]) for label, cut in cuts.items() if cut >= 0)
    moved = set()
    while True:
        before = (right, accepted)
        for label in rich:
            sweep, cut = sweeps[label], cuts[label]
            other_right = right - (int(sweep.right[cut]) if cut >= 0 else 0)
            other_accepted = accepted - (int(sweep.accepted[cut]) if cut >= 0 else 0)
            f1 = 2 * (other_right + sweep.right) / (other_accepted + sweep.accepted + n_gold)
            best = int(np.argmax(f1))
            if f1[best] > 2 * right / max(accepted + n_gold, 1) + 1e-12:
                cuts[label] = best
                moved.add(label)
                right, accepted = other_right + int(sweep.right[best]), other_accepted + int(sweep.accepted[best])
        if before == (right, accepted):
            return {label: _cut(sweeps[label], cuts[label], floor) for label in moved}


def _sweep(scores: Floats, correct: Bools, n_gold: Optional[int]) -> _Sweep:
    """Sort once and count what each distinct score, as a threshold, would accept."""
    scores, correct = check_scores(scores, correct)
    if n_gold is not None and n_gold < correct.sum():
        raise ValueError(Errors.R209.format(what="n_gold", found=n_gold, expected=f"at least {correct.sum()}"))
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], np.cumsum(correct[order])
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, dtype=int)
    return _Sweep(scores[last], right[last], last + 1)


def _cut(sweep: _Sweep, place: int, floor: float) -> float:
    """Put the threshold halfway between the last accepted and the first refused score, or the floor where all are."""
    accepted = float(sweep.scores[place])
    refused = float(sweep.scores[place + 1]) if place + 1 < len(sweep.scores) else floor
    halfway = (accepted + refused) / 2
    return halfway if halfway > refused else accepted  # neighbouring floats have nothing between them


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
    scores, correct = check_scores(scores, correct)
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
    logits = logit(np.clip([*own.values(), single], _EPSILON, 1 - _EPSILON))
    mixed = sigmoid(share * logits[:-1] + (1 - share) * logits[-1])
    return {label: single if own[label] == single else float(value) for label, value in zip(own, mixed)}


def _of_each(thresholds: Mapping[str, float], names: "np.ndarray", default: float) -> Floats:
    """The threshold of each prediction's label. Shape (N,)"""
    return np.asarray([thresholds.get(name, default) for name in names], dtype=np.float64)
