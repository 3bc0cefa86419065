"""`spacy relext clusters`: a page that a browser can show without a network."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.tokens import DocBin

from tests.selfore.test_component import MODEL, NAME, build, make_doc

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
# Does what a user does, and writes down what the page then shows.
USER = """
{
  const [cluster, places] = WHERE;
  const input = document.querySelector("input"), canvas = document.querySelector("canvas"), seen = {};
  const buttons = [...document.querySelectorAll("button.cluster")];
  const look = name => seen[name] = {
    count: document.getElementById("count").textContent,
    pressed: buttons.map(each => each.getAttribute("aria-pressed") === "true"),
    sentences: [...document.querySelectorAll(".sentence")].map(each => each.innerText),
  };
  const type = words => { input.value = words; input.dispatchEvent(new Event("input", {bubbles: true})); };
  look("start");
  type("WIFE of"); look("search");
  type("aDa "); look("name");
  type("no such words"); look("nothing");
  type(""); buttons[cluster].click(); look("cluster");
  type("wife"); look("both");
  type(""); buttons[cluster].click(); look("again");
  canvas.scrollIntoView();
  const box = canvas.getBoundingClientRect();
  for (const [number, [across, down]] of places.entries()) {
    const x = box.left + 1 + across * (box.width - 2), y = box.top + 1 + down * (box.height - 2);
    const click = new MouseEvent("click", {bubbles: true, clientX: x, clientY: y});
    document.elementFromPoint(x, y).dispatchEvent(click); look(`map ${number}`);
  }
  const out = document.createElement("pre");
  out.id = "seen"; out.textContent = JSON.stringify(seen); document.body.append(out);
}
"""


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


def open_in_browser(page: Path, profile: Path) -> str:
    """Load a page without a network, and give back what has become of it; a browser that breaks is a failure."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", f"--user-data-dir={profile}"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom"]
    command: List[str] = [str(BROWSER), *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and 'data-ready="true"' in done.stdout, f"{BROWSER}: {done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.skipif(BROWSER is None, reason="no headless browser on this machine")
def test_in_a_browser(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("clusters", trained / "pipeline", trained / "corpus.spacy", page)
    dom = open_in_browser(page, tmp_path / "profile")
    assert len(re.findall(r'class="cluster"', dom)) == 3 and len(re.findall(r'class="sentence"', dom)) == 49
    assert "49 pairs, the best fitting first" in dom and '<mark class="first">' in dom and "<b>Eve" not in dom


@pytest.mark.skipif(BROWSER is None, reason="no headless browser on this machine")
def test_search_and_clicks(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("clusters", trained / "pipeline", trained / "corpus.spacy", page)
    points, sizes = data_of(page)["points"], [each["size"] for each in data_of(page)["clusters"]]
    wives = [point for point in points if "wife of" in point["t"]]
    ada = [point for point in points if "Ada " in point["t"]]
    cluster, alone = wives[0]["c"], loneliest(points)[:3]
    script = USER.replace("WHERE", json.dumps([cluster, [[point["x"], point["y"]] for point in alone]]))
    text = page.read_text(encoding="utf8")
    page.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf8")
    (found,) = re.findall(r'<pre id="seen">(.*?)</pre>', open_in_browser(page, tmp_path / "profile"))
    seen = json.loads(html.unescape(found))
    counts = {name: len(each["sentences"]) for name, each in seen.items()}
    assert len(wives) == 16 and 0 < len(ada) < 16 and sizes[cluster] < 49
    whole = {**dict.fromkeys(("start", "again", "map 0", "map 1", "map 2"), 49), "name": len(ada)}
    assert counts == {**whole, "search": 16, "nothing": 0, "cluster": sizes[cluster], "both": 16}
    assert [seen[name]["count"].split()[0] for name in counts] == [str(count) for count in counts.values()]
    for name, each in seen.items():
        assert each["pressed"] == [name in ("cluster", "both") and number == cluster for number in range(3)]
    assert all("wife of" in sentence for sentence in seen["both"]["sentences"])
    assert seen["start"]["count"].endswith("the best fitting first") and seen["start"] == seen["again"]
    for number, point in enumerate(alone):
        on_map = seen[f"map {number}"]
        assert on_map["count"].endswith("the nearest first") and on_map["sentences"][0].startswith(point["t"])


def loneliest(points: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The points of the map, those first that are farthest from the next one."""

    def room(point: Dict[str, Any]) -> float:
        others = (other for other in points if other is not point)
        return min((point["x"] - other["x"]) ** 2 + (point["y"] - other["y"]) ** 2 for other in others)

    return sorted(points, key=room, reverse=True)


def test_bad_input(trained: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    pipeline, corpus, page = trained / "pipeline", trained / "corpus.spacy", tmp_path / "page.html"
    assert "expected .html" in fails("clusters", pipeline, corpus, tmp_path / "page.txt")
    assert "R604" in fails("clusters", pipeline, trained / "empty.spacy", page)
    spacy.blank("en").to_disk(tmp_path / "other")
    assert "R605" in fails("clusters", tmp_path / "other", corpus, page)
    assert "R111" in fails("clusters", pipeline, tmp_path / "none.spacy", page) and not page.exists()
    assert NAME in spacy.load(pipeline).pipe_names
    nothing_learned = spacy.blank("en")
    nothing_learned.add_pipe(NAME, config={"model": MODEL})
    nothing_learned.to_disk(tmp_path / "new")
    assert "[R004] Component 'selfore_clusterer'" in fails("clusters", tmp_path / "new", corpus, page)


def test_a_seed_that_is_none(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    paths = trained / "pipeline", trained / "corpus.spacy", tmp_path / "page.html"
    for seed in (-1, 2**32):
        done = run("clusters", *paths, "--seed", seed)
        assert done.exit_code == 2 and "seed" in done.stderr and isinstance(done.exception, SystemExit)
    assert run("clusters", *paths, "--seed", 2**32 - 1).exit_code == 0
    with pytest.raises(ValueError, match=r"R007.*seed is -1; expected a number from 0 to"):
        build(clustering={"@misc": "spacy_relext.Clustering.v1", "seed": -1})


def test_clusters_are_compared_with_gold_relations(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    done = run("evaluate", trained / "pipeline", trained / "corpus.spacy", "--gold-ents", "--output", out)
    assert done.exit_code == 0, done.output
    assert "adjusted Rand index" in done.stdout and "Triples" not in done.stdout and "exact F" not in done.stdout
    scores = json.loads(out.read_text())
    assert scores["ari"] > 0.9 and len(scores["relations_per_cluster"]) == 3
    assert sum(sum(found.values()) for found in scores["relations_per_cluster"].values()) == 48
    assert re.search(r"wife.* 16 +married 100%", done.stdout)
    beside = scores["cluster_baselines"]
    assert beside["one_cluster"]["b3_p"] == pytest.approx(1 / 3) == beside["entity_types"]["b3_p"]  # all are an "X"
    assert beside["one_cluster"]["b3_r"] == 1.0 and abs(beside["random"]["ari"]) < 0.1
    assert re.search(r"Clusters +Found +One cluster +Random ones +Entity types\n", done.stdout)
    assert re.search(r"B³ precision +100.00 +33.33 +\d+.\d\d +33.33\n", done.stdout)
    assert scores["oracle_majority_b3_f"] == 1.0 and re.search(r"oracle_majority_ari +100.00", done.stdout)
