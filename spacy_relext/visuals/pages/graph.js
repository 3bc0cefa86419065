// The page of a graph; names are isolated.
const { entities: E, facts: F, support: S } = data;
const STEP = 100, MOST_NODES = 25, MOST_LABELS = 18, SVG = "http://www.w3.org/2000/svg";
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const state = { relation: -1, least: 0, conflicts: false, type: -1, words: "", steps: 1, chosen: -1 };

const clean = text => text.replace(CONTROLS, "\ufffd").trim() || "(no name)";
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const percent = mille => (mille / 1000).toFixed(2);
function short(text, length) {
  const letters = Array.from(clean(text.slice(0, 4 * length)));
  return letters.length > length ? letters.slice(0, length - 1).join("") + "…" : letters.join("");
}
function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
const isolated = (text, length = 300) => isolate(short(text, length));
function link(entity) {
  const anchor = make("a", "", isolated(E.name[entity], 80));
  anchor.href = `#e${E.id[entity]}`;
  return anchor;
}
// Shows a long list in steps; focus moves to the first of the new rows.
function fill(list, button, rows, row) {
  let shown = 0;
  const more = () => {
    list.append(...rows.slice(shown, shown + STEP).map(row));
    shown = Math.min(shown + STEP, rows.length);
    button.hidden = shown === rows.length;
  };
  list.replaceChildren();
  more();
  button.onclick = () => { const first = shown; more(); list.children[first].querySelector("a, summary").focus(); };
}

// --- indexes: the facts of each entity, by falling probability, and what is in conflict ------------------------------
const size = E.id.length, total = F.subject.length;
const starts = new Int32Array(size + 1), ends = new Int32Array(2 * total);
const eachEnd = visit => {
  for (let fact = 0; fact < total; fact++) {
    visit(F.subject[fact], fact);
    if (F.object[fact] !== F.subject[fact]) visit(F.object[fact], fact);
  }
};
eachEnd(entity => { starts[entity + 1]++; });
for (let entity = 0; entity < size; entity++) starts[entity + 1] += starts[entity];
const next = starts.slice();
eachEnd((entity, fact) => { ends[next[entity]++] = fact; });
const rowOf = new Map(E.id.map((id, row) => [id, row]));
const collect = (map, key, value) => { if (map.has(key)) map.get(key).push(value); else map.set(key, [value]); };
const conflictsOf = new Map(), mergesOf = new Map();
for (const conflict of data.conflicts)
  for (const fact of [conflict.fact, conflict.other]) if (fact >= 0) collect(conflictsOf, fact, conflict);
for (const [entity, ...merge] of data.merges) collect(mergesOf, entity, merge);

const fits = fact => F.probability[fact] >= state.least && (state.relation < 0 || F.relation[fact] === state.relation)
  && (!state.conflicts || conflictsOf.has(fact));
const factsOf = entity => Array.from(ends.subarray(starts[entity], starts[entity + 1])).filter(fits);
const otherEnd = (fact, entity) => F.subject[fact] === entity ? F.object[fact] : F.subject[fact];

// --- entities: search and list ---------------------------------------------------------------------------------------
const fold = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
let folded = null, degrees = new Int32Array(size);
function countFacts() {
  degrees = new Int32Array(size);
  eachEnd((entity, fact) => { if (fits(fact)) degrees[entity]++; });
}
// 0: the name, 1: begins with it, 2: a word begins with it, 3: holds it, 4: another name holds it, -1: no.
function rank(entity, words) {
  const [name, ...others] = folded[entity], at = name.indexOf(words);
  if (at < 0) return others.some(other => other.includes(words)) ? 4 : -1;
  return at ? (name.includes(` ${words}`) ? 2 : 3) : +(name.length > words.length);
}
function search() {
  const words = fold(state.words.trim()), found = [], ranks = new Map();
  if (words) folded ??= E.name.map((name, row) => [fold(name), ...(E.aliases[row] || []).map(fold)]);
  for (let entity = 0; entity < size; entity++) {
    if (!degrees[entity] || (state.type >= 0 && E.type[entity] !== state.type)) continue;
    const place = words ? rank(entity, words) : 0;
    if (place >= 0) { found.push(entity); ranks.set(entity, place); }
  }
  found.sort((a, b) => ranks.get(a) - ranks.get(b) || degrees[b] - degrees[a] || a - b);
  get("found").textContent = found.length === 1 ? "1 entity" : `${found.length.toLocaleString("en")} entities`;
  fill(get("entities"), get("more-entities"), found, entity => {
    const anchor = link(entity), also = make("small", "", `${typeOf(entity)}${count(degrees[entity], "fact")}`);
    if (ranks.get(entity) === 4) {
      const alias = E.aliases[entity].find(other => fold(other).includes(words));
      also.append(", also ", isolated(alias, 60));
    }
    anchor.append(also);
    anchor.dataset.type = E.type[entity] % 8;
    anchor.tabIndex = entity === found[0] ? 0 : -1; // the arrow keys lead to the others
    return make("li", "", anchor);
  });
  markChosen();
}
const typeOf = entity => E.type[entity] < 0 ? "" : `${short(data.types[E.type[entity]], 30)}, `;
function markChosen() {
  for (const anchor of get("entities").querySelectorAll("a"))
    if (anchor.hash === `#e${E.id[state.chosen]}`) anchor.setAttribute("aria-current", "true");
    else anchor.removeAttribute("aria-current");
}

// --- facts and their sentences ---------------------------------------------------------------------------------------
const relationName = relation => short(data.relations[relation].name, 80);
function statement(fact, plain = -1) {
  const end = entity => entity === plain ? isolated(E.name[entity], 80) : link(entity);
  const relation = make("bdi", "relation", relationName(F.relation[fact]));
  relation.title = clean(data.relations[F.relation[fact]].description);
  return make("span", "statement", end(F.subject[fact]), " ", relation, " → ", end(F.object[fact]));
}
function factItem(fact) {
  const bar = make("meter", "");
  Object.assign(bar, { min: 0, max: 1000, value: F.probability[fact] });
  bar.setAttribute("aria-hidden", "true");
  const parts = [count(F.sentences[fact], "sentence"), count(F.documents[fact], "document")];
  const support = [...(F.period[fact] ? [F.period[fact]] : []), ...parts].join(", ");
  const summary = make("summary", "", statement(fact, state.chosen));
  if (conflictsOf.has(fact)) summary.append(make("span", "conflict", "⚠ conflict"));
  summary.append(make("span", "numbers", bar, `${percent(F.probability[fact])} `, make("small", "", support)));
  const box = make("details", "", summary);
  box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) box.append(...evidence(fact)); });
  return make("li", "", box);
}
function* evidence(fact) {
  for (const conflict of conflictsOf.get(fact) ?? []) {
    const note = make("p", "conflict", `⚠ ${data.kinds[conflict.kind]}: `, isolated(conflict.detail));
    const other = conflict.fact === fact ? conflict.other : conflict.fact;
    if (other >= 0) note.append(". The other fact: ", statement(other), ` (${percent(F.probability[other])})`);
    yield note;
  }
  for (let row = S.starts[fact]; row < S.starts[fact + 1]; row++) yield sentenceBox(row);
  const hidden = F.sentences[fact] - (S.starts[fact + 1] - S.starts[fact]);
  if (hidden > 0) yield make("p", "", `${count(hidden, "further sentence")} in the tables of the graph`);
}
function sentenceBox(row) {
  const text = data.sentences[S.sentence[row]], [a, b, c, d] = S.spans.slice(4 * row, 4 * row + 4);
  const words = make("p", "", ...markText(text.replace(CONTROLS, "\ufffd"), [[a, b, "subject"], [c, d, "object"]]));
  words.dir = "auto";
  const source = make("footer", ""), documents = S.documents[row];
  source.append(documents.length + S.further[row] === 1 ? "document " : "documents ");
  documents.forEach((each, at) => source.append(at ? ", " : "", isolated(data.documents[each], 80)));
  if (S.further[row]) source.append(` and ${S.further[row].toLocaleString("en")} more`);
  source.append(`; score ${percent(S.score[row])}`);
  if (data.sources[S.source[row]]) source.append(" of ", isolated(data.sources[S.source[row]], 60));
  return make("blockquote", "", words, source);
}

// --- the neighbourhood of an entity: a drawing -----------------------------------------------------------------------
function neighbourhood(center) {
  const level = new Map([[center, 0]]), left = new Set(), edges = new Map();
  let front = [center];
  for (let step = 1; step <= state.steps; step++) {
    const found = [];
    for (const entity of front) {
      if (entity !== center && data.values.includes(E.type[entity])) continue; // a sum or a date connects nothing
      for (const fact of factsOf(entity)) {
        const other = otherEnd(fact, entity);
        if (level.has(other)) continue;
        if (level.size < MOST_NODES) { level.set(other, step); found.push(other); } else left.add(other);
      }
    }
    front = found;
  }
  for (const entity of level.keys()) {
    for (const fact of factsOf(entity)) {
      const other = otherEnd(fact, entity);
      if (other === entity || !level.has(other) || F.subject[fact] !== entity) continue;
      collect(edges, Math.min(entity, other) * size + Math.max(entity, other), fact);
    }
  }
  return { nodes: [...level.keys()], levels: [...level.values()], edges: [...edges.values()], left: left.size };
}
const pen = document.createElement("canvas").getContext("2d");
pen.font = "13px system-ui, sans-serif";
// Fruchterman and Reingold (1991), from the same places each time; then boxes that overlap are pushed apart.
function place({ nodes, levels, edges }) {
  const boxes = nodes.map((entity, at) => {
    const name = short(E.name[entity], at ? 24 : 36), angle = 2.4 * at, reach = 150 * levels[at];
    const w = pen.measureText(name).width + (at ? 22 : 38);
    return { entity, name, w, h: 28, x: reach * Math.cos(angle), y: reach * Math.sin(angle) };
  });
  const at = new Map(nodes.map((entity, position) => [entity, position])), ideal = 85, rounds = 200;
  const pairs = edges.map(([fact]) => [boxes[at.get(F.subject[fact])], boxes[at.get(F.object[fact])]]);
  const push = (one, other, force) => {
    const dx = one.x - other.x, dy = one.y - other.y, far = Math.max(1, Math.hypot(dx, dy)), by = force(far) / far;
    one.fx += dx * by; one.fy += dy * by; other.fx -= dx * by; other.fy -= dy * by;
  };
  for (let round = 0; round < rounds; round++) {
    for (const box of boxes) box.fx = box.fy = 0;
    boxes.forEach((one, i) => { for (let j = 0; j < i; j++) push(one, boxes[j], far => ideal ** 2 / far); });
    for (const [one, other] of pairs) push(one, other, far => -(far ** 2) / ideal);
    boxes.forEach((box, i) => {
      const force = Math.max(1, Math.hypot(box.fx, box.fy)), step = Math.min(force, 60 * (1 - round / rounds)) / force;
      if (i) { box.x += box.fx * step; box.y += box.fy * step; }
    });
  }
  const { clientWidth, clientHeight } = get("drawing");
  const stretch = Math.min(2.4, Math.max(1, clientWidth / clientHeight));
  const [wide, high] = edges.length > MOST_LABELS ? [14, 16] : [150, 40]; // with room for labels
  for (const box of boxes) box.x *= stretch || 1;
  for (let round = 0, moved = true; moved && round < 200; round++) {
    moved = false;
    boxes.forEach((one, i) => {
      for (let j = 0; j < i; j++) {
        const other = boxes[j], dx = (one.w + other.w) / 2 + wide - Math.abs(one.x - other.x);
        const dy = (one.h + other.h) / 2 + high - Math.abs(one.y - other.y), hold = j ? 0.5 : 0;
        if (dx <= 0 || dy <= 0) continue;
        const axis = dx < dy ? "x" : "y", by = Math.min(dx, dy) + 0.1, sign = one[axis] < other[axis] ? -1 : 1;
        one[axis] += sign * by * (1 - hold); other[axis] -= sign * by * hold; moved = true;
      }
    });
  }
  return { boxes, at };
}
function border(from, to, gap) {
  const dx = to.x - from.x, dy = to.y - from.y, far = Math.max(1, Math.hypot(dx, dy));
  const inside = Math.min(from.w / Math.max(Math.abs(dx), 1e-6), from.h / Math.max(Math.abs(dy), 1e-6)) / 2;
  return { x: from.x + dx * (inside + gap / far), y: from.y + dy * (inside + gap / far) };
}
function drawEdge(facts, boxes, at) {
  const one = boxes[at.get(F.subject[facts[0]])], other = boxes[at.get(F.object[facts[0]])];
  const [forward, back] = [one, other].map(box => facts.some(fact => F.subject[fact] === box.entity));
  const from = border(one, other, back ? 9 : 2), to = border(other, one, forward ? 9 : 2);
  const names = [...new Set(facts.map(fact => relationName(F.relation[fact])))];
  const label = names[0] + (names.length > 1 ? ` +${names.length - 1}` : "");
  const best = Math.max(...facts.map(fact => F.probability[fact])) / 1000;
  const edge = draw("g", { class: facts.some(fact => conflictsOf.has(fact)) ? "edge conflict" : "edge" });
  edge.append(draw("title", {}, facts.map(fact =>
    `${short(E.name[F.subject[fact]], 60)} ${relationName(F.relation[fact])} → ${short(E.name[F.object[fact]], 60)} `
    + `(${percent(F.probability[fact])})`).join("\n")));
  const line = draw("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, "stroke-width": 1 + 2 * best });
  line.style.opacity = 0.35 + 0.65 * best;
  edge.append(line);
  const heads = [...(forward ? [[from, to]] : []), ...(back ? [[to, from]] : [])];
  for (const [tail, tip] of heads) {
    const angle = Math.atan2(tip.y - tail.y, tip.x - tail.x) * 180 / Math.PI;
    edge.append(draw("path", { d: "M9 0L-1 -4.5V4.5Z", transform: `translate(${tip.x} ${tip.y}) rotate(${angle})` }));
  }
  edge.append(draw("text", { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 + 4 }, label));
  edge.ends = [one.entity, other.entity];
  return edge;
}
function drawNode(box, isCenter) {
  const { entity, name, x, y, w, h } = box, full = short(E.name[entity], 300);
  const kind = isCenter ? "node center" : "node";
  const anchor = draw("a", { href: `#e${E.id[entity]}`, class: kind, "data-type": E.type[entity] % 8 });
  anchor.append(draw("title", {}, `${full}${E.type[entity] < 0 ? "" : ` (${short(data.types[E.type[entity]], 60)})`}`),
    draw("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 14 }), draw("text", { x, y: y + 4.5 }, name));
  for (const [on, kinds] of [[true, ["pointerenter", "focus"]], [false, ["pointerleave", "blur"]]])
    for (const kind of kinds)
      anchor.addEventListener(kind, () => {
        for (const edge of get("drawing").querySelectorAll(".edge"))
          edge.classList.toggle("near", on && edge.ends.includes(entity));
      });
  return anchor;
}
function drawNeighbourhood() {
  const found = neighbourhood(state.chosen), { boxes, at } = place(found), edges = found.edges;
  const left = Math.min(-320, ...boxes.map(box => box.x - box.w / 2)) - 12;
  const right = Math.max(320, ...boxes.map(box => box.x + box.w / 2)) + 12;
  const top = Math.min(-130, ...boxes.map(box => box.y - 14)) - 12;
  const bottom = Math.max(130, ...boxes.map(box => box.y + 14)) + 12;
  const drawing = get("drawing");
  drawing.setAttribute("viewBox", [left, top, right - left, bottom - top].join(" "));
  drawing.setAttribute("class", edges.length > MOST_LABELS ? "many" : "");
  drawing.replaceChildren(...edges.map(each => drawEdge(each, boxes, at)), ...boxes.map((box, i) => drawNode(box, !i)));
  const others = found.nodes.length - 1;
  const most = `The ${others} most probable of ${(others + found.left).toLocaleString("en")} neighbours`;
  get("drawn").textContent = found.left ? most : count(others, "neighbour");
}

// --- the chosen entity -----------------------------------------------------------------------------------------------
function showEntity() {
  const entity = state.chosen;
  get("main").hidden = entity < 0;
  if (entity < 0) return;
  get("name").replaceChildren(isolated(E.name[entity]));
  const places = `${count(E.mentions[entity], "mention")} in ${count(E.documents[entity], "document")}`;
  const about = make("p", "", typeOf(entity), places);
  if (E.kb_id[entity]) about.append(", id ", isolated(E.kb_id[entity], 80));
  const aliases = E.aliases[entity] || [];
  aliases.slice(0, 30).forEach((alias, at) => about.append(at ? ", " : ". Also: ", isolated(alias, 80)));
  if (aliases.length > 30) about.append(` and ${count(aliases.length - 30, "more name")}`);
  get("about").replaceChildren(about);
  const facts = factsOf(entity), all = starts[entity + 1] - starts[entity];
  const part = facts.length === all ? "" : `${facts.length.toLocaleString("en")} of `;
  get("count").textContent = part + count(all, "fact");
  fill(get("facts"), get("more-facts"), facts, factItem);
  drawNeighbourhood();
  showMerges();
  markChosen();
}
function showMerges() {
  const merges = mergesOf.get(state.chosen) ?? [];
  get("merges").hidden = !merges.length;
  get("joined").textContent = merges.length.toLocaleString("en");
  get("reasons").replaceChildren(...merges.slice(0, STEP).map(([name, merged, reason, score, documents]) =>
    make("tr", "", make("td", "", isolated(merged, 80)), make("td", "", isolated(name, 80)),
      make("td", "", data.reasons[reason]), make("td", "number", percent(score)),
      make("td", "number", documents ? documents.toLocaleString("en") : ""))));
}
function choose() {
  const row = rowOf.get(Number(location.hash.slice(2)));
  if (location.hash[1] !== "e" || row === undefined || row === state.chosen) return;
  const isInside = get("main").contains(document.activeElement);
  state.chosen = row;
  showEntity();
  if (isInside) get("name").focus();
}
function refilter() { countFacts(); search(); showEntity(); }

// --- controls --------------------------------------------------------------------------------------------------------
data.relations.forEach(({ name, facts }, at) =>
  get("relation").append(new Option(`${short(name, 60)} (${facts.toLocaleString("en")})`, at)));
data.types.forEach((type, at) => get("type").append(new Option(short(type, 60), at)));
const choiceOf = id => get(id).value === "" ? -1 : Number(get(id).value);
get("relation").onchange = () => { state.relation = choiceOf("relation"); refilter(); };
get("type").onchange = () => { state.type = choiceOf("type"); search(); };
get("steps").onchange = () => { state.steps = Number(get("steps").value); drawNeighbourhood(); };
get("conflicts").onchange = () => { state.conflicts = get("conflicts").checked; refilter(); };
get("probability").oninput = () => {
  state.least = 10 * get("probability").value;
  get("least").textContent = percent(state.least);
  refilter();
};
get("words").oninput = () => { state.words = get("words").value; search(); };
get("conflicts").disabled = !data.conflicts.length;
get("filters").onsubmit = event => event.preventDefault();
document.addEventListener("keydown", event => {
  const links = [...get("entities").querySelectorAll("a")], at = links.indexOf(document.activeElement);
  const isTyping = /^(INPUT|SELECT)$/.test(document.activeElement.tagName);
  const isSearching = document.activeElement === get("words") && links.length;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "/" && !isTyping) get("words").focus();
  else if (isSearching && event.key === "Enter") location.hash = links[0].hash;
  else if (isSearching && step === 1) links[0].focus();
  else if (at >= 0 && step) (links[at + step] ?? (step < 0 ? get("words") : links[at])).focus();
  else return;
  event.preventDefault();
});
window.addEventListener("hashchange", choose);

countFacts();
search();
choose();
if (state.chosen < 0) {
  const first = get("entities").querySelector("a");
  state.chosen = first ? rowOf.get(Number(first.hash.slice(2))) : -1;
  showEntity();
}
document.body.dataset.ready = "true";
document.body.dataset.milliseconds = Math.round(performance.now());
