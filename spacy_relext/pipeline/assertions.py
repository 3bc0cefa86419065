"""Shared by components that learn from training data how a triple is asserted: stated, denied, or otherwise."""

from typing import Collection, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.assertion import ASSERTION, NOT_FACTS
from ..annotations.triple import Record
from ..scoring.probabilities import softmax
from .settings import Settings

# The setting with the assertions that a component knows; absent if it has learned none.
KNOWN = "assertions"


def adopt_assertions(cfg: Settings, found: Collection[str], *, weight: float) -> str:
    """Set the assertions to learn: those of the training data if there are two or more, unless their weight is 0.

    cfg (Settings): The component's settings; changed in place.
    weight (float): Of their loss.
    RETURNS (str): Assertions of triples that are not facts, but which the component will predict as facts; else "".
    """
    cfg.pop(KNOWN, None)
    if len(found) > 1 and weight:
        cfg[KNOWN] = sorted(found)
        return ""
    return " or ".join(sorted(NOT_FACTS.intersection(found)))


def head_size(cfg: Settings) -> Settings:
    """Return the number of assertions, `n_assertions`, for the model's `configure`; nothing without a head."""
    return {"n_assertions": len(cfg[KNOWN])} if cfg.get(KNOWN) else {}


def best_assertions(logits: NDArray[numpy.floating], known: Sequence[str]) -> List[Tuple[Record, float]]:
    """Find the likeliest assertion of each pair, as attributes of its triple, and its probability.

    logits (NDArray[numpy.floating]): Shape (P, A)
    known (Sequence[str]): The assertions, in the order of the columns.
    """
    probabilities = softmax(logits)
    best = probabilities.argmax(axis=1).tolist()
    return [({ASSERTION: known[each]}, round(float(row[each]), 4)) for each, row in zip(best, probabilities)]
