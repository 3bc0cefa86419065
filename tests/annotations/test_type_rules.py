"""Between which entity types a relation may hold."""

from collections import Counter
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.entities import make_type_finder, type_of_match
from spacy_relext.annotations.type_rules import LEARNED, TypeRules, learn_type_rules, read_type_rules

BORN = [["PERSON", "born", "PLACE"], ["PERSON", "born", "DATE"], ["*", "in", "PLACE"]]


@pytest.mark.parametrize(
    ("relation", "types", "expected"),
    [
        ("born", ("PERSON", "PLACE"), True),
        ("born", ("PERSON", "DATE"), True),
        ("born", ("PLACE", "PERSON"), False),
        ("born", ("PERSON", "ORG"), False),
        ("born", ("ORG", "DATE"), False),
        ("born", ("PERSON", ""), True),  # what has no type may have any
        ("born", ("", "ORG"), False),
        ("born", ("", ""), True),
        ("in", ("ORG", "PLACE"), True),
        ("in", ("ORG", "ORG"), False),
        ("other", ("ORG", "ORG"), True),  # there is no rule
    ],
)
def test_rows_allow_their_types(relation: str, types: Tuple[str, str], expected: bool) -> None:
    assert TypeRules(BORN).allows(relation, *types) is expected


def test_rules_that_know_some_types_allow_others() -> None:
    rules = TypeRules([["PERSON", "born", "PLACE"]], known=["PERSON", "PLACE", "ORG"])
    assert not rules.allows("born", "PERSON", "ORG") and not rules.allows("born", "ORG", "PLACE")
    assert rules.allows("born", "PERSON", "GPE") and rules.allows("born", "PER", "GPE")
    assert not rules.allows("born", "PER", "ORG")
    assert not TypeRules([["PERSON", "born", "PLACE"]]).allows("born", "PERSON", "GPE")


def test_the_setting_is_rows_or_learned() -> None:
    learned = [["PERSON", "born", "PLACE"]]
    assert len(read_type_rules([])) == 0 and len(read_type_rules(BORN, learned=learned)) == 2
    rules = read_type_rules(LEARNED, learned=learned, known=["PERSON", "PLACE"])
    assert rules.allows("in", "PERSON", "PERSON") and not rules.allows("born", "PERSON", "PERSON")
    assert rules.allows("born", "PERSON", "DATE")
    given = read_type_rules(learned, known=["PERSON", "PLACE"])
    assert not given.allows("born", "PERSON", "DATE"), "given rules know all types"


@pytest.mark.parametrize("setting", ["learnt", [["PERSON", "born"]], ["ORG"], [["a", "b", "c", "d"]]])
def test_what_is_no_row_is_refused(setting: Any) -> None:
    with pytest.raises(ValueError, match=r"R007.*types.*\[subject type, relation, object type\]"):
        read_type_rules(setting)


def test_unknown_names() -> None:
    rules = TypeRules(BORN)
    assert list(rules.unknown(["born", "in"], ["PERSON", "PLACE", "DATE"])) == []
    assert list(rules.unknown(["born"], ["PLACE"])) == [
        ("relation", "in", "born"),
        ("entity type", "DATE, PERSON", "PLACE"),
    ]
    assert list(rules.unknown([], [])) == [], "nothing is known yet"


def counts(*rows: Tuple[str, str, str, int]) -> Any:
    return Counter({(subject, relation, obj): count for subject, relation, obj, count in rows})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("P", "r", "L", 100)], [["P", "r", "L"]]),
        ([("P", "r", "L", 99)], []),  # one of a hundred may have other types
        ([("P", "r", "L", 199), ("L", "r", "L", 1)], [["L", "r", "L"], ["P", "r", "L"]]),
        ([("P", "r", "L", 198), ("L", "r", "L", 1)], []),
        ([("P", "r", "L", 98), ("L", "r", "L", 2)], [["L", "r", "L"], ["P", "r", "L"]]),
        ([("P", "r", "L", 100), ("P", "s", "L", 3)], [["P", "r", "L"]]),
        ([], []),
    ],
)
def test_a_relation_is_restricted_if_further_types_are_improbable(rows: Any, expected: List[List[str]]) -> None:
    assert learn_type_rules(counts(*rows)) == expected


def test_the_entity_of_an_argument() -> None:
    entities = [((0, 5), "PERSON"), ((10, 30), "ORG"), ((24, 30), "PLACE")]
    assert type_of_match((0, 5), entities) == "PERSON" and type_of_match((24, 30), entities) == "PLACE"
    assert type_of_match((6, 30), entities) == "ORG" and type_of_match((10, 22), entities) == "ORG"
    assert type_of_match((10, 20), entities) == "", "half of it is not more than half"
    assert type_of_match((0, 10), entities) == "" and type_of_match((40, 44), entities) == ""
    assert type_of_match((0, 5), []) == "" == make_type_finder([])((0, 5))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=12),
    st.tuples(st.integers(0, 45), st.integers(1, 12)),
)
def test_near_entities_are_enough(found: List[Tuple[int, int]], span: Tuple[int, int]) -> None:
    entities = sorted(((start, start + length), str(number)) for number, (start, length) in enumerate(found))
    place = (span[0], span[0] + span[1])
    assert make_type_finder(entities)(place) == type_of_match(place, entities)
