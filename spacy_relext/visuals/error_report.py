"""One self-contained HTML page about the errors of a pipeline: counts, curves, confusion, and the sentences."""

from base64 import b64encode
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.training import Example

from ..annotations.triple import Record
from ..scoring.errors import (
    CLASSES,
    DEFINITIONS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    NONE,
    CorpusError,
    CorpusErrors,
    collect_errors,
)
from ..scoring.thresholds import recall_curve
from ..scoring.triples import Candidates, TextKey, TripleOutcomes, collect_outcomes, score_per_label, text_key
from .comparison_page import show_triple
from .curves import draw_recall_curves
from .templates import PICTURES, STYLE_ATTRIBUTES, draw_page

# Maximum number of errors of each class on the page, the costliest first.
MOST_PER_CLASS = 300

_PairKey = Tuple[int, Optional[TextKey], Optional[TextKey]]


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
    about = [_summarize(report)]
    hidden = len(_merge(errors, examples)) - len(cards)
    if hidden:
        about.append(f"Sentences are shown of the {MOST_PER_CLASS} costliest errors of each class; {hidden:,} are not.")
    relations = errors.relations()
    confused = [*relations, NONE]
    return draw_page(
        "errors.html",
        title=title,
        lang=examples[0].reference.lang_ if examples else "en",
        assets=("passages.css", "errors.css", "passages.js", "errors.js"),
        data={"errors": cards},
        allowed=(STYLE_ATTRIBUTES, PICTURES),
        about=" ".join(about),
        curve=b64encode(_draw_curve(report)).decode("ascii"),
        errors=errors,
        definitions=DEFINITIONS,
        per_relation=_scores(report),
        groups=errors.per_relation(),
        training=report.training,
        relations=relations,
        classes=list(CLASSES),
        confused=confused,
        row_total=lambda gold: sum(errors.confusion.get((gold, name), 0) for name in confused),
    )


def _summarize(report: Report) -> str:
    outcomes = report.outcomes
    correct, predicted, gold = int(outcomes.correct.sum()), len(outcomes.scores), outcomes.n_gold
    p, r, f = correct / max(predicted, 1), correct / max(gold, 1), 2 * correct / max(predicted + gold, 1)
    return (
        f"{len(outcomes.gold_per_document):,} annotated documents, {gold:,} gold and {predicted:,} predicted triples, "
        f"{correct:,} of them correct: precision {p:.1%}, recall {r:.1%}, exact F {f:.1%}. "
        f"{predicted - correct:,} false positives and {gold - correct:,} false negatives."
    )


def _draw_curve(report: Report) -> bytes:
    written = report.outcomes
    every = {"written triples": written, **{f"candidates of {name}": each for name, each in report.candidates.items()}}
    curves = {name: recall_curve(each.scores, each.correct, n_gold=each.n_gold) for name, each in every.items()}
    correct = int(written.correct.sum())
    reached = correct / max(written.n_gold, 1), correct / max(len(written.scores), 1)
    return draw_recall_curves(curves, marked=reached if len(written.scores) else None)


def _scores(report: Report) -> Dict[str, Dict[str, float]]:
    outcomes = report.outcomes
    return {
        label: prf.to_dict()
        for label, prf in score_per_label(outcomes.labels, outcomes.correct, outcomes.gold_per_label).items()
    }


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
    """List each error with its missed triple, if a false positive and a false negative are nearest to each other."""
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
