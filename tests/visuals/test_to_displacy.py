"""Triples as input of displaCy."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import spacy
from spacy import displacy

from spacy_relext import set_triples, to_displacy

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "The poet Ada Holm met Bo Lind in Bergen. Bo saw Ada."


@pytest.fixture()
def doc():
    doc = NLP(TEXT)
    set_triples(doc, [(doc[2:4], "met", doc[5:7]), (doc[12:13], "known_by", doc[10:11])])
    doc.set_ents([spacy.tokens.Span(doc, 2, 4, "PERSON")])
    return doc


def words_of(drawing):
    return [word["text"] for word in drawing["words"]]


def test_words_and_arcs(doc):
    drawing = to_displacy(doc)
    assert words_of(drawing) == ["The poet", "Ada Holm", "met", "Bo Lind", "in Bergen.", "Bo", "saw", "Ada", "."]
    assert [word["tag"] for word in drawing["words"]] == ["", "PERSON", *[""] * 7]
    assert drawing["arcs"] == [
        {"start": 1, "end": 3, "label": "met", "dir": "right"},
        {"start": 5, "end": 7, "label": "known_by", "dir": "left"},
    ]
    assert json.loads(json.dumps(drawing)) == drawing


def test_displacy_draws_it(doc):
    svg = displacy.render(to_displacy(doc), style="dep", manual=True, jupyter=False)
    root = ElementTree.fromstring(svg)
    assert len(root.findall(".//*[@class='displacy-arrow']")) == 2
    assert len(displacy.render([to_displacy(s) for s in doc.sents], style="dep", manual=True, jupyter=False)) > 0


def test_a_sentence_has_the_triples_inside_it(doc):
    first, second = map(to_displacy, doc.sents)
    assert words_of(second) == ["Bo", "saw", "Ada", "."] and len(first["arcs"]) == len(second["arcs"]) == 1
    assert second["arcs"][0]["start"] == 0
    assert to_displacy(doc[3:8])["arcs"] == []
    assert to_displacy(NLP("")) == {"words": [], "arcs": [], "settings": first["settings"]}


def test_width_of_words(doc):
    assert max(map(len, words_of(to_displacy(doc, max_width=5)))) <= 7  # a token of another length stays whole
    assert "Ada …" in words_of(to_displacy(doc, max_width=5))
    with pytest.raises(ValueError, match=r"\[R007\] max_width is 1; expected"):
        to_displacy(doc, max_width=1)


def test_what_displacy_does_not_escape_is_escaped():
    doc = NLP("Ada met <Bo>")
    set_triples(doc, [((0, 3), "<b>", (8, 12))])
    doc.set_ents([spacy.tokens.Span(doc, 0, 1, "A&B")])
    drawing = to_displacy(doc)
    assert drawing["arcs"][0]["label"] == "&lt;b&gt;" and drawing["words"][0]["tag"] == "A&amp;B"
    assert words_of(drawing)[-1] == "<Bo>"  # displaCy escapes words
    root = ElementTree.fromstring(displacy.render(drawing, style="dep", manual=True, jupyter=False))
    texts = list(root.itertext())
    assert {"<Bo>", "<b>", "A&B"} <= {text.strip() for text in texts}
