// Hides triples below a score, and shows the details of a triple below its drawing. Without it everything is visible.
const rowsOf = arc => arc.dataset.rows.split(" ").map(
  row => arc.closest(".document").querySelector(`tr[data-row="${row}"]`));
const cellOf = (row, name) => row.querySelector(`[data-cell="${name}"]`);
let selected = null;

function describe(row) {
  const text = name => cellOf(row, name).textContent, box = make("div", "triple"), list = make("dl", "");
  box.append(make("p", "", ...tripleParts(text("subject"), text("relation"), text("object"))), list);
  for (const name of ["score", "source", "characters", "evidence"]) {
    if (!text(name).trim()) continue;
    list.append(make("dt", "", name), make("dd", "", ...[...cellOf(row, name).childNodes].map(n => n.cloneNode(true))));
  }
  return box;
}

function select(arc) {
  for (const element of all(document, ".selected")) element.classList.remove("selected");
  document.querySelector(".details")?.remove();
  const again = arc === selected;
  selected = null;
  if (!arc || again) return;
  const rows = rowsOf(arc).filter(row => !row.classList.contains("low"));
  const panel = make("div", "details", ...rows.map(describe)), close = make("button", "close", "×");
  Object.assign(close, {type: "button", title: "Close (Escape)", onclick: () => select(null)});
  panel.setAttribute("role", "status");
  panel.prepend(close);
  arc.closest(".drawing").after(panel);
  // an arc over several lines has a part on each
  for (const part of all(arc.closest(".drawing"), ".relext-arc")) {
    part.classList.toggle("selected", part.dataset.rows === arc.dataset.rows);
  }
  for (const row of rows) row.classList.add("selected");
  selected = arc;
}

for (const arc of all(document, ".relext-arc")) {
  arc.setAttribute("tabindex", "0");
  arc.setAttribute("role", "button");
  arc.addEventListener("click", () => select(arc));
  arc.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(arc); }
  });
}
for (const row of all(document, "tr[data-row]")) {
  const has = arc => arc.dataset.rows.split(" ").includes(row.dataset.row);
  const arc = all(row.closest(".document"), ".relext-arc").find(has);
  if (!arc) continue;
  row.classList.add("drawn");
  row.addEventListener("click", () => {
    if (String(getSelection())) return;
    select(arc);
    if (selected) arc.closest(".drawing").scrollIntoView({block: "nearest"});
  });
}
document.addEventListener("keydown", event => { if (event.key === "Escape") select(null); });

const least = get("least");
function filter() {
  const limit = Number(least.value);
  for (const element of all(document, "[data-score]")) {
    element.classList.toggle("low", Number(element.dataset.score) < limit);
  }
  if (selected?.classList.contains("low")) select(null);
  const rows = all(document, "tr[data-score]"), shown = rows.filter(row => !row.classList.contains("low")).length;
  get("shown").textContent = `${limit.toFixed(2)}: ${shown} of ${rows.length}`;
}
if (least) {
  least.addEventListener("input", filter);
  get("controls").hidden = false;
  filter();
}
document.body.dataset.ready = "true";
