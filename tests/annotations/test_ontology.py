"""Ontologies as schemas: what OWL and RDFS say of relations, and what the package itself exports."""

import json
import pathlib
import warnings
from typing import Any, Dict

import pytest

from spacy_relext.annotations.schema import RelationSchema, Schema, read_schema, schema_to_dict
from spacy_relext.export.rdf import Block, RdfNames, declarations, write_rdf

rdflib = pytest.importorskip("rdflib")

PEOPLE = ["PEOP", "PEOPLE", "PER", "PERS", "PERSON"]
ORGANIZATIONS = ["COMPANY", "CORP", "INSTITUTION", "ORG", "ORGANISATION", "ORGANIZATION"]
HEAD = """
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/o#> .
"""
ONTOLOGY = (
    HEAD
    + """
ex:Person a owl:Class . ex:Chief a owl:Class ; rdfs:subClassOf ex:Person .
ex:Company a owl:Class . ex:Wine a owl:Class .
ex:leads a owl:ObjectProperty ; rdfs:domain ex:Chief ; rdfs:range ex:Company ; owl:inverseOf ex:ledBy ;
    rdfs:label "leitet"@de , "leads"@en ; rdfs:comment "is the  chief of"@en ; rdfs:subPropertyOf ex:worksFor .
ex:ledBy a owl:ObjectProperty , owl:FunctionalProperty ; rdfs:subPropertyOf [ owl:inverseOf ex:worksFor ] .
ex:worksFor a owl:ObjectProperty ; rdfs:range [ owl:unionOf ( ex:Company ex:Wine ) ] ;
    owl:propertyChainAxiom ( ex:leads ex:spouse ) ; owl:disjointWith ex:spouse .
ex:spouse a owl:ObjectProperty , owl:SymmetricProperty ; rdfs:domain ex:Person .
ex:age a owl:DatatypeProperty ; rdfs:domain owl:Thing ; rdfs:range xsd:integer .
ex:note a owl:DatatypeProperty ; rdfs:range xsd:string .
ex:P19 a owl:ObjectProperty , owl:TransitiveProperty ; rdfs:label "place of birth"@en .
"""
)


def relations(path: pathlib.Path) -> Dict[str, Any]:
    return dict(schema_to_dict(read_schema(path))["relations"])


def test_what_owl_says_of_relations(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "schema.ttl"
    path.write_text(ONTOLOGY, encoding="utf8")
    with pytest.warns(UserWarning, match=r"W013.* 2 statements .*: owl:disjointWith 1, owl:propertyChainAxiom 1\.$"):
        read = relations(path)
    assert read["leads"] == {
        "description": "is the chief of",
        "subject": ["Chief", *PEOPLE],
        "object": sorted([*ORGANIZATIONS, "Company"]),
        "inverse": "ledBy",
        "implies": ["worksFor"],
    }
    assert read["ledBy"] == {"functional": True, "inverse": "leads", "implies": ["-worksFor"]}
    assert read["worksFor"] == {"object": sorted([*ORGANIZATIONS, "Company", "Wine"])}
    assert read["spouse"]["symmetric"] and read["spouse"]["object"] == read["spouse"]["subject"]
    assert {"Person", "PERSON"} < {*read["spouse"]["subject"]} and "DATE" in read["age"]["object"]
    assert "subject" not in read["age"] and read["note"] == {}
    assert read["place_of_birth"] == {"description": "place of birth", "ids": ["P19"], "transitive": True}


@pytest.mark.parametrize("form", ["xml", "nt", "json-ld"])
def test_other_forms(form: str, tmp_path: pathlib.Path) -> None:
    suffix = {"xml": ".owl", "nt": ".nt", "json-ld": ".jsonld"}[form]
    turtle, other = tmp_path / "a.ttl", tmp_path / f"a{suffix}"
    turtle.write_text(ONTOLOGY, encoding="utf8")
    rdflib.Graph().parse(data=ONTOLOGY, format="turtle").serialize(other, format=form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert relations(other) == relations(turtle)


@pytest.mark.parametrize("form", ["ttl", "nt", "nq"])
def test_the_declarations_of_the_package(form: str, tmp_path: pathlib.Path) -> None:
    schema = Schema(
        relations={
            "has part / of <x>": RelationSchema(description='says "x"', subject=["ORG", "WORK"], object=["WORK"]),
            "child": RelationSchema(subject=["PERSON"], object=["PERSON"], acyclic=True, implies=["kin", "-parent"]),
            "kin": RelationSchema(subject=["PERSON"], object=["PERSON"], symmetric=True),
            "parent": RelationSchema(functional=True, inverse="child2", transitive=True),
            "child2": RelationSchema(inverse="parent"),
        }
    )
    names = RdfNames("http://example.org/graph/")
    blocks = [Block(names.graph, subject, pairs) for subject, pairs in declarations(schema, names)]
    write_rdf(blocks, tmp_path / f"out.{form}", form=form, base=names.base)
    expected = schema_to_dict(schema)["relations"]
    expected["child"]["implies"].sort()
    assert relations(tmp_path / f"out.{form}") == expected


@pytest.mark.parametrize(
    "name, text, reason",
    [
        ("schema.yaml", "\ufeff\n@prefix ex: <http://example.org/> .", "it declares no property"),
        ("schema.yaml", "PREFIX ex: <http://example.org/>\nex:a ex:b", "no turtle: "),
        ("schema", '<?xml version="1.0"?>', "no xml: "),
        ("schema.jsonld", "{]", "no json-ld: "),
        (
            "schema.jsonld",
            json.dumps([{"@context": ["http://x.org/c"]}]),
            "its @context is at http://x.org/c, and noth",
        ),
    ],
)
def test_what_is_no_ontology(tmp_path: pathlib.Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=rf"^\[R033\] .*{name}: {reason}.*YAML or JSON") as error:
        read_schema(tmp_path / name)
    assert "\n" not in str(error.value)
