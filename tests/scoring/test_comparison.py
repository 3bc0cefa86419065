"""Comparison of predictions, on numbers by hand."""

import pytest

from spacy_relext.scoring.comparison import Difference, compare_predictions
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
    assert (found.right, found.wrong) == ({"both": 0, "first": 1, "second": 0}, {"both": 0, "first": 1, "second": 0})


def test_disputed_triples_are_grouped_by_sentence_the_surest_first() -> None:
    first = [make_example(TEXT, None), make_example(TEXT, [SAW], [(*MET, 0.2), (*BACK, 0.9)])]
    second = [make_example(TEXT, None), make_example(TEXT, [SAW], [(*SAW, 0.4), (*MET, 0.1)])]
    (dispute,) = compare_predictions(first, second).disputes
    assert (dispute.document, dispute.passages) == (1, [(13, 24)])
    shown = [(each.record["subject"], each.is_right, each.by_second) for each in dispute.triples]
    assert shown == [((20, 22), False, False), ((13, 15), True, True)]
    assert compare_predictions(first, second, label_filter=["met"]).disputes == []
    twice = [make_example(TEXT, [SAW], [(*MET, 0.2), (*BACK, 0.9), (*BACK, 0.3)])]
    (_, other) = compare_predictions(twice, [make_example(TEXT, [SAW])]).disputes
    assert [each.record["score"] for each in other.triples] == [0.9], "the same texts once, with the best score"


def test_a_clear_difference_leaves_out_nothing() -> None:
    assert Difference(0.5, 0.7, 0.1, 0.3, 9).is_clear and Difference(0.7, 0.5, -0.3, -0.1, 9).is_clear
    assert not Difference(0.5, 0.6, 0.0, 0.3, 9).is_clear and not Difference(0.5, 0.6, -0.1, 0.0, 9).is_clear


def test_other_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="R230"):
        compare_predictions([make_example(TEXT, [])], [make_example("Ed met Flo .", [])])
