"""What may be a mention, and what its antecedent."""

import re
from typing import List, Tuple

import pytest
import spacy
from spacy.tokens import Doc

from spacy_relext.coref.slots import (
    FEATURES,
    KINDS,
    MAX_CANDIDATES,
    list_anaphors,
    list_slots,
    slot_arrays,
    suggest_anaphors,
)


def make_doc(text: str, *names: str) -> Doc:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp(text)
    places = [match.span() for name in names for match in re.finditer(name, text)]
    doc.set_ents([span for place in sorted(places) if (span := doc.char_span(*place, label="PERSON"))])
    return doc


def slots_of(doc: Doc) -> List[Tuple[str, str]]:
    return [(doc[slot.start : slot.end].text, KINDS[slot.kind]) for slot in list_slots(doc)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("She met the old king.", [("She", "pronoun"), ("the old king", "nominal")]),
        ("Her brother left.", [("Her", "pronoun"), ("Her brother left", "nominal")]),
        ("The 61-year-old, smiling", [("The 61-year-old", "nominal")]),
        ("The US and WHO left.", []),
        ("THE KING SAW HIM.", [("THE KING SAW", "nominal"), ("HIM", "pronoun")]),
        (
            "It is the\u00a0firm’s  hall, the end.",
            [("It", "pronoun"), ("the\u00a0firm’s  hall", "nominal"), ("the end", "nominal")],
        ),
        ("The Ada sank.", []),
        ("That he sings", [("he", "pronoun")]),
        ("“I” 🙂 the", [("I", "pronoun")]),
    ],
)
def test_slots(text: str, expected: List[Tuple[str, str]]) -> None:
    found = slots_of(make_doc(text, "Ada"))
    assert [each for each in found if each[1] != "name"] == expected


def test_names_of_one_entity_have_one_group() -> None:
    doc = make_doc("Ada Holm met Bo. Holm left.", "Ada Holm", "Bo", r"(?<=\. )Holm")
    assert [slot.group for slot in list_slots(doc)] == [0, 1, 0]


def test_candidates_stand_before_or_later_in_the_sentence() -> None:
    doc = make_doc("Ada ran. When she fell, her friend Bo saw Eva. Ida left.", "Ada", "Bo", "Eva", "Ida")
    slots = list_slots(doc)
    texts = [doc[slot.start : slot.end].text for slot in slots]
    assert texts == ["Ada", "she", "her", "her friend", "Bo", "Eva", "Ida"]
    assert list_anaphors(slots) == [(1, [0, 4, 5]), (2, [0, 1, 4, 5]), (3, [0, 1, 4, 5])]


def test_few_candidates_in_a_long_text() -> None:
    doc = make_doc("Ada saw him. " * 100, "Ada")
    instances = suggest_anaphors([doc, make_doc("")])
    assert max(len(candidates) for _, _, candidates in instances.anaphors) == MAX_CANDIDATES
    arrays = slot_arrays(instances, ["PERSON"])
    assert arrays["candidates"].shape == (100, MAX_CANDIDATES) and arrays["candidates"].min() == -1
    for number, size in enumerate(FEATURES.values()):
        assert 0 <= arrays["features"][..., number].min() and arrays["features"][..., number].max() < size


def test_nothing() -> None:
    arrays = slot_arrays(suggest_anaphors([make_doc(""), make_doc("Hm.")]), [])
    assert all(len(array) == 0 for array in arrays.values())
