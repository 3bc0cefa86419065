"""Detected relations as arrays, and how many labels are missing."""

from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.store import set_relations
from spacy_relext.scoring.relations import (
    collect_cells,
    estimate_label_frequency,
    score_relations,
)
from spacy_relext.scoring.triples import Outcomes

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "Ada met Ole. It rained."
FIRST, SECOND = (0, 12), (13, 23)


def example(gold: Any, *probs: Dict[str, float]) -> Example:
    predicted, reference = NLP(TEXT), NLP(TEXT)
    if gold is not None:
        set_triples(reference, gold)
    set_relations(predicted, list(zip((FIRST, SECOND), probs)))
    return Example(predicted, reference)


def test_cells_of_sentences() -> None:
    gold = [((0, 3), "met", (8, 11)), ((0, 3), "crossing", (16, 22))]
    examples = [
        example(gold, {"met": 0.9, "wrote": 0.2}, {"met": 0.1, "wrote": 0.05}),
        example(None, {"met": 0.9}, {}),  # not annotated
        example([], {"met": 0.3}, {}),
    ]
    cells = collect_cells(examples)
    assert cells.scores.tolist() == [0.9, 0.2, 0.1, 0.05, 0.3]
    assert cells.correct.tolist() == [True, False, False, False, False]
    assert cells.labels == ["met", "wrote", "met", "wrote", "met"]
    assert cells.gold_per_label == {"crossing": 1, "met": 1} and cells.n_gold == 2
    scores = score_relations(examples, threshold=0.5)
    accepted = cells.scores >= 0.5
    f1 = 2 * (accepted & cells.correct).sum() / (accepted.sum() + cells.n_gold)
    assert scores["relations_micro_f"] == pytest.approx(f1)


def cells_of(scores: List[float], correct: List[bool], labels: List[str]) -> Outcomes:
    return Outcomes(np.array(scores, dtype=float), np.array(correct, dtype=bool), labels, {})


def test_frequency_by_hand() -> None:
    cells = cells_of([0.9, 0.7, 0.2, 0.99], [True, True, True, False], ["a", "a", "b", "b"])
    found = estimate_label_frequency(cells, labels=["a", "b", "c"])
    # the overall 0.6 counts as ten cells
    assert (found.overall, found.per_label) == (0.6, {"a": round(7.6 / 12, 6), "b": round(6.2 / 11, 6), "c": 0.6})
    assert found.counts == {"a": 2, "b": 1, "c": 0}
    assert found.missing_rates == {"a": 0.366667, "b": 0.436364, "c": 0.4}


def test_bounds_and_nothing_labelled() -> None:
    nothing = estimate_label_frequency(cells_of([0.4], [False], ["a"]), labels=["a"])
    assert nothing.overall == 1.0 and nothing.missing_rates == {"a": 0.0}
    hopeless = estimate_label_frequency(cells_of([0.0] * 50, [True] * 50, ["a"] * 50), labels=["a"])
    assert hopeless.missing_rates == {"a": 0.9}


def test_the_estimate_finds_what_was_taken_away() -> None:
    """A detector that knows the truth and learned from labels with gaps says c for every true relation."""
    generator = np.random.default_rng(0)
    labels, truth, rates = ["a", "b"], [], {"a": 0.7, "b": 0.4}
    scores, correct, names = [], [], []
    for label in labels:
        truth = generator.random(3000) < 0.2
        labelled = truth & (generator.random(3000) < rates[label])
        probability = np.where(truth, rates[label], 0.01) + generator.normal(0, 0.005, 3000)
        scores += probability.tolist()
        correct += labelled.tolist()
        names += [label] * 3000
    found = estimate_label_frequency(cells_of(scores, correct, names), labels=labels)
    assert found.per_label == pytest.approx(rates, abs=0.02)
    assert found.missing_rates == pytest.approx({"a": 0.3, "b": 0.6}, abs=0.02)
