"""Facts of triples: a worked example with every column."""

from dataclasses import replace
from typing import Any, List, Tuple

import numpy
import pytest

from spacy_relext.export.tables import empty_tables
from spacy_relext.graph.conflicts import Conflict
from spacy_relext.graph.facts import Facts, judged_facts, lower_denied, make_facts
from spacy_relext.graph.probability import Discount
from tests.export.example_graph import rows_table

pyarrow = pytest.importorskip("pyarrow")

# Subject, relation, object, sentence, document, score, fact that the triple has already.
Row = Tuple[int, str, int, str, str, float, int]

ROWS: List[Row] = [
    (2, "met", 1, "Ben met Ann.", "1", 0.5, 0),
    (1, "paid", 2, "Ann paid Ben.", "1", 0.6, 0),
    (1, "met", 2, "Ben met Ann.", "2", 0.8, 0),  # the first fact from the other end, in the same words
    (3, "met", 1, "Cid met Ann.", "2", 0.9, 7),
    (1, "paid", 2, "Ann paid Ben.", "1", 0.7, 4),
    (2, "paid", 1, "Ben paid Ann.", "1", 0.2, 0),
    (1, "met", 3, "Ann met Cid.", "3", 0.9, 5),
]


def facts_of(rows: List[Row], periods: Any = (), **options: Any) -> Facts:
    columns = list(zip(*rows)) or [()] * 7
    texts = {name: pyarrow.array(columns[at], pyarrow.string()) for name, at in (("relation", 1), ("sentence", 3))}
    texts["doc_id"] = pyarrow.array(columns[4], pyarrow.string())
    parts: Any = periods or [(None, None, None)] * len(rows)
    for name, values in zip(("start", "end", "at"), list(zip(*parts)) or [()] * 3):
        texts[name] = pyarrow.array(values, pyarrow.string())
    support = pyarrow.table({**texts, "score": pyarrow.array(columns[5], pyarrow.float64())})
    subjects, objects, known = (numpy.array(columns[at], dtype="int64") for at in (0, 2, 6))
    return make_facts(support, subjects, objects, known=known, discount=Discount(1.0), **options)


def test_worked_example() -> None:
    """A fact keeps the least id of its triples; the others get ids above all that were ever given."""
    facts, support = facts_of(ROWS, taken=10, symmetric=["met"])
    assert support.tolist() == [11, 4, 11, 5, 4, 12, 5]
    found = facts.to_pydict()
    assert {*found.pop("start"), *found.pop("end"), *found.pop("at")} == {None}
    assert found.pop("probability") == pytest.approx([0.8, 0.7, 1 - 0.1 * 0.1, 0.2])
    assert found == {
        "fact_id": [11, 4, 5, 12],
        "subject": [1, 1, 1, 2],
        "relation": ["met", "paid", "met", "paid"],
        "object": [2, 2, 3, 1],
        "best_score": [0.8, 0.7, 0.9, 0.2],
        "n_sentences": [1, 1, 2, 1],
        "n_documents": [2, 1, 2, 1],
        "best_sentence": ["Ben met Ann.", "Ann paid Ben.", "Cid met Ann.", "Ben paid Ann."],
    }


def test_periods_are_those_of_the_best_triples() -> None:
    rows = [(1, "led", 2, text, "1", score, 0) for text, score in (("a", 0.5), ("b", 0.9), ("c", 0.7))]
    other = (1, "met", 2, "d", "1", 0.5, 0)
    periods = [("1990", "1995", None), (None, None, "1991"), ("1989", None, "1992"), (None, None, None)]
    found = facts_of([*rows, other], periods).facts.to_pydict()
    assert [found[part] for part in ("start", "end", "at")] == [["1989", None], ["1995", None], ["1991", None]]


def test_new_ids_are_above_those_of_triples() -> None:
    assert facts_of(ROWS, symmetric=["met"]).support.tolist() == [8, 4, 8, 5, 4, 9, 5]
    assert facts_of(ROWS).support.tolist() == [8, 4, 9, 7, 4, 10, 5], "each direction is a fact"
    split = [(1, "met", 2, "a", "1", 0.5, 3), (1, "met", 3, "b", "1", 0.5, 3)]  # one fact that has become two
    assert facts_of(split).support.tolist() == [3, 4]
    assert facts_of([row[:6] + (0,) for row in ROWS[:2]]).support.tolist() == [1, 2]
    itself = [(2, "met", 1, "a", "1", 0.5, 0), (1, "paid", 1, "a", "1", 0.5, 0), (1, "paid", 1, "a", "1", 0.5, 0)]
    assert facts_of(itself).support.tolist() == [1, 2, 2]


def test_predicted_facts_that_gold_triples_state() -> None:
    """Facts 3, 5 and 9 are predicted, 3 and 9 also gold; 7 is gold only."""
    stated = [
        *[(3, "a", 0.2, "m"), (3, "a", 0.5, "n"), (3, "b", 0.4, "m"), (3, "c", 1.0, "")],
        *[(5, "a", 0.3, "m"), (7, "a", 1.0, ""), (9, "a", 1.0, ""), (9, "a", 0.7, "m")],
    ]
    rows = [
        (fact, at, at, "1", 0, 0, 9, text, score, source, None) for at, (fact, text, score, source) in enumerate(stated)
    ]
    sentences, correct = judged_facts(replace(empty_tables(), support=rows_table("support", rows)))
    assert sentences.facts.tolist() == [0, 0, 1, 2] and sentences.scores.tolist() == [0.5, 0.4, 0.3, 0.7]
    assert correct.tolist() == [True, False, True]


def test_no_triples() -> None:
    facts, support = facts_of([])
    assert facts.num_rows == len(support) == 0


def test_denials_multiply_the_odds() -> None:
    facts = pyarrow.table({"fact_id": [4, 2, 9], "probability": [0.9, 0.5, 1.0]})
    denials = [Conflict("denied", "r", 4, None, "a", 0.8), Conflict("denied", "r", 4, None, "b", 0.5)]
    denials.append(Conflict("denied", "r", 9, None, "a", 0.5))
    d = 1 - 0.2 * 0.5**0.5
    lowered = lower_denied(facts, denials, exponent=0.5)
    expected = [0.9 * (1 - d) / (1 - 0.9 * d), 0.5, 1.0]
    assert (
        lowered["probability"].to_pylist() == pytest.approx(expected) and lower_denied(facts, [], exponent=1) is facts
    )
