"""Joint constraints on the triples of a document."""

import itertools
from typing import Dict, List, Optional, Sequence, Set, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span

from spacy_relext import Triple, get_records, set_triples
from spacy_relext.annotations.constraints import Argument, Claim, Violation, find_violations, make_claims
from spacy_relext.annotations.schema import RelationSchema, Schema

SCHEMA = Schema(
    relations={
        "born": RelationSchema(subject=["PERSON"], object=["PLACE"], functional=True),
        "in": RelationSchema(acyclic=True),
        "owner": RelationSchema(functional=True, acyclic=True),
        "spouse": RelationSchema(symmetric=True, subject=["PERSON"]),
        "twin": RelationSchema(symmetric=True, functional=True),
        "wrote": RelationSchema(),
    }
)


def claim(subject: str, relation: str, obj: str, weight: float = 1.0, *, types: Tuple[str, str] = ("", "")) -> Claim:
    """Make a claim between two names; a digit behind a name tells its mentions apart."""
    sides = [
        Argument((ord(side[0]) * 10 + int(side[1:] or 0), 9_999), side[0], kind)
        for side, kind in zip((subject, obj), types)
    ]
    return Claim(sides[0], relation, sides[1], weight)


def removed(*claims: Claim) -> List[Violation]:
    return find_violations(claims, SCHEMA)


def test_types() -> None:
    right, wrong = ("PERSON", "PLACE"), ("PLACE", "PERSON")
    claims = [claim("a", "born", "b", types=right), claim("c", "born", "d", 9.0, types=wrong), claim("e", "born", "f")]
    assert removed(*claims) == [Violation("types", 1)]


def test_functional_relations_keep_the_object_with_most_support() -> None:
    claims = [claim("a", "born", "x", 3.0), claim("a1", "born", "y", 2.0), claim("a2", "born", "y1", 2.0)]
    assert removed(*claims) == [Violation("functional", 0, 1)]
    assert removed(*claims, claim("b", "born", "x")) == [Violation("functional", 0, 1)]
    assert removed(claim("a", "wrote", "x"), claim("a", "wrote", "y")) == []
    assert removed(claim("a", "unknown", "x"), claim("a", "unknown", "y")) == []


def test_equal_weights_keep_the_earlier_one() -> None:
    assert removed(claim("a", "born", "x"), claim("a", "born", "y")) == [Violation("functional", 1, 0)]
    assert removed(claim("a", "spouse", "b"), claim("b", "spouse", "a")) == [Violation("symmetric", 1, 0)]


def test_cycles_lose_their_weakest_part() -> None:
    claims = [claim("a", "in", "b", 2.0), claim("b", "in", "c", 1.0), claim("c", "in", "a", 3.0)]
    assert removed(*claims) == [Violation("acyclic", 1, 2)]
    # two weak ones outweigh a strong one that is part of two cycles
    both = [
        claim("a", "in", "b", 3.0),
        claim("b", "in", "a", 2.0),
        claim("b", "in", "c", 2.0),
        claim("c", "in", "a", 2.0),
    ]
    assert [each.position for each in removed(*both)] == [0]
    assert removed(claim("a", "in", "a1"), claim("a", "in", "b")) == []  # New York, New York


def test_symmetric_relations_keep_one_direction_of_two_mentions() -> None:
    claims = [claim("a", "spouse", "b", 1.0), claim("b", "spouse", "a", 2.0), claim("b1", "spouse", "a", 0.1)]
    assert removed(*claims) == [Violation("symmetric", 0, 1)]


def test_symmetric_and_functional_is_a_matching() -> None:
    assert removed(claim("a", "twin", "b"), claim("b1", "twin", "a")) == []
    path = [claim("a", "twin", "b", 2.0), claim("b", "twin", "c", 3.0), claim("d", "twin", "c", 2.0)]
    assert removed(*path) == [Violation("functional", 1, 0)]


def has_right_types(one: Claim) -> bool:
    known = SCHEMA.relations[one.relation]
    sides = ((one.subject.kind, known.subject), (one.object.kind, known.object))
    if known.symmetric:
        sides = ((one.subject.kind, known.subject), (one.object.kind, known.subject))
    return all(not kind or not kinds or kind in kinds for kind, kinds in sides)


def is_consistent(claims: Sequence[Claim]) -> bool:
    """Whether no constraint but types is broken: an implementation that shares nothing with that of the package."""
    objects: Dict[Tuple[str, str], Set[str]] = {}
    arcs: Dict[str, Set[Tuple[str, str]]] = {}
    mentions = {(each.relation, each.subject.span, each.object.span) for each in claims}
    for each in claims:
        known, relation, (one, other) = SCHEMA.relations[each.relation], each.relation, each.names
        if known.functional:
            objects.setdefault((relation, one), set()).add(other)
            if known.symmetric:
                objects.setdefault((relation, other), set()).add(one)
        if known.acyclic and one != other:
            arcs.setdefault(relation, set()).add((one, other))
    if any(len(each) > 1 for each in objects.values()):
        return False
    if any(SCHEMA.relations[r].symmetric and s != o and (r, o, s) in mentions for r, s, o in mentions):
        return False
    for remaining in arcs.values():
        while ends := {arc for arc in remaining if arc[1] not in {start for start, _ in remaining}}:
            remaining -= ends
        if remaining:
            return False
    return True


names = st.sampled_from(["a", "b", "c", "d", "a1", "b1"])
claims_of = st.lists(
    st.builds(
        claim,
        names,
        st.sampled_from(sorted(SCHEMA.relations)),
        names,
        st.integers(1, 8).map(float),
        types=st.tuples(st.sampled_from(["", "PERSON", "PLACE"]), st.sampled_from(["", "PERSON", "PLACE"])),
    ),
    max_size=8,
)
# so that conflicts are frequent
claims_of_one = st.sampled_from(["in", "owner", "twin", "born"]).flatmap(
    lambda relation: st.lists(
        st.builds(claim, names, st.just(relation), names, st.integers(1, 8).map(float)), max_size=8
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(claims_of, claims_of_one), st.sampled_from([None, 0.0, 3.0]))
def test_the_best_consistent_subset_stays(claims: List[Claim], penalty: Optional[float]) -> None:
    violations = find_violations(claims, SCHEMA, type_penalty=penalty)
    gone = {each.position for each in violations}
    rest = [each for position, each in enumerate(claims) if position not in gone]

    def value(subset: Sequence[Claim]) -> float:
        """Sum up what the claims are worth, or return -1 if they are not consistent."""
        wrong = sum(not has_right_types(each) for each in subset)
        if not is_consistent(subset) or (wrong and penalty is None):
            return -1.0
        return sum(each.weight for each in subset) - wrong * (penalty or 0.0)

    subsets = (subset for size in range(len(claims) + 1) for subset in itertools.combinations(claims, size))
    assert value(rest) == max(map(value, subsets))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.builds(claim, st.sampled_from("abcdefghij"), st.just("in"), st.sampled_from("abcdefghij")), max_size=60)
)
def test_what_stays_of_many_is_consistent_and_maximal(claims: List[Claim]) -> None:
    violations = removed(*claims)
    gone = {each.position for each in violations}
    rest = [each for position, each in enumerate(claims) if position not in gone]
    assert is_consistent(rest) and removed(*rest) == []
    for violation in violations:
        assert not is_consistent([*rest, claims[violation.position]])
        assert violation.other not in gone


def test_a_large_tangle_takes_little_time() -> None:
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 40)]
    pairs = list(itertools.permutations(letters, 2))[::2]
    violations = removed(*(claim(one, "in", two, 1.0 + i % 7) for i, (one, two) in enumerate(pairs)))
    assert 0 < len(violations) < len(pairs)


def test_mentions_of_one_entity_have_one_name() -> None:
    nlp = spacy.blank("en")
    doc = nlp("Ada was born in the Hague . ADA , of The  Hague ; Countess Lovelace")
    doc.ents = [
        Span(doc, 0, 1, label="PERSON", kb_id="Q7259"),
        Span(doc, 5, 6, label="PLACE"),
        Span(doc, 14, 16, label="PERSON", kb_id="Q7259"),
    ]
    places = [(doc[0:1], doc[4:6]), (doc[7:8], doc[10:13]), (doc[14:16], doc[5:6])]
    set_triples(doc, [Triple(one, "born", two) for one, two in places], source="x")
    claims = make_claims(doc, get_records(doc) or [], [1.0, 2.0, 3.0])
    assert [each.names for each in claims] == [
        ("id Q7259", "name hague"),
        ("name ada", "name hague"),
        ("id Q7259", "name hague"),
    ]
    assert [(each.subject.kind, each.object.kind) for each in claims] == [
        ("PERSON", "PLACE"),
        ("", ""),
        ("PERSON", "PLACE"),
    ]


@pytest.mark.parametrize("text", ["the", "  The  "])
def test_names_are_never_lost(text: str) -> None:
    doc = spacy.blank("en")(f"x {text} y")
    set_triples(doc, [{"subject": (0, 1), "relation": "in", "object": (2, 2 + max(1, len(text)))}], source="x")
    (only,) = make_claims(doc, get_records(doc) or [], [1.0])
    assert only.object.name.startswith("name")
