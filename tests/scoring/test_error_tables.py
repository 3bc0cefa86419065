import pytest

from spacy_relext.annotations.store import set_triples
from spacy_relext.scoring.error_tables import NONE, collect_errors, count_triples, describe_error, find_passages
from spacy_relext.scoring.errors import CLASSES
from spacy_relext.scoring.triples import score_triples
from tests.scoring.builders import locate, make_example

TEXT = "Ada wed Bo Nye . It rained . Cy met Di . Ed met Flo ."
GOLD = [("Ada", "wed", "Bo Nye"), ("Cy", "met", "Di"), ("Ed", "met", "Flo")]
PREDICTED = [("Ada", "wed", "Bo", 0.9), ("Cy", "wed", "Di", 0.6), ("Ada", "met", "Flo", 0.7), ("Bo", "saw", "Cy", 0.8)]


@pytest.fixture(scope="module")
def examples():
    right = make_example("Gus met Hal .", [("Gus", "met", "Hal")], [("Gus", "met", "Hal", 0.9)])
    return [make_example("Not annotated .", None), right, make_example(TEXT, GOLD, PREDICTED)]


def test_all_errors_the_costliest_and_surest_first(examples):
    """One of five predictions is right, of four gold triples: F = 2 / 9.

    With a wrong triple made a missed one F is 4 / 9, and without one that is like nothing in gold 2 / 8.
    """
    found = collect_errors(examples).errors
    assert score_triples(examples)["exact_f"] == pytest.approx(2 / 9)
    assert [(each.error.error_class, each.error.kind, each.passages) for each in found] == [
        (error_class, kind, passages)
        for error_class, kinds, passages in (
            ("boundary", ("false positive", "false negative"), [(0, 16)]),
            ("wrong subject", ("false positive", "false negative"), [(0, 16), (41, 53)]),
            ("wrong relation", ("false positive", "false negative"), [(29, 40)]),
            ("relation not stated", ("false positive",), [(0, 16), (29, 40)]),
        )
        for kind in kinds
    ]
    assert [each.cost for each in found] == pytest.approx([2 / 9] * 6 + [2 / 8 - 2 / 9])
    assert {each.document for each in found} == {2}


def test_passages_of_neighbours_are_joined():
    (error,) = collect_errors([make_example(TEXT, [], [("Cy", "met", "Flo")])]).errors
    assert error.passages == [(29, 53)]
    (error,) = collect_errors([make_example("A . B . C . D .", [("A", "met", "D")])]).errors
    assert error.passages == [(0, 3), (12, 15)]
    records = locate("A . B . C . D . E .", [("A", "met", "B"), ("D", "met", "C")])
    assert find_passages(records, [(0, 3), (4, 7), (8, 11), (12, 15), (16, 19)]) == [(0, 15)]


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


def test_gold_triples_are_counted_by_their_texts():
    texts = ("Ada met Bo . Ada met Bo . Ada saw Bo .", "Cy met Di .")
    docs = [make_example(text, [], [(*text.split()[:3],)]).reference for text in texts]
    assert count_triples(docs) == {}
    twice = [{"subject": [i, i + 3], "relation": "met", "object": [i + 8, i + 10]} for i in (0, 13)]
    set_triples(docs[0], [*twice, {**twice[0], "relation": "saw"}])
    set_triples(docs[1], locate(texts[1], [("Cy", "met", "Di")]))
    set_triples(docs[1], locate(texts[1], [("Di", "met", "Cy")]), source="fake")
    bare = make_example("Not annotated .", None).reference
    assert list(count_triples([docs[0], bare, docs[1]]).items()) == [("met", 2), ("saw", 1)]
