"""Entities of different documents: which groups are joined, by which rule and how surely."""

from typing import Any, List, Optional, Sequence, Tuple

import pytest

from spacy_relext.annotations.disjoint_sets import Link
from spacy_relext.annotations.grouping import RULES
from spacy_relext.annotations.names import parse_name
from spacy_relext.graph.across import Group, ShortForm, join_groups

# Name, type and id.
Row = Tuple[str, Optional[str], Optional[str]]


def group_of(name: str, label: Optional[str], kb_id: Optional[str] = None, **known: Any) -> Group:
    return Group(parse_name(name, label), kb_id, **known)


def groups_of(*rows: Row, fixed: Sequence[Optional[int]] = ()) -> List[Group]:
    return [group_of(*row, fixed=fixed[at] if fixed else None) for at, row in enumerate(rows)]


def merges(*rows: Row, **options: object) -> List[Link]:
    return join_groups(groups_of(*rows), **options).links  # type: ignore[arg-type]


def test_each_rule_says_how_sure_it_is() -> None:
    assert merges(("Apple", "ORG", None), ("Apple", "ORG", None)) == [(0, 1, "exact", 1.0)]
    assert merges(("Apple", "ORG", None), ("Apple Inc", "ORG", None)) == [(0, 1, "normalized", 0.99)]
    assert merges(("NYC", "GPE", "Q60"), ("Big Apple", "MISC", "Q60")) == [(0, 1, "kb_id", 1.0)]
    assert merges(("Apple", "ORG", None), ("Apple", None, None)) == [(0, 1, "exact", 0.95)]
    assert merges(("Apple Inc", "ORG", None), ("Apple", None, None)) == [(0, 1, "normalized", 0.95)]
    assert merges(("Holland", "GPE", None), ("Netherlands", "GPE", None)) == [(0, 1, "normalized", 0.99)]
    nearly = ("International Olympic Committee", "ORG", None), ("International Olympic Comittee", "ORG", None)
    assert merges(*nearly) == merges(*nearly, similarity=0.98) == [(0, 1, "similar", 0.9836)]
    assert merges(*nearly, similarity=0.99) == []


@pytest.mark.parametrize(
    "name, label, count", [("She", None, 0), ("The firm", None, 0), ("The firm", "ORG", 1), ("The Firm", None, 1)]
)
def test_what_names_nobody_is_not_joined(name: str, label: Optional[str], count: int) -> None:
    assert len(merges((name, label, None), (name, label, None))) == count


def test_a_rule_that_is_left_out_joins_nothing() -> None:
    for rule, one, other in (
        ("kb_id", ("NYC", "GPE", "Q60"), ("Big Apple", "GPE", "Q60")),
        ("normalized", ("Apple", "ORG", None), ("Apple Inc", "ORG", None)),
        ("exact", ("Apple", "ORG", None), ("Apple", None, None)),
        ("country", ("Holland", "GPE", None), ("Netherlands", "GPE", None)),
        ("people", ("France", "GPE", None), ("French", "GPE", None)),
        ("similar", ("John Fitzgerald", "PERSON", None), ("John Fitzgerold", "PERSON", None)),
    ):
        similarity = 0.9
        assert len(merges(one, other, rules=RULES, similarity=similarity)) == 1, rule
        assert merges(one, other, rules=[each for each in RULES if each != rule], similarity=similarity) == [], rule


def test_roots_are_first_groups_and_ids_spread() -> None:
    rows: List[Row] = [
        ("Paris", "GPE", None),
        ("Paris", "GPE", "Q90"),
        ("Lutetia", "GPE", "Q90"),
        ("Rome", "GPE", None),
    ]
    assert join_groups(groups_of(*rows)).roots == [0, 0, 0, 3]
    rows = [("Paris", "GPE", "Q90"), ("Paris", "GPE", "Q830149"), ("Paris", "GPE", None)]
    assert join_groups(groups_of(*rows)).roots == [0, 1, 2]
    rows = [("Rome", "GPE", None), ("Rome", "PERSON", None), ("Rome", None, None)]
    assert join_groups(groups_of(*rows)).roots == [0, 1, 2]
    rows = [("she", "PERSON", None), ("she", "PERSON", None)]
    assert join_groups(groups_of(*rows)).roots == [0, 1]


def test_an_id_stays_if_a_name_without_one_is_joined() -> None:
    spellings = ("International Olympic Committee", "International Olympic Comittee", "International Olympic Committe")
    rows: List[Row] = [(name, "ORG", kb_id) for name, kb_id in zip(spellings, ("Q1", None, "Q2"))]
    assert join_groups(groups_of(*rows)).roots == [0, 0, 2]
    fixed = groups_of(*[(name, "ORG", None) for name in spellings], fixed=[1, None, 2])
    assert join_groups(fixed).roots == [0, 0, 2]


def test_entities_of_the_graph_stay_apart() -> None:
    rows: List[Row] = [("Ada", "PERSON", None), ("Ada King", "PERSON", None), ("Ada King", "PERSON", None)]
    joined = join_groups(groups_of(*rows, fixed=[1, 1, None]))
    assert joined.roots == [0, 0, 0] and joined.links == [(1, 2, "exact", 1.0)]
    rows = [("Ada", "PERSON", None)] * 3
    assert join_groups(groups_of(*rows, fixed=[1, 2, None])).roots == [0, 1, 2]
    assert join_groups(groups_of(*rows, fixed=[None, 2, None])).roots == [0, 0, 0]


def short(*forms: Tuple[str, str], alone: str = "Kennedy", label: str = "PERSON", **options: object) -> List[int]:
    """Roots of full names with a short form each, and of two groups that have a short form as their name."""
    groups = [
        group_of(f"Name{at} {form}", label, short_forms=[ShortForm(form, reason)])
        for at, (form, reason) in enumerate(forms)
    ]
    groups += [group_of(alone, label)] * 2
    return join_groups(groups, **options).roots  # type: ignore[arg-type]


def test_short_forms_of_one_entity_and_of_several() -> None:
    assert short(("Kennedy", "person")) == [0, 1, 1]
    assert short(("Kennedy", "person"), ("Kennedy", "person")) == [0, 1, 2, 3]
    assert short(("Kennedy", "person"), ("Byron", "person")) == [0, 1, 2, 2]
    assert short(("WHO", "acronym"), alone="WHO", label="ORG") == [0, 0, 0]
    assert short(("WHO", "acronym"), ("WHO", "acronym"), alone="WHO", label="ORG") == [0, 1, 2, 3]
    assert short(("WHO", "acronym"), ("WHO", "last word"), alone="WHO", label="ORG") == [0, 1, 2, 3]
    assert short(("WHO", "acronym"), alone="WHO", label="ORG", rules=("exact", "normalized")) == [0, 1, 1]
    kennedys = ("Kennedy", "person"), ("Kennedy", "person")
    assert short(*kennedys, rules=("exact", "person")) == [0, 1, 2, 3], "whatever other rules are left out"
    assert short(("WHO", "acronym"), ("Who", "last word"), alone="WHO", label="ORG", rules=("exact", "acronym")) == [
        *(0, 1, 0, 0)
    ]
    for rule in ("acronym", "alias"):
        groups = groups_of(("WHO", "ORG", None))
        groups.append(group_of("World Health Organization", "ORG", short_forms=[ShortForm("WHO", rule)]))
        assert join_groups(groups).links == [(1, 0, rule, 0.9)]


@pytest.mark.parametrize(
    "one, other, label, expected",
    [
        ("abcdef ghijk", "abcdef ghjik", "ORG", True),  # 12 letters
        ("abcde ghijk", "abcde ghjik", "ORG", False),
        ("abcdefghijklm", "abcdefghijxlm", "ORG", False),  # one word
        ("abcdef ghijk", "abcxef ghjik", "ORG", False),  # no word in common
        ("abcdef ghijk", "abcdef ghjik", "DATE", False),
        ("abcdef 123456", "abcdef 123466", "ORG", False),
    ],
)
def test_long_names_that_share_a_word(one: str, other: str, label: str, expected: bool) -> None:
    assert bool(merges((one, label, None), (other, label, None), similarity=0.8)) is expected
    assert merges((one, label, None), (other, label, None), similarity=1.0) == []
    assert merges((one, label, None), (other, "OTHER", None), similarity=0.8) == []
    further: List[Row] = [(name, label, None) for name in ("Ab", "zyxwvu tsrqponm", one, other)]
    assert [each[:3] for each in merges(*further, similarity=0.8)] == ([(2, 3, "similar")] if expected else [])


def test_a_short_form_is_not_compared_letter_by_letter() -> None:
    groups = [group_of("abc abcdef ghijk", "PERSON", short_forms=[ShortForm("abcdef ghijk", "person")])]
    groups += [group_of(name, "PERSON") for name in ("abcdef ghijk", "abcdef ghjik")]
    assert join_groups(groups, similarity=0.8).links == []


def test_a_word_of_many_names_makes_no_candidates() -> None:
    for count, expected in ((198, True), (199, False)):
        rows: List[Row] = [(f"university {chr(97 + at % 26) * 9}{chr(97 + at // 26) * 9}", "ORG", None)
                           for at in range(count)]  # fmt: skip
        found = merges(
            *rows, ("university abcdefgh", "ORG", None), ("university abcdfegh", "ORG", None), similarity=0.8
        )
        assert bool(found) is expected
