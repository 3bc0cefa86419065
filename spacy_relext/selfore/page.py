"""One self-contained HTML page about clusters: a map, names, sizes, and sentences to search."""

import json
from html import escape
from typing import Sequence

from ..annotations.triple import Record
from ..visuals.page import frame_page
from .points import Sample

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: #1c2430; background: #fff; }
header { padding: .75rem 1.25rem; border-bottom: 1px solid #d5dbe3; }
h1 { font-size: 1.15rem; margin: 0; } header p { margin: .25rem 0 0; opacity: .75; font-size: .9rem; }
main { display: grid; grid-template-columns: 20rem minmax(20rem, 1fr) minmax(20rem, 1fr); height: calc(100vh - 5rem); }
section { overflow-y: auto; padding: .75rem 1rem; } section + section { border-left: 1px solid #d5dbe3; }
button.cluster { display: block; width: 100%; text-align: left; font: inherit; color: inherit; background: none;
  border: 0; border-left: .4rem solid var(--color); padding: .25rem .6rem; margin: .2rem 0; cursor: pointer; }
button.cluster:hover, button.cluster[aria-pressed=true] { background: #eef2f7; }
button.cluster small { display: block; opacity: .7; }
canvas { width: 100%; aspect-ratio: 1; display: block; cursor: crosshair; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem .6rem; margin-bottom: .5rem; color: inherit;
  background: inherit; border: 1px solid #9aa6b5; border-radius: .25rem; }
.sentence { border-left: .25rem solid var(--color); padding: .1rem .6rem; margin: .6rem 0; overflow-wrap: anywhere; }
.sentence small { opacity: .7; } mark { background: #fde9a9; color: inherit; border-radius: .2rem; padding: 0 .15rem; }
mark.second { background: #bfe3f7; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e8ee; background: #161a20; } header, section + section { border-color: #39414d; }
  button.cluster:hover, button.cluster[aria-pressed=true] { background: #262d37; }
  mark { background: #6b5510; } mark.second { background: #1d5674; }
}
@media (max-width: 70rem) { main { grid-template-columns: 1fr; height: auto; } section + section { border-left: 0; } }
"""

# All text is set by textContent, so that nothing of a corpus is parsed as HTML.
_SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent), MOST = 200;
const state = {cluster: null, near: null, words: ""};
const color = c => `hsl(${(c * 137.508) % 360} 62% ${46 + 12 * (c % 2)}%)`;
const canvas = document.querySelector("canvas"), list = document.getElementById("clusters");
const results = document.getElementById("sentences"), count = document.getElementById("count");
const make = (tag, cls, text) => Object.assign(document.createElement(tag), {className: cls, textContent: text ?? ""});
const selected = () => data.points.filter(p =>
  (state.cluster === null || p.c === state.cluster) && (!state.words || p.t.toLowerCase().includes(state.words)));
function draw() {
  const size = canvas.clientWidth * devicePixelRatio; canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d"), chosen = new Set(selected()), r = Math.max(2, size / 260);
  for (const pass of [0, 1]) for (const p of data.points) {
    if (chosen.has(p) != pass) continue;
    pen.globalAlpha = pass ? .85 : .08; pen.fillStyle = color(p.c);
    pen.beginPath(); pen.arc(r + p.x * (size - 2 * r), r + p.y * (size - 2 * r), r, 0, 7); pen.fill();
  }
}
function sentence(p) {
  const box = make("div", "sentence"); box.style.setProperty("--color", color(p.c));
  let at = 0;
  for (const [start, end, cls] of p.m.map((m, i) => [...m, i ? "second" : "first"]).sort((a, b) => a[0] - b[0])) {
    if (start >= at) { box.append(p.t.slice(at, start), make("mark", cls, p.t.slice(start, end))); at = end; }
  }
  box.append(p.t.slice(at), make("br"), make("small", "", `${data.clusters[p.c].name}, ${p.s.toFixed(2)}`));
  return box;
}
function update() {
  let points = selected();
  if (state.near) {
    const far = p => (p.x - state.near[0]) ** 2 + (p.y - state.near[1]) ** 2;
    points = points.map(p => [far(p), p]).sort((a, b) => a[0] - b[0]).map(each => each[1]);
  } else points = points.slice().sort((a, b) => b.s - a.s);
  count.textContent = `${points.length} pairs` + (points.length > MOST ? `, the first ${MOST}` : "") +
    (state.near ? ", the nearest first" : ", the best fitting first");
  results.replaceChildren(...points.slice(0, MOST).map(sentence));
  for (const each of list.children) each.setAttribute("aria-pressed", Number(each.dataset.cluster) === state.cluster);
  draw();
}
data.clusters.forEach((cluster, number) => {
  const button = make("button", "cluster", `${cluster.name} (${cluster.size})`);
  button.dataset.cluster = number; button.style.setProperty("--color", color(number));
  button.append(make("small", "", [cluster.id, ...cluster.ngrams].join(" · ")));
  button.onclick = () => { state.cluster = state.cluster === number ? null : number; update(); };
  list.append(button);
});
document.querySelector("input").oninput = event => { state.words = event.target.value.toLowerCase(); update(); };
canvas.onclick = event => {
  const box = canvas.getBoundingClientRect();
  state.near = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]; update();
};
addEventListener("resize", draw); update(); document.body.dataset.ready = "true";
"""

_CONTENT = """<header><h1>{title}</h1><p>{about}</p></header>
<main>
<section id="clusters" aria-label="Clusters"></section>
<section><canvas aria-label="Map of pairs; click to see the nearest"></canvas></section>
<section><input type="search" placeholder="Search the sentences" aria-label="Search the sentences">
<small id="count"></small><div id="sentences"></div></section>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


def render_clusters(sample: Sample, clusters: Sequence[Record], *, title: str, lang: str) -> str:
    """Draw clusters as a page that needs no network.

    clusters (Sequence[Record]): Each with `id`, `name` and `ngrams`.
    lang (str): Language code of the texts.
    RETURNS (str): HTML; all text is escaped.
    """
    total, empty = sum(sample.sizes), sample.sizes.count(0)
    about = [f"{total:,} pairs in {len(clusters)} clusters, {len(sample.points):,} of them on the map"]
    if sample.below:
        about.append(f"{sample.below:,} are below the threshold and get no triple")
    if empty:
        about.append(f"{empty} of the {len(sample.sizes)} clusters hold no pair of this corpus")
    with_sizes = [
        {"id": each["id"], "name": each["name"], "ngrams": each["ngrams"], "size": size}
        for each, size in zip(clusters, sample.sizes)
    ]
    points = [
        {"c": point.cluster, "s": point.score, "t": point.text, "m": point.marks, "x": point.x, "y": point.y}
        for point in sample.points
    ]
    # only "<" could end a script element
    data = json.dumps({"clusters": with_sizes, "points": points}, ensure_ascii=False).replace("<", "\\u003c")
    content = _CONTENT.format(title=escape(title), about=escape(". ".join(about) + "."), script=_SCRIPT, data=data)
    return frame_page(content, title=title, style=_STYLE, lang=lang)
