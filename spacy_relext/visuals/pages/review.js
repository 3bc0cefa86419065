// Shows one fact at a time, and sends each answer to the server at once.
const E = data.entities, F = data.facts, S = data.support, total = F.subject.length;
const percent = perMille => `${(perMille / 10).toFixed(1)} %`;
const relationOf = fact => data.states[fact].relation || data.relations[F.relation[fact]].name;
const WORDS = { accepted: "accepted", rejected: "rejected", edited: "changed", open: "" };
let current = 0, queue = Promise.resolve(), token = data.token;

async function ask(path, body) {
  for (;;) {
    try {
      const headers = { [data.header]: token, "Content-Type": "application/json" };
      const reply = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      if (reply.status !== 403 && reply.status !== 507) return { status: reply.status, value: await reply.json() };
      if (reply.status === 403) {  // the server was started again
        const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
        token = JSON.parse(page.getElementById("data").textContent).token;
      } else get("message").textContent = (await reply.json()).error;
    } catch { /* no server: try again */ }
    get("saved").textContent = "Not saved: no answer from the server, trying again";
    get("saved").className = "bad";
    await new Promise(done => setTimeout(done, 500));
  }
}

function answer(state, more = {}) {
  const fact = current, before = data.states[fact];
  data.states[fact] = { state, relation: more.new_relation ?? "", swapped: more.swapped ?? false };
  get("saved").textContent = "Saving …";
  document.body.dataset.saved = false;
  queue = queue.then(async () => {
    const { status, value } = await ask(`/facts/${fact}`, { state, ...more });
    data.states[fact] = status === 200 ? value : before;
    get("message").textContent = status === 200 ? "" : `Not saved: ${value.error}`;
    get("saved").textContent = status === 200 ? "Saved" : "";
    get("saved").className = "";
    document.body.dataset.saved = true;
    show();
  });
  return queue;
}

function nextOpen() {
  for (let step = 1; step <= total; step++) {
    const fact = (current + step) % total;
    if (data.states[fact].state === "open") return fact;
  }
  return current;
}

function decide(state, more) {
  answer(state, more);
  if (state !== "open") current = nextOpen();
  show();
}

function sentence(row, fact) {
  const [a, b, c, d] = S.spans.slice(4 * row, 4 * row + 4), text = data.sentences[S.sentence[row]];
  const roles = data.states[fact].swapped ? ["object", "subject"] : ["subject", "object"];
  const words = make("p", "", ...markText(text, [[a, b, roles[0]], [c, d, roles[1]]]));
  words.dir = "auto";
  const names = S.documents[row].map(each => data.documents[each]).join(", ");
  return make("blockquote", "", words, make("footer", "", isolate(names), `; score ${percent(S.score[row])}`));
}

function show() {
  if (!total) { get("message").textContent = "No fact is between the two thresholds."; return; }
  const { state, swapped, by } = data.states[current];
  const ends = [E.name[F.subject[current]], E.name[F.object[current]]];
  const [one, other] = swapped ? ends.reverse() : ends;
  get("statement").replaceChildren(...tripleParts(one, relationOf(current), other));
  get("fact").dataset.state = state;
  const described = data.relations[F.relation[current]].description;
  const parts = [`probability ${percent(F.probability[current])}`, F.period[current], described, WORDS[state]];
  if (by) parts.push(`by ${by}`);
  get("about").textContent = parts.filter(Boolean).join("; ");
  const notes = data.conflicts.filter(each => each.fact === current || each.other === current).map(each =>
    make("p", "bad", `⚠ ${data.kinds[each.kind]}: `, isolate(each.detail)));
  const rows = [];
  for (let row = S.starts[current]; row < S.starts[current + 1]; row++) rows.push(sentence(row, current));
  get("sentences").replaceChildren(...notes, ...rows);
  get("number").value = current + 1;
  const done = data.states.filter(each => each.state !== "open").length;
  get("progress").textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} answered`;
  document.body.dataset.fact = current;
}

const chooser = get("chooser"), field = get("relation");
get("relations").append(...data.choices.map(name => Object.assign(make("option", ""), { value: name })));
chooser.addEventListener("close", () => {
  const name = field.value.trim();
  if (name && name !== relationOf(current)) decide("edited", { new_relation: name, swapped: data.states[current].swapped });
});
const ACTIONS = {
  accepted: () => decide("accepted"),
  rejected: () => decide("rejected"),
  open: () => decide("open"),
  edit: () => { field.value = ""; field.placeholder = relationOf(current); chooser.showModal(); },
  swap: () => {
    const { relation, swapped } = data.states[current];
    answer("edited", { new_relation: relation, swapped: !swapped });
    show();
  },
  back: () => { current = (current + total - 1) % total; show(); },
  forward: () => { current = (current + 1) % total; show(); },
  next: () => { current = nextOpen(); show(); },
};
const KEYS = { a: "accepted", r: "rejected", e: "edit", s: "swap", u: "open", n: "next", ArrowLeft: "back", ArrowRight: "forward" };
for (const button of all(document, "[data-do]")) button.onclick = () => total && ACTIONS[button.dataset.do]();
get("number").onchange = () => {
  const wanted = Number(get("number").value) - 1;
  if (wanted >= 0 && wanted < total) current = wanted;
  show();
};
document.addEventListener("keydown", event => {
  const typing = event.target.tagName === "INPUT" || chooser.open || event.ctrlKey || event.metaKey || event.altKey;
  if (typing || !total || !(event.key in KEYS)) return;
  event.preventDefault();
  ACTIONS[KEYS[event.key]]();
});
if (total && data.states[0].state !== "open") current = nextOpen();
show();
get("fact").focus();
