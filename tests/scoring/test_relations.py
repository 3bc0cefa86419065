import pickle
from typing import List

import numpy as np
import pytest
from spacy.util import registry

from spacy_relext.annotations.store import set_relations
from spacy_relext.scoring.relations import (
    RELATION_SCORE_WEIGHTS,
    collect_cells,
    estimate_label_frequency,
    gold_relations,
    score_relations,
)
from spacy_relext.scoring.triples import Outcomes
from tests.scoring.builders import make_example

TEXT = "Ada met Bo . Cy saw Di ."
GOLD = [("Ada", "met", "Bo"), ("Cy", "saw", "Di")]
PROBS = [{"met": 0.9, "saw": 0.6}, {"met": 0.2, "saw": 0.4}]


def test_gold_relations_belong_to_sentences():
    assert gold_relations(make_example(TEXT, GOLD)) == [((0, 12), {"met"}), ((13, 24), {"saw"})]
    assert gold_relations(make_example(TEXT, None)) is None
    assert gold_relations(make_example(TEXT, GOLD, sents=False)) == [((0, 24), {"met", "saw"})]


def test_counts_by_hand():
    scores = score_relations([make_example(TEXT, GOLD, relations=PROBS)])
    assert (scores["relations_micro_p"], scores["relations_micro_r"]) == (0.5, 0.5)
    assert scores["relations_macro_f"] == pytest.approx((1.0 + 0.0) / 2)
    # by falling score: met yes (P 1, R .5), saw no, saw yes (P 2/3, R 1), met no
    assert scores["relations_ap"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert scores["relations_per_type"]["met"]["f"] == 1.0
    assert set(scores) == set(RELATION_SCORE_WEIGHTS)


def test_thresholds_one_or_per_relation():
    example = make_example(TEXT, GOLD, relations=PROBS)
    assert score_relations([example], threshold=0.4)["relations_micro_r"] == 1.0
    assert score_relations([example], threshold={"saw": 0.3})["relations_micro_p"] == pytest.approx(2 / 3)
    assert score_relations([example], threshold=0.95, thresholds={"met": 0.9})["relations_micro_r"] == 0.5


def test_registered_scorer_reads_the_components_thresholds():
    scorer = pickle.loads(pickle.dumps(registry.scorers.get("spacy_relext.relation_scorer.v1")()))
    example = make_example(TEXT, GOLD, relations=PROBS)
    assert scorer([example], threshold=0.4, labels=["met"], other=1)["relations_micro_r"] == 1.0
    assert scorer([example], thresholds={"saw": 0.7})["relations_micro_p"] == 1.0
    fixed = registry.scorers.get("spacy_relext.relation_scorer.v1")(threshold=0.99)
    assert fixed([example], threshold=0.1)["relations_micro_r"] == 0.0


def test_nothing_annotated_or_nothing_detected():
    nothing = {key: None for key in RELATION_SCORE_WEIGHTS}
    assert score_relations([make_example(TEXT, None, relations=PROBS)]) == nothing
    assert score_relations([make_example(TEXT, GOLD)]) == nothing
    empty = make_example(TEXT, GOLD)
    set_relations(empty.predicted, [])
    assert score_relations([empty])["relations_micro_r"] == 0.0
    no_gold = score_relations([make_example(TEXT, [], relations=PROBS)])
    assert no_gold.pop("relations_per_type") == dict.fromkeys(("met", "saw"), {"p": 0.0, "r": 0.0, "f": 0.0})
    assert no_gold == {
        **dict.fromkeys(["relations_micro_p", "relations_micro_r", "relations_micro_f"], 0.0),
        **dict.fromkeys(["relations_macro_f", "relations_ap"]),
    }


def test_relation_across_sentences_and_unknown_relation_are_misses():
    crossing = [("Ada", "saw", "Di"), ("Ada", "met", "Bo"), ("Ada", "knew", "Bo")]
    scores = score_relations([make_example(TEXT, crossing, relations=[{"met": 0.9}, {}])])
    assert scores["relations_micro_p"] == 1.0
    assert scores["relations_micro_r"] == pytest.approx(1 / 3)
    assert scores["relations_ap"] == pytest.approx(1 / 3)
    also_held = [("Ada", "met", "Di"), ("Ada", "met", "Bo")]
    assert score_relations([make_example(TEXT, also_held, relations=[{"met": 0.9}, {}])])["relations_micro_r"] == 0.5


def test_cells_of_sentences() -> None:
    gold = [("Ada", "met", "Bo"), ("Ada", "crossing", "Di")]
    probs = [{"met": 0.9, "wrote": 0.2}, {"met": 0.1, "wrote": 0.05}]
    examples = [
        make_example(TEXT, gold, relations=probs),
        make_example(TEXT, None, relations=[{"met": 0.9}, {}]),  # not annotated
        make_example(TEXT, [], relations=[{"met": 0.3}, {}]),
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
