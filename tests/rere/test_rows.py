"""Which relation is asked of which window, and what the answer is."""

from typing import Any, Iterable, List, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span

from spacy_relext.annotations.store import set_relations
from spacy_relext.rere.rows import MAX_ARGUMENTS, MAX_NEGATIVES, QueryRows, all_rows, detected_rows, gold_rows
from spacy_relext.rere.settings import RereSampling
from spacy_relext.rere.windows import (
    GoldWindows,
    SentenceWindows,
    entity_windows,
    gold_windows,
    judged_matrix,
    make_windows,
)
from tests.pairs.builders import NLP, make_doc, make_example

WORDS = "ada met charles in london . mary wrote .".split()
LABELS = ["author", "met", "place", "unused"]
TRIPLES = [((0, 1), "met", (2, 3)), ((2, 3), "met", (0, 1)), ((0, 1), "place", (4, 5)), ((6, 7), "other", (7, 8))]


def windows_and_gold(triples: Iterable[Any] = TRIPLES) -> Tuple[SentenceWindows, GoldWindows]:
    doc = make_doc(WORDS, starts=[0, 6])
    windows = make_windows([doc], max_length=20, stride=10)
    return windows, gold_windows(windows, [make_example(doc, triples)])


def queried(rows: QueryRows) -> List[Tuple[int, str]]:
    return [(window, LABELS[relation]) for window, relation in zip(rows.window.tolist(), rows.relation.tolist())]


def test_gold_relations_and_their_answers() -> None:
    rows = gold_rows(*windows_and_gold(), LABELS, RereSampling(0.0, 0.5, 0))
    assert queried(rows) == [(0, "met"), (0, "place")]
    assert rows.weight.tolist() == [1.0, 1.0] and len(rows) == 2
    targets = rows.targets()
    assert targets["gold_pairs"].tolist() == [[0, 0, 0, 2, 2], [0, 2, 2, 0, 0], [1, 0, 0, 4, 4]]
    assert targets["pointers"].shape == (2, 6, 4)
    assert numpy.argwhere(targets["pointers"][0]).tolist() == [[0, k] for k in range(4)] + [[2, k] for k in range(4)]
    assert numpy.argwhere(targets["pointers"][1]).tolist() == [[0, 0], [0, 1], [4, 2], [4, 3]]
    # every argument of the window is a candidate under every relation asked of it
    assert rows.arrays()["extra"].tolist() == [[row, token, token] for row in (0, 1) for token in (0, 2, 4)]
    assert rows.arrays()["sentence"].tolist() == [0, 0] and rows.arrays()["index"].shape == (2, 6)


def test_relations_that_are_not_judged_are_no_negatives() -> None:
    windows, gold = windows_and_gold()
    gold.judged[:] = [frozenset({"met", "unused"})] * 2
    rows = gold_rows(windows, gold, LABELS, RereSampling(10.0, 0.5, 0))
    assert queried(rows) == [(0, "met"), (0, "place"), (0, "unused"), (1, "met"), (1, "unused")]
    assert rows.weight.tolist() == [1.0, 0.0, 0.5, 0.5, 0.5]
    # of a relation that is not judged, the stated pair alone counts
    assert (
        rows.targets()["lone_pairs"].tolist() == [[1, 0, 0, 4, 4]] and [1, 0, 0, 4, 4] in rows.targets()["gold_pairs"]
    )
    assert judged_matrix(gold, LABELS).tolist() == [[False, True, True, True], [False, True, False, True]]


def test_entities_are_hard_negatives() -> None:
    windows, gold = windows_and_gold()
    entities = [[(0, 0, "P"), (4, 5, "P"), (5, 5, "P")], [(0, 0, "P"), (1, 1, "P")]]
    rows = gold_rows(windows, gold, LABELS, RereSampling(0.0, 0.5, 6), entities=entities)
    extra = rows.arrays()["extra"].tolist()
    assert [span for row, *span in extra if row == 0] == [[0, 0], [2, 2], [4, 4], [4, 5], [5, 5]]
    few = gold_rows(windows, gold, LABELS, RereSampling(0.0, 0.5, 1), entities=entities)
    assert len([1 for row, *_ in few.arrays()["extra"].tolist() if row == 0]) == 4
    assert rows.targets()["gold_pairs"].tolist() == [[0, 0, 0, 2, 2], [0, 2, 2, 0, 0], [1, 0, 0, 4, 4]]
    # of absent relations too, also if a window states nothing
    rows = gold_rows(windows, gold, LABELS, RereSampling(1.0, 0.5, 6), entities=entities)
    (row,) = (number for number, window in enumerate(rows.window.tolist()) if window == 1)
    assert [span for number, *span in rows.arrays()["extra"].tolist() if number == row] == [[0, 0], [1, 1]]


def test_entities_of_the_reference_by_window() -> None:
    doc = make_doc(WORDS, starts=[0, 6])
    example = make_example(doc, TRIPLES)
    example.reference.ents = [Span(example.reference, 2, 3, "P"), Span(example.reference, 5, 7, "P")]
    example.reference.ents = [*example.reference.ents, Span(example.reference, 7, 8, "P")]
    windows = make_windows([doc], max_length=20, stride=10)
    assert entity_windows(windows, [example]) == [[(2, 2, "P")], [(1, 1, "P")]], "what crosses a boundary is left out"


def test_absent_relations_have_empty_answers() -> None:
    rows = gold_rows(*windows_and_gold(), LABELS, RereSampling(1.0, 0.25, 0))
    assert queried(rows)[:4] == [(0, "met"), (0, "place"), (0, "author"), (0, "unused")]
    assert rows.weight.tolist() == [1.0, 1.0, 0.25, 0.25, 0.25]  # the second window has one absent relation
    assert rows.targets()["pointers"][2:].sum() == 0
    assert rows.targets()["weights"].dtype == numpy.float32


@given(st.floats(0, 5), st.sets(st.sampled_from(LABELS[:3])))
def test_how_many_absent_relations(rate: float, present: Any) -> None:
    triples = [((0, 1), label, (2, 3)) for label in sorted(present)]
    rows = gold_rows(*windows_and_gold(triples), LABELS, RereSampling(rate, 0.5, 0))
    first = [relation for window, relation in queried(rows) if window == 0]
    assert len(set(first)) == len(first) and set(present) <= set(first)
    assert len(first) - len(present) == min(4 - len(present), round(rate * max(1, len(present))))


def test_sentences_with_many_triples_are_limited() -> None:
    doc = make_doc([f"n{number}" for number in range(40)], starts=[0])
    labels = [f"r{number:02}" for number in range(60)]
    triples = [((i, i + 1), labels[i], (i + 20, i + 21)) for i in range(10)]
    windows = make_windows([doc], max_length=50, stride=10)
    gold = gold_windows(windows, [make_example(doc, triples)])
    rows = gold_rows(windows, gold, labels, RereSampling(6.0, 0.5, 0))
    assert len(rows) == 10 + MAX_NEGATIVES
    counts = numpy.bincount([row for row, _, _ in rows.spans])
    assert counts[:10].tolist() == [20] * 10 and set(counts[10:].tolist()) == {MAX_ARGUMENTS}


def test_absent_relations_follow_the_seed() -> None:
    def draw() -> List[Tuple[int, str]]:
        numpy.random.seed(7)
        return queried(gold_rows(*windows_and_gold([]), LABELS, RereSampling(2.0, 1.0, 0)))

    assert draw() == draw()


@pytest.mark.parametrize("labels", [LABELS, []])
def test_nothing_asked_of_nothing(labels: List[str]) -> None:
    windows = make_windows([NLP.make_doc("")], max_length=20, stride=10)
    rows = gold_rows(windows, GoldWindows([], 0), labels, RereSampling(2.0, 1.0, 0))
    assert len(rows) == 0 and rows.targets()["pointers"].shape == (0, 0, 4)
    assert rows.targets()["gold_pairs"].shape == (0, 5) and "extra" not in rows.arrays()
    assert len(all_rows(windows, n_labels=len(labels))) == len(detected_rows(windows, labels=labels, threshold=0)) == 0


def test_all_relations_of_all_windows() -> None:
    windows, _ = windows_and_gold()
    rows = all_rows(windows, n_labels=2)
    assert rows.window.tolist() == [0, 0, 1, 1] and rows.relation.tolist() == [0, 1, 0, 1]
    assert rows.probability.tolist() == [1.0] * 4


def test_detected_relations() -> None:
    doc = make_doc(WORDS, starts=[0, 6])
    set_relations(doc, [((0, 27), {"met": 0.75, "place": 0.25, "foreign": 1.0}), ((28, 40), {"author": 0.5})])
    windows = make_windows([doc], max_length=4, stride=2)
    rows = detected_rows(windows, labels=LABELS, threshold=0.5)
    assert windows.sentence.tolist() == [0, 0, 1]
    assert queried(rows) == [(0, "met"), (1, "met"), (2, "author")]
    assert rows.probability.tolist() == [0.75, 0.75, 0.5]
    assert len(detected_rows(windows, labels=LABELS, threshold=1.01)) == 0


def test_a_doc_without_detection_is_asked_everything_whatever_stands_beside_it() -> None:
    detected, other = make_doc(["ada"]), make_doc(["mary"])
    set_relations(detected, [((0, 3), {"met": 0.75})])
    rows = detected_rows(make_windows([detected, other], max_length=4, stride=2), labels=LABELS, threshold=0.5)
    assert queried(rows) == [(0, "met"), *((1, label) for label in LABELS)]
    assert rows.probability.tolist() == [0.75, 1.0, 1.0, 1.0, 1.0]
    set_relations(other, [])
    rows = detected_rows(make_windows([other], max_length=4, stride=2), labels=LABELS, threshold=0.0)
    assert len(rows) == 0  # a detector ran and found nothing
