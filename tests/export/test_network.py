"""Triples as a graph of networkx."""

import sys

import pytest
import spacy

from spacy_relext import set_triples, to_networkx

networkx = pytest.importorskip("networkx")

NLP = spacy.blank("en")


def make_doc(text, *triples, **settings):
    doc = NLP(text)
    for subject, relation, obj, score in triples:
        first, second = text.index(subject), text.rindex(obj)
        found = ((first, first + len(subject)), relation, (second, second + len(obj)), score)
        set_triples(doc, [found], **settings)
    return doc


def test_nodes_are_texts_and_edges_relations():
    first = make_doc("Ada met Bo.", ("Ada", "met", "Bo", 0.5))
    second = make_doc("Later Ada met Bo.", ("Ada", "met", "Bo", 0.75))
    third = make_doc("Bo saw Ada.", ("Bo", "saw", "Ada", 0.25))
    fourth = make_doc("Ada met Bo.", ("Ada", "met", "Bo", 0.6))
    graph = to_networkx([first, second, third, fourth])
    assert isinstance(graph, networkx.MultiDiGraph) and sorted(graph) == ["Ada", "Bo"]
    assert graph["Ada"]["Bo"]["met"] == {"relation": "met", "score": 0.75, "support": 3, "docs": 3}
    assert graph["Bo"]["Ada"]["saw"] == {"relation": "saw", "score": 0.25, "support": 1, "docs": 1}
    assert graph.number_of_edges() == 2 and to_networkx(first).number_of_edges() == 1


def test_two_relations_of_a_pair_are_two_edges():
    doc = NLP("Ada met Bo")
    set_triples(doc, [(doc[0:1], "met", doc[2:3]), (doc[0:1], "knows", doc[2:3])])
    assert sorted(to_networkx(doc)["Ada"]["Bo"]) == ["knows", "met"]


def test_support_counts_places_not_sources():
    doc = NLP("Ada met Bo, and Ada met Bo.")
    again = [(doc[0:1], "met", doc[2:3], 0.5), (doc[5:6], "met", doc[7:8], 0.9)]
    set_triples(doc, again, source="finder")
    set_triples(doc, [(doc[0:1], "met", doc[2:3], 0.8)])
    edge = to_networkx([doc])["Ada"]["Bo"]["met"]
    assert (edge["support"], edge["docs"], edge["score"]) == (2, 1, 0.9)


def test_white_space_makes_no_second_node():
    docs = [
        make_doc("Ada  Holm met Bo", ("Ada  Holm", "met", "Bo", 1)),
        make_doc("Ada\nHolm met Bo", ("Ada\nHolm", "met", "Bo", 1)),
    ]
    assert to_networkx(docs)["Ada Holm"]["Bo"]["met"]["support"] == 2


def test_scores_below_the_limit_are_left_out():
    doc = make_doc("Ada met Bo", ("Ada", "met", "Bo", 0.5))
    assert len(to_networkx(doc, min_score=0.5)) == 2 and len(to_networkx(doc, min_score=0.6)) == 0
    with pytest.raises(ValueError, match=r"\[R007\] min_score is 60; expected a number from 0.0 to 1.0"):
        to_networkx(doc, min_score=60)


def test_a_graph_can_be_saved(tmp_path):
    networkx.write_graphml(to_networkx(make_doc("Ada met Bo", ("Ada", "met", "Bo", 0.5))), tmp_path / "g.graphml")
    again = networkx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    assert again["Ada"]["Bo"]["met"]["relation"] == "met" and again["Ada"]["Bo"]["met"]["score"] == 0.5


def test_without_networkx(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ImportError) as raised:
        to_networkx([])
    expected = "[R006] networkx is needed for to_networkx and is not installed: pip install 'spacy-relext[frames]'."
    assert str(raised.value) == expected
