import re
from dataclasses import replace

import networkx
import pytest

from spacy_relext.export.neo4j import write_neo4j_folder
from spacy_relext.export.network import to_networkx
from spacy_relext.export.tables import empty_tables
from spacy_relext.export.xml_graphs import write_gexf, write_graphml
from tests.export.example_graph import HARD_NAMES, make_graph, rows_table
from tests.export.neo4j_reader import read_import

INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read(path):
    if path.suffix == ".gexf":
        return networkx.read_gexf(path, node_type=int)
    return networkx.read_graphml(path, node_type=int, force_multigraph=True)


def valid(values, *, form):
    """What XML can hold of attributes; in elements, as in GraphML, it reads all line ends as one."""
    texts = {key: INVALID.sub("\ufffd", value) for key, value in values.items() if isinstance(value, str)}
    if form == ".graphml":
        texts = {key: re.sub("\r\n?", "\n", text) for key, text in texts.items()}
    return {**values, **texts}


def assert_same(path, graph):
    found, expected = read(path), to_networkx(graph)
    assert found.is_directed()
    nodes = {node: valid(values, form=path.suffix) for node, values in expected.nodes(data=True)}
    assert dict(found.nodes(data=True)) == nodes
    edges = {values["fact_id"]: (subject, obj, values) for subject, obj, values in found.edges(data=True)}
    assert len(edges) == found.number_of_edges() == expected.number_of_edges()
    for subject, obj, values in expected.edges(data=True):
        added = {"id": f"f{values['fact_id']}", "label": values["relation"]} if path.suffix == ".gexf" else {}
        assert edges[values["fact_id"]] == (subject, obj, valid({**values, **added}, form=path.suffix))


@pytest.mark.parametrize(("name", "write"), [("g.graphml", write_graphml), ("g.gexf", write_gexf)])
def test_networkx_reads_it(tmp_path, name, write):
    graph = make_graph(HARD_NAMES, ["met", "<x>", 'a "b"\n'])
    assert write(graph, tmp_path / name) > 0
    assert_same(tmp_path / name, graph)
    assert write(make_graph(), tmp_path / name) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "write"), [("g.graphml", write_graphml), ("g.gexf", write_gexf)])
def test_replaced_characters_are_counted(tmp_path, name, write):
    graph = make_graph(["a\x00\x01b", "b"], ["met"])
    texts = [str(value) for _, values in to_networkx(graph).nodes(data=True) for value in values.values()]
    texts += [str(value) for *_, values in to_networkx(graph).edges(data=True) for value in values.values()]
    assert write(graph, tmp_path / name) == sum(len(INVALID.findall(text)) for text in texts) > 0


def test_an_empty_graph(tmp_path):
    write_graphml(empty_tables(), tmp_path / "g.graphml")
    write_gexf(empty_tables(), tmp_path / "g.gexf")
    assert len(read(tmp_path / "g.graphml")) == len(read(tmp_path / "g.gexf")) == 0


def test_to_networkx():
    graph = to_networkx(make_graph())
    assert isinstance(graph, networkx.MultiDiGraph) and graph.number_of_nodes() == 3
    assert graph.nodes[1]["label"] == "Bo" and graph.nodes[2]["aliases"] == '["Cy", "Cy II"]'
    assert "type" not in graph.nodes[0]
    assert graph[0][1]["met"]["weight"] == pytest.approx(1 / 3)
    assert to_networkx(make_graph(), min_score=0.3).number_of_edges() == 1
    assert to_networkx(make_graph(), min_score=0.3).number_of_nodes() == 3


def revenues():
    """Two companies with one revenue, and a date."""
    entities = [(1, "Havgass", "ORG"), (2, "4.2 billion kroner", "MONEY"), (3, "4 March 1931", "DATE")]
    entities += [(4, "Tellmar", "ORG")]
    facts = [(1, 1, 2), (2, 4, 2), (3, 1, 3)]
    rows = {
        "entities": [(number, name, label, None, [], 1, 1) for number, name, label in entities],
        "facts": [(number, one, "r", other, 0.5, 0.5, 1, 1, "s") for number, one, other in facts],
        "documents": [("d", "text", "")],
        "mentions": [(number, "d", 0, 0, 1, name, None, None, number) for number, name, _ in entities],
    }
    return replace(empty_tables(), **{name: rows_table(name, each) for name, each in rows.items()})


def test_each_fact_has_a_value_of_its_own(tmp_path):
    graph = to_networkx(revenues())
    assert sorted(graph.edges()) == [(1, -3), (1, -1), (4, -2)] and sorted(graph) == [-3, -2, -1, 1, 4]
    assert {key: graph.nodes[-1][key] for key in ("number", "unit")} == {"number": 4.2e9, "unit": "kroner"}
    assert graph.nodes[-3]["date"] == "1931-03-04" and not {"number", "unit"} & graph.nodes[-3].keys()
    for name, write in (("g.graphml", write_graphml), ("g.gexf", write_gexf)):
        assert write(revenues(), tmp_path / name) == 0
        assert_same(tmp_path / name, revenues())


def test_neo4j_has_a_value_for_each_fact(tmp_path):
    write_neo4j_folder(revenues(), tmp_path)
    nodes, relationships = read_import(tmp_path)
    assert sorted(nodes["Entity"]) == ["-1", "-2", "-3", "1", "4"]
    assert nodes["Entity"]["-2"]["number"] == 4.2e9 and nodes["Entity"]["-3"]["date"] == "1931-03-04"
    assert nodes["Entity"]["1"]["number"] is None
    ends = [(each[":START_ID"], each[":END_ID"]) for each in relationships if each["file"] == "facts.csv"]
    assert ends == [("1", "-1"), ("4", "-2"), ("1", "-3")]
    assert {each[":START_ID"] for each in relationships if each["file"] == "mentions.csv"} == {"1", "4"}
