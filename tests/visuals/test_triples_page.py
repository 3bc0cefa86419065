"""The page of triples in a browser: the slider, details on a click, its width, and what stays without a script."""

import json
import re
from pathlib import Path
from typing import Any, Dict

import pytest
import spacy

from spacy_relext import set_triples
from spacy_relext.visuals.page import render_page
from tests.visuals.browser import POLICY, add_script, needs_browser, open_page

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
LONG = "Ada <b>Holm</b> " + " ".join(f"word{number}" for number in range(60)) + " met Bo and Kit."


def make_page() -> str:
    """Two documents: two triples of one pair and a third one, with a name that nothing can break; and one more."""
    docs = [NLP(LONG + " Nobody came."), NLP("Cy saw Di.")]
    text = docs[0].text
    subject, bo, kit = (0, 15), text.index("Bo"), text.index("Kit")
    found = [
        (subject, "met", (bo, bo + 2), 0.25, {"note": "<i>5 > 3</i>", "more": [1]}),
        (subject, f"a_relation_{'x' * 200}", (kit, kit + 3), 0.5),
    ]
    set_triples(docs[0], found, source="first")
    set_triples(docs[0], [(subject, "met", (bo, bo + 2), 0.75)], source="second<script>")
    set_triples(docs[1], [((0, 2), "saw", (7, 9), 0.5)], source="first")
    return render_page(docs)


def probe(page: str, tmp_path: Path, script: str, *, width: int = 1400) -> Dict[str, Any]:
    """Run a script in the page, which sets keys of `seen`."""
    helpers = """
    const seen = {}, click = e => e.dispatchEvent(new MouseEvent("click", {bubbles: true}));
    const arcs = name => all(document, ".relext-arc").filter(a => a.querySelector("text").textContent === name);
    const visible = query => all(document, query).filter(e => getComputedStyle(e).display !== "none").length;
    const slide = value => { least.value = value; least.dispatchEvent(new Event("input")); };
    const details = () => document.querySelector(".details")?.innerText ?? "";
    """
    done = '; document.body.append(Object.assign(make("pre", ""), {id: "seen", textContent: JSON.stringify(seen)}));'
    path = tmp_path / "probed.html"
    path.write_text(add_script(page, helpers + script + done), encoding="utf8")
    shown = open_page(path, tmp_path / "profile", width=width)
    found = re.search(r'<pre id="seen">(.*?)</pre>', shown, re.S)
    assert found
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@needs_browser
def test_the_slider_hides_what_scores_less(tmp_path: Path) -> None:
    seen = probe(
        make_page(),
        tmp_path,
        """
        seen.controls = visible("#controls"); seen.before = [visible("tr[data-row]"), visible(".relext-arc")];
        seen.text = shown.textContent;
        slide(0.5); seen.half = [visible("tr[data-row]"), arcs("met").length]; seen.halfText = shown.textContent;
        slide(0.6); seen.more = [visible("tr[data-row]"), arcs("saw").filter(a => !a.matches(".low")).length];
        seen.colours = [visible("rect.relext-subject"), visible("rect.relext-object")];
        slide(0.8); seen.none = [visible("tr[data-row]"), visible(".relext-arc"), visible("rect[data-score]")];
        seen.words = document.querySelector("svg").textContent.includes("word59 met");
        """,
    )
    assert seen["controls"] == 1 and seen["before"][0] == 4 and seen["text"] == "0.00: 4 of 4"
    assert seen["half"][0] == 3 and seen["halfText"] == "0.50: 3 of 4"
    assert seen["more"] == [1, 0] and seen["colours"] == [1, 1], "words of hidden triples lose their colour"
    assert seen["none"] == [0, 0, 0] and seen["words"]


@needs_browser
def test_a_click_shows_details(tmp_path: Path) -> None:
    seen = probe(
        make_page(),
        tmp_path,
        """
        const [first] = arcs("met"), press = key => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", {key, bubbles: true}));
        seen.before = details(); click(first); seen.both = details();
        seen.place = document.querySelector(".details").previousElementSibling.className;
        seen.markup = visible(".details i, .details script, .details b");
        seen.parts = arcs("met").every(a => a.matches(".selected")); seen.rows = visible("tr.selected");
        click(first); seen.closed = details();
        first.focus(); press("Enter"); seen.key = details() === seen.both; press("Escape"); seen.escaped = details();
        click(document.querySelectorAll("section")[1].querySelector("tr[data-row] td")); seen.row = details();
        click(document.querySelector(".close")); seen.button = details();
        slide(0.5); click(first); seen.above = details(); slide(0.9); seen.hidden = details();
        """,
    )
    assert seen["before"] == seen["closed"] == seen["escaped"] == seen["button"] == seen["hidden"] == ""
    both = seen["both"]
    assert both.count("Ada <b>Holm</b> → met → Bo") == 2 and both.index("0.750") < both.index("0.250")
    for text in ("second<script>", "first", "note: <i>5 > 3</i>", "more: [1]", "0–15, "):
        assert text in both
    assert seen["markup"] == 0 and seen["place"] == "drawing" and seen["parts"] and seen["rows"] == 2 and seen["key"]
    assert "Cy → saw → Di" in seen["row"] and "0.500" in seen["row"]
    assert "0.750" in seen["above"] and "0.250" not in seen["above"]


@needs_browser
@pytest.mark.parametrize("width", [500, 900, 1400])
def test_nothing_is_wider_than_the_page(tmp_path: Path, width: int) -> None:
    seen = probe(
        make_page(),
        tmp_path,
        """
        click(arcs("met")[0]); const root = document.documentElement;
        seen.page = [root.scrollWidth, root.clientWidth]; seen.svg = document.querySelector("svg").clientWidth;
        const texts = all(document, "svg text[textLength]");
        seen.widths = texts.map(t => [t.getComputedTextLength(), Number(t.getAttribute("textLength"))]);
        """,
        width=width,
    )
    scroll, client = seen["page"]
    assert scroll <= client <= width and seen["svg"] <= client
    for measured, estimated in seen["widths"]:
        assert measured == pytest.approx(estimated, rel=0.02, abs=1)


@needs_browser
def test_its_own_policy_lets_only_its_script_run(tmp_path: Path) -> None:
    page = make_page()
    assert POLICY.search(page) and page.count("<script") == 1
    (tmp_path / "page.html").write_text(page, encoding="utf8")
    open_page(tmp_path / "page.html", tmp_path / "profile")
    other = page.replace("</body>", "<script>document.body.dataset.other = 1</script></body>")
    (tmp_path / "other.html").write_text(other, encoding="utf8")
    with pytest.raises(AssertionError):  # it complains
        open_page(tmp_path / "other.html", tmp_path / "other")


def test_everything_is_there_without_a_script() -> None:
    page = re.sub(r"<script>.*?</script>", "", make_page(), flags=re.S)
    assert 'id="controls" hidden' in page, "what only a script can use is not shown"
    hidden = re.findall(r"<[^>]*\bhidden\b[^>]*>", page)
    assert len(hidden) == 1 and page.count("<tr title") == 4 and "<details" not in page
    assert "note: &lt;i&gt;5 &gt; 3&lt;/i&gt;" in page
