import json

import pytest

from spacy_relext.annotations.schema import schema_from_dict
from spacy_relext.export import graph_files, rdf, xml_graphs
from spacy_relext.export.graph_files import FOLDER_FORMS, FORMS, export_graph, find_form
from spacy_relext.export.tables import read_tables
from tests.export.example_graph import HARD_NAMES, make_graph

SCHEMA = schema_from_dict({"relations": {"met": {"functional": True}}})


def content(path):
    if path.is_file():
        return path.read_bytes()
    return {each.name: each.read_bytes() for each in path.iterdir()}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_bytes_twice(tmp_path, form):
    graph = make_graph(HARD_NAMES)
    for name in ("a", "b", "a"):
        export_graph(graph, tmp_path / "new" / name, form=form, schema=SCHEMA)
    assert content(tmp_path / "new" / "a") == content(tmp_path / "new" / "b")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


def check_lines(path, graph):
    lines = [json.loads(line) for line in path.read_text(encoding="utf8").split("\n")[:-1]]
    entities = {row["entity_id"]: row for row in graph.entities.to_pylist()}
    mentions = {row["mention_id"]: row for row in graph.mentions.to_pylist()}
    support = graph.support.to_pylist()
    assert len(lines) == graph.facts.num_rows
    for line, row in zip(lines, graph.facts.to_pylist()):
        for role in ("subject", "object"):
            expected = {key: value for key, value in entities[row[role]].items() if value is not None}
            assert line[role] == expected
        for key in ("fact_id", "relation", "probability", "best_score", "n_sentences", "n_documents"):
            assert line[key] == row[key]
        rows = [each for each in support if each["fact_id"] == row["fact_id"]]
        assert [each["sentence"] for each in line["support"]] == [each["sentence"] for each in rows]
        for found, each in zip(line["support"], rows):
            mention = mentions[each["subject_mention"]]
            assert found["subject"] == [mention["start"], mention["end"]]
            assert found["doc_id"] == each["doc_id"] and found["score"] == each["score"]


def test_lines(tmp_path):
    graph = make_graph(HARD_NAMES)
    export_graph(graph, tmp_path / "g.jsonl")
    check_lines(tmp_path / "g.jsonl", graph)


def test_parquet_is_a_copy(tmp_path):
    graph = make_graph()
    export_graph(graph, tmp_path / "copy", form="parquet")
    assert read_tables(tmp_path / "copy").named() == graph.named()


def test_forms(tmp_path):
    assert find_form(tmp_path / "g.TTL") == "ttl" and find_form(tmp_path / "g.ttl", "nt") == "nt"
    for arguments in ((tmp_path / "g.docx",), (tmp_path / "g",), (tmp_path / "g.ttl", "owl")):
        with pytest.raises(ValueError, match="R206.*--to.*expected one of: parquet, neo4j, jsonl, graphml"):
            find_form(*arguments)


def test_base_of_names(tmp_path):
    graph = make_graph()
    for info, base, expected in (
        ({}, None, "http://example.org/graph/"),
        ({"base": "https://a.b/"}, None, "https://a.b/"),
        ({"base": "https://a.b/"}, "http://c", "http://c/"),
    ):
        graph.info = info
        export_graph(graph, tmp_path / "g.nt", base=base)
        assert f"<{expected}entity/0>" in (tmp_path / "g.nt").read_text(encoding="utf8")
    with pytest.raises(ValueError, match="R802"):
        export_graph(graph, tmp_path / "g.nt", base="nothing")


@pytest.mark.parametrize(
    ("form", "place", "name"),
    [("jsonl", graph_files, "to_json"), ("graphml", xml_graphs, "graph_edges"), ("ttl", rdf, "typed")],
)
def test_an_error_leaves_what_was_there(tmp_path, monkeypatch, form, place, name):
    export_graph(make_graph(), tmp_path / f"g.{form}")
    before = content(tmp_path)

    def broken(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(place, name, broken)
    with pytest.raises(OSError, match="full"):
        export_graph(make_graph(["a", "b"]), tmp_path / f"g.{form}")
    assert content(tmp_path) == before


def test_files_and_folders_are_not_confused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for form in FORMS:
        out = tmp_path / ("file" if form in FOLDER_FORMS else "folder")
        with pytest.raises(ValueError, match="R801"):
            export_graph(make_graph(), out, form=form, schema=SCHEMA)
    assert (tmp_path / "file").read_text() == "x" and list((tmp_path / "folder").iterdir()) == []
