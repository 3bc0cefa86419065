import pytest
import rdflib

from spacy_relext.annotations.schema import schema_from_dict
from spacy_relext.export.graph_files import export_graph
from spacy_relext.export.tables import GraphTables
from tests.export.example_graph import rows_table

pyshacl = pytest.importorskip("pyshacl")

PEOPLE = {"Ada": "PERSON", "Bo": "PERSON", "Acme": "ORG", "Cy": None, "Big Acme": "ORG"}
SCHEMA = {
    "works for": {"subject": ["PERSON"], "object": ["ORG"], "functional": True},
    "part of": {"subject": ["ORG", "GPE"], "object": ["ORG", "GPE"], "acyclic": True},
    "spouse": {"symmetric": True, "subject": ["PERSON"]},
    "knows": {"description": "nothing to check"},
}
GOOD = [
    ("Ada", "works for", "Acme"),
    ("Cy", "works for", "Acme"),
    ("Acme", "part of", "Big Acme"),
    ("Ada", "spouse", "Bo"),
]


def graph_of(facts):
    numbers = {name: number for number, name in enumerate(PEOPLE)}
    entities = [(n, name, PEOPLE[name], None, [name], 1, 1) for name, n in numbers.items()]
    rows = [(n, numbers[s], r, numbers[o], 0.5, 0.5, 1, 1, "") for n, (s, r, o) in enumerate(facts)]
    empty = {name: rows_table(name, []) for name in ("documents", "mentions", "support", "merges", "conflicts")}
    return GraphTables(**empty, entities=rows_table("entities", entities), facts=rows_table("facts", rows))


def validate(folder, facts):
    """Validate our own export by our own shapes; return the messages of what does not conform."""
    schema = schema_from_dict({"relations": SCHEMA})
    export_graph(graph_of(facts), folder / "data.ttl", schema=schema)
    export_graph(graph_of(facts), folder / "shapes.ttl", form="shacl", schema=schema)
    conforms, report, _ = pyshacl.validate(
        rdflib.Graph().parse(folder / "data.ttl"),
        shacl_graph=rdflib.Graph().parse(folder / "shapes.ttl"),
        meta_shacl=True,
    )
    messages = {str(each) for each in report.objects(None, rdflib.SH.resultMessage)}
    assert conforms == (not messages)
    return messages


def test_our_export_conforms(tmp_path):
    assert validate(tmp_path, GOOD) == set()


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        (("Ada", "works for", "Big Acme"), "works for has at most one object"),
        (("Acme", "works for", "Acme"), "A subject of works for is PERSON"),
        (("Bo", "works for", "Ada"), "An object of works for is ORG"),
        (("Big Acme", "part of", "Acme"), "part of leads back to its start"),
        (("Acme", "part of", "Ada"), "An object of part of is ORG or GPE"),
        (("Ada", "spouse", "Acme"), "An object of spouse is PERSON"),
    ],
)
def test_what_does_not_conform(tmp_path, fact, message):
    assert validate(tmp_path, [*GOOD, fact]) == {message}


def test_relations_without_constraints_have_no_shape(tmp_path):
    schema = schema_from_dict({"relations": {"knows": {"description": "x"}, '> "<': {"functional": True}}})
    export_graph(graph_of([]), tmp_path / "shapes.ttl", form="shacl", schema=schema)
    shapes = rdflib.Graph().parse(tmp_path / "shapes.ttl")
    assert len(list(shapes.subjects(rdflib.RDF.type, rdflib.SH.NodeShape))) == 1


def test_shapes_need_a_schema(tmp_path):
    with pytest.raises(ValueError, match="R803.*--schema"):
        export_graph(graph_of([]), tmp_path / "shapes.ttl", form="shacl")
    assert list(tmp_path.iterdir()) == []
