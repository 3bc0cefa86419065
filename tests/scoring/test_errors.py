"""One worked case for each class of errors, and what a class must not depend on."""

from string import ascii_letters
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.scoring.errors import (
    CLASSES,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    NONE,
    TripleError,
    classify_errors,
    collect_errors,
    describe_error,
    find_passages,
)
from spacy_relext.scoring.triples import score_triples, text_key
from tests.scoring.builders import locate, make_example

TEXT = "Dr Ada Lee of Oslo wed Bo Nye , and Cy Dahl of Rome wed Di Fox ."
ADA, DR_ADA, BO, CY, DI = "Ada Lee", "Dr Ada Lee", "Bo Nye", "Cy Dahl", "Di Fox"


def classify(gold: List[Any], predicted: List[Any], text: str = TEXT) -> List[TripleError]:
    return classify_errors(locate(text, gold), locate(text, predicted), text)


def classes(errors: List[TripleError]) -> List[Tuple[str, str]]:
    kinds = {FALSE_POSITIVE: "+", FALSE_NEGATIVE: "-"}
    return [(kinds[error.kind], error.error_class) for error in errors]


@pytest.mark.parametrize(
    "predicted, expected",
    [
        ((BO, "wed", ADA), "swapped arguments"),
        ((DR_ADA, "wed", BO), "boundary"),
        ((ADA, "wed", "Nye"), "boundary"),
        (("Nye", "wed", DR_ADA), "swapped arguments"),
        ((ADA, "met", BO), "wrong relation"),
        ((BO, "met", ADA), "wrong relation"),
        (("Nye", "met", ADA), "wrong relation"),
        ((ADA, "wed", CY), "wrong object"),
        ((CY, "wed", BO), "wrong subject"),
    ],
)
def test_a_wrong_and_a_missed_triple_are_one_mistake(predicted, expected):
    wrong, missed = classify([(ADA, "wed", BO)], [predicted])
    assert classes([wrong, missed]) == [("+", expected), ("-", expected)]
    assert wrong.nearest == missed.record and missed.nearest == wrong.record
    assert wrong.nearest_is_error and missed.nearest_is_error


@pytest.mark.parametrize("predicted", [(CY, "wed", DI), (ADA, "met", CY), (CY, "wed", ADA), (DI, "met", BO)])
def test_what_shares_too_little_is_unrelated(predicted):
    errors = classify([(ADA, "wed", BO)], [predicted])
    assert classes(errors) == [("+", "relation not stated"), ("-", "missed relation")]
    assert [error.nearest for error in errors] == [None, None]


def test_missed_argument_of_a_list():
    errors = classify([(ADA, "wed", BO), (ADA, "wed", CY)], [(ADA, "wed", BO)])
    assert classes(errors) == [("-", "missed argument")]
    assert errors[0].nearest is None
    assert classes(classify([(ADA, "wed", BO), (ADA, "met", CY)], [(ADA, "wed", BO)])) == [("-", "missed relation")]
    assert classes(classify([(ADA, "wed", BO), (ADA, "met", BO)], [(ADA, "wed", BO)])) == [("-", "missed relation")]


def test_a_missed_triple_is_nearer_than_a_found_one():
    gold, found = [(ADA, "wed", BO), (CY, "wed", DI)], (ADA, "wed", BO)
    wrong, missed = classify(gold, [found, (ADA, "wed", DI)])
    assert classes([wrong, missed]) == [("+", "wrong subject"), ("-", "wrong subject")]
    (extra,) = classify([found], [found, (ADA, "wed", DI)])
    assert classes([extra]) == [("+", "wrong object")] and not extra.nearest_is_error


def test_relations_come_before_arguments():
    errors = classify([(ADA, "met", BO), (ADA, "wed", CY)], [(ADA, "wed", BO)])
    assert classes(errors) == [("+", "wrong relation"), ("-", "wrong relation"), ("-", "wrong object")]


@pytest.mark.parametrize(
    "gold, predicted, expected",
    [
        ([(BO, "wed", ADA), (ADA, "met", BO)], (ADA, "wed", BO), "swapped arguments"),
        ([(DR_ADA, "wed", BO), (ADA, "met", BO)], (ADA, "wed", BO), "boundary"),
        ([(BO, "met", ADA), (ADA, "wed", CY)], (ADA, "wed", BO), "wrong relation"),
        ([(BO, "met", ADA), (CY, "wed", BO)], (ADA, "wed", BO), "wrong relation"),
    ],
)
def test_the_closer_class_comes_before_the_nearer_place(gold, predicted, expected):
    assert classes(classify(gold, [predicted]))[0] == ("+", expected)


@pytest.mark.parametrize(
    "gold, expected",
    [
        ([(CY, "wed", DI), (DI, "wed", BO)], "wrong subject"),  # 33 and 20 characters away
        ([(CY, "wed", "Rome"), (ADA, "wed", BO)], "wrong object"),  # 24 and 33
    ],
)
def test_the_nearer_of_two_triples_with_one_wrong_argument(gold, expected):
    assert classes(classify(gold, [(CY, "wed", BO)]))[0] == ("+", expected)


@pytest.mark.parametrize(
    "objects, nearest",
    [
        ([(30, 31), (12, 13)], (12, 13)),  # of 10 and 8 characters between the starts; between the ends 6 and 12
        ([(26, 36), (12, 14)], (26, 36)),  # 6 and 8; from start to end 16 and 6
    ],
)
def test_distances_are_between_the_starts(objects, nearest):
    gold = [{"subject": (0, 1), "relation": "wed", "object": place, "score": 1.0} for place in objects]
    predicted = {"subject": (0, 1), "relation": "wed", "object": (20, 25), "score": 0.5}
    assert classify_errors(gold, [predicted], ascii_letters)[0].nearest["object"] == nearest


def test_arguments_that_overlap_all_others_are_not_swapped():
    spans = [((0, 10), (2, 8)), ((1, 9), (3, 7))]
    one, other = ({"subject": s, "relation": "wed", "object": o, "score": 1.0} for s, o in spans)
    assert classes(classify_errors([one], [other], ascii_letters)) == [("+", "boundary"), ("-", "boundary")]


def test_nested_arguments_are_swapped_if_their_texts_are():
    text = "Oslo University"
    assert classes(classify([(text, "in", "Oslo")], [("Oslo", "in", text)], text))[0] == ("+", "swapped arguments")


def test_mentions_of_one_text_count_once():
    text = "Ada wed Bo . Ada saw Bo ."
    gold = [{"subject": (0, 3), "relation": "wed", "object": (8, 10), "score": 1.0}]
    second = {"subject": (13, 16), "relation": "wed", "object": (21, 23), "score": 0.7}
    assert classify_errors(gold, [second], text) == [], "the texts are right"
    met = [{**gold[0], "relation": "met", "score": 0.5}, {**second, "relation": "met", "score": 0.8}]
    wrong, missed = classify_errors(gold, met, text)
    assert wrong.record == missed.nearest == met[0], "the mention in the same place"
    assert missed.record == wrong.nearest == gold[0]
    unsure = {**met[0], "score": 0.2}
    for both in ([met[0], unsure], [unsure, met[0]]):  # of two components
        wrong, missed = classify_errors(gold, both, text)
        assert wrong.record == missed.nearest == met[0], "in one place the highest score"
    (alone,) = classify_errors([], met, text)
    assert alone.record == met[1], "the highest score"


def test_any_mention_of_a_missed_triple_counts():
    text = "Ada wed Bo . Ada wed Bo Nye ."
    gold = [{"subject": (start, start + 3), "relation": "wed", "object": (start + 8, start + 10)} for start in (0, 13)]
    wrong, missed = classify_errors(
        [{**each, "score": 1.0} for each in gold],
        [{"subject": (13, 16), "relation": "wed", "object": (21, 27), "score": 0.7}],
        text,
    )
    assert classes([wrong, missed]) == [("+", "boundary"), ("-", "boundary")]
    assert missed.record["subject"] == (13, 16)


SPANS = [(0, 10), (3, 10), (23, 29), (36, 43), (56, 62)]
RECORDS = st.lists(
    st.builds(
        lambda spans, relation, score: {
            "subject": SPANS[spans[0]],
            "object": SPANS[spans[1]],
            "relation": relation,
            "score": score,
        },
        st.permutations(range(len(SPANS))),
        st.sampled_from(["wed", "met"]),
        st.floats(0, 1),
    ),
    max_size=6,
)


@given(gold=RECORDS, predicted=RECORDS)
def test_every_error_has_one_class_and_right_triples_none(gold, predicted):
    errors = classify_errors(gold, predicted, TEXT)
    keys = {
        kind: [text_key(error.record, TEXT) for error in errors if error.kind == kind]
        for kind in (FALSE_POSITIVE, FALSE_NEGATIVE)
    }
    of_gold, of_model = ({text_key(record, TEXT) for record in records} for records in (gold, predicted))
    assert sorted(keys[FALSE_POSITIVE]) == sorted(of_model - of_gold)
    assert sorted(keys[FALSE_NEGATIVE]) == sorted(of_gold - of_model)
    assert all(error.error_class in CLASSES for error in errors)
    assert classify_errors(gold[::-1], predicted[::-1], TEXT) == errors, "the order of triples does not matter"


STORY = "Ada wed Bo Nye . It rained . Cy met Di . Ed met Flo ."
GOLD = [("Ada", "wed", "Bo Nye"), ("Cy", "met", "Di"), ("Ed", "met", "Flo")]
PREDICTED = [("Ada", "wed", "Bo", 0.9), ("Cy", "wed", "Di", 0.6), ("Ada", "met", "Flo", 0.7), ("Bo", "saw", "Cy", 0.8)]


@pytest.fixture(scope="module")
def examples():
    right = make_example("Gus met Hal .", [("Gus", "met", "Hal")], [("Gus", "met", "Hal", 0.9)])
    return [make_example("Not annotated .", None), right, make_example(STORY, GOLD, PREDICTED)]


def test_all_errors_the_costliest_and_most_confident_first(examples):
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
    (error,) = collect_errors([make_example(STORY, [], [("Cy", "met", "Flo")])]).errors
    assert error.passages == [(29, 53)]
    (error,) = collect_errors([make_example("A . B . C . D .", [("A", "met", "D")])]).errors
    assert error.passages == [(0, 3), (12, 15)]
    records = locate("A . B . C . D . E .", [("A", "met", "B"), ("D", "met", "C")])
    assert find_passages(records, [(0, 3), (4, 7), (8, 11), (12, 15), (16, 19)]) == [(0, 15)]


def test_the_most_confident_of_equally_costly_errors_is_first():
    predicted = [("Ada", "wed", "Bo", 0.3), ("Cy", "wed", "Di", 0.9), ("Ed", "saw", "Flo", 0.6)]
    found = collect_errors([make_example(STORY, [], predicted)])
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
    assert (found.correct, found.gold) == ({"met": 1}, {"met": 3, "wed": 1})


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
    described = describe_error(wrong_subject, STORY)
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
    missed = describe_error(found["false negative", "wrong relation"], STORY)
    assert missed["nearest"]["score"] == 0.6 and "score" not in missed["triple"]
    assert describe_error(found["false positive", "relation not stated"], STORY)["nearest"] is None
    assert len(found["false positive", "relation not stated"].passages) == 2
