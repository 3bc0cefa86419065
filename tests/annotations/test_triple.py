"""The value `Triple`: as a dictionary, unpacked, copied."""

import copy
import dataclasses
import json

import pytest
import spacy

from spacy_relext import Triple, set_triples

NLP = spacy.blank("en")
EVIDENCE = {"how": "exact", "parts": [0.5, 1.0]}


@pytest.fixture()
def triple() -> Triple:
    doc = NLP("Ada Lovelace was born  in London.")
    return Triple(doc[0:2], "place_of_birth", doc[6:7], score=0.75, source="finder", evidence=EVIDENCE)


def test_attributes(triple: Triple) -> None:
    assert triple.attributes == {} and "attributes" not in triple.to_dict() and "attributes" not in repr(triple)
    denied = dataclasses.replace(triple, attributes={"assertion": "denied"})
    assert denied == triple and hash(denied) == hash(triple)  # equality is that of offsets and label
    assert denied.to_dict() == {**triple.to_dict(), "attributes": {"assertion": "denied"}}
    assert repr(denied).endswith("score=0.750, attributes={'assertion': 'denied'})")
    doc = triple.subject.doc
    set_triples(doc, [denied], source="finder")
    (stored,) = doc._.triples
    assert stored.attributes == {"assertion": "denied"} and doc._.triple_records == [denied.to_dict()]


def test_a_dictionary_of_plain_values(triple: Triple) -> None:
    expected = {
        "subject": [0, 12],
        "relation": "place_of_birth",
        "object": [26, 32],
        "score": 0.75,
        "source": "finder",
        "subject_text": "Ada Lovelace",
        "object_text": "London",
        "evidence": EVIDENCE,
    }
    assert triple.to_dict() == expected
    read = json.loads(json.dumps(triple.to_dict()))
    assert read == expected
    doc = NLP(triple.subject.doc.text)
    set_triples(doc, [read], source="finder")
    assert [each.to_dict() for each in doc._.triples] == [expected]


def test_unpacking(triple: Triple) -> None:
    subject, relation, obj = triple
    assert (subject.text, relation, obj.text) == ("Ada Lovelace", "place_of_birth", "London")
    assert subject is triple.subject and obj is triple.object
    assert {(s.text, o.text): r for s, r, o in [triple]} == {("Ada Lovelace", "London"): "place_of_birth"}


def test_copies_are_the_triple_itself(triple: Triple) -> None:
    assert copy.copy(triple) is triple and copy.deepcopy([triple]) == [triple]
    assert copy.deepcopy(triple).subject.doc is triple.subject.doc
