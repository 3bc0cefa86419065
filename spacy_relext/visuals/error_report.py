"""One self-contained HTML page about the errors of a pipeline: counts, curves, confusion, and the sentences."""

from base64 import b64encode
from html import escape
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.training import Example

from ..annotations.triple import Record
from ..corpora.jsonl import to_json
from ..scoring.calibration import expected_calibration_error
from ..scoring.error_tables import NONE, CorpusError, CorpusErrors, ErrorGroup, collect_errors
from ..scoring.errors import CLASSES, DEFINITIONS, FALSE_NEGATIVE, FALSE_POSITIVE
from ..scoring.triples import Candidates, TextKey, TripleOutcomes, collect_outcomes, score_per_label, text_key
from .error_curves import draw_precision_recall, draw_reliability, draw_training_sizes
from .page import frame_page
from .passages import PASSAGE_SCRIPT, PASSAGE_STYLE, draw_select, show_triple

# Maximum number of errors of each class on the page, the costliest first.
MOST_PER_CLASS = 300

_PairKey = Tuple[int, Optional[TextKey], Optional[TextKey]]

_STYLE = """
h2 { font-size: 1.05rem; margin: 2.5rem 0 .5rem; } p { margin: .25rem 0; } small { opacity: .8; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 20rem; max-width: 30rem; }
figure img { width: 100%; background: #fff; border-radius: .3rem; } figcaption { font-size: .85rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, .text { text-align: left; } td.text { white-space: normal; }
th.upright { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; padding: .5rem .25rem; }
th { vertical-align: bottom; } td.cell { --shade: var(--bad); } td.right { --shade: var(--good); }
td.cell, td.right { background: color-mix(in srgb, var(--shade) calc(var(--share) * 1%), transparent); }
td button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-decoration: underline dotted; } td button:hover { text-decoration: underline; }
"""

_SCRIPT = """
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
function update() { showCards(data.errors.filter(fits), card, "error"); }
for (const key of ["relation", "class", "kind"])
  get(key).onchange = () => { state[key] = get(key).value; update(); };
get("words").oninput = () => { state.words = get("words").value.trim().toLowerCase(); update(); };
document.addEventListener("click", event => {
  const button = event.target.closest("button[data-relation]");
  if (!button) return;
  for (const key of ["relation", "class"]) get(key).value = state[key] = button.dataset[key];
  get("kind").value = state.kind = ""; update(); get("errors").scrollIntoView();
});
update(); document.body.dataset.ready = "true";
"""

_CONTENT = """<h1>{title}</h1>
<p>{about}</p>
<h2>Curves</h2><div class="curves">{curves}</div>
<h2>Classes of errors</h2>
<p><small>Arguments agree if their texts are equal or they overlap. Gain: points of exact F that are gained if all
errors of the row are corrected.</small></p>
<div class="wide">{classes}</div>
<h2>Relations</h2><div class="wide">{relations}</div>
<h2>Confusion of relations</h2>
<p><small>Rows are gold, columns are predicted: triples whose two arguments agree, directly or crosswise. Triples that
agree with none of the other side are under “none”.</small></p>
<div class="wide">{confusion}</div>
<h2 id="errors">Errors</h2>
<p class="filters">{filters} <input type="search" id="words" placeholder="Search the sentences"
aria-label="Search the sentences"> <small id="count" role="status"></small></p>
<p><small>The costliest first; of equal cost, the highest score first. Cost: points of exact F that are gained if this
error alone is corrected. <mark class="subject">Subject</mark> <mark class="object">object</mark></small></p>
<div id="cards"></div><p><button id="more" hidden>Show more</button></p>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>"""


class Report(NamedTuple):
    """What a page shows of a pipeline's errors.

    outcomes (TripleOutcomes): Outcomes of the triples that the pipeline wrote.
    candidates (Mapping[str, TripleOutcomes]): Component → all that it scored, also below its threshold.
    training (Optional[Mapping[str, int]]): Training examples of each relation, if they are known.
    """

    errors: CorpusErrors
    outcomes: TripleOutcomes
    candidates: Mapping[str, TripleOutcomes]
    training: Optional[Mapping[str, int]]


def make_report(
    examples: Sequence[Example],
    *,
    labels: Optional[Sequence[str]] = None,
    candidates: Optional[Mapping[str, Candidates]] = None,
    training: Optional[Mapping[str, int]] = None,
) -> Report:
    """Collect what a page shows of predicted documents and their gold.

    labels (Optional[Sequence[str]]): These relations only; None: all.
    candidates (Optional[Mapping[str, Candidates]]): Component → its candidates of each example.
    training (Optional[Mapping[str, int]]): Training examples of each relation.
    """
    ranked = {
        name: collect_outcomes(examples, candidates=each, label_filter=labels)
        for name, each in (candidates or {}).items()
    }
    outcomes = collect_outcomes(examples, label_filter=labels)
    return Report(collect_errors(examples, label_filter=labels), outcomes, ranked, training)


def render_error_report(report: Report, examples: Sequence[Example], *, title: str) -> str:
    """Draw errors as a page that needs no network.

    examples (Sequence[Example]): Those of the report.
    RETURNS (str): HTML; all text is escaped.
    """
    errors, cards = report.errors, list(_cards(report.errors, examples))
    relations = errors.relations()
    about = [_summarize(report)]
    hidden = len(_merge(errors, examples)) - len(cards)
    if hidden:
        about.append(f"Sentences are shown of the {MOST_PER_CLASS} costliest errors of each class; {hidden:,} are not.")
    filters = [draw_select("relation", relations), draw_select("class", CLASSES)]
    filters.append(draw_select("kind", ("wrong", "missed"), texts=(FALSE_POSITIVE, FALSE_NEGATIVE)))
    content = _CONTENT.format(
        title=escape(title),
        about=escape(" ".join(about)),
        curves="".join(_curves(report)),
        classes=_class_table(errors.per_class()),
        relations=_relation_table(report),
        confusion=_confusion_table(errors),
        filters=" ".join(filters),
        # only "<" could end a script element
        data=to_json({"errors": cards}).replace("<", "\\u003c"),
        script=PASSAGE_SCRIPT + _SCRIPT,
    )
    lang = examples[0].reference.lang_ if examples else "en"
    return frame_page(content, title=title, style=PASSAGE_STYLE + _STYLE, lang=lang)


def _summarize(report: Report) -> str:
    """Describe the corpus and the scores in a few sentences."""
    outcomes = report.outcomes
    right, predicted, gold = int(outcomes.correct.sum()), len(outcomes.scores), outcomes.n_gold
    p, r, f = right / max(predicted, 1), right / max(gold, 1), 2 * right / max(predicted + gold, 1)
    return (
        f"{len(outcomes.gold_per_document):,} annotated documents, {gold:,} gold and {predicted:,} predicted triples, "
        f"{right:,} of them right: precision {p:.1%}, recall {r:.1%}, exact F {f:.1%}. {predicted - right:,} false "
        f"positives and {gold - right:,} false negatives."
    )


def _curves(report: Report) -> Iterator[str]:
    """Draw the curves, each with a caption."""
    svg = draw_precision_recall(report.outcomes, candidates=report.candidates)
    yield _figure(svg, "Precision and recall by score. The dot is the pipeline with its thresholds.")
    error = expected_calibration_error(report.outcomes.scores, report.outcomes.correct)
    caption = "Reliability: above the diagonal scores are too low, below it too high."
    caption += "" if error is None else f" Calibration error {error:.3f}."
    yield _figure(draw_reliability(report.outcomes), caption)
    if report.training is not None:
        rows = [(name, report.training.get(name, 0), scores["f"]) for name, scores in _scores(report).items()]
        yield _figure(draw_training_sizes(rows), "Exact F of each relation by its number of training examples.")


def _figure(svg: str, caption: str) -> str:
    """Embed a drawing as a picture, whose ids cannot clash with those of others."""
    source = b64encode(svg.encode("utf8")).decode("ascii")
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/svg+xml;base64,{source}"><figcaption>{text}</figcaption></figure>'
    )


def _class_table(groups: Mapping[str, ErrorGroup]) -> str:
    """Write the counts of each class."""
    rows = []
    for name, group in groups.items():
        wrong, missed = str(group.false_positives or "–"), str(group.false_negatives or "–")
        shown = _filter_button(name, error_class=name) if sum(group[:2]) else escape(name)
        rows.append([shown, wrong, missed, _points(group.gain), escape(DEFINITIONS[name])])
    return _table(("Class", "False positives", "False negatives", "Gain", "Definition"), rows, texts=(4,))


def _relation_table(report: Report) -> str:
    """Write scores, and counts of each class, of each relation."""
    groups, rows = report.errors.per_relation(), []
    for name, scores in _scores(report).items():
        group = groups[name]
        numbers = [f"{scores[key]:.1%}" for key in "prf"] + [str(report.errors.gold.get(name, 0))]
        if report.training is not None:
            numbers.append(f"{report.training.get(name, 0):,}")
        numbers += [str(group.false_positives), str(group.false_negatives), _points(group.gain)]
        for error_class in CLASSES:
            count = group.per_class.get(error_class, 0)
            numbers.append(_filter_button(str(count), relation=name, error_class=error_class) if count else "–")
        has_errors = group.false_positives or group.false_negatives
        rows.append([_filter_button(name, relation=name) if has_errors else escape(name), *numbers])
    training = ["Training"] if report.training is not None else []
    counts = ("False positives", "False negatives", "Gain")
    header = ("Relation", "P", "R", "F", "Gold", *training, *counts, *map(str.capitalize, CLASSES))
    return _table(header, rows, upright=range(len(header) - len(CLASSES) - len(counts), len(header)))


def _scores(report: Report) -> Dict[str, Dict[str, float]]:
    """Score each relation of gold or of the predictions."""
    outcomes = report.outcomes
    return {
        label: prf.to_dict()
        for label, prf in score_per_label(outcomes.labels, outcomes.correct, outcomes.gold_per_label).items()
    }


def _confusion_table(errors: CorpusErrors) -> str:
    """Write the confusion matrix; shades are shares of the row."""
    relations = [*errors.relations(), NONE]
    rows = []
    for gold in relations:
        total = sum(errors.confusion.get((gold, name), 0) for name in relations) or 1
        cells = []
        for name in relations:
            count, kind = errors.confusion.get((gold, name), 0), "right" if name == gold else "cell"
            share = min(80, round(100 * count / total))
            cells.append(f'<td class="{kind}" style="--share: {share}">{count}</td>' if count else "<td></td>")
        rows.append(f"<tr><td>{escape(gold or 'none')}</td>{''.join(cells)}</tr>")
    head = "".join(f'<th class="upright">{escape(name or "none")}</th>' for name in relations)
    return f"<table><thead><tr><th>Gold</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cards(errors: CorpusErrors, examples: Sequence[Example]) -> Iterator[Record]:
    """Yield the errors to show, as plain values for the script."""
    shown: Dict[str, int] = {}
    for each, partner in _merge(errors, examples):
        error = each.error
        shown[error.error_class] = shown.get(error.error_class, 0) + 1
        if shown[error.error_class] > MOST_PER_CLASS:
            continue
        text, is_wrong = examples[each.document].reference.text, error.kind == FALSE_POSITIVE
        predicted, gold = (error.record, error.nearest) if is_wrong else (error.nearest, error.record)
        kind = "both" if partner is not None else ("wrong" if is_wrong else "missed")
        records = [record for record in (error.record, partner) if record is not None]
        yield {
            "document": each.document,
            "kind": kind,
            "class": error.error_class,
            "cost": each.cost,
            "relations": sorted({record["relation"] for record in records}),
            "predicted": show_triple(text, each.passages, predicted, has_score=True),
            "gold": show_triple(text, each.passages, gold, has_score=False),
            "found": kind == "wrong" and gold is not None and not error.nearest_is_error,
        }


def _merge(errors: CorpusErrors, examples: Sequence[Example]) -> List[Tuple[CorpusError, Optional[Record]]]:
    """Pair each false positive with a false negative if each is the nearest triple to the other.

    RETURNS (List[Tuple[CorpusError, Optional[Record]]]): Each error or pair once, with the missed triple of a pair.
    """
    keys: Dict[str, Dict[_PairKey, Record]] = {FALSE_POSITIVE: {}, FALSE_NEGATIVE: {}}
    for each in errors.errors:
        if each.error.nearest is not None:
            keys[each.error.kind][_pair_key(each, examples)] = each.error.record
    merged: List[Tuple[CorpusError, Optional[Record]]] = []
    for each in errors.errors:
        key = _pair_key(each, examples)
        if each.error.kind == FALSE_POSITIVE:
            merged.append((each, keys[FALSE_NEGATIVE].get(key)))
        elif key not in keys[FALSE_POSITIVE]:
            merged.append((each, None))
    return merged


def _pair_key(each: CorpusError, examples: Sequence[Example]) -> _PairKey:
    """Identify the false positive and the gold triple of an error: document, and both as texts."""
    text, error = examples[each.document].reference.text, each.error
    record, nearest = (None if part is None else text_key(part, text) for part in (error.record, error.nearest))
    return (each.document, *((record, nearest) if error.kind == FALSE_POSITIVE else (nearest, record)))


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Sequence[int] = (), upright: Sequence[int] = ()
) -> str:
    """Write a table of HTML cells; the columns `texts` hold text, the headers of `upright` are rotated."""
    classes = [' class="text"' if i in texts else "" for i in range(len(header))]
    lines = ("".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(classes, row)) for row in rows)
    classes = [' class="upright"' if i in upright else kind for i, kind in enumerate(classes)]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(classes, header))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _filter_button(text: str, *, relation: str = "", error_class: str = "") -> str:
    """Write a button that shows errors of a relation, of a class, or of both."""
    return f'<button data-relation="{escape(relation)}" data-class="{escape(error_class)}">{escape(text)}</button>'


def _points(gain: float) -> str:
    """Format a gain in F as points."""
    return f"{100 * gain:.2f}"
