"""`spacy relext clusters`: a page that a browser can show without a network."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.tokens import DocBin

from tests.components.test_selfore import NAME, build, make_doc

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clusters")
    nlp, _, examples = build()
    nlp.to_disk(folder / "pipeline")
    evil = make_doc(nlp, "Ada was born in the town of </script><b>Eve</b> Kim")
    DocBin(docs=[*(example.reference for example in examples), evil], store_user_data=True).to_disk(
        folder / "corpus.spacy"
    )
    DocBin(docs=[nlp.make_doc("Nobody is here.")]).to_disk(folder / "empty.spacy")
    return folder


def data_of(page: Path) -> Dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf8"))
    data: Dict[str, Any] = json.loads(found)
    return data


def test_a_page(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    done = run("clusters", trained / "pipeline", trained / "corpus.spacy", page)
    assert done.exit_code == 0, done.output
    data = data_of(page)
    sizes = [each["size"] for each in data["clusters"]]
    assert len(sizes) == 3 and sum(sizes) == len(data["points"]) == 49 and "Wrote 49 of 49 pairs" in done.output
    marked = [[point["t"][slice(*mark)] for mark in point["m"]] for point in data["points"]]
    assert ["Ada", "Kim"] in marked and all(0 <= point[axis] <= 1 for point in data["points"] for axis in "xy")
    text = page.read_text(encoding="utf8")
    assert "<b>Eve" not in text and not re.search(r'(src|href)="|https?://', text), "self-contained"
    fewer = run("clusters", trained / "pipeline", trained / "corpus.spacy", page, "--most", 10)
    assert fewer.exit_code == 0 and len(data_of(page)["points"]) == 10
    assert sum(each["size"] for each in data_of(page)["clusters"]) == 49


@pytest.mark.skipif(BROWSER is None, reason="no headless browser on this machine")
def test_in_a_browser(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("clusters", trained / "pipeline", trained / "corpus.spacy", page)
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    command: List[str] = [str(BROWSER), *options, page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert 'data-ready="true"' in dom, "the script ran to its end"
    assert len(re.findall(r'class="cluster"', dom)) == 3 and len(re.findall(r'class="sentence"', dom)) == 49
    assert "49 pairs, the best fitting first" in dom and '<mark class="first">' in dom and "<b>Eve" not in dom


def test_bad_input(trained: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    pipeline, corpus, page = trained / "pipeline", trained / "corpus.spacy", tmp_path / "page.html"
    assert "expected .html" in fails("clusters", pipeline, corpus, tmp_path / "page.txt")
    assert "R604" in fails("clusters", pipeline, trained / "empty.spacy", page)
    spacy.blank("en").to_disk(tmp_path / "other")
    assert "R605" in fails("clusters", tmp_path / "other", corpus, page)
    assert "R111" in fails("clusters", pipeline, tmp_path / "none.spacy", page) and not page.exists()
    assert NAME in spacy.load(pipeline).pipe_names


def test_clusters_are_compared_with_gold_relations(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    done = run("evaluate", trained / "pipeline", trained / "corpus.spacy", "--gold-ents", "--output", out)
    assert done.exit_code == 0, done.output
    assert "adjusted Rand index" in done.stdout and "Triples" not in done.stdout and "exact F" not in done.stdout
    scores = json.loads(out.read_text())
    assert scores["ari"] > 0.9 and len(scores["relations_per_cluster"]) == 3
    assert sum(sum(found.values()) for found in scores["relations_per_cluster"].values()) == 48
    assert re.search(r"wife.* 16 +married 100%", done.stdout)
