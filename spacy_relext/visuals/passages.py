"""Passages of a text with coloured arguments: plain values for a page's script, the script, and its style."""

from html import escape
from typing import Iterator, List, Optional, Sequence, Tuple

from ..annotations.triple import CharSpan, Record

ROLES = ("subject", "object")

PASSAGE_STYLE = """
:root { color-scheme: light dark; --line: #d5dbe3; --subject: #fde9a9; --object: #bfe3f7; --bad: #e0694f;
  --good: #57a86a; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem;
  color: #1c2430; background: #fff; }
h1 { font-size: 1.25rem; } h3 { font-size: 1rem; margin: 0; display: inline; } article small { margin-left: .75rem; }
mark { color: inherit; border-radius: .2rem; padding: 0 .15rem; }
mark.subject { background: var(--subject); } mark.object { background: var(--object); }
mark.both { background: linear-gradient(var(--subject) 50%, var(--object) 50%); }
.card { border-top: 1px solid var(--line); padding: .75rem 0; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
.sides > div { overflow-wrap: anywhere; } .sides p { margin: .25rem 0; } .sides b { font-weight: 600; }
.filters label { margin-right: .75rem; } select, input, button { font: inherit; }
:focus-visible { outline: 3px solid #4a8fe7; outline-offset: 1px; }
@media (prefers-color-scheme: dark) {
  :root { --line: #39414d; --subject: #6b5510; --object: #1d5674; } body { color: #e4e8ee; background: #161a20; }
}
@media (max-width: 50rem) { .sides { grid-template-columns: 1fr; gap: .5rem; } }
"""

# All text is set by textContent and append, so that nothing of a corpus is parsed as HTML.
PASSAGE_SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent), STEP = 50;
const get = id => document.getElementById(id);
const make = (tag, cls, text) => Object.assign(document.createElement(tag), {className: cls, textContent: text ?? ""});
const wordsOf = shown => shown.words ??= shown.pieces.map(piece => piece[0]).join("").toLowerCase();
function side(name, shown, nothing, note) {
  const box = make("div"), text = make("p"), line = make("p"), triple = shown.triple;
  text.append(...shown.pieces.map(([words, role]) => role ? make("mark", role, words) : words));
  line.append(make("b", "", `${name}: `)); box.append(text, line);
  if (!triple) { line.append(nothing); return box; }
  const score = triple.score === undefined ? "" : ` (${triple.score.toFixed(3)}, ${triple.source})`;
  line.append(make("mark", "subject", triple.subject), ` — ${triple.relation} → `,
    make("mark", "object", triple.object), score + (note ? ` ${note}` : ""));
  return box;
}
function showCards(list, card, name) {
  let shown = 0;
  const more = () => {
    get("cards").append(...list.slice(shown, shown + STEP).map(card)); shown = Math.min(shown + STEP, list.length);
    get("more").hidden = shown === list.length;
    const plural = list.length === 1 ? "" : "s", part = shown < list.length ? `, ${shown} shown` : "";
    get("count").textContent = `${list.length} ${name}${plural}${part}`;
  };
  get("cards").replaceChildren(); get("more").onclick = more; more();
}
"""


def show_triple(text: str, passages: Sequence[CharSpan], record: Optional[Record], *, has_score: bool) -> Record:
    """Make the data that the script's `side` shows: passages of a text, and a triple in them.

    record (Optional[Record]): The triple; None: there is none.
    has_score (bool): Show score and source, which gold triples do not have.
    RETURNS (Record): `pieces` of text, each with "subject", "object", "both" or "", and `triple`. Offsets would not do:
        JavaScript counts UTF-16 units.
    """
    pieces: List[Tuple[str, str]] = []
    for number, passage in enumerate(passages):
        pieces += [*([(" … ", "")] if number else []), *_cut(text, passage, record)]
    if record is None:
        return {"pieces": pieces, "triple": None}
    triple = {role: text[slice(*record[role])] for role in ROLES} | {"relation": record["relation"]}
    if has_score:
        triple |= {"score": record["score"], "source": record["source"]}
    return {"pieces": pieces, "triple": triple}


def draw_select(name: str, values: Sequence[str], *, texts: Optional[Sequence[str]] = None) -> str:
    """Write an HTML select with an option for all and one per value; `texts` are shown instead of the values."""
    options = "".join(
        f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in zip(values, texts or values)
    )
    return f'<label>{name.capitalize()} <select id="{name}"><option value="">all</option>{options}</select></label>'


def _cut(text: str, passage: CharSpan, record: Optional[Record]) -> Iterator[Tuple[str, str]]:
    """Cut a passage where arguments begin and end, and name the role of each piece."""
    start, end = passage
    end = start + len(text[start:end].rstrip())
    spans = {role: record[role] for role in ROLES} if record is not None else {}
    cuts = sorted({start, end, *(min(max(each, start), end) for span in spans.values() for each in span)})
    for left, right in zip(cuts, cuts[1:]):
        roles = [role for role, span in spans.items() if span[0] <= left and right <= span[1]]
        yield text[left:right], "both" if len(roles) > 1 else "".join(roles)
