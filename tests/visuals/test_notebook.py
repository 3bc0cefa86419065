"""Drawings in notebooks: a fragment of HTML that needs nothing and disturbs nothing around it."""

import re
from pathlib import Path

import pytest
import spacy

from spacy_relext import render, set_triples
from spacy_relext.visuals.page import render_page
from tests.visuals.browser import Tags, needs_browser, open_page

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "Ada <b>Holm</b> met Bo & Kit. Nothing <script>alert(1)</script> here."


@pytest.fixture()
def doc():
    doc = NLP(TEXT)
    evidence = {"note": "<i>5 > 3</i>"}
    set_triples(doc, [((0, 11), "<met>", (20, 28), 0.75, evidence)], source='the "finder"')
    return doc


def test_jupyter_shows_drawing_and_table(doc):
    html = render(doc)._repr_html_()
    tags = Tags(html)
    assert {"svg", "table", "style"} <= tags.seen and html == render(doc).html
    for word in (
        "<met>",
        "<b>Holm",
        "Bo & Kit",
        "0.750",
        'the "finder"',
        "note: <i>5 > 3</i>",
        "<script>alert(1)</script>",
    ):
        assert word in tags.text


def test_the_fragment_is_self_contained(doc):
    tags = Tags(render([doc, NLP("x")]).html)
    assert not tags.seen & {"html", "head", "body", "script", "link", "img", "iframe", "b", "i", "met"}
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in ("src", "href")]
    remote = [value for name, value in tags.attributes if value and "//" in value and not name.startswith("xmlns")]
    assert remote == []


def test_its_style_holds_inside_it_only(doc):
    (style,) = re.findall(r"<style>(.*?)</style>", render(doc).html, re.S)
    depth, outer = 0, ""
    for character in style:
        depth -= character == "}"
        outer += character if depth == 0 else ""
        depth += character == "{"
    assert depth == 0
    selectors = {each.strip(" {}\n") for each in outer.replace("}", "{").split("{")} - {""}
    assert selectors == {".relext", "@media (prefers-color-scheme: dark)"}
    assert re.findall(r"@media[^{]*\{ *(\S+) \{ color", style) == [".relext"]
    assert "body" not in style and "url(" not in style and "@import" not in style


def test_docs_and_parts(doc):
    first, second = doc.sents
    assert "<table>" in render(first).html and "No triple" in render(second).html
    assert "alert" not in render(first).html
    assert repr(render(doc)) == "<drawing of 1 document: Jupyter shows it, .html is its source>"
    assert "of 2 documents" in repr(render([doc, doc])) and render([doc, doc]).html.count("<table>") == 2
    assert "of 0 documents" in repr(render([]))
    assert "No triple" in render(NLP("")).html
    with pytest.raises(ValueError, match=r"\[R007\] docs is 'a text'; expected a Doc"):
        render("a text")


def test_the_page_of_view_shows_the_same(doc):
    page, fragment = render_page([doc]), render(doc).html
    (one,), (two,) = (re.findall(r"<table>.*</table>", html, re.S) for html in (page, fragment))
    assert one == two


@needs_browser
def test_in_a_browser(doc, tmp_path: Path):
    """Beside a table of a notebook with a dark theme, which keeps its look."""
    ready = """<script>
    const own = getComputedStyle(document.querySelector(".relext td")), other = getComputedStyle(outside);
    if (own.textAlign !== "left" || own.borderBottomStyle !== "solid") console.log("the style does not reach in");
    const row = getComputedStyle(document.querySelector(".relext tbody tr")).backgroundColor;
    const text = getComputedStyle(document.querySelector(".relext")).color;
    if (own.color !== text || row !== "rgba(0, 0, 0, 0)") console.log("the theme reaches in");
    if (other.textAlign === "left" || other.borderBottomStyle === "solid") console.log("the style reaches out");
    document.documentElement.dataset.ready = "true"</script>"""
    theme = ".theme table { color: white } .theme tbody tr:nth-child(odd) { background: black }"
    theme += ".theme td { text-align: right; border: none }"
    outside = f'<style>{theme}</style><table><tr><td id="outside">1</td></tr></table>'
    page = tmp_path / "page.html"
    page.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><body class="theme">{outside}{render(doc).html}{ready}', encoding="utf-8"
    )
    shown = open_page(page, tmp_path / "profile")
    assert "&lt;b&gt;Holm" in shown and "<b>" not in shown
