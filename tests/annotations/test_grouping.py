"""Mentions of one document: which names are the same entity, and which are not."""

from typing import List, Optional, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.grouping import RULES, Mention, group_mentions
from spacy_relext.annotations.names import parse_name
from tests.graph.texts import mentions


def groups(names: Sequence[str], label: Optional[str] = None, **options: object) -> List[int]:
    return group_mentions(mentions(*names, label=label), **options).groups  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one, other, label",
    [
        ("The Beatles", "beatles", "ORG"),
        ("Miguel Riofrio", "Miguel Riofrío", "PERSON"),
        ("Sheehy-Skeffington", "Sheehy - Skeffington", "PERSON"),
        ("U.S.", "US", "GPE"),
        ("Apple Inc.", "Apple", "ORG"),
        ("Fiat S.p.A.", "Fiat", "ORG"),
        ("Johnson & Johnson", "Johnson and Johnson", "ORG"),
        ("Procter & Co.", "Procter", "ORG"),
        ("Dr. Ada Lovelace", "Ada Lovelace", "PERSON"),
        ("ＮＡＳＡ", "NASA", "ORG"),
        ("London's", "London", "GPE"),
        ("Łódź", "Lodz", "GPE"),
    ],
)
def test_normal_forms_are_equal(one: str, other: str, label: str) -> None:
    assert parse_name(one, label).normal == parse_name(other, label).normal
    assert len(set(groups([one, other], label))) == 1


@pytest.mark.parametrize(
    "one, other, label",
    [
        ("King George", "Prince George", "PERSON"),
        ("North Korea", "South Korea", "GPE"),
        ("Henry VII", "Henry VIII", "PERSON"),
        ("Concession B", "Concession C", "LOC"),
        ("Boeing 747", "Boeing 737", "PRODUCT"),
        ("2001", "2011", "DATE"),
        ("The", "A", "ORG"),
        ("Paris", "Parish", "GPE"),
        ("John Adams", "John Quincy Adams Jr.", "ORG"),
    ],
)
def test_other_names_stay_apart(one: str, other: str, label: str) -> None:
    assert len(set(groups([one, other], label, rules=RULES))) == 2


def test_a_surname_joins_the_full_name_before_it() -> None:
    assert groups(["Ada Lovelace", "Charles Babbage", "Lovelace", "Mr. Babbage"], "PERSON") == [0, 1, 0, 1]
    assert groups(["Lovelace", "Ada Lovelace"], "PERSON") == [0, 1]


def test_without_types_only_what_looks_like_a_surname_is_joined() -> None:
    assert groups(["Ada Lovelace", "Lovelace", "Ada"]) == [0, 0, 1]
    assert groups(["Lake Tahoe", "Tahoe"]) == [0, 1]
    assert groups(["Radio France", "France"]) == [0, 1]
    assert groups(["Bank of Omaha", "Omaha"]) == [0, 1]


def test_an_ambiguous_surname_joins_the_first_of_the_persons() -> None:
    assert groups(["John Kennedy", "Robert Kennedy", "Kennedy"], "PERSON") == [0, 1, 0]
    assert groups(["John Kennedy", "Robert Kennedy", "Kennedy"], None) == [0, 1, 2], "without a type"


def test_a_surname_is_not_ambiguous_if_all_full_names_are_one_person() -> None:
    assert groups(["John F. Kennedy", "John Kennedy", "Kennedy"], "PERSON") == [0, 0, 0]


def test_acronyms_join_their_long_form_in_either_order() -> None:
    assert groups(["European Union", "EU"], "ORG") == [0, 0]
    assert groups(["UN", "the United Nations"], "ORG") == [0, 0]
    assert groups(["International Chamber of Commerce", "International Cricket Council", "ICC"], "ORG") == [0, 1, 2]
    assert groups(["John Smith", "JS"], "PERSON") == [0, 1]
    assert groups(["UN", "U. N.", "United Nations"], "ORG") == [0, 0, 0], "a spaced acronym is no long form"
    assert groups(["United Nations", "U. N.", "UN"], "ORG") == [0, 0, 0]
    assert groups(["UN", "U. N."], "ORG") == [0, 0]
    assert parse_name("the University of Oxford", "ORG").initials == {"uoo", "uo"}
    acronyms = [parse_name(name).acronym for name in ("U.S.A.", "NATO", "It", "12", "Oxford University")]
    assert acronyms == ["usa", "nato", "", "", ""]


def test_phrases_that_give_another_name() -> None:
    text = "Louis Armstrong, also known as Satchmo, met the Human Rights League (LDH) in Paris (France)."
    found = []
    for name, label in (
        *(("Louis Armstrong", "PERSON"), ("Satchmo", "PERSON"), ("Human Rights League", "ORG"), ("LDH", "ORG")),
        *(("Paris", "GPE"), ("France", "GPE")),
    ):
        found.append(Mention(text.index(name), text.index(name) + len(name), name, label))
    grouping = group_mentions(found, text=text)
    assert grouping.groups == [0, 0, 1, 1, 2, 3]
    assert [link.reason for link in grouping.links] == ["alias", "alias"]
    text = "She, also known as Satchmo, or Satchmo, also known as she, or Satchmo, also known as Ada."
    found = [
        Mention(at, at + len(name), name, "PERSON")
        for at, name in ((0, "She"), (19, "Satchmo"), (31, "Satchmo"), (54, "she"), (62, "Satchmo"), (85, "Ada"))
    ]
    assert group_mentions(found, text=text).groups == [0, 1, 1, 2, 1, 1], "pronouns are no names"


@pytest.mark.parametrize(
    "labels, expected",
    [
        (("PERSON", "PERSON"), [0, 0]),
        ((None, None), [0, 0]),
        (("PERSON", "ORG"), [0, 1]),
        (("PERSON", None), [0, 1]),
        (("DATE", "DATE"), [0, 1]),
    ],
)
def test_another_name_is_of_the_same_type_and_no_value(labels: Sequence[Optional[str]], expected: List[int]) -> None:
    found = [Mention(0, 7, "Unicorn", labels[0]), Mention(23, 30, "Satchmo", labels[1])]
    assert group_mentions(found, text="Unicorn, also known as Satchmo").groups == expected


@pytest.mark.parametrize(
    "one, other, after, label, expected",
    [
        ("Rights League", "RL", ")", "ORG", True),
        ("Rights League", "RL", "), and", "ORG", True),
        ("Rights League", "RL", ", or", "ORG", True),
        ("Rights League", "RL", "; it", "ORG", True),
        ("Rights League", "RL", " ”)", "ORG", True),
        ("Rights League", "RL", "  ”)", "ORG", False),  # more than three characters
        ("Rights League", "RL", " of Oslo)", "ORG", False),
        ("Rights League", "RL", "", "ORG", False),
        ("League", "RL", ")", "ORG", False),
        ("Rights League", "Oslo", ")", "ORG", False),
        ("New York", "NY", ")", "GPE", False),
    ],
)
def test_an_acronym_in_parentheses(one: str, other: str, after: str, label: str, expected: bool) -> None:
    text = f"{one} (“{other}{after}"
    start = text.index(f"“{other}") + 1
    found = [Mention(0, len(one), one, label), Mention(start, start + len(other), other, label)]
    grouping = group_mentions(found, text=text, rules=("alias",))
    assert grouping == (([0, 0], [(0, 1, "alias", 0.95)]) if expected else ([0, 1], []))


def test_between_a_name_and_another_one_stand_up_to_60_characters() -> None:
    for length, expected in ((60, [0, 0]), (61, [0, 1])):
        between = "also known as ".rjust(length)
        found = [Mention(0, 7, "Unicorn"), Mention(7 + length, 14 + length, "Satchmo")]
        assert group_mentions(found, text=f"Unicorn{between}Satchmo").groups == expected


def test_types_and_ids_keep_names_apart() -> None:
    paris = Mention(0, 5, "Paris", "GPE"), Mention(10, 15, "Paris", "PERSON")
    assert group_mentions(paris).groups == [0, 1]
    linked = [Mention(0, 5, "Paris", "GPE", "Q90"), Mention(10, 15, "Paris", "GPE", "Q830149")]
    assert group_mentions(linked).groups == [0, 1]
    without = [Mention(20, 25, "Paris", "GPE"), Mention(30, 35, "PARIS", "GPE")]
    assert group_mentions([*linked, *without]).groups == [0, 1, 2, 2]
    assert group_mentions([linked[0], Mention(20, 25, "Paris", "GPE")]).groups == [0, 0]
    family = [Mention(0, 12, "Ada Lovelace", "PERSON", "Q1"), Mention(20, 28, "Lovelace", "PERSON", "Q2")]
    assert group_mentions(family).groups == [0, 1]
    found = [Mention(0, 12, "Ada Lovelace", "PERSON"), Mention(20, 32, "Ada Lovelace", "PERSON", "Q1")]
    assert group_mentions([*found, Mention(40, 48, "Lovelace", "PERSON", "Q2")]).groups == [0, 0, 1]
    assert group_mentions([*found, Mention(40, 48, "Lovelace", "PERSON", "Q1")]).groups == [0, 0, 0]
    same = [Mention(0, 3, "NYC", "GPE", "Q60"), Mention(10, 19, "Big Apple", "MISC", "Q60")]
    assert group_mentions(same) == ([0, 0], [(0, 1, "kb_id", 1.0)])


def test_an_untyped_name_joins_the_only_type() -> None:
    typed = [Mention(0, 5, "Paris", "GPE"), Mention(10, 15, "Paris")]
    assert group_mentions(typed).groups == [0, 0]
    assert group_mentions([*typed, Mention(20, 25, "Paris", "PERSON")]).groups == [0, 1, 2]


def test_subject_and_object_are_not_joined_by_a_guess() -> None:
    family = mentions("Ada Lovelace", "Lovelace", label="PERSON")
    assert group_mentions(family).groups == [0, 0]
    assert group_mentions(family, apart={(0, 1)}).groups == [0, 1]
    assert group_mentions(mentions("Rome", "Rome"), apart={(0, 1)}).groups == [0, 0]
    twice = mentions("Ada Lovelace", "Ada Lovelace", "Lovelace", label="PERSON")
    for at in (0, 1):
        assert group_mentions(twice, apart={(at, 2)}).groups == [0, 0, 1], "what is known of one mention holds for all"
    cousins = mentions("Ada Lovelace", "Mary Lovelace", "Lovelace", label="PERSON")
    assert group_mentions(cousins, apart={(1, 2)}).groups == [0, 1, 0], "the only one that is left"


@pytest.mark.parametrize(
    "one, other, label, expected",
    [
        ("Tooru Fujisawa", "Tohru Fujisawa", "PERSON", True),
        ("Fujisawakawa", "Fujosawakawa", "PERSON", True),  # their first three letters are equal
        ("Fujisawakawa", "Fuxisawakawa", "PERSON", False),
        ("Abc Fxjisawakawa", "Abc Fyjisawakawa", "PERSON", True),
        ("Ab Fxjisawakawa", "Ab Fyjisawakawa", "PERSON", False),
        ("Tooruk", "Toooruk", "PERSON", True),  # 6 letters; 12 of 13 are equal
        ("Tooru", "Toooru", "PERSON", False),
        ("Fujisawaka", "Fujosawaka", "PERSON", True),  # 18 of 20
        ("Fujisawak", "Fujosawak", "PERSON", False),  # 16 of 18
        ("Tooru Fujisawa", "Tohru Fujisawa", "DATE", False),
    ],
)
def test_names_that_are_spelt_nearly_alike(one: str, other: str, label: str, expected: bool) -> None:
    found = mentions(one, other, label=label)
    assert group_mentions(found, rules=("similar",)).groups == ([0, 0] if expected else [0, 1])


def test_similar_names_are_linked_to_the_first_one() -> None:
    found = mentions("Tooru Fujisawa", "Tohru Fujisawa", "Tonru Fujisawa", label="PERSON")
    score = pytest.approx(1 - 2 / 28)
    assert list(map(tuple, group_mentions(found).links)) == [(0, 1, "similar", score), (0, 2, "similar", score)]


def test_pronouns_join_only_by_coreference() -> None:
    names = mentions("Ada Lovelace", "she", "she", label="PERSON")
    assert group_mentions(names).groups == [0, 1, 2]
    grouping = group_mentions(names, chains=[[0, 1]])
    assert grouping.groups == [0, 0, 1] and grouping.links == [(0, 1, "coreference", 1.0)]


def test_each_rule_says_how_sure_it_is() -> None:
    for label, names, reason, score in (
        ("ORG", ("The Beatles", "Beatles"), "normalized", 0.99),
        ("GPE", ("Holland", "the Netherlands"), "country", 0.98),
        ("GPE", ("France", "French"), "people", 0.8),
        ("ORG", ("European Union", "EU"), "acronym", 0.95),
        ("PERSON", ("Ada Lovelace", "Lovelace"), "person", 0.95),
        ("ORG", ("Detroit Lions", "Lions"), "last word", 0.9),
        ("ORG", ("Kestrel Analytics", "Kestrel"), "first word", 0.8),
        (None, ("Hart Lane Partners LLP", "Hart Lane"), "first word", 0.8),
    ):
        assert group_mentions(mentions(*names, label=label), rules=RULES).links == [(0, 1, reason, score)]
    links = group_mentions(mentions("United Kingdom", "UK", "British", "UK", label="GPE"), rules=RULES).links
    assert links == [(0, 1, "country", 0.98), (0, 2, "people", 0.8)]


def test_types_of_one_name() -> None:
    """The type of most mentions wins; a person and a place may share a name."""
    names = [("Nordlys", "PRODUCT"), ("Nordlys", "ORG"), ("NORDLYS", "ORG"), ("Jordan", "PERSON"), ("Jordan", "GPE")]
    made = [mentions(name, label=label)[0] for name, label in names]
    made = [each._replace(start=10 * at, end=10 * at + 9) for at, each in enumerate(made)]
    found = group_mentions(made, rules=("exact", "normalized", "type"))
    assert found.groups == [0, 0, 0, 1, 2] and ("type", 0.8) in [link[2:] for link in found.links]
    assert group_mentions(made).groups == [0, 1, 1, 2, 3]


def test_a_rule_that_is_left_out_joins_nothing() -> None:
    examples = {
        "normalized": (["The Beatles", "Beatles"], "ORG"),
        "country": (["Holland", "the Netherlands"], "GPE"),
        "acronym": (["European Union", "EU"], "ORG"),
        "person": (["Ada Lovelace", "Lovelace"], "PERSON"),
        "last word": (["Detroit Lions", "Lions"], "ORG"),
        "similar": (["Tooru Fujisawa", "Tohru Fujisawa"], "PERSON"),
    }
    for rule, (names, label) in examples.items():
        others = [each for each in RULES if each not in (rule, "people")]
        assert groups(names, label, rules=[*others, rule]) == [0, 0], rule
        assert groups(names, label, rules=others) == [0, 1], rule
    same = [Mention(0, 3, "NYC", "GPE", "Q60"), Mention(19, 28, "Big Apple", "GPE", "Q60")]
    options = {"text": "NYC, also known as Big Apple", "chains": [[0, 1]]}
    for rule in ("kb_id", "coreference", "alias"):
        assert group_mentions(same, rules=[rule], **options).groups == [0, 0]  # type: ignore[arg-type]
    others = [each for each in RULES if each not in ("kb_id", "coreference", "alias")]
    assert group_mentions(same, rules=others, **options).groups == [0, 1]  # type: ignore[arg-type]


NAMES = st.text(alphabet="aAbB .-'&éIVX12\n\u202e", max_size=12).filter(bool)


@given(st.lists(st.tuples(NAMES, st.sampled_from([None, "PERSON", "ORG", "GPE"])), max_size=8))
def test_any_names_are_grouped(names: List[tuple]) -> None:
    found = [Mention(20 * at, 20 * at + len(name), name, label) for at, (name, label) in enumerate(names)]
    grouping = group_mentions(found, text="x" * 200, rules=RULES)
    assert len(grouping.groups) == len(found)
    first = [grouping.groups.index(number) for number in sorted(set(grouping.groups))]
    assert first == sorted(first)  # numbered in the order of the text
    for link in grouping.links:
        assert grouping.groups[link.kept] == grouping.groups[link.merged] and 0 < link.score <= 1


def test_a_long_document_is_grouped_quickly() -> None:
    names = [f"Name{number % 997} Family{number // 7}" for number in range(7_000)]
    assert len(set(groups(names, "PERSON"))) > 900
