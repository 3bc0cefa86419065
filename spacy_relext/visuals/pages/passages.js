// Cards of passages with marked arguments, which are filtered and shown in steps.
const STEP = 50;
const wordsOf = shown => shown.words ??= shown.pieces.map(piece => piece[0]).join("").toLowerCase();
function side(name, shown, nothing, note) {
  const box = make("div"), text = make("p"), line = make("p"), triple = shown.triple;
  text.append(...shown.pieces.map(([words, role]) => role ? make("mark", role, words) : words));
  text.dir = "auto";
  line.append(make("b", "", `${name}: `));
  box.append(text, line);
  if (!triple) { line.append(nothing); return box; }
  const score = triple.score === undefined ? "" : ` (${triple.score.toFixed(3)}, ${triple.source})`;
  line.append(...tripleParts(triple.subject, triple.relation, triple.object), score + (note ? ` ${note}` : ""));
  return box;
}
function showCards(list, card, name) {
  let shown = 0;
  const more = () => {
    get("cards").append(...list.slice(shown, shown + STEP).map(card));
    shown = Math.min(shown + STEP, list.length);
    get("more").hidden = shown === list.length;
    const plural = list.length === 1 ? "" : "s", part = shown < list.length ? `, ${shown} shown` : "";
    get("count").textContent = `${list.length} ${name}${plural}${part}`;
  };
  get("cards").replaceChildren();
  get("more").onclick = more;
  more();
}
// Calls `update` when a select of `keys` or the search for words changes; `state` has their values.
function watch(state, keys, update) {
  for (const key of keys) get(key).onchange = () => { state[key] = get(key).value; update(); };
  get("words").oninput = () => { state.words = get("words").value.trim().toLowerCase(); update(); };
  update();
  document.body.dataset.ready = "true";
}
