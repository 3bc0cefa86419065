"""Scores of triples: exact, on spans, partial, per relation, on empty sentences, and of their direction.

`docs/scores.md` explains each key.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Callable, Collection, DefaultDict, Dict, Iterable, List, Optional, Set, Tuple

import numpy
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.sentences import overlaps, sentence_offsets
from ..annotations.store import get_records
from ..annotations.triple import CharSpan, Record
from .calibration import average_precision

# Key → fraction, mapping of fractions, or None if it cannot be computed.
Scores = Dict[str, Any]

TextKey = Tuple[str, str, str]

SpanKey = Tuple[str, CharSpan, CharSpan]

MATCHES = ("exact", "span", "partial")

TRIPLE_SCORE_WEIGHTS: Dict[str, Optional[float]] = {
    "exact_f": 1.0,
    "exact_p": 0.0,
    "exact_r": 0.0,
    "exact_ap": 0.0,
    **{f"{name}_{score}": 0.0 for name in ("span", "partial", "macro") for score in "prf"},
    "triples_per_type": None,
    "empty_error_rate": None,
    "direction_accuracy": None,
}


@dataclass(frozen=True)
class TripleScorer:
    """The scorer `spacy_relext.triple_scorer.v1`; a class, which `n_process` can pickle.

    source (Optional[str]): Score this component's triples only.
    label_filter (Optional[Tuple[str, ...]]): Score these relations only.
    """

    source: Optional[str] = None
    label_filter: Optional[Tuple[str, ...]] = None

    def __call__(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """Score examples.

        examples (Iterable[Example]): Predicted and reference documents.
        **kwargs: The component's settings; `source`, its name, is read if the config sets none.
        RETURNS (Scores): As `score_triples`.
        """
        source = kwargs.get("source") if self.source is None else self.source
        return score_triples(examples, source=source, label_filter=self.label_filter)


@registry.scorers("spacy_relext.triple_scorer.v1")
def make_triple_scorer(source: Optional[str] = None, label_filter: Optional[List[str]] = None) -> Callable[..., Scores]:
    """Build the scorer of components that write triples.

    source (Optional[str]): Score this component's triples only; None: those of the component that is scored if its
        settings have its name, else every predicted triple.
    label_filter (Optional[List[str]]): Score these relations only; None: all.
    RETURNS (Callable[..., Scores]): Takes (examples, **kwargs), returns the scores of `score_triples`.
    """
    return TripleScorer(source=source, label_filter=None if label_filter is None else tuple(label_filter))


def score_triples(
    examples: Iterable[Example], *, source: Optional[str] = None, label_filter: Optional[Collection[str]] = None
) -> Scores:
    """Compare predicted with gold triples.

    Documents whose reference is not annotated are skipped; those annotated with no triple count. Micro scores count
    sets per document: a triple predicted twice counts once. Keys, all fractions, None if no document is annotated:
    `exact_p`, `exact_r`, `exact_f` (relation, subject text, object text; the default score), `exact_ap` (average
    precision of the predicted triples by score), `span_p`, `span_r`, `span_f` (relation and character offsets),
    `partial_p`, `partial_r`, `partial_f` (texts cut to their first word), `macro_p`, `macro_r`, `macro_f` (mean of the
    exact scores of the relations in gold), `triples_per_type` (relation → exact p, r, f), `empty_error_rate` (share
    of the sentences without a gold triple that have a predicted one), `direction_accuracy` (share of predictions with
    the right direction among those that are right in one of both).

    examples (Iterable[Example]): Predicted and reference documents of the same text.
    source (Optional[str]): Score this component's triples only; None: every predicted triple.
    label_filter (Optional[Collection[str]]): Score these relations only, such as those that model and corpus share.
    RETURNS (Scores): By key.
    """
    tally = _Tally()
    for example in examples:
        gold = gold_records(example)
        if gold is None:
            continue
        predicted = predicted_records(example, source=source)
        tally.count_empty(example, gold, _filtered(predicted, label_filter))
        tally.count(example.reference.text, _filtered(gold, label_filter), _filtered(predicted, label_filter))
    return tally.scores()


def gold_records(example: Example) -> Optional[List[Record]]:
    """Read the gold triples of an example.

    example (Example): The example.
    RETURNS (Optional[List[Record]]): None if the reference is not annotated.
    """
    records = get_records(example.reference)
    return None if records is None else [record for record in records if record["source"] == ""]


def predicted_records(example: Example, *, source: Optional[str] = None) -> List[Record]:
    """Read the predicted triples of an example.

    example (Example): The example.
    source (Optional[str]): One component's triples only.
    RETURNS (List[Record]): Without gold triples on the predicted Doc.
    """
    records = [record for record in get_records(example.predicted) or [] if record["source"] != ""]
    return [record for record in records if source is None or record["source"] == source]


def text_key(record: Record, text: str) -> TextKey:
    """Return the key that exact match compares.

    record (Record): A stored triple.
    text (str): The document's text.
    RETURNS (TextKey): Relation, subject text, object text.
    """
    return record["relation"], text[slice(*record["subject"])], text[slice(*record["object"])]


@dataclass
class _Tally:
    """Counts over the documents seen so far."""

    documents: int = 0
    micro: Dict[str, PRFScore] = field(default_factory=lambda: {name: PRFScore() for name in MATCHES})
    per_type: DefaultDict[str, PRFScore] = field(default_factory=lambda: defaultdict(PRFScore))
    gold_labels: Set[str] = field(default_factory=set)
    empty: int = 0
    empty_with_triple: int = 0
    either_direction: int = 0
    right_direction: int = 0
    n_gold: int = 0
    confidences: List[float] = field(default_factory=list)
    correct: List[bool] = field(default_factory=list)

    def count(self, text: str, gold: List[Record], predicted: List[Record]) -> None:
        """Add one document's triples."""
        self.documents += 1
        gold_keys = {text_key(record, text) for record in gold}
        best: Dict[TextKey, float] = {}
        for record in predicted:
            key = text_key(record, text)
            best[key] = max(record["score"], best.get(key, record["score"]))
        keys = set(best)
        self.n_gold += len(gold_keys)
        self.confidences.extend(best.values())
        self.correct.extend(key in gold_keys for key in best)
        self.micro["exact"].score_set(keys, gold_keys)
        self.micro["span"].score_set({_span_key(r) for r in predicted}, {_span_key(r) for r in gold})
        self.micro["partial"].score_set(set(map(_partial_key, keys)), set(map(_partial_key, gold_keys)))
        self.gold_labels |= {key[0] for key in gold_keys}
        for label in {key[0] for key in gold_keys | keys}:
            self.per_type[label].score_set({k for k in keys if k[0] == label}, {k for k in gold_keys if k[0] == label})
        self.either_direction += sum(key in gold_keys or (key[0], key[2], key[1]) in gold_keys for key in keys)
        self.right_direction += len(keys & gold_keys)

    def count_empty(self, example: Example, gold: List[Record], predicted: List[Record]) -> None:
        """Add one document's sentences without gold triples; `gold` is not filtered by label."""
        for sentence in sentence_offsets(example):
            if not any(_touches(record, sentence) for record in gold):
                self.empty += 1
                self.empty_with_triple += any(_touches(record, sentence) for record in predicted)

    def scores(self) -> Scores:
        """Compute the scores from the counts."""
        if not self.documents:
            return {key: None for key in TRIPLE_SCORE_WEIGHTS}
        scores: Scores = {}
        for name, prf in self.micro.items():
            scores.update({f"{name}_{key}": value for key, value in prf.to_dict().items()})
        correct = numpy.asarray(self.correct, dtype=bool)
        scores["exact_ap"] = average_precision(numpy.asarray(self.confidences), correct, n_gold=self.n_gold)
        per_type = {label: prf.to_dict() for label, prf in sorted(self.per_type.items())}
        for key in "prf":
            scores[f"macro_{key}"] = _mean([per_type[label][key] for label in sorted(self.gold_labels)])
        scores["triples_per_type"] = per_type
        scores["empty_error_rate"] = self.empty_with_triple / self.empty if self.empty else None
        scores["direction_accuracy"] = self.right_direction / self.either_direction if self.either_direction else None
        return scores


def _filtered(records: List[Record], label_filter: Optional[Collection[str]]) -> List[Record]:
    return [record for record in records if label_filter is None or record["relation"] in label_filter]


def _span_key(record: Record) -> SpanKey:
    return record["relation"], tuple(record["subject"]), tuple(record["object"])


def _touches(record: Record, sentence: CharSpan) -> bool:
    return overlaps(record["subject"], sentence) or overlaps(record["object"], sentence)


def _partial_key(key: TextKey) -> TextKey:
    """Cut both arguments to their first word, as the scorer of CasRel does."""
    subject, obj = (words[0] if words else "" for words in (text.split() for text in key[1:]))
    return key[0], subject, obj


def _mean(values: List[float]) -> Optional[float]:
    return sum(values) / len(values) if values else None
