"""Turn scores into better probabilities: a line through their logits (Platt), or a slope alone (temperature).

    p' = sigmoid(slope · logit(p) + bias),   slope > 0,   temperature = 1 / slope

The slope is positive, so that the order of the scores, and any ranking made of them, stays.
"""

from typing import Any, NamedTuple

import numpy
import numpy as np
from numpy.typing import NDArray

from .calibration import Bools, Floats, checked_arrays

_EPSILON = 1e-9

_MIN_SLOPE = 0.05

_RIDGE = 0.1


class Platt(NamedTuple):
    """A fitted map from scores to probabilities.

    slope (float): Factor of the logit, positive; below 1 where scores are too sure.
    bias (float): Added to the logit.
    """

    slope: float
    bias: float

    @property
    def temperature(self) -> float:
        """RETURNS (float): What logits are divided by."""
        return 1.0 / self.slope


def fit_platt(scores: Floats, correct: Bools, *, fit_bias: bool = True, steps: int = 50) -> Platt:
    """Fit slope and bias by Newton's method on the likelihood, with Platt's smoothed targets.

    A little pull towards the identity keeps few or perfectly separated predictions from giving an endless slope.

    scores (Floats): Confidences, 0 to 1. Shape (N,)
    correct (Bools): Which are right. Shape (N,)
    fit_bias (bool): False: fit the slope, that is, the temperature, alone.
    steps (int): Most iterations; the problem is convex, a handful suffices.
    RETURNS (Platt): The identity without predictions.
    """
    scores, correct = checked_arrays(scores, correct)
    if not len(scores):
        return Platt(1.0, 0.0)
    n_right, n_wrong = int(correct.sum()), int((~correct).sum())
    targets = np.where(correct, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    logits = _logit(scores)
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)  # (N, 2)
    start = np.array([1.0, 0.0])
    weights = _newton(inputs, targets, start, free=np.array([True, fit_bias]), steps=steps)
    if weights[0] < _MIN_SLOPE:  # scores that say nothing, or the contrary: keep their order, barely
        start = np.array([_MIN_SLOPE, 0.0])
        weights = _newton(inputs, targets, start, free=np.array([False, fit_bias]), steps=steps)
    return Platt(float(weights[0]), float(weights[1]))


def apply_platt(scores: Floats, platt: Platt) -> Floats:
    """Map scores to probabilities.

    scores (Floats): Confidences, 0 to 1. Shape (N,)
    platt (Platt): From `fit_platt`.
    RETURNS (Floats): Probabilities in the same order. Shape (N,)
    """
    return _sigmoid(platt.slope * _logit(np.asarray(scores, dtype=np.float64)) + platt.bias)


def _newton(inputs: Floats, targets: Floats, start: Floats, *, free: Bools, steps: int) -> Floats:
    """Minimise the penalised cross-entropy over the free weights, halving steps that do not help."""
    weights = start.copy()
    if not free.any():
        return weights
    loss = _loss(inputs, targets, weights, start)
    for _ in range(steps):
        probs = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (probs - targets) + _RIDGE * (weights - start)
        hessian = inputs.T @ (inputs * (probs * (1 - probs))[:, None]) + _RIDGE * np.eye(2)
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        while np.abs(step).max() > 1e-9 and _loss(inputs, targets, weights - step, start) > loss:
            step /= 2
        if np.abs(step).max() <= 1e-9:
            break
        weights = weights - step
        loss = _loss(inputs, targets, weights, start)
    return weights


def _loss(inputs: Floats, targets: Floats, weights: Floats, start: Floats) -> float:
    """Cross-entropy with soft targets, log(1 + e^z) − t·z in its stable form, plus the pull towards the start."""
    logits = inputs @ weights
    return float(np.sum(np.logaddexp(0, logits) - targets * logits) + _RIDGE / 2 * np.sum((weights - start) ** 2))


def _logit(scores: Floats) -> Floats:
    clipped = np.clip(scores, _EPSILON, 1 - _EPSILON)
    return np.log(clipped) - np.log1p(-clipped)


def _sigmoid(logits: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(logits / 2))


def calibrate(scores: NDArray[Any], *, scale: float, shift: float) -> NDArray[Any]:
    """Move scores to calibrated probabilities: σ(scale · logit(score) + shift).

    scores (NDArray[Any]): Between 0 and 1. Shape (P,)
    scale (float): Inverse temperature, above 0.
    shift (float): Added to the logits.
    RETURNS (NDArray[Any]): Shape (P,)
    """
    if scale == 1.0 and shift == 0.0:
        return scores
    clipped = numpy.clip(scores.astype("float64"), 1e-9, 1 - 1e-9)
    logits = numpy.log(clipped) - numpy.log1p(-clipped)
    return 1.0 / (1.0 + numpy.exp(-(scale * logits + shift)))
