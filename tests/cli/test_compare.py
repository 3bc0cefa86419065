"""`spacy relext compare`: two pipelines on one corpus. A finds `met` and `saw`, B only `met`."""

import html
import json
import re
from pathlib import Path
from typing import Any, Callable

import pytest

from spacy_relext.scoring.evaluation import merge_labels
from tests.scoring.builders import save_corpus
from tests.visuals.browser import add_script, needs_browser, open_page

ROWS = [
    ("Ada met Bo . Cy saw Di .", [("Ada", "met", "Bo"), ("Cy", "saw", "Di")]),
    ("Ed met Flo . <b>Eve</b> said Gus saw Hal .", []),
    ("Hal knew Ida .", [("Hal", "knew", "Ida")]),
    ("Jo saw Kim .", [("Jo", "saw", "Kim")]),
    ("Jo met Kim .", None),
]
USER = """
{
  const seen = {}, change = (id, value) => {
    get(id).value = value; get(id).dispatchEvent(new Event(get(id).type === "search" ? "input" : "change"));
  };
  const look = name => seen[name] = [get("count").textContent, ...[...document.querySelectorAll("article")].map(
    card => card.innerText.replace(/\\s+/g, " "))];
  look("start"); change("outcome", "A wrong"); look("wrong"); change("outcome", "B correct"); look("correct");
  change("outcome", ""); change("words", "KIM"); look("words"); change("words", ""); change("relation", "met");
  look("relation");
  const out = make("pre", "", JSON.stringify(seen)); out.id = "seen"; document.body.append(out);
}
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_corpus(tmp_path_factory.mktemp("corpus") / "test.spacy", ROWS)


def test_tables_and_json(
    run: Callable[..., Any], pipeline: str, detector_pipeline: str, corpus: Path, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "c.json"
    done = run("compare", pipeline, detector_pipeline, corpus, "-o", path)
    assert done.exit_code == 0, done.output
    found = json.loads(path.read_text(encoding="utf8"))
    recall, saw = found["overall"]["exact_r"], found["relations"]["saw"]
    assert (recall["A"], recall["B"], recall["difference"], recall["gold"]) == (0.75, 0.25, -0.5, 4)
    assert recall["low"] <= recall["difference"] <= recall["high"]
    assert saw["A"] == pytest.approx(0.8) and saw["B"] == 0
    assert found["correct"] == {"both": 1, "first": 2, "second": 0}
    assert found["wrong"] == {"both": 1, "first": 1, "second": 0}
    assert [(each["document"], each["text"]) for each in found["disputes"]] == [
        (0, "Cy saw Di ."),
        (1, "<b>Eve</b> said Gus saw Hal ."),
        (3, "Jo saw Kim ."),
    ]
    assert [(t["found_by"], t["correct"]) for each in found["disputes"] for t in each["triples"]] == [
        ("A", True),
        ("A", False),
        ("A", True),
    ]
    assert found["metrics"]["A"]["n_annotated"] == 4
    rows = {line.split("  ")[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["recall"][1:4] == ["75.00", "25.00", "-50.00"] and rows["correct"][1:] == ["1", "2", "0"]
    assert "differ on 3 passages" in done.stdout


def test_one_pipeline_twice(run: Callable[..., Any], pipeline: str, corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    run("compare", pipeline, pipeline, corpus, "-o", path, "--label-filter", "saw,knew")
    found = json.loads(path.read_text(encoding="utf8"))
    assert found["disputes"] == [] and sorted(found["relations"]) == ["knew", "saw"]
    assert all(each["difference"] == each["low"] == each["high"] == 0 for each in found["overall"].values())


@needs_browser
def test_the_page(run: Callable[..., Any], pipeline: str, detector_pipeline: str, corpus: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("compare", pipeline, detector_pipeline, corpus, "--html", page)
    text = page.read_text(encoding="utf8")
    assert "</body>" in text and "<b>Eve" not in text and not re.search(r'(src|href)="|https?://', text), (
        "self-contained and escaped"
    )
    page.write_text(add_script(text, USER), encoding="utf8")
    (found,) = re.findall(r'<pre[^>]*id="seen"[^>]*>(.*?)</pre>', open_page(page, tmp_path / "profile"), re.DOTALL)
    seen = json.loads(html.unescape(found))
    assert [each[0] for each in seen.values()] == ["3 passages", "1 passage", "0 passages", "1 passage", "0 passages"]
    assert "<b>Eve</b> said Gus saw Hal ." in seen["wrong"][1] and "A, wrong: Gus → saw → " in seen["wrong"][1]
    assert "B: nothing that the other did not find" in seen["words"][1]


def test_what_cannot_be_compared(fails: Callable[..., str], pipeline: str, corpus: Path, tmp_path: Path) -> None:
    assert "R209" in fails("compare", pipeline, pipeline, corpus, "-o", tmp_path / "c.csv")
    assert "absent" in fails("compare", pipeline, "absent", corpus)
    assert "R210" in fails("compare", pipeline, pipeline, corpus, "--label-filter", "other")


def test_relations_that_both_know() -> None:
    assert merge_labels([["a", "b"], None, ["b", "c"]], None) == ["a", "b", "c"]
    assert merge_labels([["a", "b"], ["b", "c"]], ["shared"]) == ["b"]
    assert merge_labels([None, None], ["shared"]) is None
    with pytest.raises(ValueError, match="R210"):
        merge_labels([["a"], ["b"]], ["shared"])
