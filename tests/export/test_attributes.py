"""Attributes of triples in every export, and denied triples, which must not become facts."""

import csv
import io
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import spacy
from spacy.tokens import Doc

from spacy_relext import Triple, set_triples, to_frame, to_networkx
from spacy_relext.annotations.triple import Record
from spacy_relext.export.columns import CsvWriter, ParquetWriter, read_parquet_records
from spacy_relext.export.graph_files import export_graph
from spacy_relext.export.records import extraction_record
from spacy_relext.export.tables import GraphTables, read_tables, write_tables
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import doc_to_document, read_documents
from spacy_relext.integrations.doc_graph import doc_graph
from spacy_relext.visuals.explanation import explain_doc
from spacy_relext.visuals.page import render_page

NLP = spacy.blank("en")
TEXT = "Ada Holm founded Havgass. Bo Lie did not found Havgass. Bo says that Cy leads it."
DENIED, REPORTED = {"assertion": "denied"}, {"assertion": "reported", "by": "<b>Bo</b>"}


@pytest.fixture()
def doc() -> Doc:
    doc = NLP(TEXT)
    triples: List[Record] = []
    for subject, relation, obj, attributes in (
        ("Ada Holm", "founder", "Havgass", None),
        ("Bo Lie", "founder", "Havgass", DENIED),
        ("Cy", "leader", "it", REPORTED),
    ):
        start, end = TEXT.index(subject), TEXT.index(obj, 1 if obj == "Havgass" else 70)
        spans: Dict[str, Any] = {"subject": (start, start + len(subject)), "object": (end, end + len(obj))}
        triples.append({**spans, "relation": relation, "score": 0.5, "attributes": attributes})
    set_triples(doc, triples, source="m")
    return doc


def test_csv_and_parquet(doc: Doc, tmp_path: Path) -> None:
    record = extraction_record(doc, extra={"rejected": [{"relation": "r"}]})
    assert [triple.get("attributes") for triple in record["triples"]] == [None, DENIED, REPORTED]
    stream = io.StringIO()
    CsvWriter(stream).write(record)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [row["attributes"] and json.loads(row["attributes"]) for row in rows] == ["", DENIED, REPORTED]
    with (tmp_path / "r.parquet").open("wb") as file:
        writer = ParquetWriter(file)
        writer.write(record)
        writer.close()
    assert list(read_parquet_records(tmp_path / "r.parquet")) == [record]


def build(doc: Doc) -> GraphTables:
    built = build_graph([doc_to_document(doc)])
    assert built.not_facts == 1
    return built.tables


def attributes_of(tables: GraphTables) -> List[Optional[str]]:
    return sorted((each for each in tables.support.column("attributes").to_pylist()), key=str)


def test_a_graph_has_no_denied_facts(doc: Doc, tmp_path: Path) -> None:
    reported = json.dumps(REPORTED)
    tables = build(doc)
    assert tables.facts.num_rows == 2 and attributes_of(tables) == [None, reported]
    assert sorted(tables.entities.column("name").to_pylist()) == ["Ada Holm", "Cy", "Havgass", "it"]
    export_graph(tables, tmp_path / "facts.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text().splitlines()]
    assert [each["support"][0].get("attributes") for each in lines] == [None, REPORTED]
    for name, form in (("g.nt", None), ("neo4j", "neo4j")):
        export_graph(tables, tmp_path / name, form=form)
        path = tmp_path / name / "support.csv" if form else tmp_path / name
        assert "reported" in path.read_text(encoding="utf8")


def test_attributes_survive_files(doc: Doc, tmp_path: Path) -> None:
    record = extraction_record(doc)
    (tmp_path / "r.jsonl").write_text(json.dumps(record), encoding="utf8")
    built = build_graph(read_documents([tmp_path / "r.jsonl"]))
    assert built.not_facts == 1
    write_tables(built.tables, tmp_path / "graph")
    assert attributes_of(read_tables(tmp_path / "graph")) == [None, json.dumps(REPORTED)]


def test_frame_and_networkx(doc: Doc) -> None:
    assert to_frame(doc).attributes.tolist() == ["", json.dumps(DENIED), json.dumps(REPORTED)]
    graph = to_networkx(doc)
    assert [(one, two, edge["support"]) for one, two, edge in graph.edges(data=True)] == [("Ada Holm", "Havgass", 1)]
    assert "it" not in graph, "a pronoun names nothing"


def test_nodes_and_edges_for_graph_databases(doc: Doc) -> None:
    nodes, edges = doc_graph(doc)
    # whoever leads "it" leads nothing that a database could name
    assert [edge.relation for edge in edges] == ["founder"] and "Bo Lie" not in {node.name for node in nodes}
    assert "attributes" not in edges[0].properties
    reported = {"subject": doc[0:2], "relation": "leader", "object": doc[3:4], "attributes": REPORTED}
    set_triples(doc, [reported], source="x")
    (edge,) = [edge for edge in doc_graph(doc)[1] if edge.relation == "leader"]
    assert json.loads(str(edge.properties["attributes"])) == REPORTED


def test_pages_show_attributes_as_text(doc: Doc) -> None:
    lines = explain_doc(doc)
    assert "Bo Lie → founder (denied) → Havgass (score 0.500, from m)" in lines
    page = render_page([doc])
    assert "founder (denied)" in page and "<b>Bo" not in page and "by: &lt;b&gt;Bo&lt;/b&gt;" in page


def test_triples_keep_attributes(doc: Doc) -> None:
    triples: List[Triple] = doc._.triples
    assert [triple.attributes for triple in triples] == [{}, DENIED, REPORTED]
