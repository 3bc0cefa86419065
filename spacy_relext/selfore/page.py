"""One self-contained HTML page about clusters: a map, names to change, sizes, and sentences to search."""

from html import escape
from typing import Sequence

from ..annotations.triple import Record
from ..corpora.jsonl import to_json
from ..visuals.page import frame_page
from .clusters import LONGEST_NAME
from .points import Sample

# Values of a cluster that are shown, and their defaults for pipelines that were saved without them.
_SHOWN = {"id": "", "name": "", "ngrams": (), "sample": "", "fit": 0.5}

_STYLE = """
:root { color-scheme: light dark; --line: #d5dbe3; --shade: #eef2f7; --first: #fde9a9; --second: #bfe3f7; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: #1c2430; background: #fff; }
header { padding: .75rem 1.25rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.15rem; margin: 0; } header p { margin: .25rem 0; font-size: .9rem; }
main { display: grid; grid-template-columns: 21rem minmax(18rem, 1fr) minmax(20rem, 1fr);
  height: calc(100vh - 8.5rem); }
section { overflow-y: auto; padding: .75rem 1rem; } section + section { border-left: 1px solid var(--line); }
ol { list-style: none; margin: 0; padding: 0; } small { opacity: .8; }
button, input { font: inherit; color: inherit; }
button.cluster { display: block; width: 100%; text-align: left; background: none; border: 0; cursor: pointer;
  border-left: .4rem solid var(--color); padding: .25rem .6rem; margin: .2rem 0; overflow-wrap: anywhere; }
button.cluster:hover, button.cluster[aria-pressed=true] { background: var(--shade); }
button.cluster small { display: block; } button.cluster[aria-pressed=false] + label { display: none; }
ol label { display: block; padding: 0 0 .5rem 1rem; font-size: .9rem; }
canvas { width: 100%; aspect-ratio: 1; display: block; cursor: crosshair; }
input[type=text], input[type=search] { width: 100%; box-sizing: border-box; padding: .4rem .6rem; margin-bottom: .5rem;
  background: transparent; border: 1px solid #7b8794; border-radius: .25rem; }
:focus-visible { outline: 3px solid #4a8fe7; outline-offset: 1px; }
.sentence { border-left: .25rem solid var(--color); padding: .1rem .6rem; margin: .6rem 0; overflow-wrap: anywhere; }
mark { background: var(--first); color: inherit; border-radius: .2rem; padding: 0 .15rem; }
mark.second { background: var(--second); }
@media (prefers-color-scheme: dark) {
  :root { --line: #39414d; --shade: #262d37; --first: #6b5510; --second: #1d5674; }
  body { color: #e4e8ee; background: #161a20; }
}
@media (max-width: 70rem) { main { grid-template-columns: 1fr; height: auto; } section + section { border-left: 0; } }
"""

# All text is set by textContent and value, so that nothing of a corpus is parsed as HTML.
_SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent), MOST = 200, STEP = .02;
const state = {cluster: null, near: null, words: "", dates: false, saved: true}, names = {};
const get = id => document.getElementById(id);
const color = c => `hsl(${(c * 137.508) % 360} 62% ${46 + 12 * (c % 2)}%)`;
const canvas = document.querySelector("canvas"), list = get("clusters"), dates = get("dates"), status = get("status");
const make = (tag, cls, text) => Object.assign(document.createElement(tag), {className: cls, textContent: text ?? ""});
const nameOf = cluster => names[cluster.id] ?? cluster.name;
const sizeOf = cluster => cluster.size - (state.dates ? 0 : cluster.dated);
const visible = () => data.points.filter(p => state.dates || !p.d);
const selected = () => visible().filter(p =>
  (state.cluster === null || p.c === state.cluster) && (!state.words || p.t.toLowerCase().includes(state.words)));
function draw() {
  const size = canvas.clientWidth * devicePixelRatio; canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d"), chosen = new Set(selected()), r = Math.max(2, size / 260);
  const place = v => r + v * (size - 2 * r);
  for (const pass of [0, 1]) for (const p of visible()) {
    if (chosen.has(p) != pass) continue;
    pen.globalAlpha = pass ? .85 : .08; pen.fillStyle = color(p.c);
    pen.beginPath(); pen.arc(place(p.x), place(p.y), r, 0, 7); pen.fill();
  }
  if (!state.near) return;
  pen.globalAlpha = 1; pen.lineWidth = r / 2; pen.strokeStyle = getComputedStyle(document.body).color;
  pen.beginPath(); pen.arc(place(state.near[0]), place(state.near[1]), 3 * r, 0, 7); pen.stroke();
}
function sentence(p) {
  const box = make("div", "sentence"), [subject, object] = p.m.map(m => p.t.slice(...m));
  box.style.setProperty("--color", color(p.c));
  let at = 0;
  for (const [start, end, cls] of p.m.map((m, i) => [...m, i ? "second" : "first"]).sort((a, b) => a[0] - b[0])) {
    if (start >= at) { box.append(p.t.slice(at, start), make("mark", cls, p.t.slice(start, end))); at = end; }
  }
  const triple = `${subject} — ${nameOf(data.clusters[p.c])} → ${object}`;
  box.append(p.t.slice(at), make("br"), make("small", "", `${triple}, ${p.s.toFixed(2)}`));
  return box;
}
function update() {
  let points = selected();
  if (state.near) {
    const far = p => (p.x - state.near[0]) ** 2 + (p.y - state.near[1]) ** 2;
    points = points.map(p => [far(p), p]).sort((a, b) => a[0] - b[0]).map(each => each[1]);
  } else points = points.slice().sort((a, b) => b.s - a.s);
  get("count").textContent = `${points.length} pairs` + (points.length > MOST ? `, the first ${MOST}` : "") +
    (state.near ? ", the nearest first" : ", the best fitting first");
  get("sentences").replaceChildren(...points.slice(0, MOST).map(sentence));
  for (const [number, row] of rows.entries()) {
    const cluster = data.clusters[number], button = row.querySelector("button");
    button.setAttribute("aria-pressed", number === state.cluster);
    button.querySelector("span").textContent = `${nameOf(cluster)} (${sizeOf(cluster)})`;
  }
  draw();
}
function arrange() {
  const weight = row => data.clusters[row.dataset.cluster].fit * sizeOf(data.clusters[row.dataset.cluster]);
  list.append(...rows.slice().sort((a, b) => weight(b) - weight(a)));
  for (const [number, row] of rows.entries()) {
    row.hidden = data.clusters[number].size > 0 && !sizeOf(data.clusters[number]);
    if (row.hidden && state.cluster === number) state.cluster = null;
  }
}
function rename(cluster, text) {
  const name = text.trim().split(/\\s+/).join(" ");
  if (name && name !== cluster.name) names[cluster.id] = name; else delete names[cluster.id];
  const same = data.clusters.filter(each => each !== cluster && nameOf(each) === nameOf(cluster)).map(each => each.id);
  const changed = Object.keys(names).length;
  status.textContent = `${changed} renamed` +
    (same.length ? `. ${[cluster.id, ...same].join(" and ")} have one name: they become one relation` : "");
  get("download").disabled = !changed; state.saved = !changed; update();
}
const rows = data.clusters.map((cluster, number) => {
  const row = make("li"), button = make("button", "cluster"), label = make("label", "", "Name"), input = make("input");
  row.dataset.cluster = number; button.style.setProperty("--color", color(number));
  button.append(make("span"), make("small", "", [cluster.id, `fit ${cluster.fit.toFixed(2)}`].join(", ")),
    make("small", "", [...cluster.ngrams, cluster.sample].filter(Boolean).join(" · ")));
  button.onclick = () => { state.cluster = state.cluster === number ? null : number; update(); };
  Object.assign(input, {type: "text", value: cluster.name, maxLength: data.longest});
  input.oninput = () => rename(cluster, input.value);
  input.onchange = () => { input.value = nameOf(cluster); };
  label.append(input); row.append(button, label);
  return row;
});
get("search").oninput = event => { state.words = event.target.value.toLowerCase(); update(); };
dates.onchange = () => { state.dates = dates.checked; arrange(); update(); };
get("download").onclick = () => {
  const link = make("a"), text = JSON.stringify(names, null, 2) + "\\n";
  link.href = URL.createObjectURL(new Blob([text], {type: "application/json"})); link.download = "names.json";
  link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 1000); state.saved = true;
};
canvas.onclick = event => {
  const box = canvas.getBoundingClientRect();
  state.near = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]; update();
};
canvas.onkeydown = event => {
  const step = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]}[event.key];
  if (step) state.near = (state.near ?? [.5, .5]).map((v, i) => Math.min(1, Math.max(0, v + step[i])));
  else if (event.key === "Escape") state.near = null; else return;
  event.preventDefault(); update();
};
addEventListener("beforeunload", event => { if (!state.saved) event.preventDefault(); });
addEventListener("resize", draw); arrange(); update(); document.body.dataset.ready = "true";
"""

_CONTENT = """<header><h1>{title}</h1><p>{about}</p>
<p><label{dates}><input type="checkbox" id="dates"> Show pairs with dates and times</label>
<button id="download" disabled>Download names</button>
<small id="status" role="status">Select a cluster to read its sentences and to rename it.</small></p></header>
<main>
<section aria-label="Clusters"><ol id="clusters"></ol></section>
<section><canvas tabindex="0" role="application"
aria-label="Map of pairs: click, or use the arrow keys, to see the nearest; Escape ends it"></canvas></section>
<section><input type="search" id="search" placeholder="Search the sentences" aria-label="Search the sentences">
<small id="count" role="status"></small><div id="sentences"></div></section>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


def render_clusters(sample: Sample, clusters: Sequence[Record], *, title: str, lang: str) -> str:
    """Draw clusters as a page that needs no network.

    clusters (Sequence[Record]): Records of the component's clusters.
    lang (str): Language code of the texts.
    RETURNS (str): HTML; all text is escaped.
    """
    total, empty = sum(sample.sizes), sample.sizes.count(0)
    about = [f"{total:,} pairs in {len(clusters)} clusters, {len(sample.points):,} of them on the map"]
    if sample.below:
        about.append(f"{sample.below:,} are below the threshold and get no triple")
    if empty:
        about.append(f"{empty} of the {len(sample.sizes)} clusters hold no pair of this corpus")
    shown = [
        {key: each.get(key, default) for key, default in _SHOWN.items()} | {"size": size, "dated": dated}
        for each, size, dated in zip(clusters, sample.sizes, sample.dated)
    ]
    points = [
        {"c": point.cluster, "s": point.score, "t": point.text, "m": point.marks, "x": point.x, "y": point.y}
        | ({"d": 1} if point.is_dated else {})
        for point in sample.points
    ]
    # only "<" could end a script element
    everything = {"clusters": shown, "points": points, "longest": LONGEST_NAME}
    data = to_json(everything).replace("<", "\\u003c")
    dates = "" if any(sample.dated) else " hidden"
    texts = {"title": escape(title), "about": escape(". ".join(about) + ".")}
    return frame_page(
        _CONTENT.format(script=_SCRIPT, data=data, dates=dates, **texts), title=title, style=_STYLE, lang=lang
    )
