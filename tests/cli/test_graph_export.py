import networkx
import pytest
import rdflib

from spacy_relext.export.tables import write_tables
from tests.export.example_graph import make_graph


@pytest.fixture
def graph(tmp_path):
    write_tables(make_graph(["Ada", "=Bo\x01", "Cy"]), tmp_path / "graph")
    return tmp_path / "graph"


def test_each_form(run, graph, tmp_path):
    for name in ("g.graphml", "g.gexf", "g.ttl", "g.nt", "g.nq", "g.jsonl"):
        done = run("graph", "export", graph, tmp_path / "out" / name)
        assert done.exit_code == 0, done.output
        assert "Wrote 6 facts of 3 entities to" in done.output
        assert ("characters that" in done.output) == (name in ("g.graphml", "g.gexf"))
    for form in ("neo4j", "parquet"):
        assert run("graph", "export", graph, tmp_path / "out" / form, "--to", form).exit_code == 0
    assert len(networkx.read_gexf(tmp_path / "out" / "g.gexf")) == 3


def test_schema_and_base(run, graph, tmp_path):
    (tmp_path / "s.yaml").write_text("relations:\n  met: {functional: true}\n")
    options = ("--schema", tmp_path / "s.yaml", "--base", "https://a.b/g")
    assert run("graph", "export", graph, tmp_path / "g.ttl", *options).exit_code == 0
    rdf = rdflib.Graph().parse(tmp_path / "g.ttl")
    assert (rdflib.URIRef("https://a.b/g/relation/met"), rdflib.RDF.type, rdflib.OWL.FunctionalProperty) in rdf


@pytest.mark.parametrize(("relation", "warns"), [("met", False), ("saw", True)])
def test_a_schema_of_other_relations(run, graph, tmp_path, relation, warns):
    (tmp_path / "s.yaml").write_text(f"relations: {{{relation}: }}\n")
    done = run("graph", "export", graph, tmp_path / "g.ttl", "--schema", tmp_path / "s.yaml")
    assert done.exit_code == 0 and ("W832" in done.output) is warns


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{tmp}/nothing", "{tmp}/g.ttl"), "R801"),
        (("{graph}", "{tmp}/g.docx"), "R206"),
        (("{graph}", "{tmp}/g.csv"), "R840"),
        (("{graph}", "{tmp}/g.xlsx"), "R840"),
        (("{graph}", "{tmp}/g", "--to", "tsv"), "R840"),
        (("{graph}", "{tmp}/g", "--to", "owl"), "R206"),
        (("{graph}", "{graph}", "--to", "parquet"), "R217"),
        (("{graph}", "{tmp}/g.ttl", "--base", "mine"), "R802"),
        (("{graph}", "{tmp}/g.ttl", "--schema", "{tmp}/none.yaml"), "R030"),
        (("{graph}", "{graph}/facts.parquet/g.ttl"), "R216"),
    ],
)
def test_one_line_for_bad_input(fails, graph, tmp_path, arguments, message):
    assert message in fails("graph", "export", *(each.format(graph=graph, tmp=tmp_path) for each in arguments))
