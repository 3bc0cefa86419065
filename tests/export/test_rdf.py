from dataclasses import replace
from urllib.parse import unquote

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import OWL, PROV, RDF, RDFS, SKOS, XSD

from spacy_relext.annotations.schema import schema_from_dict
from spacy_relext.export.rdf import (
    RDF_FORMS,
    RdfNames,
    check_base,
    graph_statements,
    is_iri,
    literal,
    name_part,
    typed,
    write_rdf,
)
from spacy_relext.export.tables import empty_tables
from tests.export.example_graph import HARD_NAMES, graphs, make_graph, rows_table, texts

BASE = "http://example.org/g/"
OA = rdflib.Namespace("http://www.w3.org/ns/oa#")
OWN = rdflib.Namespace(f"{BASE}vocabulary/")
SCHEMA = schema_from_dict(
    {
        "relations": {
            "met": {"description": 'has "met"\n', "subject": ["Ada", "Bo"], "object": ["Bo"], "inverse": "met by"},
            "spouse": {"symmetric": True, "functional": True, "subject": ["Ada"]},
            "parent": {"acyclic": True},
        }
    }
)


def export(graph, folder, **options):
    """Write all forms, and read each with rdflib."""
    found = {}
    for form in RDF_FORMS:
        path = folder / f"g.{form}"
        write_rdf(graph_statements(graph, base=BASE, **options), path, form=form, base=BASE)
        found[form] = rdflib.Graph()
        if form == "nq":
            dataset = rdflib.Dataset()
            dataset.parse(path, format="nquads")
            for subject, predicate, obj, _ in dataset.quads():
                found[form].add((subject, predicate, obj))
        else:
            found[form].parse(path, format=form)
    return found


def iri(*parts):
    return URIRef(BASE + "/".join(map(str, parts)))


def check_facts(rdf, graph):
    """Compare the statements with the tables."""
    entities = graph.entities.to_pylist()
    for row in entities:
        node = iri("entity", row["entity_id"])
        assert list(rdf.objects(node, RDFS.label)) == [Literal(row["name"])]
        assert set(rdf.objects(node, SKOS.altLabel)) == {Literal(each) for each in row["aliases"]} - {
            Literal(row["name"])
        }
    support = {}
    for row in graph.support.to_pylist():
        support.setdefault(row["fact_id"], []).append(row)
    mentions = {row["mention_id"]: row for row in graph.mentions.to_pylist()}
    for row in graph.facts.to_pylist():
        relation = iri("relation", name_part(row["relation"]))
        subject, obj = iri("entity", row["subject"]), iri("entity", row["object"])
        assert (subject, relation, obj) in rdf
        node = iri("fact", row["fact_id"])
        assert (rdf.value(node, RDF.subject), rdf.value(node, RDF.predicate), rdf.value(node, RDF.object)) == (
            subject,
            relation,
            obj,
        )
        assert rdf.value(node, OWN.probability).toPython() == row["probability"]
        rows = support.get(row["fact_id"], [])
        documents = {iri("document", name_part(each["doc_id"])) for each in rows}
        assert set(rdf.objects(node, PROV.wasDerivedFrom)) == documents
        assert len(set(rdf.objects(node, OWN.support))) == len(rows)
        for number, each in enumerate(rows):
            place = iri("fact", row["fact_id"], "support", number)
            assert rdf.value(place, OA.hasSource) == iri("document", name_part(each["doc_id"]))
            assert rdf.value(place, OWN.score).toPython() == each["score"]
            assert rdf.value(iri(f"fact/{row['fact_id']}/support/{number}/quote"), OA.exact) == Literal(
                each["sentence"]
            )
            position = iri(f"fact/{row['fact_id']}/support/{number}/position")
            assert (rdf.value(position, OA.start).toPython(), rdf.value(position, OA.end).toPython()) == (
                each["sent_start"],
                each["sent_end"],
            )
            for role in ("subject", "object"):
                mention = mentions[each[f"{role}_mention"]]
                node = iri("mention", mention["mention_id"])
                assert rdf.value(place, OWN[f"{role}Mention"]) == node
                assert rdf.value(node, OWN.refersTo) == iri("entity", mention["entity_id"])
                assert rdf.value(iri(f"mention/{mention['mention_id']}/quote"), OA.exact) == Literal(mention["text"])
    plain = [triple for triple in rdf if str(triple[1]).startswith(f"{BASE}relation/")]
    assert len(plain) == graph.facts.num_rows


def test_all_forms_are_the_same_graph(tmp_path):
    graph = make_graph(HARD_NAMES, ["met", "spouse", ".. /<x>"])
    forms = export(graph, tmp_path, schema=SCHEMA)
    assert isomorphic(forms["nt"], forms["nq"]) and isomorphic(forms["nt"], forms["ttl"])
    check_facts(forms["ttl"], graph)
    for path in tmp_path.iterdir():  # nothing that a reader would take for the end of a line
        text = path.read_bytes().decode("utf8")
        assert len(text.splitlines()) == text.count("\n")


@settings(max_examples=15, deadline=None)
@given(graphs())
def test_any_names(tmp_path_factory, graph):
    forms = export(graph, tmp_path_factory.mktemp("rdf"))
    triples = set(forms["nt"])
    assert set(forms["nq"]) == triples and set(forms["ttl"]) == triples
    check_facts(forms["nt"], graph)


def test_nothing_is_injected(tmp_path):
    graph = make_graph(['" . <a:b> <a:c> <a:d> .', "> <a:b>", "x"], ["> <a:b> <a:c> ."])
    for rdf in export(graph, tmp_path).values():
        assert not [term for triple in rdf for term in triple if str(term).startswith("a:")]


def test_named_graphs_are_documents(tmp_path):
    graph = make_graph()
    export(graph, tmp_path)
    dataset = rdflib.Dataset()
    dataset.parse(tmp_path / "g.nq", format="nquads")
    names = {str(quad[3]) for quad in dataset.quads()}
    assert names == {BASE, *(f"{BASE}document/{name}" for name in graph.documents["doc_id"].to_pylist())}
    (place,) = {quad[3] for quad in dataset.quads((iri("fact/1"), RDF.type, None, None))}
    assert str(place) == BASE


def test_declarations(tmp_path):
    rdf = export(make_graph(), tmp_path, schema=SCHEMA)["ttl"]
    met, spouse, parent = (iri("relation", name) for name in ("met", "spouse", "parent"))
    assert (met, RDF.type, OWL.ObjectProperty) in rdf
    assert rdf.value(met, RDFS.comment) == Literal('has "met"\n')
    assert rdf.value(met, RDFS.range) == iri("type/Bo")
    union = rdf.value(rdf.value(met, RDFS.domain), OWL.unionOf)
    assert list(rdf.items(union)) == [iri("type/Ada"), iri("type/Bo")]
    assert rdf.value(met, OWL.inverseOf) == iri("relation/met%20by")
    assert {OWL.SymmetricProperty, OWL.FunctionalProperty} <= set(rdf.objects(spouse, RDF.type))
    assert rdf.value(spouse, RDFS.domain) == rdf.value(spouse, RDFS.range) == iri("type/Ada")
    assert {OWL.AsymmetricProperty, OWL.IrreflexiveProperty} <= set(rdf.objects(parent, RDF.type))
    assert (iri("type/Ada"), RDF.type, OWL.Class) in rdf


def test_links_to_other_graphs(tmp_path):
    names = ["http://www.wikidata.org/entity/Q7259", "x", "y", "z", "http://a/>b", "q"]
    rdf = export(make_graph(names[:1] + ["http://www.wikidata.org/entity/Q1"] + names[1:]), tmp_path)["nt"]
    assert list(rdf.objects(iri("entity/1"), OWL.sameAs)) == [URIRef("http://www.wikidata.org/entity/Q1")]
    assert not is_iri("http://a/>b") and not is_iri("Q1") and not is_iri("http://a b")


def test_an_empty_graph(tmp_path):
    assert {len(rdf) for rdf in export(empty_tables(), tmp_path).values()} == {0}


def test_rdflib_writes_the_same_literals():
    for name in HARD_NAMES:
        (obj,) = rdflib.Graph().parse(data=f"<a:a> <a:b> {literal(name)} .", format="nt").objects()
        assert obj == Literal(name)
    for text in ("plain", 'say "it"', "a\\b", "a\nb", "é"):
        assert literal(text) == Literal(text).n3() or "\n" in text
    for value in (0.5, 1e-9, 1.0, float("inf"), float("nan")):
        written = typed(value, "xsd:double")
        (obj,) = rdflib.Graph().parse(data=f"<a:a> <a:b> {written} .", format="nt").objects()
        assert obj.datatype == XSD.double and (obj.toPython() == value or value != value)


@given(texts(), texts())
def test_names_become_parts_of_paths(one, other):
    assert unquote(name_part(one)) == one
    assert is_iri(f"{BASE}x/{name_part(one)}") and "/" not in name_part(one) and name_part(one) not in (".", "..")
    assert (name_part(one) == name_part(other)) == (one == other)


@pytest.mark.parametrize("base", ["http://a", "https://a.b/c/", "http://user@a:8080/x-y/~z"])
def test_bases(base):
    assert check_base(base).endswith("/") and RdfNames(base).graph.startswith("<http")


@pytest.mark.parametrize(
    "base", ["", "graph", "http://", "http:///", "http://a/#x", "http://a/?q=", "http://a b/", "a:b", "http://a/>"]
)
def test_bases_that_are_none(base):
    with pytest.raises(ValueError, match="R802.*--base"):
        check_base(base)


@given(st.text())
def test_no_base_writes_outside_of_its_name(base):
    try:
        checked = check_base(base)
    except ValueError:
        return
    assert not set(checked) & set('<>"{}|^`\\ \n\t')


def test_dates_and_amounts_are_literals(tmp_path):
    names = ["Havgass", "$4 billion", "4 March 1931", "1,300", "1931", "some day"]
    labels = ["ORG", "MONEY", "DATE", "CARDINAL", "TIME", "DATE"]
    facts = [(1, 1, "got", 2, 0.5, 0.5, 1, 1, "s"), (2, 1, "since", 3, 0.5, 0.5, 1, 1, "s")]
    facts += [(number - 1, 1, "has", number, 0.5, 0.5, 1, 1, "s") for number in (4, 5, 6)]
    entities = [(at, name, label, None, [], 1, 1) for at, (name, label) in enumerate(zip(names, labels), start=1)]
    mentions = [(at, "d", 0, at, at + 1, name, None, None, at) for at, name in enumerate(names, start=1)]
    rows = {"entities": entities, "facts": facts, "mentions": mentions, "documents": [("d", "text", "")]}
    graph = replace(empty_tables(), **{name: rows_table(name, each) for name, each in rows.items()})
    schema = schema_from_dict({"relations": {"since": {"subject": ["ORG"], "object": ["DATE", "TIME"]}}})
    for rdf in export(graph, tmp_path, schema=schema).values():
        node = iri("entity", 1)
        assert set(rdf.objects(node)) - {Literal("Havgass"), iri("type", "ORG")} == {
            *(Literal("$4 billion"), Literal("1931-03-04", datatype=XSD.date), Literal("some day")),
            *(Literal("1300", datatype=XSD.integer), Literal("1931", datatype=XSD.gYear)),
        }
        assert rdf.value(iri("fact", 1), OWN.number) == Literal("4000000000", datatype=XSD.decimal)
        assert rdf.value(iri("fact", 1), OWN.unit) == Literal("$")
        assert set(rdf.subjects(OWN.refersTo)) == {iri("mention", 1)}
        assert (iri("relation", "since"), RDF.type, OWL.DatatypeProperty) in rdf
        assert not list(rdf.predicate_objects(iri("entity", 2)))


def test_what_is_said_of_a_value_makes_it_a_node(tmp_path):
    rows = {
        "entities": [(1, "1931", "DATE", None, [], 1, 1), (2, "1932", "DATE", None, [], 1, 1)],
        "facts": [(1, 1, "before", 2, 0.5, 0.5, 1, 1, "s")],
    }
    graph = replace(empty_tables(), **{name: rows_table(name, each) for name, each in rows.items()})
    rdf = export(graph, tmp_path)["ttl"]
    assert (iri("entity", 1), iri("relation", "before"), Literal("1932", datatype=XSD.gYear)) in rdf
