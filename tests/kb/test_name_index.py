"""Names of entities, their senses, and surnames."""

from typing import List

import numpy
import pytest

from spacy_relext.kb.facts import FactIndex, Names, TripleStore
from spacy_relext.kb.linker import NameIndex, choose_senses, surnames_of

NAMES = {
    "Q1": Names("The Ark", ("Ark",), ("WORK",)),
    "Q2": Names("Ark", (), ("PLACE",)),
    "Q3": Names("ARK", ("Ark  Hill",)),
    "Q4": Names("", ("the", " ")),
}
INDEX = NameIndex(NAMES)


def test_labels_come_before_aliases() -> None:
    assert NameIndex({"Q1": Names("X", ("Ark",)), "Q2": Names("Ark")}).find("Ark") == ("Q2", "Q1")


def test_a_strict_search_takes_no_small_letters() -> None:
    assert INDEX.find("ark hill", strict=True) == () and INDEX.find("ARK HILL", strict=True) == ("Q3",)
    assert INDEX.find("Ark hill", strict=True) == () and INDEX.find("the ARK", strict=True) == ("Q3",)


def test_senses() -> None:
    facts = [(0, 0, 3), (1, 0, 2), (1, 0, 4)]
    kb = FactIndex(TripleStore(["a", "b", "c", "d", "e"], ["r"], numpy.asarray(facts, dtype="int32")))
    assert choose_senses([("a", "b"), ("c", "d")], kb) == ["b", "c"], "two facts; both pairs have one, b has more"
    assert choose_senses([("a", "b"), ("d",), ("a", "b")], kb) == ["a", "d", "a"]
    again = FactIndex(TripleStore(["a", "b", "c", "d"], ["r"], numpy.asarray([(0, 0, 1), (2, 0, 3)], dtype="int32")))
    assert choose_senses([("a", "b", "c"), ("d",)], again) == ["c", "d"], "what joins two senses of a name says nothing"
    assert choose_senses([("c", "d"), (), ("x",)], kb) == ["c", "", "x"], "the first of equals"
    assert choose_senses([("x", "y"), ("x", "y")], kb) == ["x", "x"] and choose_senses([], kb) == []


@pytest.mark.parametrize(
    ("name", "surnames"),
    [
        ("Ida Holm", ["Holm"]),
        ("Ida B. Holm", ["B. Holm", "Holm"]),
        ("Ida Holm Jr.", ["Holm"]),
        ("Ida Holm II", ["Holm"]),
        ("Ida of Vardal", []),
        ("Holm", []),
        ("II", []),
    ],
)
def test_surnames(name: str, surnames: List[str]) -> None:
    assert surnames_of(name) == surnames
