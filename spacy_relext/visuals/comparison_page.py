"""One self-contained HTML page about two pipelines: differences with intervals, and the sentences they differ on."""

from html import escape
from typing import Dict, Iterator, Mapping, Sequence

from spacy.training import Example

from ..annotations.triple import Record
from ..corpora.jsonl import to_json
from ..scoring.comparison import OVERALL, Comparison, Difference, Dispute
from .page import frame_page
from .passages import PASSAGE_SCRIPT, PASSAGE_STYLE, draw_select, show_triple

# Maximum number of passages on the page.
MOST_DISPUTES = 2000

_WIDTH, _HEIGHT = 160, 14  # of the drawing of an interval, in pixels

_STYLE = """
h2 { font-size: 1.05rem; margin: 2.5rem 0 .5rem; } p { margin: .25rem 0; } small { opacity: .8; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } tr.clear td { font-weight: 600; } svg { vertical-align: middle; }
.sides > div > div + div { margin-top: .75rem; } .sides p b { color: var(--tone, inherit); }
.right { --tone: var(--good); } .wrong { --tone: var(--bad); }
"""

_SCRIPT = """
const state = {relation: "", outcome: "", words: ""}, NAMES = ["A", "B"];
const isChosen = t => !state.relation || t.triple.relation === state.relation;
const chosen = e => e.sides.map(triples => triples.filter(isChosen));
const fits = e => chosen(e).some((triples, number) => triples.some(
  t => !state.outcome || state.outcome === `${NAMES[number]} ${t.right ? "right" : "wrong"}`))
  && (!state.words || wordsOf(e.plain).includes(state.words));
function card(e) {
  const box = make("article", "card"), sides = make("div", "sides");
  box.append(make("small", "", `document ${e.document + 1}`), sides);
  for (const [number, triples] of chosen(e).entries()) {
    const column = make("div");
    column.append(...triples.map(t => {
      const one = side(`${NAMES[number]}, ${t.right ? "right" : "wrong"}`, t, "", "");
      one.className = t.right ? "right" : "wrong"; return one;
    }));
    if (!triples.length) column.append(side(NAMES[number], e.plain, "nothing that the other did not find", ""));
    sides.append(column);
  }
  return box;
}
function update() { showCards(data.disputes.filter(fits), card, "passage"); }
for (const key of ["relation", "outcome"]) get(key).onchange = () => { state[key] = get(key).value; update(); };
get("words").oninput = () => { state.words = get("words").value.trim().toLowerCase(); update(); };
update(); document.body.dataset.ready = "true";
"""

_CONTENT = """<h1>{title}</h1>
<p>A: {first}<br>B: {second}</p>
<h2>Scores</h2>
<p><small>Differences are B minus A, in points, with 95 % intervals (paired bootstrap over documents). Rows whose
interval does not hold 0 are bold; of twenty rows without a difference, one is expected to be bold.</small></p>
<div class="wide">{overall}</div>
<h2>Exact F of relations</h2><div class="wide">{relations}</div>
<h2>Triples</h2><div class="wide">{counts}</div>
<h2>Where they differ</h2>
<p class="filters">{filters} <input type="search" id="words" placeholder="Search the sentences"
aria-label="Search the sentences"> <small id="count" role="status"></small></p>
<p><small>Triples that only one of both found.{hidden} <mark class="subject">Subject</mark>
<mark class="object">object</mark></small></p>
<div id="cards"></div><p><button id="more" hidden>Show more</button></p>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


def render_comparison(comparison: Comparison, examples: Sequence[Example], *, names: Sequence[str], title: str) -> str:
    """Draw a comparison as a page that needs no network.

    examples (Sequence[Example]): Those of the first pipeline.
    names (Sequence[str]): Names of both pipelines.
    RETURNS (str): HTML; all text is escaped.
    """
    shown = comparison.disputes[:MOST_DISPUTES]
    hidden = len(comparison.disputes) - len(shown)
    outcomes = [f"{name} {outcome}" for name in "AB" for outcome in ("right", "wrong")]
    data = {"disputes": [_plain_dispute(each, examples[each.document].reference.text) for each in shown]}
    content = _CONTENT.format(
        title=escape(title),
        first=escape(names[0]),
        second=escape(names[1]),
        overall=_difference_table({OVERALL[key]: each for key, each in comparison.overall.items()}, "Score"),
        relations=_difference_table(comparison.relations, "Relation"),
        counts=_count_table(comparison),
        filters=draw_select("relation", list(comparison.relations)) + draw_select("outcome", outcomes),
        hidden=f" {hidden:,} further passages are not shown." if hidden else "",
        # only "<" could end a script element
        data=to_json(data).replace("<", "\\u003c"),
        script=PASSAGE_SCRIPT + _SCRIPT,
    )
    lang = examples[0].reference.lang_ if examples else "en"
    return frame_page(content, title=title, style=PASSAGE_STYLE + _STYLE, lang=lang)


def _plain_dispute(dispute: Dispute, text: str) -> Record:
    """Make plain values for the script."""
    sides: Dict[bool, list[Record]] = {False: [], True: []}
    for triple in dispute.triples:
        shown = show_triple(text, dispute.passages, triple.record, has_score=True)
        sides[triple.by_second].append({**shown, "right": triple.is_right})
    plain = show_triple(text, dispute.passages, None, has_score=False)
    return {"document": dispute.document, "plain": plain, "sides": [sides[False], sides[True]]}


def _difference_table(differences: Mapping[str, Difference], heading: str) -> str:
    """Write scores and differences, with drawings of their intervals on one scale."""
    reach = max([0.01, *(abs(end) for each in differences.values() for end in (each.low, each.high))])
    rows = []
    for name, each in differences.items():
        cells = [f"{100 * value:.2f}" for value in (each.first, each.second)]
        cells += [f"{100 * value:+.2f}" for value in (each.second - each.first, each.low, each.high)]
        numbers = "".join(f"<td>{cell}</td>" for cell in (*cells, _draw_interval(each, reach), str(each.gold)))
        rows.append(f"<tr{' class=clear' if each.is_clear else ''}><td>{escape(name)}</td>{numbers}</tr>")
    head = "".join(f"<th>{name}</th>" for name in (heading, "A", "B", "B − A", "from", "to", "", "Gold"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _draw_interval(each: Difference, reach: float) -> str:
    """Draw a difference and its interval on an axis with 0 in the middle."""
    low, value, high = (
        _WIDTH / 2 * (1 + 0.95 * number / reach) for number in (each.low, each.second - each.first, each.high)
    )
    middle = _HEIGHT / 2
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">'
        f'<path d="M{_WIDTH / 2} 0V{_HEIGHT}" stroke="currentColor" opacity=".4"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="currentColor" stroke-width="2"/>'
        f'<circle cx="{value:.1f}" cy="{middle}" r="3.5" fill="currentColor"/></svg>'
    )


def _count_table(comparison: Comparison) -> str:
    """Write how many triples both or one of the pipelines found."""
    rows = "".join(_count_rows(comparison))
    head = "".join(f"<th>{name}</th>" for name in ("", "both", "only A", "only B"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _count_rows(comparison: Comparison) -> Iterator[str]:
    for name, counts in (("right", comparison.right), ("wrong", comparison.wrong)):
        cells = "".join(f"<td>{counts[who]}</td>" for who in ("both", "first", "second"))
        yield f"<tr><td>{name}</td>{cells}</tr>"
