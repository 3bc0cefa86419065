import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.store import set_triples
from spacy_relext.visuals.displacy_view import draw_passages
from spacy_relext.visuals.page import render_page
from tests.scoring.builders import locate

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")


def make_doc(text, triples, **settings):
    doc = NLP(text)
    set_triples(doc, locate(text, triples), source="fake", **settings)
    return doc


def drawing(svg):
    """Words and arcs of a drawing, as (text, title) and (label, title)."""
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    words, arcs = [], []
    for element in root:
        title = element.find(f"{name}title")
        hover = None if title is None else title.text
        if element.get("class") == "displacy-token":
            words.append((element.find(f"{name}tspan").text, hover))
        else:
            arcs.append((element.find(f"{name}text/{name}textPath").text, hover))
    return words, arcs


def test_arguments_are_words_and_relations_arcs():
    doc = make_doc("The poet Ada Holm met Bo Lind in Bergen.", [("Ada Holm", "met", "Bo Lind", 0.75)])
    (passage,) = draw_passages(doc)
    words, arcs = drawing(passage.svg)
    assert words == [
        ("The poet", None),
        ("Ada Holm", "Ada Holm (characters 9 to 17)"),
        ("met", None),
        ("Bo Lind", "Bo Lind (characters 22 to 29)"),
        ("in Bergen.", None),
    ]
    assert arcs == [("met", "Ada Holm → met → Bo Lind (score 0.750, from fake)")]


def test_arrow_points_from_subject_to_object():
    heads = []
    for triple in (("Ada", "met", "Bo"), ("Bo", "met", "Ada")):
        (passage,) = draw_passages(make_doc("Ada met Bo", [triple]))
        heads.append(float(re.search(r'displacy-arrowhead" d="M([\d.]+)', passage.svg).group(1)))
    assert heads[0] > heads[1]


def test_sentences_without_triples_stay_text():
    doc = make_doc("Ada met Bo. Nobody came.", [("Ada", "met", "Bo")])
    first, second = draw_passages(doc)
    assert first.svg and (second.text, second.svg) == ("Nobody came.", "")
    assert [p.svg for p in draw_passages(NLP("Nobody came."))] == [""]
    assert draw_passages(NLP("")) == []


def test_a_triple_across_sentences_joins_them():
    doc = make_doc("Ada came. Nobody saw it. She met Bo. Cy left.", [("Ada", "met", "Bo")])
    joined, rest = draw_passages(doc)
    assert joined.text.startswith("Ada") and joined.text.endswith("Bo.") and not rest.svg


def test_several_relations_of_one_pair_and_one_triple_twice():
    doc = make_doc("Ada met Bo", [("Ada", "met", "Bo"), ("Ada", "saw", "Bo"), ("Bo", "saw", "Ada")])
    set_triples(doc, locate(doc.text, [("Ada", "met", "Bo", 0.3)]), source="other")
    _, arcs = drawing(draw_passages(doc)[0].svg)
    assert sorted(label for label, _ in arcs) == ["met", "saw", "saw"]
    assert any("score 1.000, from fake" in title for label, title in arcs if label == "met")


def test_nested_and_overlapping_arguments():
    text = "The University of Bergen hired Ada Holm."
    triples = [
        ("Ada Holm", "employer", "University of Bergen"),
        ("University of Bergen", "located_in", "Bergen"),
        ("of Bergen hired", "odd", "Ada Holm"),
    ]
    doc = make_doc(text, triples)
    words, arcs = drawing(draw_passages(doc)[0].svg)
    assert "University of Bergen" in [word for word, _ in words]
    assert sorted(label for label, _ in arcs) == ["employer", "odd"]
    page = render_page([doc])
    for subject, relation, obj in triples:
        assert f"{subject} → {relation} → {obj}" in page


def test_everything_is_escaped():
    text = '<script>alert(1)</script> met "Bo" & <b>Cy</b>.'
    doc = NLP(text)
    relation = 'a<script>&"'
    triples = [{"subject": [0, 8], "relation": relation, "object": [30, 34], "evidence": {"<i>": "</table>"}}]
    set_triples(doc, triples, source="<u>")
    page = render_page([doc], title="<em>")
    for bad in ("<script", "<b>", "<i>", "<u>", "<em>", '</table>"'):
        assert bad not in page
    assert "&lt;script&gt;" in page
    drawing(draw_passages(doc)[0].svg)  # still well-formed


class Checker(HTMLParser):
    VOID = ("meta", "br", "link")

    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href") and not v.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_no_network():
    docs = [make_doc("Ada met Bo. Nobody came.", [("Ada", "met", "Bo", 0.6)]), NLP("Nobody came.")]
    page = render_page(docs)
    checker = Checker()
    checker.feed(page)
    assert checker.open == [] and checker.links == []
    assert "@import" not in page and "url(" not in page
    assert '<td class="number">0.600</td>' in page and "No triple." in page
    assert render_page([]).startswith("<!DOCTYPE html>")


def test_long_arguments_are_shortened_and_chinese_is_wide():
    name = "the very long name of an institution that goes on and on"
    words, _ = drawing(draw_passages(make_doc(f"Ada met {name}", [("Ada", "met", name)]))[0].svg)
    assert words[-1][0].endswith("…") and len(words[-1][0]) <= 30 and name in words[-1][1]
    chinese = spacy.blank("zh")("李白生于碎叶城")
    set_triples(chinese, [{"subject": [0, 2], "relation": "出生地", "object": [4, 7]}])
    words, arcs = drawing(draw_passages(chinese)[0].svg)
    assert [word for word, _ in words] == ["李白", "生于", "碎叶城"] and arcs[0][0] == "出生地"


def test_right_to_left():
    doc = spacy.blank("he")("משה פגש דוד")
    set_triples(doc, [{"subject": [0, 3], "relation": "met", "object": [8, 11]}])
    assert 'direction="rtl"' in draw_passages(doc)[0].svg


@pytest.mark.parametrize("text", ["a b c d. e f g h. i j"])
@given(st.lists(st.tuples(*[st.integers(0, 19)] * 4), max_size=5))
def test_any_offsets_can_be_drawn(text, offsets):
    doc = NLP(text)
    triples = []
    for a, b, c, d in offsets:
        subject, obj = sorted((a, b)), sorted((c, d))
        if subject != obj and subject[0] < subject[1] and obj[0] < obj[1]:
            triples.append({"subject": subject, "relation": "r", "object": obj})
    set_triples(doc, triples, source="fake")
    passages = draw_passages(doc)
    assert "".join("".join(p.text.split()) for p in passages) == "".join(text.split())
    for passage in passages:
        if passage.svg:
            words, _ = drawing(passage.svg)
            assert "".join("".join(word.split()) for word, _ in words) == "".join(passage.text.split())
    assert render_page([doc]).count("<tr title") == len(triples)
