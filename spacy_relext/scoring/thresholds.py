"""Thresholds and precision-recall curves: functions of arrays.

Arguments of the same name mean the same: `scores` are confidences of N predictions, 0 to 1, and `correct` marks the
correct ones, both of shape (N,); `labels` are their labels; `n_gold` counts all gold items, predicted or not;
`min_positives`, at least 1, is the number of correct predictions that a label needs for its own threshold; `floor` is
the lowest possible score; `beta` is the weight of recall relative to precision in F. A threshold accepts scores that
are greater or equal, so equal scores are accepted or rejected together.
"""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray

from ..errors import Errors
from .probabilities import Bools, Counts, Floats, check_scores, logit, sigmoid

DEFAULT_THRESHOLD = 0.5

# Weights of a label's own threshold, the rest being that of the single one.
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)

_FOLDS = 5


class _Data(NamedTuple):
    """Predictions and the number of gold items of each label."""

    scores: Floats
    correct: Bools
    names: NDArray[numpy.object_]
    n_gold: Mapping[str, int]

    def fit_single(self, *, floor: float, beta: float) -> Tuple[float, float]:
        """Find the single threshold with the highest F, and its F."""
        return best_threshold(self.scores, self.correct, n_gold=sum(self.n_gold.values()), floor=floor, beta=beta)

    def fit_labels(self, min_positives: int, *, floor: float, beta: float) -> Dict[str, float]:
        """Fit a threshold for each label, by coordinate ascent on the F over all labels."""
        single, _ = self.fit_single(floor=floor, beta=beta)
        masks = {label: self.names == label for label in sorted({*self.names, *self.n_gold})}
        sweeps = {label: _sweep(self.scores[mask], self.correct[mask], None) for label, mask in masks.items()}
        frequent = [label for label, mask in masks.items() if self.correct[mask].sum() >= min_positives]
        total = sum(self.n_gold.values())
        joint = _fit_jointly(sweeps, frequent, single=single, n_gold=total, floor=floor, beta=beta)
        return {**dict.fromkeys(masks, single), **joint}

    def count_accepted(self, thresholds: Mapping[str, float], default: float) -> Tuple[Counts, Counts]:
        """Count the correct ones of the predictions that thresholds accept, and all of them."""
        cuts = numpy.asarray([thresholds.get(name, default) for name in self.names], dtype=numpy.float64)
        accepted = self.scores >= cuts
        return numpy.asarray((accepted & self.correct).sum()), numpy.asarray(accepted.sum())


class RecallCurve(NamedTuple):
    """Precision, recall and threshold at each distinct score, from the highest down. Shapes (S,)"""

    precision: Floats
    recall: Floats
    thresholds: Floats


class _Sweep(NamedTuple):
    """Distinct scores, highest first; for each as a threshold, the correct predictions accepted, and all accepted."""

    scores: Floats
    correct: Counts
    accepted: Counts

    def counts(self, cut: int) -> Tuple[int, int]:
        """Return both counts at a place; 0 at -1, where none is accepted."""
        return (int(self.correct[cut]), int(self.accepted[cut])) if cut >= 0 else (0, 0)


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
    if not sweep.correct.any():
        return default, 0.0
    values = f_score(sweep.correct, sweep.accepted, n_gold, beta=beta)
    best = int(numpy.argmax(values))
    return _cut(sweep, best, floor), float(values[best])


def f_score(correct: Counts, predicted: Counts, gold: Union[int, Counts], *, beta: float = 1.0) -> Floats:
    """Compute F_β = (1 + β²) correct / (predicted + β² gold) from counts; 0 if all are 0."""
    weight = beta * beta
    return numpy.asarray((1 + weight) * correct / numpy.maximum(predicted + weight * gold, 1))


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
    correct ones as well. If none reaches the precision, it is 1.0, which accepts only scores of 1.

    RETURNS (Tuple[float, Dict[str, float]]): The common threshold, and those of labels that have their own.
    """
    scores, correct = check_scores(scores, correct)
    names = numpy.asarray(labels, dtype=object)
    own = {}
    for label in sorted(set(labels)):
        mask = names == label
        if correct[mask].sum() >= min_positives:
            own[label] = _precision_threshold(scores[mask], correct[mask], precision=precision, floor=floor)
    rest = numpy.asarray([name not in own for name in names], dtype=bool)
    if correct[rest].sum() < min_positives:
        rest[:] = True
    return _precision_threshold(scores[rest], correct[rest], precision=precision, floor=floor), own


def label_thresholds(
    scores: Floats,
    correct: Bools,
    labels: Sequence[str],
    *,
    n_gold: Mapping[str, int],
    min_positives: int = 10,
    floor: float = 0.0,
    beta: float = 1.0,
    shrink: bool = True,
) -> Dict[str, float]:
    """Fit a threshold for each label with enough correct predictions; other labels get the best single one.

    By coordinate ascent on the F over all labels, from the single threshold. The result is then shrunk towards the
    single threshold, by a weight from cross-validation. On this data it is never worse than the single threshold.

    shrink (bool): False: without shrinking.
    RETURNS (Dict[str, float]): A threshold for every label among the predictions or the gold items.
    """
    data = _Data(*check_scores(scores, correct), numpy.asarray(labels, dtype=object), n_gold)
    own = data.fit_labels(min_positives, floor=floor, beta=beta)
    if not shrink:
        return own
    single, single_f = data.fit_single(floor=floor, beta=beta)
    shrunk = _shrink(own, single, _best_share(data, min_positives, floor=floor, beta=beta))
    n_correct, n_accepted = data.count_accepted(shrunk, single)
    reached = float(f_score(n_correct, n_accepted, sum(n_gold.values()), beta=beta))
    return shrunk if reached >= single_f else dict.fromkeys(own, single)


def recall_curve(scores: Floats, correct: Bools, *, n_gold: int) -> RecallCurve:
    """Compute the precision-recall curve; without gold items recall is 0."""
    sweep = _sweep(scores, correct, n_gold)
    return RecallCurve(sweep.correct / sweep.accepted, sweep.correct / max(n_gold, 1), sweep.scores)


def average_precision(scores: Floats, correct: Bools, *, n_gold: int) -> Optional[float]:
    """Average the precision over the steps of recall, without interpolation; None without gold items."""
    if not n_gold:
        return None
    curve = recall_curve(scores, correct, n_gold=n_gold)
    return float(numpy.sum(numpy.diff(curve.recall, prepend=0.0) * curve.precision))


def _precision_threshold(scores: Floats, correct: Bools, *, precision: float, floor: float) -> float:
    """Find the threshold with the highest recall among those that reach a precision; 1.0 if none does."""
    sweep = _sweep(scores, correct, None)
    reached = numpy.flatnonzero(sweep.correct >= precision * sweep.accepted)
    if not len(reached) or not sweep.correct[reached[-1]]:
        return 1.0
    return _cut(sweep, int(reached[-1]), floor)


def _fit_jointly(
    sweeps: Dict[str, _Sweep], frequent: List[str], *, single: float, n_gold: int, floor: float, beta: float
) -> Dict[str, float]:
    """Set one label's cut at a time to where the F over all labels is highest, until no cut changes."""
    cuts = {label: int(numpy.sum(sweep.scores >= single)) - 1 for label, sweep in sweeps.items()}
    counts = [sweep.counts(cuts[label]) for label, sweep in sweeps.items()]
    correct, accepted = (sum(count[column] for count in counts) for column in range(2))
    moved = set()
    while True:
        before = (correct, accepted)
        for label in frequent:
            sweep, (own_correct, own_accepted) = sweeps[label], sweeps[label].counts(cuts[label])
            rest = (correct - own_correct, accepted - own_accepted)
            values = f_score(rest[0] + sweep.correct, rest[1] + sweep.accepted, n_gold, beta=beta)
            best = int(numpy.argmax(values))
            if values[best] > f_score(numpy.asarray(correct), numpy.asarray(accepted), n_gold, beta=beta):
                cuts[label] = best
                moved.add(label)
                correct, accepted = (one + other for one, other in zip(rest, sweep.counts(best)))
        if before == (correct, accepted):
            return {label: _cut(sweeps[label], cuts[label], floor) for label in moved}


def _sweep(scores: Floats, correct: Bools, n_gold: Optional[int]) -> _Sweep:
    """Sort once, and count what each distinct score, as a threshold, would accept."""
    scores, correct = check_scores(scores, correct)
    if n_gold is not None and n_gold < correct.sum():
        raise ValueError(Errors.R209.format(what="n_gold", found=n_gold, expected=f"at least {correct.sum()}"))
    negative, position = numpy.unique(-scores, return_inverse=True)
    n_correct = numpy.cumsum(numpy.bincount(position[correct], minlength=len(negative)))
    return _Sweep(-negative, n_correct, numpy.cumsum(numpy.bincount(position)))


def _cut(sweep: _Sweep, place: int, floor: float) -> float:
    """Put the threshold halfway between the last accepted and the first rejected score, or the floor if all are."""
    accepted = float(sweep.scores[place])
    rejected = float(sweep.scores[place + 1]) if place + 1 < len(sweep.scores) else floor
    halfway = (accepted + rejected) / 2
    return halfway if halfway > rejected else accepted  # there is no number between neighbouring floats


def _best_share(data: _Data, min_positives: int, *, floor: float, beta: float) -> float:
    """Find the weight in `_SHARES` with the best cross-validated F; of tied ones the smallest."""
    scores, correct, names, n_gold = data
    part = numpy.random.default_rng(0).integers(_FOLDS, size=len(scores))
    n_correct, n_accepted = (numpy.zeros(len(_SHARES), dtype=numpy.int64) for _ in range(2))
    missed = {label: count - int(correct[names == label].sum()) for label, count in n_gold.items()}
    fewer = round(min_positives * (_FOLDS - 1) / _FOLDS)
    for fold in range(_FOLDS):
        seen, held = part != fold, part == fold
        gold = {
            label: int(correct[seen & (names == label)].sum()) + round(count * (_FOLDS - 1) / _FOLDS)
            for label, count in missed.items()
        }
        train, test = (_Data(scores[mask], correct[mask], names[mask], gold) for mask in (seen, held))
        single, _ = train.fit_single(floor=floor, beta=beta)
        own = train.fit_labels(fewer, floor=floor, beta=beta)
        counts = [test.count_accepted(_shrink(own, single, share), single) for share in _SHARES]
        n_correct += [each[0] for each in counts]
        n_accepted += [each[1] for each in counts]
    return _SHARES[int(numpy.argmax(f_score(n_correct, n_accepted, sum(n_gold.values()), beta=beta)))]


def _shrink(own: Mapping[str, float], single: float, share: float) -> Dict[str, float]:
    """Average each threshold with the single one, as logits, which spread scores near 0 and 1."""
    if share in (0.0, 1.0):
        return {label: value if share else single for label, value in own.items()}
    logits = logit(numpy.asarray([*own.values(), single]))
    mixed = sigmoid(share * logits[:-1] + (1 - share) * logits[-1])
    return {label: single if own[label] == single else float(value) for label, value in zip(own, mixed)}
