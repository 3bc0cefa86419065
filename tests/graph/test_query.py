"""Ten questions over the tables on disk."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.cli.main import relext
from spacy_relext.export.tables import write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.query import QUESTIONS, GraphQuery, describe_questions

from .texts import document, record

LABELS = {"Ada Lovelace": "PERSON", "Lord Byron": "PERSON", "London": "GPE", "Paris": "GPE", "Greece": "GPE"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    schema = Schema(relations={"born": RelationSchema(functional=True)})
    texts = [
        document("Ada Lovelace was born in London.", [("Ada Lovelace", "born", "London", 0.9)], LABELS, doc_id="a"),
        document("London saw Ada Lovelace born.", [("Ada Lovelace", "born", "London", 0.6)], LABELS, doc_id="b"),
        document("Ada Lovelace was born in Paris.", [("Ada Lovelace", "born", "Paris", 0.3)], LABELS, doc_id="c"),
        document("Lord Byron lived in London.", [("Lord Byron", "lived", "London", 0.8)], LABELS, doc_id="d"),
        document("Lord Byron died in Greece.", [("Lord Byron", "died", "Greece", 0.7)], LABELS, doc_id="e"),
    ]
    path = tmp_path_factory.mktemp("query") / "graph"
    write_tables(build_graph(texts, options=GraphOptions(schema=schema)).tables, path)
    return path


@pytest.fixture(scope="module")
def graph(folder: Path) -> GraphQuery:
    return GraphQuery.open(folder)


def rows(graph: GraphQuery, question: str, *arguments: str, **options: Any) -> list:
    answer = graph.ask(question, *arguments, **options)
    return [dict(zip(answer.columns, row)) for row in answer.rows]


def test_facts_about_an_entity(graph: GraphQuery) -> None:
    found = rows(graph, "about", "ada lovelace")
    assert [(each["relation"], each["object"], each["sentences"]) for each in found] == [
        *(("born", "London", 2), ("born", "Paris", 1))
    ]
    assert rows(graph, "about", "1") == found
    assert len(rows(graph, "about", "London", limit=1)) == 1


def test_a_path_between_two(graph: GraphQuery) -> None:
    found = rows(graph, "path", "Ada Lovelace", "Greece")
    assert [each["relation"] for each in found] == ["born", "lived", "died"]
    assert rows(graph, "path", "London", "London") == []
    assert rows(graph, "path", "Ada Lovelace", "Greece", limit=2) == []


def test_what_is_stated_most(graph: GraphQuery) -> None:
    assert rows(graph, "top")[0]["sentences"] == 2
    assert [each["subject"] for each in rows(graph, "top", "died")] == ["Lord Byron"]


def test_conflicts_with_both_sentences(graph: GraphQuery) -> None:
    (only,) = rows(graph, "conflicts", "born")
    assert (only["sentence"], only["other_sentence"][:12]) == ("Ada Lovelace was born in Paris.", "Ada Lovelace")
    assert rows(graph, "conflicts", "lived") == []


def test_the_newest_documents(graph: GraphQuery) -> None:
    assert [each["doc_id"] for each in rows(graph, "newest", "2")] == ["e", "d"]
    assert len(rows(graph, "newest")) == 5


def test_neighbours_degrees_and_relations(graph: GraphQuery) -> None:
    (byron, ada) = sorted(rows(graph, "neighbours", "London"), key=lambda each: -each["entity_id"])
    assert (byron["name"], byron["relations"], ada["relations"]) == ("Lord Byron", "lived of", "born of")
    assert [each["facts"] for each in rows(graph, "degree")] == [2, 2, 2, 1, 1]
    assert {each["label"] for each in rows(graph, "degree", "GPE")} == {"GPE"}
    assert [(each["relation"], each["facts"]) for each in rows(graph, "relations")] == [
        *(("born", 2), ("died", 1), ("lived", 1))
    ]


def test_each_question_says_what_it_takes() -> None:
    told = [each.split(":")[0] for each in describe_questions().split("; ")]
    assert told == [
        *("about NAME", "path NAME NAME", "top [RELATION]", "conflicts [RELATION]", "newest [DOCUMENTS]"),
        *("neighbours NAME", "relations", "degree [LABEL]", "sources FACT", "duplicates"),
    ]


def test_sources_of_a_fact(graph: GraphQuery) -> None:
    assert [(each["doc_id"], each["score"]) for each in rows(graph, "sources", "1")] == [("a", 0.9), ("b", 0.6)]


def test_entities_that_may_be_the_same(tmp_path: Path) -> None:
    labels = {"Jon Smithe": "PERSON", "John Smith": "PERSON", "Rome": "GPE", "Oslo": "GPE"}
    texts = [
        document(f"{name} was born in Rome.", [(name, "born", "Rome", 0.9)], labels, doc_id=name)
        for name in ("Jon Smithe", "John Smith")
    ]
    write_tables(build_graph(texts).tables, tmp_path / "graph")
    (only,) = rows(GraphQuery.open(tmp_path / "graph"), "duplicates")
    assert {only["name"], only["other_name"]} == {"Jon Smithe", "John Smith"} and only["shared_facts"] == 1


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE facts; --", '" OR 1=1', "%", "\x00", "x" * 10_000, "$ids", "9" * 19, "9" * 30]
)
def test_names_are_values_and_no_statements(graph: GraphQuery, name: str) -> None:
    with pytest.raises(ValueError, match="R838"):
        graph.ask("about", name)
    assert rows(graph, "top", name) == []


@pytest.mark.parametrize(
    "question, arguments, code",
    [("what", [], "R206"), ("about", [], "R837"), ("path", ["a"], "R837"), ("relations", ["x"], "R837"),
     ("sources", ["x"], "R209"), ("newest", ["0"], "R209"), ("about", ["Nobody"], "R838")],
)  # fmt: skip
def test_what_cannot_be_asked(graph: GraphQuery, question: str, arguments: list, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        graph.ask(question, *arguments)


def test_no_graph(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R801"):
        GraphQuery.open(tmp_path)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(relext, ["graph", *map(str, arguments)])


def test_the_commands(tmp_path: Path, folder: Path) -> None:
    made = record("Ada Lovelace was born in London.", [("Ada Lovelace", "born", "London", 0.9)], LABELS)
    (tmp_path / "a.jsonl").write_text(json.dumps(made) + "\n")
    (tmp_path / "d.jsonl").write_text('{"rename": ["London", "London, UK"]}\n{"same": ["X", "Y"]}\n')
    built = run("build", tmp_path / "a.jsonl", tmp_path / "graph", "--decisions", tmp_path / "d.jsonl")
    assert built.exit_code == 0 and "1 facts of 2 entities" in built.output and "W831" in built.output
    again = run("build", tmp_path / "a.jsonl", tmp_path / "graph", "--add-to", tmp_path / "graph")
    assert "1 documents were there already" in again.output
    asked = run("query", tmp_path / "graph", "about", "London", "--json")
    assert json.loads(asked.output)["object"] == "London, UK"
    assert "Ada Lovelace" in run("query", folder, "top").output
    assert "Nothing found" in run("query", folder, "top", "nothing").output
    for question in QUESTIONS:
        assert question in run("query", "--help").output


def test_the_command_fits_on_gold_and_leaves_it_out_otherwise(tmp_path: Path) -> None:
    lines = []
    for number in range(40):
        made = record(f"P{number} was born in Rome.", [(f"P{number}", "born", "Rome", 0.9)], LABELS)
        lines.append(json.dumps({**made, "input_triples": made["triples"] if number % 2 else []}))
    (tmp_path / "dev.jsonl").write_text("\n".join(lines))
    calibration = tmp_path / "c.json"
    built = run("build", tmp_path / "dev.jsonl", tmp_path / "graph", "--fit-on", tmp_path / "dev.jsonl",
                "--calibration", calibration)  # fmt: skip
    assert built.exit_code == 0 and calibration.exists()
    answer = GraphQuery.open(tmp_path / "graph").ask("sources", "2")
    assert len(answer.rows) == 1
    assert rows(GraphQuery.open(tmp_path / "graph"), "top")[0]["probability"] == pytest.approx(0.5, abs=0.05)
    read = run("build", tmp_path / "dev.jsonl", tmp_path / "other", "--calibration", calibration)
    assert read.exit_code == 0
    assert (tmp_path / "other/facts.parquet").read_bytes() == (tmp_path / "graph/facts.parquet").read_bytes()
    added = run("build", tmp_path / "dev.jsonl", tmp_path / "third", "--add-to", tmp_path / "graph")
    assert added.exit_code == 0
    assert (tmp_path / "third/facts.parquet").read_bytes() == (tmp_path / "graph/facts.parquet").read_bytes()


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["build", "OUT"], "R839"),
        (["build", "missing.jsonl", "OUT"], "R831"),
        (["build", "missing.jsonl", "OUT", "--rules", "magic"], "R206"),
        (["query", "OUT", "top"], "R801"),
        (["build", "missing.jsonl", __file__], "R801"),
    ],
)
def test_one_line_for_what_is_wrong(tmp_path: Path, arguments: list, code: str) -> None:
    result = run(*(str(tmp_path / each) if each == "OUT" else each for each in arguments))
    assert result.exit_code == 1 and f"[{code}]" in result.output and "Traceback" not in result.output
