"""Numerics of probabilities: softmax, sigmoid and logit, Platt and temperature scaling, calibration error, bootstrap.

    Platt scaling          p' = σ(scale · logit(p) + shift),   scale > 0
    temperature scaling    p' = softmax(z / T)

The scale is positive, so that Platt scaling keeps the order of the scores and any ranking made of them.

`scores` are confidences of N predictions, 0 to 1, and `correct` marks the correct ones, both of shape (N,).

Sources: Platt, Advances in Large Margin Classifiers, 1999; Guo et al., ICML 2017; for the bootstrap Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
"""

from typing import Callable, NamedTuple, Optional, Sequence, Tuple, TypeVar

import numpy
from numpy.typing import NDArray

from ..errors import Errors

Floats = NDArray[numpy.float64]

Bools = NDArray[numpy.bool_]

Counts = NDArray[numpy.int64]

_AnyFloats = NDArray[numpy.floating]

_FloatArray = TypeVar("_FloatArray", NDArray[numpy.float32], NDArray[numpy.float64], NDArray[numpy.floating])

_EPSILON = 1e-9

_MIN_SCALE = 0.05

_RIDGE = 0.1

_STEPS = 50  # of Newton's method; the problem is convex and needs few

SAMPLES = 1000  # of a bootstrap

LEVEL = 0.95


class Platt(NamedTuple):
    """Parameters of Platt scaling; scores are overconfident if the scale is below 1."""

    scale: float
    shift: float


def softmax(logits: _FloatArray) -> _FloatArray:
    """Compute the probabilities of classes. Shapes (..., R) → (..., R)"""
    powers = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: _FloatArray) -> _FloatArray:
    """Compute the logarithms of `softmax`. Shapes (..., R) → (..., R)"""
    centred = logits - logits.max(axis=-1, keepdims=True)
    return centred - numpy.log(numpy.exp(centred).sum(axis=-1, keepdims=True))


def sigmoid(logits: _AnyFloats) -> Floats:
    """Compute the logistic function in double precision, without overflow."""
    return 0.5 * (1.0 + numpy.tanh(0.5 * logits.astype("float64")))


def logit(scores: _AnyFloats) -> Floats:
    """Compute the inverse of `sigmoid`, finite also for scores of 0 and 1."""
    clipped = numpy.clip(scores.astype("float64"), _EPSILON, 1 - _EPSILON)
    return numpy.log(clipped) - numpy.log1p(-clipped)


def calibrate(scores: _AnyFloats, *, scale: float, shift: float) -> Floats:
    """Apply Platt scaling to scores from 0 to 1; they stay as they are if scale is 1 and shift 0."""
    if scale == 1.0 and shift == 0.0:
        return scores.astype("float64", copy=False)
    return sigmoid(scale * logit(scores) + shift)


def fit_platt(scores: Floats, correct: Bools, *, fit_shift: bool = True) -> Platt:
    """Fit Platt scaling by Newton's method on the likelihood, with Platt's smoothed targets.

    A small ridge penalty towards the identity keeps the scale finite for few or perfectly separated predictions.

    scores (Floats): Without any, the result is the identity.
    fit_shift (bool): False: fit the scale alone.
    """
    scores, correct = check_scores(scores, correct)
    if not len(scores):
        return Platt(1.0, 0.0)
    n_correct, n_wrong = int(correct.sum()), int((~correct).sum())
    targets = numpy.where(correct, (n_correct + 1) / (n_correct + 2), 1 / (n_wrong + 2))
    logits = logit(scores)
    inputs = numpy.stack([logits, numpy.ones_like(logits)], axis=1)  # (N, 2)
    start = numpy.array([1.0, 0.0])
    weights = _newton(inputs, targets, start, free=numpy.array([True, fit_shift]))
    if weights[0] < _MIN_SCALE:  # uninformative or inverted scores: nearly flatten them, but keep their order
        start = numpy.array([_MIN_SCALE, 0.0])
        weights = _newton(inputs, targets, start, free=numpy.array([False, fit_shift]))
    return Platt(float(weights[0]), float(weights[1]))


def fit_logistic(inputs: Floats, correct: Bools, *, start: Floats) -> Floats:
    """Fit the weights w of σ(w · x) by Newton's method on the likelihood, with a ridge penalty towards others.

    inputs (Floats): x, a row for each prediction. Shape (N, D)
    start (Floats): The weights without any data. Shape (D,)
    RETURNS (Floats): Shape (D,)
    """
    return _newton(inputs, correct.astype("float64"), start, free=numpy.ones(len(start), dtype=bool))


def fit_temperature(logits: _AnyFloats, targets: _AnyFloats, *, grid: Optional[Sequence[float]] = None) -> float:
    """Find the temperature T that minimizes the cross-entropy of softmax(logits / T) with the targets.

    logits (_AnyFloats): Shape (N, R)
    targets (_AnyFloats): Gold distribution over the classes of each row. Shape (N, R)
    grid (Optional[Sequence[float]]): Temperatures to choose from; None: golden-section search from 0.1 to 10.
    """
    wide = logits.astype("float64")

    def cost(temperature: float) -> float:
        return -float((targets * log_softmax(wide / temperature)).sum())

    if grid is not None:
        return min(grid, key=cost)
    low, high = numpy.log(0.1), numpy.log(10.0)
    ratio = (5**0.5 - 1) / 2  # the cost is convex in 1 / T, and so has one minimum on the scale of log T
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if cost(numpy.exp(left)) < cost(numpy.exp(right)) else (left, high)
    return float(numpy.exp((low + high) / 2))


def expected_calibration_error(scores: Floats, correct: Bools, *, n_bins: int = 10) -> Optional[float]:
    """Compute the ECE: mean distance between score and accuracy of bins with equal numbers of predictions.

    Predictions with equal scores each count with their mean accuracy.

    RETURNS (Optional[float]): 0 to 1; None without predictions.
    """
    scores, correct = check_scores(scores, correct)
    if not len(scores):
        return None
    _, position, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    share = numpy.bincount(position, weights=correct) / counts
    order = numpy.argsort(scores)
    scores, accuracy = scores[order], share[position][order]
    groups = numpy.array_split(numpy.arange(len(scores)), n_bins)
    distances = (abs(float(scores[each].sum() - accuracy[each].sum())) for each in groups if len(each))
    return sum(distances) / len(scores)


def bootstrap_interval(score: Callable[[Counts], Floats], n_documents: int, *, seed: int = 0) -> Tuple[Floats, Floats]:
    """Compute the 95 % bootstrap interval of scores; documents are drawn with replacement, as many as there are.

    For the difference of two systems, `score` computes both on the same draw (paired bootstrap), so that documents
    which are hard for both do not widen the interval.

    score (Callable[[Counts], Floats]): Maps how often each document is drawn, shape (D,), to K scores.
    RETURNS (Tuple[Floats, Floats]): Lower and upper ends. Shapes (K,); 0 without documents.
    """
    if not n_documents:
        nothing = numpy.zeros_like(score(numpy.zeros(0, dtype="int64")))
        return nothing, nothing
    generator = numpy.random.default_rng(seed)
    values = []
    for _ in range(SAMPLES):  # one sample at a time: a matrix of (SAMPLES, D) would be large
        drawn = generator.integers(n_documents, size=n_documents)
        values.append(score(numpy.bincount(drawn, minlength=n_documents)))
    low, high = numpy.quantile(numpy.asarray(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def check_scores(scores: Floats, correct: Bools) -> Tuple[Floats, Bools]:
    """Convert to arrays of these types; raise a ValueError unless both have one shape (N,) and scores are finite."""
    scores, correct = numpy.asarray(scores, dtype=numpy.float64), numpy.asarray(correct, dtype=bool)
    if scores.ndim != 1 or scores.shape != correct.shape:
        shapes = f"{scores.shape} and {correct.shape}"
        raise ValueError(Errors.R209.format(what="scores and correct", found=shapes, expected="one shape (N,)"))
    if not numpy.isfinite(scores).all():
        raise ValueError(Errors.R209.format(what="scores", found="NaN or infinity", expected="finite numbers"))
    return scores, correct


def _newton(inputs: Floats, targets: Floats, start: Floats, *, free: Bools) -> Floats:
    """Minimize the penalized cross-entropy over the free weights, halving steps that do not lower it."""
    weights = start
    loss = _penalized_loss(inputs, targets, weights, start)
    for _ in range(_STEPS):
        probs = sigmoid(inputs @ weights)
        gradient = inputs.T @ (probs - targets) + _RIDGE * (weights - start)
        hessian = inputs.T @ (inputs * (probs * (1 - probs))[:, None]) + _RIDGE * numpy.eye(len(start))
        step = numpy.zeros(len(start))
        step[free] = numpy.linalg.solve(hessian[numpy.ix_(free, free)], gradient[free])
        while numpy.abs(step).max() > 1e-9 and _penalized_loss(inputs, targets, weights - step, start) > loss:
            step /= 2
        if numpy.abs(step).max() <= 1e-9:
            break
        weights = weights - step
        loss = _penalized_loss(inputs, targets, weights, start)
    return weights


def _penalized_loss(inputs: Floats, targets: Floats, weights: Floats, start: Floats) -> float:
    """Compute the cross-entropy with soft targets, log(1 + e^z) - t·z in stable form, plus the ridge penalty."""
    logits = inputs @ weights
    penalty = _RIDGE / 2 * numpy.sum((weights - start) ** 2)
    return float(numpy.sum(numpy.logaddexp(0, logits) - targets * logits) + penalty)
