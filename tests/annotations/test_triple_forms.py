"""Wrong input of `set_triples`: one line says what was given, where, and what is expected."""

from typing import Any

import numpy
import pytest
import spacy

from spacy_relext import Triple, get_records, has_triples, set_triples

NLP = spacy.blank("en")
TEXT = "Ada Lovelace was born in London."
DOC = NLP(TEXT)
OTHER = NLP("Another text about Ada Lovelace.")
SPAN, OBJECT = DOC[0:2], DOC[5:6]

WRONG = {
    "a string": ("Ada", "the triples are 'Ada' (str), not a list"),
    "bytes": (b"Ada", "the triples are b'Ada' (bytes), not a list"),
    "None": (None, "the triples are None (NoneType), not a list"),
    "a number": (3, "the triples are 3 (int), not a list"),
    "one triple": (Triple(SPAN, "r", OBJECT), "the triples are Triple('Ada Lovelace', 'r', 'London', score=1.000)"),
    "one dictionary": ({"subject": SPAN}, "the triples are {'subject': Ada Lovelace} (dict), not a list"),
    "one tuple": ((SPAN, "r", OBJECT), "triple 1 is Ada Lovelace (Span)"),
    "strings": (["Ada", "r", "London"], "triple 1 is 'Ada' (str)"),
    "texts": ([("Ada Lovelace", "r", OBJECT)], "the subject of triple 1 is 'Ada Lovelace' (str)"),
    "a text as object": ([(SPAN, "r", OBJECT), (SPAN, "r", "London")], "the object of triple 2 is 'London' (str)"),
    "no span": ([(None, "r", OBJECT)], "the subject of triple 1 is None (NoneType)"),
    "a token": ([(DOC[0], "r", OBJECT)], "the subject of triple 1 is Ada (Token)"),
    "three offsets": ([((0, 3, 5), "r", OBJECT)], "the subject of triple 1 is (0, 3, 5) (tuple)"),
    "offsets of another kind": ([((0.0, 3.0), "r", OBJECT)], "the subject of triple 1 is (0.0, 3.0) (tuple)"),
    "another text": ([(OTHER[3:5], "r", OBJECT)], "the subject of triple 1 is 'Ada Lovelace', a span of another text"),
    "a relation that is a span": ([(SPAN, DOC[3:4], OBJECT)], "the relation of triple 1 is born (Span)"),
    "two values": ([(SPAN, "r")], "triple 1 is (Ada Lovelace, 'r') (tuple)"),
    "six values": ([(SPAN, "r", OBJECT, 1.0, {}, 1)], "triple 1 is (Ada Lovelace, 'r', London, 1.0, {}, 1) (tuple)"),
    "a key is missing": ([{"subject": SPAN, "relation": "r"}], "triple 1 has no object"),
    "other keys": ([{"head": SPAN, "relation": "r"}], "triple 1 has no subject and no object"),
    "a score that is text": ([(SPAN, "r", OBJECT, "high")], "the score of triple 1 is 'high' (str)"),
    "no score": ([(SPAN, "r", OBJECT, None)], "the score of triple 1 is None (NoneType)"),
    "attributes that are text": (
        [{"subject": SPAN, "relation": "r", "object": OBJECT, "attributes": "denied"}],
        "the attributes of triple 1 are 'denied' (str)",
    ),
    "evidence that is text": ([(SPAN, "r", OBJECT, 1.0, "why")], "the evidence of triple 1 is 'why' (str)"),
}


@pytest.mark.parametrize(("triples", "message"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_forms(triples: Any, message: str) -> None:
    doc = NLP(TEXT)
    with pytest.raises(ValueError) as raised:
        set_triples(doc, triples)
    told = str(raised.value)
    assert told.startswith(f"[R016] set_triples: {message}") and "\n" not in told
    assert "Expected a list of (subject, relation, object" in told and "doc.char_span(0, 12)" in told
    assert not has_triples(doc)


def test_sixty_characters_are_not_shortened() -> None:
    for length, shown in ((58, "'" + "x" * 58 + "'"), (59, "'" + "x" * 58 + "…")):
        with pytest.raises(ValueError) as raised:
            set_triples(NLP(TEXT), ["x" * length])  # type: ignore[list-item]
        assert f"triple 1 is {shown} (str)" in str(raised.value)


def test_a_value_of_several_lines_is_told_in_one() -> None:
    doc = NLP("Ada\nLovelace")
    with pytest.raises(ValueError, match=r"the relation of triple 1 is Ada Lovelace \(Span\)"):
        set_triples(doc, [(doc[0:1], doc[0:3], doc[2:3])])


def test_nothing_is_stored_if_one_is_wrong() -> None:
    doc = NLP(TEXT)
    set_triples(doc, [(doc[0:1], "old", doc[5:6])])
    with pytest.raises(ValueError, match="triple 2"):
        set_triples(doc, [(doc[0:2], "new", doc[5:6]), "x"])  # type: ignore[list-item]
    assert [triple.relation for triple in doc._.triples] == ["old"]


def test_forms_that_are_read() -> None:
    doc, same_text = NLP(TEXT), NLP(TEXT)
    numbers = (numpy.int64(0), numpy.int32(12))
    triples: Any = ((numbers, "r", same_text[5:6], numpy.float32(0.5)) for _ in range(1))  # a generator
    set_triples(doc, triples)
    (record,) = get_records(doc) or []
    assert (record["subject"], record["object"], record["score"]) == ((0, 12), (25, 31), 0.5)
    assert type(record["score"]) is float and type(record["subject"][0]) is int
