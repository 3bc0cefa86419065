import subprocess
import sys

import spacy
from spacy.tokens import Span

from spacy_relext.annotations.store import set_triples
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import doc_to_document
from spacy_relext.integrations import doc_graph

NLP = spacy.blank("en")


def make_doc():
    doc = NLP("Ada met Bo. ADA saw  Cy.")
    ents = [("Ada", "PERSON", ""), ("ADA", "PERSON", ""), ("Cy", "PERSON", "Q3")]
    doc.set_ents(
        [
            Span(doc, token.i, token.i + 1, label, kb_id=kb_id)
            for token in doc
            for text, label, kb_id in ents
            if token.text == text
        ]
    )
    set_triples(doc, [(doc[0:1], "met", doc[2:3], 0.5), (doc[4:5], "saw", doc[7:8], 0.9)], source="one")
    set_triples(doc, [(doc[0:1], "met", doc[2:3], 0.7)], source="two")
    return doc


def test_one_node_a_name_and_type():
    nodes, edges = doc_graph(make_doc())
    assert [(node.id, node.name, node.type, node.properties) for node in nodes] == [
        ("PERSON:ada", "Ada", "PERSON", {}),
        ("Entity:bo", "Bo", "Entity", {}),
        ("Q3", "Cy", "PERSON", {"kb_id": "Q3"}),
    ]
    found = [(each.subject.id, each.relation, each.object.id, each.properties["source"]) for each in edges]
    assert sorted(found) == [
        ("PERSON:ada", "met", "Entity:bo", "one"),
        ("PERSON:ada", "met", "Entity:bo", "two"),
        ("PERSON:ada", "saw", "Q3", "one"),
    ]
    assert edges[0].subject is nodes[0]


def test_edges_say_where():
    (edge,) = doc_graph(make_doc(), min_score=0.8)[1]
    assert edge.properties == {
        "score": 0.9,
        "source": "one",
        "sentence": "ADA saw  Cy.",
        "subject_start": 12,
        "subject_end": 15,
        "object_start": 21,
        "object_end": 23,
    }


def test_the_same_entities_as_in_a_graph():
    doc = NLP("Eva Moe sings. She runs Fjord. The firm likes him; Dr. Eva Moe runs Fjord.")
    doc.set_ents([Span(doc, start, end, label) for start, end, label in ((0, 2, "PERSON"), (6, 7, "ORG"))])
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[4:5]]
    doc.spans["coref_clusters_2"] = [doc[6:7], doc[8:10]]
    triples = [(doc[4:5], "runs", doc[6:7]), (doc[8:10], "likes", doc[11:12]), (doc[8:10], "pays", doc[0:2])]
    set_triples(doc, triples, source="one")
    nodes, edges = doc_graph(doc)
    assert [(node.id, node.name) for node in nodes] == [("PERSON:eva moe", "Eva Moe"), ("ORG:fjord", "Fjord")]
    assert [(edge.subject.name, edge.relation, edge.object.name) for edge in edges] == [
        *(("Eva Moe", "runs", "Fjord"), ("Fjord", "pays", "Eva Moe"))  # whom the firm likes is unknown
    ]
    tables = build_graph([doc_to_document(doc)]).tables
    assert tables.entities.column("name").to_pylist() == ["Eva Moe", "Fjord", "him"]


def test_importing_the_adapters_registers_the_attributes():
    code = "import spacy_relext.integrations; from spacy.tokens import Doc; print(Doc.has_extension('triples'))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_nothing_to_say():
    assert doc_graph(NLP("")) == ([], [])
