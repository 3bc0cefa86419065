// Shows one document at a time and sends each change to the server at once.
// Offsets count code points, as in Python; the browser counts UTF-16 units: `pointAt` translates.
const ASSERTIONS = ["stated", "denied", "hypothetical", "reported"], ROLES = ["subject", "object"];
const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const equal = (a, b) => a.relation === b.relation && ROLES.every(role => same(a[role], b[role]));
const clone = value => JSON.parse(JSON.stringify(value));

// The document; `items` are its triples with "open", "gold" or "rejected"; `draft` is one that is being made.
let doc = null, items = [], draft = null, current = -1, range = null, ends = null, past = [], busy = true;
let queue = Promise.resolve(), waiting = 0, generation = 0, token = data.token;

// ---- the server ---------------------------------------------------------------------------------------------------
async function ask(path, body) {
  for (;;) {
    try {
      const headers = {[data.header]: token, ...(body ? {"Content-Type": "application/json"} : {})};
      const reply = await fetch(path, {method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body)});
      if (reply.status === 403) {  // the server was started again
        const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
        token = JSON.parse(page.getElementById("data").textContent).token;
      } else {
        const value = await reply.json();
        if (reply.status !== 507) return {status: reply.status, value};
        say(value.error);
      }
    } catch { /* no server: try again */ }
    get("saved").textContent = body ? "Not saved: no answer from the server, trying again" : "No answer from the server";
    get("saved").className = "bad";
    await new Promise(done => setTimeout(done, 500));
  }
}

function save(answer) {
  const open = items.some(item => item.status === "open");
  doc.answer = answer ?? (doc.answer === "done" && !open ? "done" : "open");
  const of = status => items.filter(item => item.status === status).map(item => item.triple);
  const body = {
    correction: doc.answer,
    triples: clone(items.filter(item => item.status !== "rejected").map(
      item => item.status === "gold" ? bare(item.triple) : item.triple)),
    rejected: clone(of("rejected")),
  };
  const {number} = doc, mine = generation;
  waiting += 1;
  showSaved();
  queue = queue.then(async () => {
    if (mine !== generation) { waiting -= 1; showSaved(); return null; }
    const {status, value} = await ask(`/documents/${number}`, {...body, version: doc.version});
    waiting -= 1;
    if (status === 200) {
      Object.assign(doc, {version: value.version, next: value.next});
      showProgress(value);
    } else {
      await load(number, status === 409
        ? "Another tab has changed this document: this is its last answer, your change was not saved."
        : `Not saved: ${value.error}`);
      return null;
    }
    showSaved();
    return value;
  });
  return queue;
}

async function load(number, message = "") {
  busy = true;
  generation += 1;
  const {status, value} = await ask(`/documents/${number}`);
  if (status !== 200) { busy = false; say(value.error); return; }
  const {record} = value;
  doc = {number, text: record.text, points: [...record.text], tokens: value.tokens, entities: record.entities ?? [],
    version: value.version, next: value.next, answer: record.correction ?? "open"};
  items = [
    ...record.triples.map(triple => ({triple, status: triple.source ? "open" : "gold"})),
    ...(record.rejected ?? []).map(triple => ({triple, status: "rejected"})),
  ].sort((a, b) => a.triple.subject[0] - b.triple.subject[0] || a.triple.object[0] - b.triple.object[0]);
  [draft, range, ends, past] = [null, null, null, []];
  current = Math.max(items.findIndex(item => item.status === "open"), Math.min(0, items.length - 1));
  get("number").value = number + 1;
  get("text").lang = record.lang ?? "";
  showProgress(value);
  showSaved();
  render();
  say(message);
  busy = false;
  document.body.dataset.document = number;
}

async function leave(answer, target) {
  busy = true;
  const reply = answer ? await save(answer) : (await queue, {});
  if (reply === null) return;  // it was not saved, and the document is shown anew
  const number = target ?? reply.next;
  if (number !== null && number !== undefined) { await load(number); return; }
  busy = false;
  render();
  say(`All ${data.total} documents are answered. Stop the server and run: `
    + `spacy relext convert jsonl ${data.output} corrections.spacy`);
}

// ---- changes ------------------------------------------------------------------------------------------------------
const bare = ({subject, relation, object, attributes}) =>
  ({subject, relation, object, ...(attributes && Object.keys(attributes).length ? {attributes} : {})});
const snapshot = () => clone({items, draft, current, answer: doc.answer});

function change(make) {
  past.push(snapshot());
  say("");
  make();
  save();
  render();
}

function toNextOpen() {
  const open = index => items[index].status === "open";
  const order = items.map((_, index) => (current + index) % items.length);
  current = order.find(open) ?? Math.min(current, items.length - 1);
}

function accept(index = current) {
  if (!items[index]) return;
  change(() => { items[index].status = "gold"; current = index; toNextOpen(); });
}

function reject(index = current) {
  if (draft && index === items.length) { draft = null; current = items.length - 1; render(); return; }
  if (!items[index]) return;
  change(() => {
    if (items[index].triple.source) items[index].status = "rejected"; else items.splice(index, 1);
    current = Math.min(index, items.length - 1);
    if (items.length) toNextOpen();
  });
}

function answerAll(status) {
  if (items.some(item => item.status === "open")) {
    change(() => { for (const item of items) if (item.status === "open") item.status = status; });
  }
}

// Puts a triple in place of another: a suggestion that is changed was wrong, and is kept as rejected.
function replace(index, triple) {
  if (same(triple.subject, triple.object)) { say("Subject and object are the same text."); return; }
  const old = items[index], twin = items.findIndex((item, other) => other !== index && equal(item.triple, triple));
  if (equal(old.triple, triple)) return;
  change(() => {
    const place = items[twin] ?? {triple: bare(triple)};
    if (old.triple.source) old.status = "rejected"; else items.splice(index, 1);
    place.status = "gold";
    if (!items.includes(place)) items.splice(old.triple.source ? index + 1 : index, 0, place);
    current = items.indexOf(place);
  });
}

function setDraft(values) {
  draft = {...draft, ...values};
  current = items.length;
  if (!draft.subject || !draft.object || !draft.relation) { say(""); render(); return; }
  if (same(draft.subject, draft.object)) { say("Subject and object are the same text."); render(); return; }
  const twin = items.findIndex(item => equal(item.triple, draft));
  change(() => {
    if (twin < 0) items.push({triple: bare(draft), status: "gold"}); else items[twin].status = "gold";
    current = twin < 0 ? items.length - 1 : twin;
    draft = null;
  });
}

function setPart(key, value) {
  if (draft && current === items.length || !items[current]) setDraft({[key]: value});
  else replace(current, {...items[current].triple, [key]: value});
}

function setRole(role) {
  if (!range) { say(`Select text for the ${role} first.`); return; }
  const span = range;
  ends ??= tokensIn(span);  // where the arrows go on
  range = null;
  setPart(role, span);
}

function reverse() {
  const triple = items[current]?.triple;
  if (triple) replace(current, {...triple, subject: triple.object, object: triple.subject});
}

function setAssertion() {
  const item = items[current];
  if (!item || item.status === "rejected") return;
  change(() => {
    const {assertion, ...others} = item.triple.attributes ?? {};
    const next = ASSERTIONS[ASSERTIONS.indexOf(assertion) + 1];
    item.triple = {...item.triple, attributes: next ? {...others, assertion: next} : others};
    item.status = "gold";
  });
}

function undo() {
  if (!past.length) { say("Nothing to undo in this document."); return; }
  const before = past.pop();
  ({items, draft, current} = before);
  say("");
  save(before.answer);
  render();
}

function done() {
  if (draft && Object.keys(draft).length) { say("The new triple lacks a part; Escape leaves it."); return; }
  const open = items.findIndex(item => item.status === "open");
  if (open < 0) { leave("done"); return; }
  const count = items.filter(item => item.status === "open").length;
  current = open;
  render();
  say(`${count} not answered: accept or reject, or Shift A or Shift R for all of them.`);
}

// ---- selection ----------------------------------------------------------------------------------------------------
const textOf = ([start, end]) => doc.points.slice(start, end).join("");
const pointAt = units => [...doc.text.slice(0, units)].length;

function unitsAt(node, offset) {
  const before = document.createRange();
  before.selectNodeContents(get("text"));
  before.setEnd(node, offset);
  return before.toString().length;
}

function select(span, exact = false) {
  let [start, end] = span;
  while (start < end && !doc.points[start].trim()) start += 1;
  while (end > start && !doc.points[end - 1].trim()) end -= 1;
  if (!exact) {
    const inside = doc.tokens.filter(each => each[0] < end && start < each[1]);
    if (inside.length) [start, end] = [Math.min(start, inside[0][0]), Math.max(end, inside.at(-1)[1])];
  }
  range = start < end ? [start, end] : null;
  ends = null;
  render();
}

function takeSelection(event) {
  const found = getSelection();
  if (!found.rangeCount || busy || !get("text").contains(found.anchorNode)) return;
  const {startContainer, startOffset, endContainer, endOffset} = found.getRangeAt(0);
  const span = [pointAt(unitsAt(startContainer, startOffset)), pointAt(unitsAt(endContainer, endOffset))];
  found.removeAllRanges();
  if (span[0] < span[1]) { select(span, event.altKey); return; }
  const at = [...doc.entities.map(each => [each.start, each.end]), ...doc.tokens].find(
    each => each[0] <= span[0] && span[0] < each[1]);
  if (at) select(at, true);
}

function tokensIn(span) {
  const inside = doc.tokens.flatMap((each, place) => each[0] < span[1] && span[0] < each[1] ? [place] : []);
  return inside.length ? [inside[0], inside.at(-1)] : null;
}

function step(by, extend) {
  if (!doc.tokens.length) return;
  if (getComputedStyle(get("text")).direction === "rtl") by = -by;
  const clamp = place => Math.min(Math.max(place, 0), doc.tokens.length - 1);
  if (range) ends ??= tokensIn(range);
  if (!ends) ends = [0, 0];
  else if (extend) ends = [ends[0], clamp(ends[1] + by)];
  else ends = [clamp(ends[1] + by), clamp(ends[1] + by)];
  range = [doc.tokens[Math.min(...ends)][0], doc.tokens[Math.max(...ends)][1]];
  render();
}

// ---- the page -----------------------------------------------------------------------------------------------------
function say(message) { get("message").textContent = message; }

function showSaved() {
  get("saved").className = "";
  get("saved").textContent = waiting ? "Saving" : "Saved";
  document.body.dataset.saved = String(!waiting);
}

function showProgress(value) {
  get("progress").textContent = `${value.done} of ${data.total} done` + (value.skipped ? `, ${value.skipped} skipped` : "");
}

function drawText() {
  const shown = current === items.length ? draft : items[current]?.triple;
  const spans = [...doc.entities.map(each => [each.start, each.end, "entity", each.label]),
    ...ROLES.filter(role => shown?.[role]).map(role => [...shown[role], role]), ...(range ? [[...range, "selected"]] : [])];
  get("text").replaceChildren(...cut(doc.points.length, spans).map(([start, end, over]) => {
    const piece = make("span", over.map(span => span[2]).join(" "), textOf([start, end]));
    const ending = over.find(span => span[2] === "entity" && span[1] === end);
    if (ending) piece.dataset.label = ending[3];
    return piece;
  }));
  get("selection").textContent = range ? `Selected: ${textOf(range)}` : "";
}

const key = name => make("kbd", "", name);
function button(name, letter, action, title) {
  const element = make("button", "", name, " ", key(letter));
  element.type = "button";
  element.title = title ?? name;
  element.onclick = event => { event.stopPropagation(); act(event, action); };
  return element;
}

function drawTriple(triple, status, index) {
  const part = role => make("mark", role, isolate(triple[role] ? textOf(triple[role]) : `${role}?`));
  const line = make("li", index === current ? "current" : ""), relation = make("bdi", "relation", triple.relation ?? "relation?");
  const name = {open: `suggested by ${triple.source}`, gold: "accepted", rejected: "rejected", draft: "new"}[status];
  const score = status === "open" && triple.score !== undefined ? ` ${triple.score.toFixed(2)}` : "";
  const {assertion} = triple.attributes ?? {};
  line.dataset.status = status;
  line.append(make("span", "triple", part("subject"), " → ", relation, " → ", part("object")),
    make("small", "", name + score + (assertion ? `, ${assertion}` : "")));
  if (index === current) line.setAttribute("aria-current", "true");
  line.onclick = () => { current = index; say(""); render(); };
  const buttons = make("span", "buttons");
  if (status !== "draft") {
    if (status !== "gold") buttons.append(button("Accept", "a", () => accept(index)));
    if (status !== "rejected") buttons.append(button(triple.source ? "Reject" : "Delete", triple.source ? "r" : "d",
      () => reject(index)));
  }
  if (index === current) {
    buttons.append(button("Subject", "s", () => setRole("subject"), "The selected text becomes the subject"),
      button("Object", "o", () => setRole("object"), "The selected text becomes the object"),
      button("Relation", "l", choose));
    if (status !== "draft") buttons.append(button("Reverse", "v", reverse), button("Assertion", "e", setAssertion));
  }
  line.append(buttons);
  return line;
}

function render() {
  drawText();
  const lines = items.map((item, index) => drawTriple(item.triple, item.status, index));
  if (draft) lines.push(drawTriple(draft, "draft", items.length));
  if (!lines.length) lines.push(make("li", "none", "No triple."));
  get("triples").replaceChildren(...lines);
  document.querySelector("#triples .current")?.scrollIntoView({block: "nearest"});
  get("text").dataset.answer = doc.answer;
}

function drawRelations() {
  get("relations").replaceChildren(...data.relations.map((name, place) => {
    const element = make("button", "", isolate(name), ...(place < 9 ? [" ", key(place + 1)] : []));
    element.type = "button";
    element.onclick = event => act(event, () => setPart("relation", name));
    return make("li", "", element);
  }));
}

// ---- choosing a relation ------------------------------------------------------------------------------------------
let chosen = 0;
function choices() {
  const words = get("filter").value.trim(), lower = words.toLowerCase();
  const fitting = data.relations.filter(name => name.toLowerCase().includes(lower));
  return words && !data.relations.includes(words) ? [...fitting, words] : fitting;
}

function drawChoices() {
  const names = choices();
  chosen = Math.min(Math.max(chosen, 0), Math.max(names.length - 1, 0));
  get("choices").replaceChildren(...names.map((name, place) => {
    const isNew = !data.relations.includes(name), line = make("li", "", isolate(name), isNew ? " (new)" : "");
    Object.assign(line, {id: `choice-${place}`, onclick: () => pick(name)});
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", String(place === chosen));
    return line;
  }));
  get("filter").setAttribute("aria-activedescendant", names.length ? `choice-${chosen}` : "");
  get(`choice-${chosen}`)?.scrollIntoView({block: "nearest"});
}

function choose() {
  get("filter").value = "";
  chosen = 0;
  get("chooser").showModal();
  drawChoices();
  get("filter").focus();
}

function pick(name) {
  get("chooser").close();
  if (!name) return;
  if (!data.relations.includes(name)) { data.relations.push(name); drawRelations(); }
  setPart("relation", name);
}

get("filter").oninput = () => { chosen = 0; drawChoices(); };
get("filter").onkeydown = event => {
  const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (by) { event.preventDefault(); chosen += by; drawChoices(); }
  if (event.key === "Enter") { event.preventDefault(); pick(choices()[chosen]); }
};

// ---- keys and buttons ---------------------------------------------------------------------------------------------
const move = by => { current = Math.min(Math.max(current + by, 0), items.length - (draft ? 0 : 1)); say(""); render(); };
const ACTIONS = {
  done, undo, skip: () => leave("skipped"), back: () => doc.number > 0 && leave(null, doc.number - 1),
  acceptAll: () => answerAll("gold"), rejectAll: () => answerAll("rejected"), add: () => setDraft({}),
};
const KEYS = [
  ["a", "accept the triple", () => accept()], ["r", "reject it", () => reject()],
  ["d", "delete it", () => reject()], ["s", "selected text is its subject", () => setRole("subject")],
  ["o", "selected text is its object", () => setRole("object")], ["l", "choose its relation; 1 to 9 too", choose],
  ["v", "reverse subject and object", reverse], ["e", `assertion: ${ASSERTIONS.join(", ")}, none`, setAssertion],
  ["n", "new triple: select and s, select and o, relation", ACTIONS.add], ["A", "accept all that are left", ACTIONS.acceptAll],
  ["R", "reject all that are left", ACTIONS.rejectAll], ["Enter", "done, next document", done],
  ["x", "skip the document", ACTIONS.skip], ["b", "back to the document before", ACTIONS.back],
  ["u", "undo", undo], ["ArrowDown", "next triple", () => move(1)], ["ArrowUp", "triple before", () => move(-1)],
  ["ArrowRight", "select the token to the right; with Shift one more", event => step(1, event.shiftKey)],
  ["ArrowLeft", "the same to the left", event => step(-1, event.shiftKey)],
  ["Home", "select the first token", () => { [range, ends] = [null, null]; step(0); }],
  ["Escape", "select nothing, leave the new triple", () => {
    [range, ends, draft] = [null, null, null];
    current = Math.min(current, items.length - 1);
    render();
  }],
];

function act(event, action) {
  if (busy || !doc) return;
  action(event);
  if (event.detail > 0) get("main").focus({preventScroll: true});  // a mouse: the next Enter is not for this button
}

document.addEventListener("keydown", event => {
  const {target} = event;
  if (event.ctrlKey || event.metaKey || event.altKey || get("chooser").open || !get("keys").checked) return;
  if (target.matches("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "Enter" && target.matches("button, summary")) return;
  // letters of another keyboard layout by their place
  const isPlain = event.key.length > 1 || /[\x21-\x7e]/.test(event.key);
  const letter = isPlain ? event.key : event.code.replace(/^Key|^Digit/, "").toLowerCase();
  const name = letter.length > 1 ? letter : event.shiftKey ? letter.toUpperCase() : letter.toLowerCase();
  const relation = /^[1-9]$/.test(name) && data.relations[name - 1];
  const found = KEYS.find(each => each[0] === name)?.[2] ?? (relation && (() => setPart("relation", relation)));
  if (!found) return;
  event.preventDefault();
  act(event, found);
});

for (const element of document.querySelectorAll("[data-do]")) {
  element.type = "button";
  element.onclick = event => act(event, ACTIONS[element.dataset.do]);
}
get("text").addEventListener("mouseup", takeSelection);
get("number").onchange = () => {
  const number = Number(get("number").value) - 1;
  if (!busy && number >= 0 && number < data.total) leave(null, number);
  get("main").focus();
};
get("help").append(...KEYS.map(([name, what]) => {
  const shown = {ArrowDown: "↓", ArrowUp: "↑", ArrowRight: "→", ArrowLeft: "←", A: "Shift A", R: "Shift R"}[name] ?? name;
  return make("tr", "", make("td", "", key(shown)), make("td", "", what));
}));
addEventListener("beforeunload", event => { if (waiting) event.preventDefault(); });
drawRelations();
load(data.first ?? 0, data.first === null ? `All ${data.total} documents are answered.` : "");
