"""Facts that no triple states, in files, tables, pages and graphs."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_relext import set_triples, to_frame, to_networkx
from spacy_relext.annotations.doc_entities import fact_record, get_entities, set_facts
from spacy_relext.annotations.store import set_coref
from spacy_relext.export.records import extraction_record
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import read_documents
from spacy_relext.integrations.doc_graph import doc_graph
from spacy_relext.visuals.page import render_page

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "Ada Holm  runs Nordlys.\nIt is in Skien. Skien is old. Ada Holm left Skien."


@pytest.fixture()
def doc() -> Doc:
    doc = NLP(TEXT)
    names = [("Ada Holm", "PERSON"), ("Nordlys", "ORG"), ("Skien", "PLACE")]
    doc.set_ents(
        [
            doc.char_span(at, at + len(name), label)
            for name, label in names
            for at in range(80)
            if TEXT[at:].startswith(name)
        ]
    )
    it = TEXT.index("It")
    set_coref(doc, [[(TEXT.index("Nordlys"), TEXT.index("Nordlys") + 7), (it, it + 2)]])
    at = TEXT.index("Nordlys")
    set_triples(doc, [{"subject": (0, 8), "relation": "leads", "object": (at, at + 7), "score": 0.9}], source="rere")
    ada, nordlys, skien = get_entities(doc)
    stated = fact_record(ada, "leads", nordlys, score=0.95, source="documents")
    seat = fact_record(nordlys, "seat", skien, score=0.75, source="documents", sentence=list(doc.sents)[1])
    home = fact_record(
        ada, "home", skien, score=0.5, source="more", derived={"rule": "implies", "sources": [stated, seat]}
    )
    set_facts(doc, [stated, seat, home])
    return doc


def test_records_and_frames_have_them_as_triples(doc: Doc) -> None:
    rows = to_frame(doc)
    found = rows[["subject", "relation", "object", "score", "source", "attributes"]].values.tolist()
    assert found == [
        ["Ada Holm", "leads", "Nordlys", 0.9, "rere", ""],
        ["Nordlys", "seat", "Skien", 0.75, "documents", ""],
        ["Ada Holm", "home", "Skien", 0.5, "more", '{"derived": "implies"}'],
    ], "the triple keeps its own score"
    record = extraction_record(doc, min_score=0.6)
    assert [each["relation"] for each in record["triples"]] == ["leads", "seat"]
    assert record["triples"][1]["evidence"] == {"sentence": "It is in Skien."}
    near = TEXT.rindex("Ada Holm")
    assert extraction_record(doc)["triples"][2]["subject"] == [near, near + 8], "the nearest names"


def test_pages_list_them(doc: Doc) -> None:
    page = render_page([doc])
    assert "sentence: It is in Skien." in page and "home" in page


def test_graphs_have_them(doc: Doc, tmp_path: Path) -> None:
    graph = to_networkx(doc)
    assert {(one, each["relation"], two): each["support"] for one, two, each in graph.edges(data=True)} == {
        ("Ada Holm", "leads", "Nordlys"): 1,
        ("Nordlys", "seat", "Skien"): 0,
        ("Ada Holm", "home", "Skien"): 0,
    }
    assert graph["Ada Holm"]["Nordlys"]["leads"]["score"] == 0.95
    wanted = {("Ada Holm", "leads", "Nordlys"), ("Nordlys", "seat", "Skien"), ("Ada Holm", "home", "Skien")}
    assert {(edge.subject.name, edge.relation, edge.object.name) for edge in doc_graph(doc)[1]} == wanted
    DocBin(store_user_data=True, docs=[doc]).to_disk(tmp_path / "a.spacy")
    tables = build_graph(read_documents([tmp_path / "a.spacy"])).tables
    names = dict(zip(*(tables.entities[key].to_pylist() for key in ("entity_id", "name"))))
    rows = tables.facts.to_pylist()
    assert {(names[row["subject"]], row["relation"], names[row["object"]]) for row in rows} == wanted
    attributes = [value for value in tables.support["attributes"].to_pylist() if value]
    assert [json.loads(value) for value in attributes] == [{"derived": "implies"}]


def test_other_docs_are_as_before() -> None:
    doc = NLP("Ada met Bo")
    set_triples(doc, [((0, 3), "met", (8, 10))])
    assert len(extraction_record(doc)["triples"]) == 1
