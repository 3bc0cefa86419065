const state = {relation: "", outcome: "", words: ""}, NAMES = ["A", "B"];
const isChosen = t => !state.relation || t.triple.relation === state.relation;
const chosen = e => e.sides.map(triples => triples.filter(isChosen));
const fits = e => chosen(e).some((triples, number) => triples.some(
  t => !state.outcome || state.outcome === `${NAMES[number]} ${t.outcome}`))
  && (!state.words || wordsOf(e.plain).includes(state.words));
function card(e) {
  const box = make("article", "card"), sides = make("div", "sides");
  box.append(make("small", "", `document ${e.document + 1}`), sides);
  for (const [number, triples] of chosen(e).entries()) {
    const column = make("div");
    column.append(...triples.map(t => {
      const one = side(`${NAMES[number]}, ${t.outcome}`, t, "", "");
      one.className = t.outcome;
      return one;
    }));
    if (!triples.length) column.append(side(NAMES[number], e.plain, "nothing that the other did not find", ""));
    sides.append(column);
  }
  return box;
}
watch(state, ["relation", "outcome"], () => showCards(data.disputes.filter(fits), card, "passage"));
