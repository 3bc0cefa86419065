"""Calibration metrics, precision-recall curves and thresholds: functions of arrays.

Arguments of the same name mean the same: `scores` are confidences of N predictions, 0 to 1, and `correct` marks the
correct ones, both of shape (N,); `labels` are their labels; `n_gold` counts all gold items, predicted or not;
`min_positives`, at least 1, is the number of correct predictions that a label needs for its own threshold; `floor` is
the lowest possible score; `beta` is the weight of recall relative to precision in F. A threshold accepts scores that
are greater or equal, so equal scores are accepted or rejected together.
"""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..errors import Errors
from .probabilities import Bools, Counts, Floats, check_scores, logit, sigmoid

DEFAULT_THRESHOLD = 0.5

# Weights of a label's own threshold, the rest being that of the single one.
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)

_FOLDS = 5


class Bin(NamedTuple):
    """One bin of a reliability diagram: mean score, share of correct predictions, number of predictions."""

    confidence: float
    accuracy: float
    size: int


class _Sweep(NamedTuple):
    """Distinct scores, highest first; for each as a threshold, the correct predictions accepted, and all accepted."""

    scores: Floats
    right: Counts
    accepted: Counts


def calibration_bins(scores: Floats, correct: Bools, *, n_bins: int = 10, bins: str = "mass") -> List[Bin]:
    """Group predictions into the bins of a reliability diagram, from low to high scores.

    n_bins (int): Number of bins; empty ones are left out.
    bins (str): "mass": equal numbers of predictions; "width": equal steps from 0 to 1.
    RETURNS (List[Bin]): Predictions with equal scores each count with their mean accuracy.
    """
    scores, correct = check_scores(scores, correct)
    _, position, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    share = numpy.bincount(position, weights=correct) / counts
    order = numpy.argsort(scores)
    scores, accuracy = scores[order], share[position][order]
    if bins == "mass":
        groups = numpy.array_split(numpy.arange(len(scores)), n_bins)
    elif bins == "width":
        which = numpy.minimum((scores * n_bins).astype(int), n_bins - 1)
        groups = [numpy.flatnonzero(which == number) for number in range(n_bins)]
    else:
        raise ValueError(Errors.R209.format(what="bins", found=repr(bins), expected="'mass' or 'width'"))
    return [Bin(float(scores[g].mean()), float(accuracy[g].mean()), len(g)) for g in groups if len(g)]


def expected_calibration_error(
    scores: Floats, correct: Bools, *, n_bins: int = 10, bins: str = "mass"
) -> Optional[float]:
    """Compute the ECE: mean distance between score and accuracy of the `calibration_bins`, weighted by size.

    RETURNS (Optional[float]): 0 to 1; None without predictions.
    """
    groups = calibration_bins(scores, correct, n_bins=n_bins, bins=bins)
    total = sum(group.size for group in groups)
    return sum(group.size * abs(group.confidence - group.accuracy) for group in groups) / total if total else None


def best_threshold(
    scores: Floats,
    correct: Bools,
    *,
    n_gold: int,
    default: float = DEFAULT_THRESHOLD,
    floor: float = 0.0,
    beta: float = 1.0,
) -> Tuple[float, float]:
    """Find the single threshold with the highest F, by one sorted sweep.

    default (float): Threshold if no prediction is correct.
    RETURNS (Tuple[float, float]): The threshold, halfway to the next lower score (or to the floor if it accepts all),
        and its F; of tied thresholds the highest.
    """
    sweep = _sweep(scores, correct, n_gold)
    if not sweep.right.any():
        return default, 0.0
    values = f_score(sweep.right, sweep.accepted, n_gold, beta=beta)
    best = int(numpy.argmax(values))
    return _cut(sweep, best, floor), float(values[best])


def f_score(right: Counts, predicted: Counts, gold: int, *, beta: float = 1.0) -> Floats:
    """Compute F_β = (1 + β²) right / (predicted + β² gold) from counts; 0 if all are 0."""
    weight = beta * beta
    return numpy.asarray((1 + weight) * right / numpy.maximum(predicted + weight * gold, 1))


def precision_threshold(
    scores: Floats, correct: Bools, *, precision: float, floor: float = 0.0
) -> Tuple[float, float, int]:
    """Find the threshold with the highest recall among those that reach a precision, by one sorted sweep.

    precision (float): Minimum share of correct predictions among the accepted ones, 0 to 1.
    RETURNS (Tuple[float, float, int]): The threshold, its precision, and how many correct predictions it accepts. If
        none reaches the precision, 1.0, which accepts only scores of 1, and zeros.
    """
    sweep = _sweep(scores, correct, None)
    reached = numpy.flatnonzero(sweep.right >= precision * sweep.accepted)
    if not len(reached) or not sweep.right[reached[-1]]:
        return 1.0, 0.0, 0
    last = int(reached[-1])
    return _cut(sweep, last, floor), float(sweep.right[last] / sweep.accepted[last]), int(sweep.right[last])


def precision_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    precision: float,
    min_positives: int = 10,
    floor: float = 0.0,
) -> Tuple[float, Dict[str, float]]:
    """Find thresholds with the highest recall at a precision, for each label with enough correct predictions.

    The common threshold is fitted to the predictions of all other labels, or of all labels if those have too few
    correct ones as well.

    RETURNS (Tuple[float, Dict[str, float]]): The common threshold, and those of labels that have their own.
    """
    scores, correct = check_scores(scores, correct)
    names = numpy.asarray(labels, dtype=object)
    own = {}
    for label in sorted(set(labels)):
        mask = names == label
        if correct[mask].sum() >= min_positives:
            own[label], _, _ = precision_threshold(scores[mask], correct[mask], precision=precision, floor=floor)
    rest = numpy.asarray([name not in own for name in names], dtype=bool)
    if correct[rest].sum() < min_positives:
        rest[:] = True
    single, _, _ = precision_threshold(scores[rest], correct[rest], precision=precision, floor=floor)
    return single, own


def label_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    n_gold: Mapping[str, int],
    min_positives: int = 10,
    objective: str = "micro",
    floor: float = 0.0,
    beta: float = 1.0,
) -> Dict[str, float]:
    """Fit a threshold for each label with enough correct predictions; other labels get the best single one.

    objective (str): "micro": coordinate ascent on the F over all labels, from the single threshold, so never worse than
        that on this data; "label": the best F of each label by itself.
    RETURNS (Dict[str, float]): A threshold for every label among the predictions or the gold items.
    """
    if objective not in ("micro", "label"):
        raise ValueError(Errors.R209.format(what="objective", found=repr(objective), expected="'micro' or 'label'"))
    scores, correct = check_scores(scores, correct)
    names = numpy.asarray(labels, dtype=object)
    total = sum(n_gold.values())
    single, _ = best_threshold(scores, correct, n_gold=total, floor=floor, beta=beta)
    fitted = {label: single for label in sorted({*labels, *n_gold})}
    sweeps = {label: _sweep(scores[names == label], correct[names == label], None) for label in fitted}
    frequent = [label for label in fitted if correct[names == label].sum() >= min_positives]
    if objective == "micro":
        return {**fitted, **_fit_jointly(sweeps, frequent, single=single, n_gold=total, floor=floor, beta=beta)}
    for label in frequent:
        mask = names == label
        fitted[label], _ = best_threshold(scores[mask], correct[mask], n_gold=n_gold[label], floor=floor, beta=beta)
    return fitted


def shrunken_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    n_gold: Mapping[str, int],
    min_positives: int = 10,
    floor: float = 0.0,
    beta: float = 1.0,
) -> Dict[str, float]:
    """Shrink the thresholds of `label_thresholds` towards the single one, by a weight from cross-validation.

    RETURNS (Dict[str, float]): A threshold for every label; the single one if it is better on this data.
    """
    scores, correct = check_scores(scores, correct)
    names = numpy.asarray(labels, dtype=object)
    total = sum(n_gold.values())
    single, single_f = best_threshold(scores, correct, n_gold=total, floor=floor, beta=beta)
    own = label_thresholds(scores, correct, labels, n_gold=n_gold, min_positives=min_positives, floor=floor, beta=beta)
    share = _best_share(scores, correct, names, n_gold=n_gold, min_positives=min_positives, floor=floor, beta=beta)
    shrunk = _shrink(own, single, share)
    accepted = scores >= _expand(shrunk, names, single)
    reached = float(f_score((accepted & correct).sum(), accepted.sum(), total, beta=beta))
    return shrunk if reached >= single_f else dict.fromkeys(own, single)


def precision_recall_curve(scores: Floats, correct: Bools, *, n_gold: int) -> Tuple[Floats, Floats, Floats]:
    """Compute the precision-recall curve, one point per distinct score.

    RETURNS (Tuple[Floats, Floats, Floats]): Precision, recall and threshold, from the highest threshold down.
    """
    sweep = _sweep(scores, correct, n_gold)
    return sweep.right / sweep.accepted, sweep.right / max(n_gold, 1), sweep.scores


def average_precision(scores: Floats, correct: Bools, *, n_gold: int) -> Optional[float]:
    """Average the precision over the steps of recall, without interpolation; None without gold items."""
    if not n_gold:
        return None
    precision, recall, _ = precision_recall_curve(scores, correct, n_gold=n_gold)
    return float(numpy.sum(numpy.diff(recall, prepend=0.0) * precision))


def _fit_jointly(
    sweeps: Dict[str, _Sweep], frequent: List[str], *, single: float, n_gold: int, floor: float, beta: float
) -> Dict[str, float]:
    """Set one label's cut at a time to where the F over all labels is highest, until no cut changes."""
    cuts = {label: int(numpy.sum(sweep.scores >= single)) - 1 for label, sweep in sweeps.items()}  # -1: none accepted
    right = sum(int(sweeps[label].right[cut]) for label, cut in cuts.items() if cut >= 0)
    accepted = sum(int(sweeps[label].accepted[cut]) for label, cut in cuts.items() if cut >= 0)
    moved = set()
    while True:
        before = (right, accepted)
        for label in frequent:
            sweep, cut = sweeps[label], cuts[label]
            other_right = right - (int(sweep.right[cut]) if cut >= 0 else 0)
            other_accepted = accepted - (int(sweep.accepted[cut]) if cut >= 0 else 0)
            values = f_score(other_right + sweep.right, other_accepted + sweep.accepted, n_gold, beta=beta)
            best = int(numpy.argmax(values))
            now = f_score(numpy.asarray(right), numpy.asarray(accepted), n_gold, beta=beta)
            if values[best] > now:
                cuts[label] = best
                moved.add(label)
                right, accepted = other_right + int(sweep.right[best]), other_accepted + int(sweep.accepted[best])
        if before == (right, accepted):
            return {label: _cut(sweeps[label], cuts[label], floor) for label in moved}


def _sweep(scores: Floats, correct: Bools, n_gold: Optional[int]) -> _Sweep:
    """Sort once, and count what each distinct score, as a threshold, would accept."""
    scores, correct = check_scores(scores, correct)
    if n_gold is not None and n_gold < correct.sum():
        raise ValueError(Errors.R209.format(what="n_gold", found=n_gold, expected=f"at least {correct.sum()}"))
    negative, position = numpy.unique(-scores, return_inverse=True)
    right = numpy.cumsum(numpy.bincount(position[correct], minlength=len(negative)))
    return _Sweep(-negative, right, numpy.cumsum(numpy.bincount(position)))


def _cut(sweep: _Sweep, place: int, floor: float) -> float:
    """Put the threshold halfway between the last accepted and the first rejected score, or the floor if all are."""
    accepted = float(sweep.scores[place])
    rejected = float(sweep.scores[place + 1]) if place + 1 < len(sweep.scores) else floor
    halfway = (accepted + rejected) / 2
    return halfway if halfway > rejected else accepted  # there is no number between neighbouring floats


def _best_share(
    scores: Floats,
    correct: Bools,
    names: NDArray[numpy.object_],
    *,
    n_gold: Mapping[str, int],
    min_positives: int,
    floor: float,
    beta: float,
) -> float:
    """Find the weight in `_SHARES` with the best cross-validated F; of tied ones the smallest."""
    part = numpy.random.default_rng(0).integers(_FOLDS, size=len(scores))
    right, accepted = (numpy.zeros(len(_SHARES), dtype=numpy.int64) for _ in range(2))
    missed = {label: count - int(correct[names == label].sum()) for label, count in n_gold.items()}
    fewer = round(min_positives * (_FOLDS - 1) / _FOLDS)
    for fold in range(_FOLDS):
        seen, held = part != fold, part == fold
        gold = {
            label: int(correct[seen & (names == label)].sum()) + round(count * (_FOLDS - 1) / _FOLDS)
            for label, count in missed.items()
        }
        data = (scores[seen], correct[seen])
        single, _ = best_threshold(*data, n_gold=sum(gold.values()), floor=floor, beta=beta)
        own = label_thresholds(*data, names[seen].tolist(), n_gold=gold, min_positives=fewer, floor=floor, beta=beta)
        for number, share in enumerate(_SHARES):
            chosen = scores[held] >= _expand(_shrink(own, single, share), names[held], single)
            right[number] += (chosen & correct[held]).sum()
            accepted[number] += chosen.sum()
    return _SHARES[int(numpy.argmax(f_score(right, accepted, sum(n_gold.values()), beta=beta)))]


def _shrink(own: Mapping[str, float], single: float, share: float) -> Dict[str, float]:
    """Average each threshold with the single one, as logits, which spread scores near 0 and 1."""
    if share in (0.0, 1.0):
        return {label: value if share else single for label, value in own.items()}
    logits = logit(numpy.asarray([*own.values(), single]))
    mixed = sigmoid(share * logits[:-1] + (1 - share) * logits[-1])
    return {label: single if own[label] == single else float(value) for label, value in zip(own, mixed)}


def _expand(thresholds: Mapping[str, float], names: NDArray[numpy.object_], default: float) -> Floats:
    """Look up the threshold of each prediction's label. Shape (N,)"""
    return numpy.asarray([thresholds.get(name, default) for name in names], dtype=numpy.float64)
