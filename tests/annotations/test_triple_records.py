"""Reading triples in an order and by source, and as values of JSON."""

import json
from typing import Any, List

import pytest
from spacy.tokens import Doc

from spacy_relext import get_triples, has_triples, set_triples
from spacy_relext.annotations.store import get_triple_records, set_triple_records
from spacy_relext.annotations.triple import Record, Triple
from tests.annotations.test_store import NLP, TEXT


@pytest.fixture()
def doc() -> Doc:
    doc = NLP(TEXT)
    found = [(doc[9:10], "set_in", doc[11:12], 0.9), (doc[0:2], "place_of_birth", doc[5:6], 0.25, {"rule": [1, 2]})]
    set_triples(doc, found, source="finder")
    set_triples(doc, [(doc[7:8], "wrote", doc[9:10])])
    set_triples(doc, [(doc[7:8], "in", doc[11:12], 0.9), (doc[7:8], "saw", doc[9:10], 0.5)], source="other")
    return doc


def relations(triples: List[Triple]) -> List[str]:
    return [triple.relation for triple in triples]


def test_order_and_source(doc: Doc) -> None:
    by_text = ["place_of_birth", "wrote", "saw", "in", "set_in"]
    assert relations(doc._.triples) == relations(get_triples(doc)) == by_text
    assert relations(get_triples(doc, source="")) == ["wrote"] and relations(get_triples(doc, source="other")) == [
        "saw",
        "in",
    ]
    assert get_triples(doc, source="nobody") == [] == get_triples(NLP(TEXT))


def through_json(doc: Doc) -> Doc:
    value = json.loads(json.dumps(doc.to_json(underscore=["triple_records"])))
    return Doc(NLP.vocab).from_json(value)


def through_processes(doc: Doc) -> Doc:
    return list(NLP.pipe([doc, NLP("x")], n_process=2))[0]


@pytest.mark.parametrize("make", [through_json, through_processes])
def test_records_survive(doc: Doc, make: Any) -> None:
    found = make(doc)
    assert found is not doc and found._.triple_records == doc._.triple_records
    assert found._.triples == doc._.triples and len(found._.triples) == 5


def test_records_are_those_of_the_triples(doc: Doc) -> None:
    assert doc._.triple_records == [triple.to_dict() for triple in doc._.triples]
    assert json.loads(json.dumps(doc._.triple_records)) == doc._.triple_records
    set_triples(doc, [((1, 9), "inside", (26, 28))], source="finder")  # offsets inside tokens stay exact
    first = doc._.triple_records[0]
    assert (first["subject"], first["subject_text"], first["object_text"]) == ([1, 9], "da Lovel", "on")


def test_the_setter_replaces_all_sources(doc: Doc) -> None:
    records: List[Record] = doc._.triple_records
    copy_of_text = NLP(TEXT)
    copy_of_text._.triple_records = records
    assert copy_of_text._.triple_records == records == get_triple_records(doc)
    doc._.triple_records = [records[0]]
    assert [(t.relation, t.source) for t in doc._.triples] == [("place_of_birth", "finder")]
    doc._.triple_records = []
    assert has_triples(doc) and doc._.triples == []
    set_triple_records(doc, None)
    assert not has_triples(doc)
    set_triple_records(doc, None)  # not annotated before either


def test_the_setter_says_what_it_wants(doc: Doc) -> None:
    before = doc._.triple_records
    with pytest.raises(ValueError, match=r"\[R016\].*the triples are 'Ada' \(str\), not a list"):
        doc._.triple_records = "Ada"
    with pytest.raises(ValueError, match=r"\[R016\].*triple 2 has no object"):
        doc._.triple_records = [before[0], {"subject": [0, 1], "relation": "r"}]
    with pytest.raises(ValueError, match=r"\[R002\] Offsets 0:99"):
        doc._.triple_records = [{**before[0], "subject": [0, 99]}]
    assert doc._.triple_records == before


def test_a_change_of_what_was_read_changes_nothing(doc: Doc) -> None:
    doc._.triple_records[0]["evidence"]["rule"].append(3)
    doc._.triples[0].evidence["rule"].append(3)
    assert doc._.triple_records[0]["evidence"] == {"rule": [1, 2]}
