"""`spacy relext clusters`: a page that a browser can show without a network."""

import html
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.tokens import DocBin, Span

from spacy_relext.selfore.page import Point, Sample, render_clusters, sample_pairs
from tests.selfore.test_component import MODEL, NAME, build, make_doc
from tests.visuals.browser import add_script, needs_browser, open_page

# Does what a user does, and writes down what the page then shows.
USER = """
{
  const [cluster, places] = WHERE;
  const input = document.getElementById("search"), canvas = document.querySelector("canvas"), seen = {};
  const rows = [...document.querySelectorAll("#clusters li")].sort((a, b) => a.dataset.cluster - b.dataset.cluster);
  const button = rows[cluster].querySelector("button"), name = rows[cluster].querySelector("input");
  const dates = document.getElementById("dates"), download = document.getElementById("download");
  const order = () => [...document.querySelectorAll("#clusters li")].map(row => Number(row.dataset.cluster));
  const look = name => seen[name] = {
    count: document.getElementById("count").textContent, status: document.getElementById("status").textContent,
    pressed: rows.map(row => row.querySelector("button").getAttribute("aria-pressed") === "true"),
    sentences: [...document.querySelectorAll(".sentence")].map(each => each.innerText),
    order: order(), labels: rows.map(row => row.querySelector("button span").textContent),
    hidden: rows.map(row => row.hidden), name: name && rows[cluster].querySelector("label").offsetHeight > 0,
  };
  const type = (field, words) => { field.value = words; field.dispatchEvent(new Event("input", {bubbles: true})); };
  const press = key => canvas.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  look("start");
  type(input, "WIFE of"); look("search");
  type(input, "aDa "); look("name");
  type(input, "no such words"); look("nothing");
  type(input, ""); button.click(); look("cluster");
  type(input, "wife"); look("both");
  type(input, ""); button.click(); look("again");
  canvas.scrollIntoView();
  const box = canvas.getBoundingClientRect();
  for (const [number, [across, down]] of places.entries()) {
    const x = box.left + 1 + across * (box.width - 2), y = box.top + 1 + down * (box.height - 2);
    const click = new MouseEvent("click", {bubbles: true, clientX: x, clientY: y});
    document.elementFromPoint(x, y).dispatchEvent(click); look(`map ${number}`);
  }
  press("Escape"); look("escape"); press("ArrowLeft"); look("keys"); press("Escape");
  dates.click(); look("dates"); dates.click();
  const texts = [], blobs = Blob;
  Blob = function (parts, options) { texts.push(parts.join("")); return new blobs(parts, options); };
  URL.createObjectURL = () => "#";
  HTMLAnchorElement.prototype.click = function () { texts.push(this.download); };
  seen.before = download.disabled;
  type(name, "  <i>wed</i>  to "); look("renamed"); download.click();
  type(name, data.clusters[(cluster + 1) % 3].name); look("merged");
  type(name, " "); name.dispatchEvent(new Event("change")); look("restored"); seen.value = name.value;
  seen.after = download.disabled; seen.file = texts[1];
  seen.text = texts[0];
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
    dated = make_doc(nlp, "Ada was born in the town of 1990")
    dated.ents = [*dated.ents, Span(dated, 7, 8, "Date")]
    docs = [*(example.reference for example in examples), evil, dated]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "corpus.spacy")
    DocBin(docs=[nlp.make_doc("Nobody is here.")]).to_disk(folder / "empty.spacy")
    return folder


def data_of(page: Path) -> Dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf8"))
    data: Dict[str, Any] = json.loads(found)
    return data


def test_a_page(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    done = run("clusters", "view", trained / "pipeline", trained / "corpus.spacy", "--html", page)
    assert done.exit_code == 0, done.output
    data = data_of(page)
    sizes = [each["size"] for each in data["clusters"]]
    assert len(sizes) == 3 and sum(sizes) == len(data["points"]) == 50 and "Wrote 50 of 50 pairs" in done.output
    marked = [[point["t"][slice(*mark)] for mark in point["m"]] for point in data["points"]]
    assert ["Ada", "Kim"] in marked and all(0 <= point[axis] <= 1 for point in data["points"] for axis in "xy")
    dated = [point["t"] for point in data["points"] if "d" in point]
    assert dated == ["Ada was born in the town of 1990"] and sum(each["dated"] for each in data["clusters"]) == 1
    text = page.read_text(encoding="utf8")
    assert "<b>Eve" not in text and not re.search(r'(src|href)="|https?://', text), "self-contained"
    fewer = run("clusters", "view", trained / "pipeline", trained / "corpus.spacy", "--html", page, "--max-pairs", 10)
    assert fewer.exit_code == 0 and len(data_of(page)["points"]) == 10
    assert sum(each["size"] for each in data_of(page)["clusters"]) == 50


def test_pairs_below_the_threshold_of_their_own_relation(trained: Path) -> None:
    nlp = spacy.load(trained / "pipeline")
    clusterer: Any = nlp.get_pipe("selfore_clusterer")
    docs = list(DocBin().from_disk(trained / "corpus.spacy").get_docs(nlp.vocab))
    clusterer.cfg.update(threshold=0.0, thresholds={clusterer.labels[0]: 1.1})
    sample = sample_pairs(clusterer, docs, most=10)
    assert sample.below == sample.sizes[0] > 0


@needs_browser
def test_in_a_browser(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("clusters", "view", trained / "pipeline", trained / "corpus.spacy", "--html", page)
    dom = open_page(page, tmp_path / "profile")
    assert len(re.findall(r'<button class="cluster"', dom)) == 3 and len(re.findall(r'class="sentence"', dom)) == 49
    assert "49 pairs, the best fitting first" in dom and '<mark class="subject">' in dom and "<b>Eve" not in dom


@needs_browser
def test_what_a_user_does(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("clusters", "view", trained / "pipeline", trained / "corpus.spacy", "--html", page)
    data = data_of(page)
    points = [point for point in data["points"] if "d" not in point]
    sizes = [each["size"] - each["dated"] for each in data["clusters"]]
    wives = [point for point in points if "wife of" in point["t"]]
    ada = [point for point in points if "Ada " in point["t"]]
    cluster, alone = wives[0]["c"], loneliest(points)[:3]
    script = USER.replace("WHERE", json.dumps([cluster, [[point["x"], point["y"]] for point in alone]]))
    text = page.read_text(encoding="utf8")
    page.write_text(add_script(text, script), encoding="utf8")
    (found,) = re.findall(r'<pre id="seen">(.*?)</pre>', open_page(page, tmp_path / "profile"), re.DOTALL)
    seen = json.loads(html.unescape(found))
    looks = {name: each for name, each in seen.items() if isinstance(each, dict)}
    counts = {name: len(each["sentences"]) for name, each in looks.items()}
    assert len(wives) == 16 and 0 < len(ada) < 17 and sizes[cluster] < 49
    some = {"name": len(ada), "search": 16, "nothing": 0, "cluster": sizes[cluster], "both": 16, "dates": 50}
    assert counts == {**dict.fromkeys(counts, 49), **some}
    assert [looks[name]["count"].split()[0] for name in counts] == [str(count) for count in counts.values()]
    for name, each in looks.items():
        assert each["pressed"] == [name in ("cluster", "both") and number == cluster for number in range(3)]
    assert seen["cluster"]["name"] and not seen["start"]["name"], "the name can be edited once a cluster is selected"
    assert all("wife of" in sentence for sentence in seen["both"]["sentences"])
    assert seen["start"]["count"].endswith("the best fitting first") and seen["start"] == seen["again"]
    for number, point in enumerate(alone):
        on_map = seen[f"map {number}"]
        assert on_map["count"].endswith("the nearest first") and on_map["sentences"][0].startswith(point["t"])
    assert seen["escape"] == seen["start"] and seen["keys"]["count"].endswith("the nearest first")
    weights = [each["fit"] * size for each, size in zip(data["clusters"], sizes)]
    assert seen["start"]["order"] == sorted(range(3), key=lambda number: -weights[number])
    check_names(seen, [each["name"] for each in data["clusters"]], cluster)


def check_names(seen: Dict[str, Any], names: List[str], cluster: int) -> None:
    """Compare what a page shows and downloads after its user has renamed a cluster."""
    assert "<i>wed</i> to (17)" in seen["renamed"]["labels"], "without blanks too many, and as text"
    assert any("<i>wed</i> to" in sentence for sentence in seen["renamed"]["sentences"])
    assert seen["before"] and seen["renamed"]["status"] == "1 renamed"
    assert json.loads(seen["text"]) == {f"cluster_{cluster}": "<i>wed</i> to"} and seen["file"] == "names.json"
    other = f"cluster_{(cluster + 1) % 3}"
    assert f"cluster_{cluster} and {other} have one name: they become one relation" in seen["merged"]["status"]
    assert seen["value"] == names[cluster] and seen["restored"]["labels"] == seen["start"]["labels"] and seen["after"]


@needs_browser
def test_clusters_of_dates_alone_are_hidden(tmp_path: Path) -> None:
    points = [Point(0, 0.5, "Ada was born in 1990", [(0, 3), (16, 20)], is_dated=True)]
    points += [Point(1, 0.5, "Ada left Rome", [(0, 3), (9, 13)])]
    records = [{"id": f"cluster_{n}", "name": f"name {n}", "ngrams": [], "sample": "", "fit": 0.5} for n in range(3)]
    page = tmp_path / "page.html"
    html = render_clusters(Sample(points, [1, 1, 0], [1, 0, 0], 0), records, title="x", lang="en")
    page.write_text(html, encoding="utf8")
    rows = re.findall(r"<li.*?</li>", open_page(page, tmp_path / "profile"))
    assert [("hidden" in row, re.search(r"name \d", row)[0]) for row in rows] == [  # type: ignore[index]
        (False, "name 1"),
        (True, "name 0"),
        (False, "name 2"),
    ]
    without = render_clusters(Sample(points[1:], [0, 1, 0], [0, 0, 0], 0), records, title="x", lang="en")
    assert "<label hidden>" in without and "<label hidden>" not in html, "no switch where there are no dates"


# Names


def test_names_that_a_page_downloaded(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    names, renamed = tmp_path / "names.json", tmp_path / "renamed"
    names.write_text(json.dumps({"cluster_1": "born in", "cluster_2": "bought"}), encoding="utf8")
    done = run("clusters", "rename", trained / "pipeline", names, renamed)
    assert done.exit_code == 0 and f"with these names to {renamed}" in " ".join(done.stdout.split())
    before = spacy.load(trained / "pipeline").get_pipe(NAME).labels  # type: ignore[attr-defined]
    clusterer: Any = spacy.load(renamed).get_pipe(NAME)
    assert clusterer.labels == (before[0], "born in", "bought") and clusterer.clusters.records[1]["renamed"]


def test_names_that_merge_clusters(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    names, renamed = tmp_path / "names.json", tmp_path / "renamed"
    names.write_text(json.dumps({"cluster_0": "one", "cluster_2": "one"}), encoding="utf8")
    done = run("clusters", "rename", trained / "pipeline", names, renamed)
    assert done.exit_code == 0 and "cluster_0 and cluster_2 are one relation: one" in done.stdout
    out = tmp_path / "scores.json"
    assert run("evaluate", renamed, trained / "corpus.spacy", "--gold-ents", "--output", out).exit_code == 0
    assert len(json.loads(out.read_text())["relations_per_cluster"]) == 2


def test_bad_names(trained: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    pipeline, names, renamed = trained / "pipeline", tmp_path / "names.json", tmp_path / "renamed"
    rename = ("clusters", "rename", pipeline, names, renamed)
    assert "R216" in fails(*rename)
    for text in ("{", "[]", '{"cluster_0": 3}', '"born in"'):
        names.write_text(text, encoding="utf8")
        message = fails(*rename)
        assert "R614" in message and "names.json" in message and '{"cluster_3": "born in"}' in message
    names.write_text('{"cluster_0": "x", "cluster_9": "y"}', encoding="utf8")
    assert "names.json' names cluster_9, but the clusters of 'selfore_clusterer' are cluster_0, c" in fails(*rename)
    names.write_text('{"cluster_0": " "}', encoding="utf8")
    assert "R007" in fails(*rename) and not renamed.exists()


def loneliest(points: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The points of the map, those first that are farthest from the next one."""

    def room(point: Dict[str, Any]) -> float:
        others = (other for other in points if other is not point)
        return min((point["x"] - other["x"]) ** 2 + (point["y"] - other["y"]) ** 2 for other in others)

    return sorted(points, key=room, reverse=True)


def test_bad_input(trained: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    pipeline, corpus, page = trained / "pipeline", trained / "corpus.spacy", tmp_path / "page.html"
    assert "expected .html" in fails("clusters", "view", pipeline, corpus, "--html", tmp_path / "page.txt")
    assert "R604" in fails("clusters", "view", pipeline, trained / "empty.spacy", "--html", page)
    spacy.blank("en").to_disk(tmp_path / "other")
    assert "R605" in fails("clusters", "view", tmp_path / "other", corpus, "--html", page)
    assert "R111" in fails("clusters", "view", pipeline, tmp_path / "none.spacy", "--html", page) and not page.exists()
    assert NAME in spacy.load(pipeline).pipe_names
    nothing_learned = spacy.blank("en")
    nothing_learned.add_pipe(NAME, config={"model": MODEL})
    nothing_learned.to_disk(tmp_path / "new")
    assert "[R004] Component 'selfore_clusterer'" in fails("clusters", "view", tmp_path / "new", corpus, "--html", page)


def test_a_seed_that_is_none(trained: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    paths = trained / "pipeline", trained / "corpus.spacy", "--html", tmp_path / "page.html"
    for seed in (-1, 2**32):
        done = run("clusters", "view", *paths, "--seed", seed)
        assert done.exit_code == 2 and "seed" in done.stderr and isinstance(done.exception, SystemExit)
    assert run("clusters", "view", *paths, "--seed", 2**32 - 1).exit_code == 0
    with pytest.raises(ValueError, match=r"R007.*seed is -1; expected a number from 0 to"):
        build(clustering={"@misc": "spacy_relext.SelforeClustering.v1", "seed": -1})


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
