"""Ten questions over the tables on disk."""

import json
import shutil
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from typer.testing import CliRunner

from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.cli.main import relext
from spacy_relext.export.tables import TABLE_NAMES, GraphTables, empty_tables, literal_values, write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.documents import parse_document
from spacy_relext.graph.query import QUESTIONS, GraphQuery
from tests.export.example_graph import rows_table

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


BORN = (1, "Ada Lovelace", "born", "London", 0.937, 2, 2, "Ada Lovelace was born in London.")
PARIS = (2, "Ada Lovelace", "born", "Paris", 0.3, 1, 1, "Ada Lovelace was born in Paris.")
LIVED = (3, "Lord Byron", "lived", "London", 0.8, 1, 1, "Lord Byron lived in London.")
DIED = (4, "Lord Byron", "died", "Greece", 0.7, 1, 1, "Lord Byron died in Greece.")
CONFLICT = ("functional", "born", 2, 1, "Ada Lovelace: Paris or London", 0.3, 0.937, PARIS[-1], BORN[-1], "c", "a")


@pytest.mark.parametrize(
    "asked, expected",
    [
        ("about ada_lovelace", [BORN, PARIS]),
        ("about 1", [BORN, PARIS]),
        ("path Ada_Lovelace Greece", [BORN, LIVED, DIED]),
        ("path Greece Ada_Lovelace", [DIED, LIVED, BORN]),
        ("path London London", []),
        ("top", [BORN, LIVED, DIED, PARIS]),
        ("top born", [BORN, PARIS]),
        ("conflicts", [CONFLICT]),
        ("conflicts born", [CONFLICT]),
        ("conflicts lived", []),
        (
            "newest",
            [
                *[("e", *DIED[:5], 1), ("d", *LIVED[:5], 1), ("c", *PARIS[:5], 1)],
                *[("b", *BORN[:5], 2), ("a", *BORN[:5], 2)],
            ],
        ),
        ("newest 2", [("e", *DIED[:5], 1), ("d", *LIVED[:5], 1)]),
        (
            "neighbours London",
            [(1, "Ada Lovelace", "PERSON", 1, "born of", 0.937), (4, "Lord Byron", "PERSON", 1, "lived of", 0.8)],
        ),
        ("relations", [("born", 2, 3, 1, 2, 0.618), ("died", 1, 1, 1, 1, 0.7), ("lived", 1, 1, 1, 1, 0.8)]),
        (
            "degree",
            [
                *[(1, "Ada Lovelace", "PERSON", 2, 3, 3), (2, "London", "GPE", 2, 3, 3)],
                *[(4, "Lord Byron", "PERSON", 2, 2, 2), (3, "Paris", "GPE", 1, 1, 1), (5, "Greece", "GPE", 1, 1, 1)],
            ],
        ),
        ("degree PERSON", [(1, "Ada Lovelace", "PERSON", 2, 3, 3), (4, "Lord Byron", "PERSON", 2, 2, 2)]),
        (
            "sources 1",
            [
                ("a", 0, "Ada Lovelace", "London", 0.9, "m", "Ada Lovelace was born in London."),
                ("b", 0, "Ada Lovelace", "London", 0.6, "m", "London saw Ada Lovelace born."),
            ],
        ),
        ("sources 999999999999999999", []),
        ("duplicates", []),
    ],
)
def test_answers(graph: GraphQuery, asked: str, expected: list) -> None:
    question, *arguments = (each.replace("_", " ") for each in asked.split())
    answer = graph.ask(question, *arguments)
    assert answer.rows == expected
    assert graph.ask(question, *arguments, limit=1).rows == ([] if question == "path" else expected[:1])


def test_a_path_has_so_many_facts_at_most(graph: GraphQuery) -> None:
    assert graph.ask("path", "Ada Lovelace", "Greece", limit=3).rows == [BORN, LIVED, DIED]
    assert graph.ask("path", "Ada Lovelace", "Greece", limit=2).rows == []
    assert graph.ask("path", "Paris", "Ada Lovelace", limit=1).rows == [PARIS]
    assert graph.ask("path", "Lord Byron", "Paris", limit=2).rows == []


def test_up_to_twenty_rows_and_ten_documents(tmp_path: Path) -> None:
    """A chain of 21 facts, and an entity on its own."""
    labels = {f"Place {at:02}": "GPE" for at in range(22)}
    names = list(labels)
    texts = [
        document(f"{one} is near {two}.", [(one, "near", two, 0.5)], labels, doc_id=one)
        for one, two in zip(names, [*names[1:], names[0]])
    ][:21]
    texts.append(document("2024 follows 7.", [("2024", "follows", "7", 0.5)], doc_id="z"))
    write_tables(build_graph(texts).tables, tmp_path / "graph")
    graph = GraphQuery.open(tmp_path / "graph")
    assert len(graph.ask("top").rows) == 20 and len(graph.ask("newest").rows) == 10
    assert [row[0] for row in graph.ask("path", names[0], names[20]).rows] == list(range(1, 21))
    assert graph.ask("path", names[0], names[21]).rows == graph.ask("path", names[0], "2024").rows == []
    assert graph.find("2024") == [23] and graph.find("7") == [7], "a number goes before a name"


def test_entities_by_name(tmp_path: Path) -> None:
    """The same name, then the name in other letter case, then another name; those with most mentions first."""
    rows: Dict[str, List[Any]] = {
        "entities": [
            *[(1, "Ada", "PERSON", None, ["Countess", "ADA"], 1, 1), (2, "ada", "ORG", None, [], 2, 1)],
            *[(3, "ada", "GPE", None, ["countess"], 3, 1), (4, "Bo", None, None, ["BO", "Bob"], 1, 1)],
        ]
    }
    tables = GraphTables(**{name: rows_table(name, rows.get(name, [])) for name in TABLE_NAMES})
    write_tables(tables, tmp_path / "graph")
    graph = GraphQuery.open(tmp_path / "graph")
    found = {name: graph.find(name) for name in ("Ada", "ada", "ADA", "COUNTESS", "bo", "4")}
    assert found == {"Ada": [1], "ada": [3, 2], "ADA": [3, 2, 1], "COUNTESS": [3, 1], "bo": [4], "4": [4]}
    for name in ("5", "Bobo", "²"):
        with pytest.raises(ValueError, match=rf"R838.*'{name}'.*Similar: \w+, \w+, \w+\."):
            graph.find(name)
    write_tables(empty_tables(), tmp_path / "empty")
    with pytest.raises(ValueError, match="R838") as caught:
        GraphQuery.open(tmp_path / "empty").find("Ada")
    assert "Similar" not in str(caught.value)


def test_entities_that_may_be_the_same(tmp_path: Path) -> None:
    labels = {"Jon Smithe": "PERSON", "John Smith": "PERSON", "Rome": "GPE", "Oslo": "GPE"}
    texts = [
        document(f"{name} was born in Rome.", [(name, "born", "Rome", 0.9)], labels, doc_id=name)
        for name in ("Jon Smithe", "John Smith")
    ]
    write_tables(build_graph(texts).tables, tmp_path / "graph")
    (only,) = rows(GraphQuery.open(tmp_path / "graph"), "duplicates")
    assert {only["name"], only["other_name"]} == {"Jon Smithe", "John Smith"} and only["shared_facts"] == 1


def graph_of(tmp_path: Path, *stated: Tuple[str, str, str], labels: Dict[str, str]) -> GraphQuery:
    """Build a graph with a document for each fact."""
    texts = []
    for number, (one, relation, other) in enumerate(stated):
        types = {name: labels[name] for name in (one, other) if name in labels}
        text, triple = f"{one} {relation} {other}.", (one, relation, other, 0.9)
        texts.append(document(text, [triple], types, doc_id=f"d{number}"))
    write_tables(build_graph(texts).tables, tmp_path / "graph")
    return GraphQuery.open(tmp_path / "graph")


def test_surnames_and_types_of_possible_duplicates(tmp_path: Path) -> None:
    people = dict.fromkeys(["Dr. Moe", "Eva Moe", "Moe", "L. Moe", "Lars Moe", "Per Lund", "Eva Lund"], "PERSON")
    stated = [(name, "visited", f"Place {at}") for at, name in enumerate(people)]
    graph = graph_of(tmp_path, *stated, labels=people)
    pairs = {(each["name"], each["other_name"]) for each in rows(graph, "duplicates")}
    assert pairs == {
        *(("Dr. Moe", "Eva Moe"), ("Dr. Moe", "Moe"), ("Dr. Moe", "Lars Moe"), ("Eva Moe", "Moe"), ("Moe", "L. Moe")),
        *(("Moe", "Lars Moe"), ("L. Moe", "Lars Moe")),
    }


def test_spellings_of_possible_duplicates(tmp_path: Path) -> None:
    names = ["3M", "3 M Co.", "Nordlys Kraft AS", "Nordlys-Kraft", "Boeing 737", "Boeing 747", "Harrow & Pell", "AS"]
    stated = [(name, "met", "Oslo") for name in names]
    graph = graph_of(tmp_path, *stated, labels={**dict.fromkeys(names, "ORG"), "Oslo": "GPE"})
    pairs = {frozenset((each["name"], each["other_name"])) for each in rows(graph, "duplicates")}
    assert pairs == {frozenset(("3M", "3 M Co.")), frozenset(("Nordlys Kraft AS", "Nordlys-Kraft"))}


@pytest.mark.parametrize("other, count", [("Eva Moe", 1), ("Lars Lund", 1)])
def test_one_name_of_two_types(tmp_path: Path, other: str, count: int) -> None:
    texts = [
        document("Eva Moe runs Fjord.", [("Eva Moe", "runs", "Fjord", 0.9)], {"Fjord": "ORG", "Eva Moe": "PERSON"}),
        document(f"{other} runs Fjord now.", [(other, "runs", "Fjord", 0.9)], {"Fjord": "PRODUCT", other: "PERSON"}),
    ]
    texts = [each._replace(doc_id=f"d{number}") for number, each in enumerate(texts)]
    write_tables(build_graph(texts).tables, tmp_path / "graph")
    found = rows(GraphQuery.open(tmp_path / "graph"), "duplicates")
    assert [(each["label"], each["other_label"]) for each in found] == [("ORG", "PRODUCT")] * count


@pytest.mark.parametrize("label", ["MONEY", "DATE", "CARDINAL", "QUANTITY", "PERCENT", "ORDINAL", "TIME"])
def test_values_connect_nothing(tmp_path: Path, label: str) -> None:
    labels = {"Fjord": "ORG", "Fjordo": "ORG", "5 million": label}
    graph = graph_of(tmp_path, ("Fjord", "got", "5 million"), ("Fjordo", "got", "5 million"), labels=labels)
    assert rows(graph, "path", "Fjord", "Fjordo") == [] == rows(graph, "duplicates")
    for start, goal in (("Fjord", "5 million"), ("5 million", "Fjord")):
        assert [each["subject"] for each in rows(graph, "path", start, goal)] == ["Fjord"]
    assert [each["name"] for each in rows(graph, "neighbours", "Fjord")] == ["5 million"]


def test_further_types_of_values(tmp_path: Path) -> None:
    """They stay values when documents are added."""
    one, two = (
        document(f"{name} is 34.", [(name, "is", "34", 0.9)], {name: "PERSON", "34": "Age"}, doc_id=name)
        for name in ("Eva Moe", "Bo Lie")
    )
    for values, count in ((), 2), (("age",), 0):
        first = build_graph([one], options=GraphOptions(values=values)).tables
        tables = build_graph([two], base=first).tables
        write_tables(tables, tmp_path / "graph")
        graph = GraphQuery.open(tmp_path / "graph")
        assert len(rows(graph, "path", "Eva Moe", "Bo Lie")) == count
        assert len(literal_values(tables)) == (not count) and tables.info["values"] == [each.upper() for each in values]


def test_a_denial_is_evidence_against_a_fact(tmp_path: Path) -> None:
    labels = {"Eva Moe": "PERSON", "Fjord": "ORG"}
    stated = document("Eva Moe runs Fjord.", [("Eva Moe", "runs", "Fjord", 0.9)], labels, doc_id="a")
    text = "No, Fjord isn't what EVA MOE runs."
    denied = record(text, [("EVA MOE", "runs", "Fjord", 0.8)], {"EVA MOE": "PERSON", "Fjord": "ORG"}, doc_id="b")
    denied["triples"][0]["attributes"] = {"assertion": "denied"}
    first = build_graph([stated]).tables
    tables = build_graph([parse_document(denied)], base=first).tables
    again = build_graph([document("Cy sat.", [("Cy", "sat", "sat", 0.5)], doc_id="c")], base=tables).tables
    for each in (tables, again):
        write_tables(each, tmp_path / "graph")
        graph = GraphQuery.open(tmp_path / "graph")
        (conflict,) = rows(graph, "conflicts")
        assert (conflict["kind"], conflict["fact_id"], conflict["detail"]) == ("denied", 1, f"b: {text}")
        assert [(row["source"], row["score"], row["sentence"]) for row in rows(graph, "sources", "1")] == [
            *(("m", 0.9, "Eva Moe runs Fjord."), ("denied", 0.8, f"b: {text}"))
        ]
        assert rows(graph, "about", "Fjord")[0]["probability"] == round(0.9 * 0.2 / (1 - 0.9 * 0.8), 3)


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE facts; --", '" OR 1=1', "%", "\x00", "x" * 10_000, "$ids", "9" * 19, "9" * 5000]
)
def test_names_are_values_and_no_statements(graph: GraphQuery, name: str) -> None:
    with pytest.raises(ValueError, match="R838"):
        graph.ask("about", name)
    assert rows(graph, "top", name) == []


@pytest.mark.parametrize(
    "question, arguments, code",
    [("what", [], "R206"), ("about", [], "R837"), ("path", ["a"], "R837"), ("relations", ["x"], "R837"),
     ("top", ["x", "y"], "R837"), ("sources", ["x"], "R209"), ("newest", ["0"], "R209"), ("newest", ["²"], "R209"),
     ("sources", ["9" * 19], "R209"), ("sources", ["9" * 5000], "R209"), ("about", ["Nobody"], "R838")],
)  # fmt: skip
def test_what_cannot_be_asked(graph: GraphQuery, question: str, arguments: list, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        graph.ask(question, *arguments)


def test_no_graph(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R801"):
        GraphQuery.open(tmp_path)


def test_a_table_that_is_none(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "graph")
    (tmp_path / "graph/facts.parquet").write_text("x")
    with pytest.raises(ValueError, match=rf"R800\] {tmp_path}/graph/facts\.parquet: \S+.*a table of a graph"):
        GraphQuery.open(tmp_path / "graph")


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
