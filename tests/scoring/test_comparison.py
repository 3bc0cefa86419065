"""Comparison of predictions, on numbers by hand."""

from typing import Any

import pytest

from spacy_relext.scoring.comparison import OVERALL, Difference, Dispute, DisputedTriple, compare_predictions
from spacy_relext.scoring.triples import predicted_records
from tests.scoring.builders import make_example

TEXT = "Ada met Bo . Cy saw Di ."
MET, SAW, BACK = ("Ada", "met", "Bo"), ("Cy", "saw", "Di"), ("Di", "saw", "Cy")


def test_one_gold_triple() -> None:
    first, second = ([make_example(TEXT, [MET], predicted)] for predicted in ([MET, SAW], []))
    found = compare_predictions(first, second)
    scores = {name: (each.first, each.second, each.gold) for name, each in found.overall.items()}
    assert scores == {
        "exact_p": (0.5, 0.0, 1), "exact_r": (1.0, 0.0, 1), "exact_f": (pytest.approx(2 / 3), 0.0, 1),
        "macro_f": (1.0, 0.0, 1),
    }  # fmt: skip
    assert found.overall["exact_r"] == Difference(1.0, 0.0, -1.0, -1.0, 1), "each sample has the same document"
    assert {name: (each.first, each.gold) for name, each in found.relations.items()} == {
        "met": (1.0, 1),
        "saw": (0.0, 0),
    }
    assert (found.correct, found.wrong) == ({"both": 0, "first": 1, "second": 0}, {"both": 0, "first": 1, "second": 0})


def test_everything_that_two_pipelines_found() -> None:
    """Both have met, and knew, which is wrong. The first has two more that are wrong, the second one right, one wrong.

    Both annotated documents are the same, and so is each sample: the intervals are the differences themselves.
    """
    wrong, own, other = ("Ada", "knew", "Bo", 0.7), ("Bo", "met", "Ada", 0.5), ("Bo", "saw", "Ada", 0.3)
    first, second = (
        [make_example(TEXT, gold, predicted) for gold in ([MET, SAW], None, [MET, SAW])]
        for predicted in ([(*MET, 0.9), (*BACK, 0.6), wrong, own], [(*MET, 0.8), (*SAW, 0.4), wrong, other])
    )
    found = compare_predictions(first, second)

    def difference(one: float, two: float, gold: int) -> Any:
        return Difference(*(pytest.approx(value) for value in (one, two, two - one, two - one)), gold)

    assert found.overall == {
        "exact_p": difference(1 / 4, 2 / 4, 4),
        "exact_r": difference(1 / 2, 2 / 2, 4),
        "exact_f": difference(2 / 6, 4 / 6, 4),
        "macro_f": difference((2 / 3 + 0) / 2, (1 + 2 / 3) / 2, 4),
    }
    assert list(found.relations.items()) == [
        ("knew", difference(0, 0, 0)),
        ("met", difference(2 / 3, 1, 2)),
        ("saw", difference(0, 2 / 3, 2)),
    ]
    assert found.correct == {"both": 2, "first": 0, "second": 2}
    assert found.wrong == {"both": 2, "first": 4, "second": 2}
    records = {(side, each["subject"]): each for side in (0, 1) for each in predicted_records((first, second)[side][0])}
    assert found.disputes == [
        Dispute(document, [passage], [DisputedTriple(records[0, ours], False, False), DisputedTriple(*theirs)])
        for document in (0, 2)
        for passage, ours, theirs in (
            ((0, 12), (8, 10), (records[1, (8, 10)], False, True)),
            ((13, 24), (20, 22), (records[1, (13, 15)], True, True)),
        )
    ]


def test_one_triple_and_none() -> None:
    right, none = ([make_example(TEXT, gold, [MET])] for gold in ([MET], []))
    assert set(compare_predictions(right, right).overall.values()) == {Difference(1, 1, 0, 0, 1)}
    found = compare_predictions(none, none)
    assert found.overall.keys() == OVERALL.keys() and set(found.overall.values()) == {Difference(0, 0, 0, 0, 0)}
    assert list(OVERALL.values()) == ["precision", "recall", "exact F", "macro F"]


def test_the_seed_draws_the_samples() -> None:
    sides = [[make_example(TEXT, [MET], [SAW if n % step else MET]) for n in range(60)] for step in (2, 3)]
    first, again, other = (compare_predictions(*sides, seed=seed).overall["exact_p"] for seed in (1, 1, 2))
    assert first == again != other and first[:2] == other[:2] == (0.5, pytest.approx(1 / 3))
    assert first.low < -1 / 6 < first.high


def test_disputed_triples_are_grouped_by_sentence_the_most_confident_first() -> None:
    first = [make_example(TEXT, None), make_example(TEXT, [SAW], [(*MET, 0.2), (*BACK, 0.9)])]
    second = [make_example(TEXT, None), make_example(TEXT, [SAW], [(*SAW, 0.4), (*MET, 0.1)])]
    (dispute,) = compare_predictions(first, second).disputes
    assert (dispute.document, dispute.passages) == (1, [(13, 24)])
    shown = [(each.record["subject"], each.is_correct, each.by_second) for each in dispute.triples]
    assert shown == [((20, 22), False, False), ((13, 15), True, True)]
    assert compare_predictions(first, second, label_filter=["met"]).disputes == []
    twice = [make_example(TEXT, [SAW], [(*MET, 0.2), (*BACK, 0.9), (*BACK, 0.3)])]
    (_, other) = compare_predictions(twice, [make_example(TEXT, [SAW])]).disputes
    assert [each.record["score"] for each in other.triples] == [0.9], "the same texts once, with the best score"
    equal = [make_example(TEXT, [SAW], [(*BACK, 0.5), ("Cy", "met", "Di", 0.5)])]
    (dispute,) = compare_predictions(equal, [make_example(TEXT, [SAW])]).disputes
    assert [each.record["subject"] for each in dispute.triples] == [(13, 15), (20, 22)], "equally sure: by position"


def test_a_clear_difference_leaves_out_nothing() -> None:
    assert Difference(0.5, 0.7, 0.1, 0.3, 9).is_clear and Difference(0.7, 0.5, -0.3, -0.1, 9).is_clear
    assert not Difference(0.5, 0.6, 0.0, 0.3, 9).is_clear and not Difference(0.5, 0.6, -0.1, 0.0, 9).is_clear


def test_other_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="R230"):
        compare_predictions([make_example(TEXT, [])], [make_example("Ed met Flo .", [])])
