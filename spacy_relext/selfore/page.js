const MOST = 200, STEP = .02;
const state = {cluster: null, near: null, words: "", dates: false, saved: true}, names = {};
const color = c => `hsl(${(c * 137.508) % 360} 62% ${46 + 12 * (c % 2)}%)`;
const canvas = document.querySelector("canvas"), list = get("clusters"), dates = get("dates"), status = get("status");
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
  const triple = `${subject} → ${nameOf(data.clusters[p.c])} → ${object}`;
  box.append(...markText(p.t, p.m.map((m, i) => [...m, i ? "object" : "subject"])), make("br"),
    make("small", "", `${triple}, ${p.s.toFixed(2)}`));
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
  const name = text.trim().split(/\s+/).join(" ");
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
  const link = make("a"), text = JSON.stringify(names, null, 2) + "\n";
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
