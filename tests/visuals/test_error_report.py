"""The page of errors: what it holds, that a corpus cannot break it, and what a browser makes of it."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any, Dict, List

import pytest

from spacy_relext import errors as optional
from spacy_relext.visuals.error_report import MOST_PER_CLASS, make_report, render_error_report
from tests.scoring.builders import locate, make_example
from tests.visuals.browser import add_script, needs_browser, open_page

EVIL = "</script><b>Eve</b>"
GOLD = [("Ada", "wed", "Bo Nye"), ("Cy", "met", "Di"), ("Ed", "met", "Flo")]
PREDICTED = [("Ada", "wed", "Bo", 0.9), ("Cy", "wed", "Di", 0.6), ("Bo", "saw", "Cy", 0.8)]

USER = """
{
  const seen = {}, change = (id, value) => {
    get(id).value = value; get(id).dispatchEvent(new Event(get(id).type === "search" ? "input" : "change"));
  };
  const look = name => seen[name] = [get("count").textContent, ...[...document.querySelectorAll("article")].map(
    card => card.innerText.replace(/\\s+/g, " "))];
  look("start"); change("relation", "wed"); look("relation"); change("class", "boundary"); look("both");
  change("relation", ""); change("class", ""); change("kind", "missed"); look("kind");
  change("kind", ""); change("words", "bo NYE"); look("words"); change("words", "");
  document.querySelector('button[data-relation="met"][data-class="missed relation"]').click(); look("button");
  seen.marks = [...document.querySelectorAll("article mark")].map(mark => [mark.className, mark.textContent]);
  seen.pictures = [...document.images].map(image => image.complete && image.naturalWidth > 0);
  const out = make("pre", "", JSON.stringify(seen)); out.id = "seen"; document.body.append(out);
}
"""


@pytest.fixture(scope="module")
def examples() -> List[Any]:
    evil = make_example(f"😀 {EVIL} met Di .", [], [(EVIL, "<i>saw</i>", "Di", 0.5)], source="<u>fake</u>")
    return [make_example("Ada wed Bo Nye . It rained . Cy met Di . Ed met Flo .", GOLD, PREDICTED), evil]


@pytest.fixture(scope="module")
def page(examples: List[Any]) -> str:
    pytest.importorskip("matplotlib")
    candidates = {"fake": [locate(example.reference.text, []) for example in examples]}
    report = make_report(examples, candidates=candidates, training={"met": 20, "wed": 0})
    return render_error_report(report, examples, title="Errors of <A> & B")


def data_of(page: str) -> List[Dict[str, Any]]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    errors: List[Dict[str, Any]] = json.loads(found)["errors"]
    return errors


def test_everything_is_inside_and_escaped(page: str) -> None:
    assert "<b>Eve" not in page and "<i>saw" not in page and "<u>fake" not in page
    assert "Errors of &lt;A&gt; &amp; B" in page
    assert not re.search(r'(src|href)="(?!data:)|https?://', page), "no network"
    (picture,) = (base64.b64decode(each).decode() for each in re.findall(r"base64,([^\"]*)", page))
    assert "</svg>" in picture and "candidates of fake" in picture
    assert "2 annotated documents, 3 gold and 4 predicted triples" in page


def test_pairs_are_shown_once(page: str) -> None:
    errors = data_of(page)
    kinds = sorted((each["class"], each["kind"], each["relations"]) for each in errors)
    assert kinds == [
        ("boundary", "both", ["wed"]),
        ("missed relation", "missed", ["met"]),
        ("relation not stated", "wrong", ["<i>saw</i>"]),
        ("relation not stated", "wrong", ["saw"]),
        ("wrong relation", "both", ["met", "wed"]),
    ]
    (boundary,) = (each for each in errors if each["class"] == "boundary")
    pieces = boundary["predicted"]["pieces"], boundary["gold"]["pieces"]
    assert pieces[0][:4] == [["Ada", "subject"], [" wed ", ""], ["Bo", "object"], [" Nye .", ""]]
    assert pieces[1][2] == ["Bo Nye", "object"]
    assert boundary["predicted"]["triple"]["score"] == 0.9 and "score" not in boundary["gold"]["triple"]


def test_without_counts_of_training_examples_and_without_errors(examples: List[Any]) -> None:
    pytest.importorskip("matplotlib")
    page = render_error_report(make_report(examples, labels=["met"]), examples, title="x")
    assert "Training</th>" not in page and {e["relations"][0] for e in data_of(page)} == {"met"}
    assert data_of(render_error_report(make_report([]), [], title="x")) == []


def test_the_costliest_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    many = [make_example("Ada met Bo .", [], [("Ada", "met", "Bo", 0.5)])] * (MOST_PER_CLASS + 2)
    page = render_error_report(make_report(many), many, title="x")
    assert len(data_of(page)) == MOST_PER_CLASS and "of each class; 2 are not" in page


def test_without_matplotlib(examples: List[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"R006.*matplotlib.*spacy-relext\[viz\]"):
        render_error_report(make_report(examples), examples, title="x")


@needs_browser
def test_in_a_browser(page: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(add_script(page, USER), encoding="utf8")
    content = open_page(path, tmp_path / "profile")
    seen = json.loads(html.unescape(re.findall(r'<pre[^>]*id="seen"[^>]*>(.*?)</pre>', content)[0]))
    assert seen["start"][0] == "5 errors" and len(seen["start"]) == 6
    assert seen["relation"][0] == "2 errors" and seen["both"][0] == "1 error"
    assert "Predicted: Ada → wed → Bo (0.900, fake)" in seen["both"][1]
    assert "Gold: Ada → wed → Bo Nye" in seen["both"][1]
    assert seen["kind"][0] == "3 errors" and seen["words"][0] == "2 errors"
    assert seen["button"][0] == "1 error" and "Predicted: nothing like it" in seen["button"][1]
    assert seen["marks"] == [["subject", "Ed"], ["object", "Flo"]] * 2
    assert seen["pictures"] == [True]
    assert any(f"😀 {EVIL}" in text for text in seen["start"])
