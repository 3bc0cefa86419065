import pytest

from spacy_relext.scoring.error_tables import NONE, collect_errors, describe_error
from spacy_relext.scoring.errors import CLASSES
from spacy_relext.scoring.triples import score_triples
from tests.scoring.builders import make_example

TEXT = "Ada wed Bo Nye . It rained . Cy met Di . Ed met Flo ."
GOLD = [("Ada", "wed", "Bo Nye"), ("Cy", "met", "Di"), ("Ed", "met", "Flo")]
PREDICTED = [("Ada", "wed", "Bo", 0.9), ("Cy", "wed", "Di", 0.6), ("Ada", "met", "Flo", 0.7), ("Bo", "saw", "Cy", 0.8)]


@pytest.fixture(scope="module")
def examples():
    right = make_example("Gus met Hal .", [("Gus", "met", "Hal")], [("Gus", "met", "Hal", 0.9)])
    return [make_example("Not annotated .", None), right, make_example(TEXT, GOLD, PREDICTED)]


def test_costs_are_gains_of_exact_f(examples):
    found = collect_errors(examples)
    f, corrected = 2 * 1 / 9, {"both": 2 * 2 / 9, "removed": 2 / 8}
    assert f == pytest.approx(score_triples(examples)["exact_f"])
    costs = [(each.error.kind, each.error.error_class, each.cost) for each in found.errors]
    assert [cost for _, _, cost in costs[:6]] == pytest.approx([corrected["both"] - f] * 6)
    assert costs[6][:2] == ("false positive", "relation not stated")
    assert costs[6][2] == pytest.approx(corrected["removed"] - f)
    scores = [each.error.record["score"] for each in found.errors[:6] if each.error.kind == "false positive"]
    assert scores == [0.9, 0.7, 0.6], "the surest first"
    assert {each.document for each in found.errors} == {2}


def test_the_surest_of_equally_costly_errors_is_first():
    predicted = [("Ada", "wed", "Bo", 0.3), ("Cy", "wed", "Di", 0.9), ("Ed", "saw", "Flo", 0.6)]
    found = collect_errors([make_example(TEXT, [], predicted)])
    alone = [each.error.record["score"] for each in found.errors if each.error.error_class == "relation not stated"]
    assert alone == [0.9, 0.6, 0.3]


def test_groups(examples):
    found = collect_errors(examples)
    classes = found.per_class()
    assert tuple(classes) == CLASSES
    assert classes["boundary"][:2] == classes["wrong relation"][:2] == classes["wrong subject"][:2] == (1, 1)
    assert classes["boundary"].gain == pytest.approx(4 / 9 - 2 / 9)
    assert classes["missed relation"] == (0, 0, 0.0, {})
    relations = found.per_relation()
    assert list(relations) == ["met", "saw", "wed"]
    assert relations["met"][:2] == (1, 2) and relations["met"].per_class == {"wrong subject": 2, "wrong relation": 1}
    assert relations["met"].gain == pytest.approx(2 * 3 / (6 + 4) - 2 / 9)
    assert (found.right, found.gold) == ({"met": 1}, {"met": 3, "wed": 1})


def test_confusion_is_of_triples_with_the_same_arguments(examples):
    assert collect_errors(examples).confusion == {
        ("met", "met"): 1,
        ("wed", "wed"): 1,
        ("met", "wed"): 1,
        ("met", NONE): 1,
        (NONE, "met"): 1,
        (NONE, "saw"): 1,
    }


def test_label_filter_and_nothing(examples):
    found = collect_errors(examples, label_filter=["met"])
    assert {each.error.record["relation"] for each in found.errors} == {"met"}
    assert found.per_class()["missed relation"][:2] == (0, 1), "the false positive was another relation"
    empty = collect_errors([])
    assert empty.errors == [] and empty.relations() == [] and empty.per_class()["boundary"].gain == 0.0


def test_passages_are_the_sentences_of_both_triples(examples):
    found = {(each.error.kind, each.error.error_class): each for each in collect_errors(examples).errors}
    wrong_subject = found["false positive", "wrong subject"]
    described = describe_error(wrong_subject, TEXT)
    assert described["cost"] == round(wrong_subject.cost, 6) != round(wrong_subject.cost, 5)
    assert described["text"] == "Ada wed Bo Nye . … Ed met Flo ."
    assert described["triple"] == {
        "relation": "met",
        "subject": {"text": "Ada", "start": 0, "end": 3},
        "object": {"text": "Flo", "start": 48, "end": 51},
        "score": 0.7,
        "source": "fake",
    }
    assert described["nearest"]["subject"]["text"] == "Ed" and "score" not in described["nearest"]
    missed = describe_error(found["false negative", "wrong relation"], TEXT)
    assert missed["nearest"]["score"] == 0.6 and "score" not in missed["triple"]
    assert describe_error(found["false positive", "relation not stated"], TEXT)["nearest"] is None
    assert len(found["false positive", "relation not stated"].passages) == 2
