"""Facts that contradict each other."""

from typing import List, Tuple

from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.graph.conflicts import Conflict, Fact, find_conflicts


def conflicts(*rows: Tuple[int, int, float], **known: bool) -> List[Conflict]:
    facts = [Fact(number, one, "r", two, chance) for number, (one, two, chance) in enumerate(rows, 1)]
    ends = {end for fact in facts for end in (fact.subject, fact.object)}
    schema = Schema(relations={"r": RelationSchema(**known)})
    names = {end: f"E{end}" for end in ends}
    return find_conflicts(facts, labels=dict.fromkeys(ends), names=names, schema=schema)


def test_a_subject_with_two_objects() -> None:
    (only,) = conflicts((1, 2, 0.5), (1, 3, 0.9), (2, 3, 0.1), functional=True)
    assert only == Conflict("functional", "r", 1, 2, "E1: E2 or E3")


def test_both_ends_of_a_symmetric_relation() -> None:
    found = conflicts((1, 2, 0.9), (2, 3, 0.5), (3, 4, 0.4), functional=True, symmetric=True)
    assert [(each.fact_id, each.other_fact_id) for each in found] == [(2, 1), (3, 2)]


def test_the_least_probable_fact_closes_a_cycle() -> None:
    (only,) = conflicts((1, 2, 0.9), (2, 3, 0.2), (3, 1, 0.8), (3, 4, 0.1), acyclic=True)
    assert only == Conflict("acyclic", "r", 2, 3, "E2 → E3 → E1 → E2")
    assert conflicts((1, 2, 0.9), (2, 3, 0.2), (1, 3, 0.8), acyclic=True) == []


def test_an_entity_and_itself() -> None:
    facts = [Fact(1, 5, "r", 5, 0.9)]
    assert find_conflicts(facts, labels={5: None}, names={5: "E"}) == [Conflict("self", "r", 1, None, "E")]


def test_types_that_the_schema_does_not_allow() -> None:
    schema = Schema(relations={"r": RelationSchema(subject=["PERSON"], object=["PLACE"])})
    facts = [Fact(1, 1, "r", 2, 0.9), Fact(2, 2, "r", 1, 0.9), Fact(3, 1, "other", 1, 0.2), Fact(4, 1, "r", 3, 0.3)]
    labels, names = {1: "PERSON", 2: "PLACE", 3: None}, {1: "Ada", 2: "London", 3: "Kent"}
    assert find_conflicts(facts, labels=labels, names=names, schema=schema) == [
        Conflict("self", "other", 3, None, "Ada"),
        Conflict("type", "r", 2, None, "London (PLACE), Ada (PERSON)"),
    ]


def test_an_entity_and_itself_is_no_other_conflict() -> None:
    found = conflicts((1, 1, 0.9), (1, 2, 0.5), functional=True, acyclic=True)
    assert [(each.kind, each.fact_id, each.other_fact_id) for each in found] == [("self", 1, None)]


def test_of_equally_probable_facts_the_first_is_right() -> None:
    (only,) = conflicts((1, 2, 0.5), (1, 3, 0.5), functional=True)
    assert (only.fact_id, only.other_fact_id, only.detail) == (2, 1, "E1: E3 or E2")
    (other,) = conflicts((1, 2, 0.5), (3, 2, 0.5), functional=True, symmetric=True)
    assert (other.fact_id, other.other_fact_id, other.detail) == (2, 1, "E2: E3 or E1")


def test_the_shortest_cycle_is_named() -> None:
    rows = [(1, 2, 0.9), (2, 3, 0.8), (3, 4, 0.7), (2, 4, 0.6), (5, 1, 0.55), (4, 1, 0.5)]
    (only,) = conflicts(*rows, acyclic=True)
    assert only == Conflict("acyclic", "r", 6, 1, "E4 → E1 → E2 → E4")


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), unique=True, max_size=20))
def test_without_the_conflicts_there_is_no_cycle(pairs: List[Tuple[int, int]]) -> None:
    rows = [(one, two, 1 / (2 + at)) for at, (one, two) in enumerate(pairs)]
    bad = {each.fact_id for each in conflicts(*rows, acyclic=True)}
    left = [pair for number, pair in enumerate(pairs, 1) if number not in bad]
    while ends := {one for one, _ in left}:
        free = [pair for pair in left if pair[1] not in ends]
        assert free, left
        left = [pair for pair in left if pair not in free]


def test_a_long_chain_needs_no_recursion() -> None:
    assert conflicts(*((at, at + 1, 0.5) for at in range(1, 5_000)), acyclic=True) == []
