const state = {relation: "", class: "", kind: "", words: ""};
const KINDS = {wrong: "false positive", missed: "false negative", both: "false positive and false negative"};
const fits = e => (!state.relation || e.relations.includes(state.relation)) && (!state.class || e.class === state.class)
  && (!state.kind || e.kind === state.kind || e.kind === "both")
  && (!state.words || wordsOf(e.gold).includes(state.words));
function card(e) {
  const box = make("article", "card"), sides = make("div", "sides");
  const cost = `${(100 * e.cost).toFixed(2)} points of F`;
  const about = `${KINDS[e.kind]}, ${cost}, document ${e.document + 1}`;
  box.append(make("h3", "", e.class), make("small", "", about), sides);
  sides.append(side("Predicted", e.predicted, "nothing like it", ""));
  sides.append(side("Gold", e.gold, "nothing like it", e.found ? "Another prediction found it." : ""));
  return box;
}
const update = () => showCards(data.errors.filter(fits), card, "error");
document.addEventListener("click", event => {
  const button = event.target.closest("button[data-relation]");
  if (!button) return;
  for (const key of ["relation", "class"]) get(key).value = state[key] = button.dataset[key];
  get("kind").value = state.kind = "";
  update();
  get("errors").scrollIntoView();
});
watch(state, ["relation", "class", "kind"], update);
