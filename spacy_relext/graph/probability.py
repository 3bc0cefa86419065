"""One probability per fact, from the scores of the distinct sentences that state it.

    q = 1 − (1 − p₁) · Π_{i > 1} (1 − pᵢ)^α        p = σ(scale · logit(q) + shift)

with the scores in descending order, p₁ the best. α = 1 is noisy-or, which assumes independent sentences; α = 0 is the
best sentence. Errors are correlated, so α lies between. It is fitted together with Platt scaling on facts with gold.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Tuple

import numpy
from numpy.typing import NDArray

from ..corpora.formats.sources import parse_json
from ..corpora.whole import write_whole
from ..errors import Errors
from ..scoring.probabilities import Bools, Floats, calibrate, fit_platt

Ids = NDArray[numpy.int64]

# A score of 1 would make a fact certain whatever else is known.
_MAX_SCORE = 1 - 1e-6

# Exponents that are tried.
_GRID = tuple(round(step / 20, 2) for step in range(21))


@dataclass(frozen=True)
class Discount:
    """How the scores of the sentences of a fact are combined.

    exponent (float): α, 0 to 1.
    scale (float), shift (float): Parameters of Platt scaling; 1 and 0 leave q as it is.
    """

    exponent: float = 0.5
    scale: float = 1.0
    shift: float = 0.0


class FactSentences(NamedTuple):
    """The sentences of facts: a row for each fact and distinct sentence, sorted by fact.

    facts (Ids): Positions of facts from 0; each has at least one row. Shape (S,)
    scores (Floats): The best score of the fact in that sentence, 0 to 1. Shape (S,)
    """

    facts: Ids
    scores: Floats


def combine_scores(sentences: FactSentences, discount: Discount) -> Floats:
    """Compute the probabilities of facts. Shape (F,)"""
    best, others = _evidence(sentences)
    combined = -numpy.expm1(numpy.log1p(-best) + discount.exponent * others)
    return calibrate(combined, scale=discount.scale, shift=discount.shift)


def best_scores(sentences: FactSentences) -> Floats:
    """Return the best score of each fact. Shape (F,)"""
    return numpy.maximum.reduceat(sentences.scores, _starts(sentences.facts))


def fit_discount(sentences: FactSentences, correct: Bools) -> Discount:
    """Fit the exponent and Platt scaling by maximum likelihood of the facts.

    correct (Bools): Which facts are correct. Shape (F,)
    RAISES (ValueError): If there are no facts, or all or none are correct.
    """
    correct = numpy.asarray(correct, dtype=bool)
    if not len(correct) or correct.all() or not correct.any():
        raise ValueError(Errors.R834.format(correct=int(correct.sum()), total=len(correct)))
    best, discount = numpy.inf, Discount()
    for exponent in _GRID:
        combined = combine_scores(sentences, Discount(exponent))
        platt = fit_platt(combined, correct)
        tried = Discount(exponent, platt.scale, platt.shift)
        chances = numpy.clip(combine_scores(sentences, tried), 1e-9, 1 - 1e-9)
        loss = -float(numpy.log(numpy.where(correct, chances, 1 - chances)).sum())
        if loss < best - 1e-9:
            best, discount = loss, tried
    return discount


def read_discount(path: Path) -> Discount:
    """Read what `write_discount` wrote. RAISES (ValueError): If it is malformed; the message names the file."""
    try:
        data = parse_json(Path(path).read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(Errors.R835.format(path=path, found=str(error).split("\n")[0])) from None
    return make_discount(data, path)


def make_discount(data: Any, path: Path) -> Discount:
    """Make a discount of the values of a file. RAISES (ValueError): If they are malformed; the message names it."""
    try:
        discount = Discount(**{key: float(value) for key, value in data.items()})
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(Errors.R835.format(path=path, found=str(error).split("\n")[0])) from None
    if (
        not 0 <= discount.exponent <= 1
        or not discount.scale > 0
        or not numpy.isfinite([*asdict(discount).values()]).all()
    ):
        raise ValueError(Errors.R835.format(path=path, found=f"{data}"))
    return discount


def write_discount(discount: Discount, path: Path) -> None:
    """Write a discount as JSON."""
    write_whole(Path(path), json.dumps(asdict(discount), indent=1) + "\n")


def _evidence(sentences: FactSentences) -> Tuple[Floats, Floats]:
    """Compute the best score of each fact and the sum of log(1 − p) of its other sentences. Shapes (F,), (F,)"""
    starts = _starts(sentences.facts)
    scores = numpy.clip(sentences.scores, 0.0, _MAX_SCORE)
    best = numpy.maximum.reduceat(scores, starts)
    total = numpy.add.reduceat(numpy.log1p(-scores), starts)
    return best, numpy.minimum(total - numpy.log1p(-best), 0.0)


def _starts(facts: Ids) -> Ids:
    _, starts = numpy.unique(facts, return_index=True)
    return starts
