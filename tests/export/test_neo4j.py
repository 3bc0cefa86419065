from spacy_relext.export.neo4j import write_neo4j_folder
from spacy_relext.export.tables import empty_tables
from tests.export.example_graph import HARD_NAMES, make_graph
from tests.export.neo4j_reader import read_import


def cleaned(text):
    return text.translate(dict.fromkeys((0, 0x1F, 0xFFFF), "\ufffd"))


def check_neo4j(folder, graph):
    """Read the folder strictly, and compare it with the tables."""
    nodes, relationships = read_import(folder)
    entities = graph.entities.to_pylist()
    assert list(nodes["Entity"]) == [str(row["entity_id"]) for row in entities]
    for row, node in zip(entities, nodes["Entity"].values()):
        assert node["name"] == cleaned(row["name"])
        assert node["aliases"] == ([cleaned(alias) for alias in row["aliases"]] or None)
        has_label = row["label"] is not None and row["label"].strip()
        assert node[":LABEL"] == ["Entity", *([cleaned(row["label"])] if has_label else [])]
        assert node["kb_id"] == (None if row["kb_id"] is None else cleaned(row["kb_id"]))
    facts = [each for each in relationships if each["file"] == "facts.csv"]
    assert len(facts) == graph.facts.num_rows == len(nodes["Fact"])
    for row, fact in zip(graph.facts.to_pylist(), facts):
        assert (fact[":START_ID"], fact[":END_ID"]) == (str(row["subject"]), str(row["object"]))
        assert fact[":TYPE"] == cleaned(row["relation"]) == nodes["Fact"][fact["fact_id"]]["relation"]
        assert fact["best_sentence"] == cleaned(row["best_sentence"]) and fact["probability"] == row["probability"]
    stated = [each for each in relationships if each[":TYPE"] == "STATED_IN" and each["file"] == "support.csv"]
    assert [each["sentence"] for each in stated] == [cleaned(text) for text in graph.support["sentence"].to_pylist()]
    named = [each for each in relationships if each["file"] == "mentions.csv"]
    assert [each["text"] for each in named] == [cleaned(text) for text in graph.mentions["text"].to_pylist()]


def test_neo4j_reads_the_folder(tmp_path):
    graph = make_graph(HARD_NAMES, ["met", "a b", '"x"'])
    replaced = write_neo4j_folder(graph, tmp_path / "neo4j")
    check_neo4j(tmp_path / "neo4j", graph)
    assert replaced > 0
    assert write_neo4j_folder(make_graph(), tmp_path / "plain") == 0


def test_an_empty_graph_has_headers(tmp_path):
    write_neo4j_folder(empty_tables(), tmp_path)
    assert read_import(tmp_path) == ({"Entity": {}, "Document": {}, "Fact": {}}, [])
