"""Drawings of triples: arcs over a text that wraps, and the page around them."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.store import set_triples
from spacy_relext.visuals.arcs import WIDTH, draw_passages
from spacy_relext.visuals.page import render_page
from spacy_relext.visuals.text_lines import shorten, text_width
from tests.scoring.builders import locate
from tests.visuals.browser import Tags

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")


def make_doc(text, triples, **settings):
    doc = NLP(text)
    set_triples(doc, locate(text, triples), source="fake", **settings)
    return doc


SVG = "{http://www.w3.org/2000/svg}"


def drawing(svg):
    """Words and arcs of a drawing, as (text, title) and (label, title)."""
    words, arcs = [], []
    for element in ElementTree.fromstring(svg):
        title = element.find(f"{SVG}title")
        hover = None if title is None else title.text
        if element.get("class") == "relext-arc":
            arcs.append((element.find(f"{SVG}text").text, hover))
        else:
            words.append(((element if element.tag == f"{SVG}text" else element.find(f"{SVG}text")).text, hover))
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
        heads.append(
            float(re.search(r'd="M([\d.]+) [\d.]+l[^"]*" fill="#\w+" class="relext-head"', passage.svg).group(1))
        )
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
    for bad in ("<script>alert", "<b>", "<i>", "<u>", "<em>", '</table>"'):
        assert bad not in page
    assert "&lt;script&gt;" in page
    drawing(draw_passages(doc)[0].svg)  # still well-formed


def test_page_is_whole_and_needs_no_network():
    docs = [make_doc("Ada met Bo. Nobody came.", [("Ada", "met", "Bo", 0.6)]), NLP("Nobody came.")]
    page = render_page(docs)
    links = [value for key, value in Tags(page).attributes if key in ("src", "href", "xlink:href")]
    assert all(link.startswith("#") for link in links)
    assert "@import" not in page and "url(" not in page
    assert '<td class="number" data-cell="score">0.600</td>' in page and "No triple." in page
    assert render_page([]).startswith("<!DOCTYPE html>")


def test_an_argument_of_any_length_is_shortened_at_once():
    for text in ("W" * 300_000, "i" * 300_000, "WW", "W", ""):
        short = shorten(text, 100)
        assert text_width(short) <= 100 and (short == text or short.endswith("…"))
        assert short == text or text_width(text[: len(short)] + "…") > 100


def test_long_arguments_are_shortened_and_chinese_is_wide():
    name = "the very long name of an institution that goes on and on"
    words, _ = drawing(draw_passages(make_doc(f"Ada met {name}", [("Ada", "met", name)]))[0].svg)
    assert words[-1][0] == name
    words, _ = drawing(draw_passages(make_doc(f"Ada met {name * 5}", [("Ada", "met", name * 5)]))[0].svg)
    assert words[-1][0].endswith("…") and 80 < len(words[-1][0]) < 150 and name * 5 in words[-1][1]
    chinese = spacy.blank("zh")("李白生于碎叶城")
    set_triples(chinese, [{"subject": [0, 2], "relation": "出生地", "object": [4, 7]}])
    words, arcs = drawing(draw_passages(chinese)[0].svg)
    assert [word for word, _ in words] == ["李白", "生于", "碎叶城"] and arcs[0][0] == "出生地"


def test_right_to_left():
    doc = spacy.blank("he")("משה פגש דוד")
    set_triples(doc, [{"subject": [0, 3], "relation": "met", "object": [8, 11]}])
    assert 'direction="rtl"' in draw_passages(doc)[0].svg


def boxes_of(text, arguments):
    """Draw a text of any language with a triple, and return the words from left to right."""
    doc = spacy.blank("xx")(text)
    spans = [[text.index(each), text.index(each) + len(each)] for each in arguments]
    set_triples(doc, [{"subject": spans[0], "relation": "r", "object": spans[1]}])
    svg = draw_passages(doc)[0].svg
    found = re.findall(r'<text x="([\d.]+)"[^>]*textLength[^>]*>([^<]+)<', svg)
    return svg, [word for _, word in sorted((float(x), word) for x, word in found)]


def test_the_text_decides_the_direction_and_not_the_language():
    svg, words = boxes_of("דנה גרה בחיפה", ["דנה", "בחיפה"])
    assert svg.startswith("<svg") and ' direction="rtl" width' in svg and words == ["בחיפה", "גרה", "דנה"]
    svg, words = boxes_of("She said דנה גרה בחיפה to Eva", ["דנה", "בחיפה"])
    assert ' direction="ltr" width' in svg and words == ["She said", "בחיפה", "גרה", "דנה", "to Eva"]
    assert svg.count('direction="rtl"') == 3
    svg, words = boxes_of("דנה עובדת ב Fjord Bank , Oslo היום", ["Fjord Bank", "Oslo"])
    assert ' direction="rtl" width' in svg
    assert words == ["היום", "Fjord Bank", ",", "Oslo", "דנה עובדת ב"] and svg.count('direction="ltr"') == 3
    svg, words = boxes_of("1 + 2", ["1", "2"])
    assert ' direction="ltr" width' in svg and words == ["1", "+", "2"]


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
    assert render_page([doc]).count("<tr title") == len(doc._.triple_records or ())  # none with a blank argument


LONG = " ".join(f"word{number}" for number in range(58))


def test_long_sentences_wrap_and_arcs_go_on():
    doc = make_doc(f"Ada {LONG} Bo.", [("Ada", "met", "Bo"), ("Bo", "saw", "Ada", 0.5)])
    (passage,) = draw_passages(doc)
    root = ElementTree.fromstring(passage.svg)
    lines = sorted({float(text.get("y")) for text in root.iter(f"{SVG}text") if text.get("textLength")})
    assert len(lines) > 3 and float(root.get("width")) <= WIDTH + 2
    for text in root.iter(f"{SVG}text"):
        half = float(text.get("textLength", 0)) / 2
        assert half - 1 <= float(text.get("x")) <= WIDTH + 2 - half
    arcs = [each for each in root if each.get("class") == "relext-arc"]
    assert len(arcs) == 2 * len(lines), "a part on each line"
    heads = [arc.get("data-rows") for arc in arcs if arc.find(f"{SVG}path[@class='relext-head']") is not None]
    assert sorted(heads) == ["0", "1"], "each arc has one head"
    words, _ = drawing(passage.svg)
    assert " ".join(word for word, _ in words) == doc.text.replace("Bo.", "Bo .")


def test_lines_break_at_spaces_or_anywhere():
    url = "http://" + "x" * 300
    doc = make_doc(f"Ada ({'y' * 90}) met {url} Bo.", [("Ada", "met", "Bo")])
    words, _ = drawing(draw_passages(doc)[0].svg)
    assert ["Ada", f"({'y' * 90}) met"] == [word for word, _ in words[:2]], "a bracket stays with its word"
    assert "".join("".join(word for word, _ in words).split()) == doc.text.replace(" ", "")


def test_roles_and_scores():
    doc = make_doc("Ada met Bo and Cy", [("Ada", "met", "Bo", 0.25), ("Bo", "saw", "Cy", 0.75), ("Ada", "saw", "Cy")])
    root = ElementTree.fromstring(draw_passages(doc)[0].svg)
    colours = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "relext-argument":
            rects = [(r.get("class"), r.get("data-score")) for r in group.iter(f"{SVG}rect")]
            colours[group.find(f"{SVG}text").text] = rects
    assert colours == {
        "Ada": [("relext-subject", "1.000000")],
        "Bo": [("relext-subject", "0.750000"), ("relext-object", "0.250000")],
        "Cy": [("relext-object", "1.000000")],
    }
    rows = [(arc.get("data-rows"), arc.get("data-score")) for arc in root if arc.get("class") == "relext-arc"]
    assert sorted(rows) == [("0", "1.000000"), ("1", "0.750000"), ("2", "0.250000")]
    page = render_page([doc])
    assert re.findall(r'data-row="(\d)" data-score="([\d.]+)"', page) == sorted(rows)


def test_arcs_of_a_level_do_not_touch():
    doc = make_doc("Ada met Bo and Cy and Di", [("Ada", "met", "Bo"), ("Bo", "met", "Cy"), ("Ada", "saw", "Di")])
    heights = {}
    for arc in ElementTree.fromstring(draw_passages(doc)[0].svg):
        if arc.get("class") == "relext-arc":
            heights[arc.find(f"{SVG}title").text] = float(arc.find(f"{SVG}text").get("y"))
    whole, first, second = (next(y for title, y in heights.items() if name in title) for name in ("Di", "Bo (", "Cy"))
    assert whole < min(first, second), "the longest lies above"
    crowded = make_doc("A B", [("A", "a_long_label", "B"), ("A", "another_long_label", "B"), ("B", "third", "A")])
    svg = draw_passages(crowded)[0].svg
    labels = [t for t in ElementTree.fromstring(svg).iter(f"{SVG}text") if t.get("class") == "relext-label"]
    assert len({label.get("y") for label in labels}) == 3


def test_types_of_entities():
    doc = make_doc("Ada met Bo", [("Ada", "met", "Bo")])
    doc.set_ents([spacy.tokens.Span(doc, 0, 1, "A&B")])
    texts = [text.text for text in ElementTree.fromstring(draw_passages(doc)[0].svg).iter(f"{SVG}text")]
    assert texts.count("A&B") == 1
    doc.set_ents([spacy.tokens.Span(doc, 0, 1, "VERY_LONG_NAME"), spacy.tokens.Span(doc, 2, 3, "VERY_LONG_NAME")])
    root = ElementTree.fromstring(draw_passages(doc)[0].svg)
    places = [float(text.get("x")) for text in root.iter(f"{SVG}text") if text.text == "VERY_LONG_NAME"]
    assert min(places) > 50 and places[1] - places[0] > 100, "boxes are as wide as the types below them"
