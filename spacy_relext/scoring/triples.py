"""Scores of triples: exact, on spans, partial, per relation, on empty sentences, and of their direction.

`docs/reference/scores.md` explains each key.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.assertion import assertion_of
from ..annotations.entities import is_judged
from ..annotations.judged import get_judged
from ..annotations.sentences import overlaps, sentence_offsets
from ..annotations.store import get_records, has_triples, widen_records
from ..annotations.triple import CharSpan, Record
from .probabilities import Bools, Counts, Floats
from .thresholds import average_precision

# Key → fraction, mapping of fractions, or None if it cannot be computed.
Scores = Dict[str, Any]

# For each example `subject` and `object` as character offsets, `relation` and `score` of all possible triples.
Candidates = Sequence[Sequence[Record]]

# Relation, subject text, object text: what exact match compares.
TextKey = Tuple[str, str, str]

TRIPLE_SCORE_WEIGHTS: Dict[str, Optional[float]] = {
    "exact_ap": 1.0,  # whatever the thresholds are, which are tuned after training
    "exact_f": 0.0,
    "exact_p": 0.0,
    "exact_r": 0.0,
    **{f"{name}_{score}": None for name in ("span", "partial", "macro") for score in "prf"},
    "triples_per_type": None,
    "empty_error_rate": None,
    "direction_accuracy": None,
}


@registry.scorers("spacy_relext.triple_scorer.v1")
@dataclass(frozen=True)
class TripleScorer:
    """Scorer of components that write triples; a class, which `n_process` can pickle.

    source (Optional[str]): Score this component's triples only; None: triples of the component that is scored if its
        settings have its name, else every predicted triple.
    label_filter (Optional[List[str]]): Score these relations only; None: all.
    """

    source: Optional[str] = None
    label_filter: Optional[List[str]] = None

    def __call__(
        self,
        examples: Iterable[Example],
        *,
        source: Optional[str] = None,
        candidates: Optional[Candidates] = None,
        **settings: object,
    ) -> Scores:
        """Return the scores of `score_triples`; of the component's settings only `source`, its name, is read."""
        if self.source not in (None, source):
            source, candidates = self.source, None
        return score_triples(examples, source=source, candidates=candidates, label_filter=self.label_filter)


@dataclass(frozen=True)
class Outcomes:
    """N predictions, and what gold says of them.

    scores (Floats): Score of each. Shape (N,)
    correct (Bools): Which are in gold. Shape (N,)
    labels (List[str]): Relation of each. Length N
    gold_per_label (Dict[str, int]): Gold items of each relation, those never predicted included.
    """

    scores: Floats
    correct: Bools
    labels: List[str]
    gold_per_label: Dict[str, int]

    @property
    def n_gold(self) -> int:
        """RETURNS (int): All gold items."""
        return sum(self.gold_per_label.values())


@dataclass(frozen=True)
class TripleOutcomes(Outcomes):
    """The predicted triples of D annotated documents, each once with its highest score, under exact match of texts.

    correct_per_document, predicted_per_document, gold_per_document (Counts): Shape (D,)
    """

    correct_per_document: Counts
    predicted_per_document: Counts
    gold_per_document: Counts


class ComparedDocument(NamedTuple):
    """An annotated document; `gold`, `predicted` and their keys are those that are scored.

    number (int): Its place among the examples, from 0.
    scores (Dict[TextKey, float]): Highest score of each predicted triple.
    """

    number: int
    example: Example
    all_gold: List[Record]
    gold: List[Record]
    predicted: List[Record]
    gold_keys: Set[TextKey]
    scores: Dict[TextKey, float]


def score_triples(
    examples: Iterable[Example],
    *,
    source: Optional[str] = None,
    candidates: Optional[Candidates] = None,
    label_filter: Optional[Collection[str]] = None,
) -> Scores:
    """Compare predicted with gold triples.

    Documents whose reference is not annotated are skipped; those annotated with no triple count. Micro scores count
    sets per document: a triple predicted twice counts once. Keys, all fractions, None if no document is annotated:
    `exact_p`, `exact_r`, `exact_f` (relation, subject text, object text; the default score), `exact_ap` (average
    precision of the candidates by score), `span_p`, `span_r`, `span_f` (relation and character offsets),
    `partial_p`, `partial_r`, `partial_f` (texts cut to their first word), `macro_p`, `macro_r`, `macro_f` (mean of the
    exact scores of the relations in gold), `triples_per_type` (relation → exact p, r, f), `empty_error_rate` (share
    of the sentences without a gold triple that have a predicted one), `direction_accuracy` (share of predictions with
    the correct direction among those that are correct in either). If gold has two or more assertions, also
    `assertion_accuracy` and `assertion_macro_f`, of the exactly correct triples.

    source (Optional[str]): Score this component's triples only; None: every predicted triple.
    candidates (Optional[Candidates]): What `exact_ap` ranks; None: the predicted triples, so that it depends on the
        threshold above which they were stored.
    label_filter (Optional[Collection[str]]): Score these relations only, such as those that model and corpus share.
    """
    examples = list(examples)
    documents = list(
        compare_documents(examples, [predicted_records(each, source=source) for each in examples], label_filter)
    )
    if not documents:
        return {key: None for key in TRIPLE_SCORE_WEIGHTS}
    outcomes = _collect(documents)
    ranked = outcomes if candidates is None else _collect(list(compare_documents(examples, candidates, label_filter)))
    span, partial = PRFScore(), PRFScore()
    empty = empty_errors = either_direction = 0
    for _, example, all_gold, gold, predicted, gold_keys, scored in documents:
        span.score_set({_span_key(record) for record in predicted}, {_span_key(record) for record in gold})
        partial.score_set({_partial_key(key) for key in scored}, {_partial_key(key) for key in gold_keys})
        either_direction += sum(key in gold_keys or (key[0], key[2], key[1]) in gold_keys for key in scored)
        for sentence in sentence_offsets(example):
            if not any(_touches(record, sentence) for record in all_gold):
                empty += 1
                empty_errors += any(_touches(record, sentence) for record in predicted)
    per_type = score_per_label(outcomes.labels, outcomes.correct, outcomes.gold_per_label)
    micro = {"exact": sum(per_type.values(), PRFScore()), "span": span, "partial": partial}
    scores: Scores = {f"{name}_{key}": value for name, prf in micro.items() for key, value in prf.to_dict().items()}
    scores["exact_ap"] = average_precision(ranked.scores, ranked.correct, n_gold=ranked.n_gold)
    scores["triples_per_type"] = {label: prf.to_dict() for label, prf in per_type.items()}
    for key in "prf":
        scores[f"macro_{key}"] = mean(scores["triples_per_type"][label][key] for label in outcomes.gold_per_label)
    scores["empty_error_rate"] = empty_errors / empty if empty else None
    scores["direction_accuracy"] = int(outcomes.correct.sum()) / either_direction if either_direction else None
    return {**scores, **_score_assertions(documents)}


def _score_assertions(documents: Sequence[ComparedDocument]) -> Scores:
    """Score the assertions of correct triples; nothing if all gold triples have the same assertion."""
    stated: Dict[Tuple[int, TextKey], Set[str]] = {}
    for number, example, _, gold, *_ in documents:
        for record in gold:
            key = (number, text_key(record, example.reference.text))
            stated.setdefault(key, set()).add(assertion_of(record.get("attributes", {})))
    if len(set().union(*stated.values())) < 2:
        return {}
    predicted, correct, gold_counts = [], [], Counter[str]()
    for number, example, _, _, records, *_ in documents:
        for record in records:
            wanted = stated.get((number, text_key(record, example.reference.text)))
            if wanted:
                label = assertion_of(record.get("attributes", {}))
                predicted.append(label)
                correct.append(label in wanted)
                gold_counts[label if label in wanted else min(wanted)] += 1
    per_label = score_per_label(predicted, numpy.asarray(correct, dtype=bool), gold_counts)
    return {
        "assertion_accuracy": mean(correct),
        "assertion_macro_f": mean(per_label[label].fscore for label in gold_counts),
    }


def collect_outcomes(
    examples: Iterable[Example],
    *,
    source: Optional[str] = None,
    candidates: Optional[Candidates] = None,
    label_filter: Optional[Collection[str]] = None,
) -> TripleOutcomes:
    """Collect score and correctness of predicted triples, in the order of the documents.

    examples (Iterable[Example]): Predicted and reference documents; those without annotation are skipped.
    source (Optional[str]): This component's triples only.
    candidates (Optional[Candidates]): Collect these instead of the predicted triples.
    label_filter (Optional[Collection[str]]): These relations only.
    """
    examples = list(examples)
    if candidates is None:
        candidates = [predicted_records(example, source=source) for example in examples]
    return _collect(list(compare_documents(examples, candidates, label_filter)))


def score_per_label(labels: Sequence[str], correct: Bools, gold: Mapping[str, int]) -> Dict[str, PRFScore]:
    """Count correct, wrong and missed items of each label, sorted.

    labels (Sequence[str]): Label of each prediction. Length N
    correct (Bools): Which are correct. Shape (N,)
    gold (Mapping[str, int]): Gold items of each label.
    """
    predicted = Counter(labels)
    matches = Counter(label for label, is_correct in zip(labels, correct) if is_correct)
    return {
        label: PRFScore(tp=matches[label], fp=predicted[label] - matches[label], fn=gold.get(label, 0) - matches[label])
        for label in sorted({*predicted, *gold})
    }


def mean(values: Iterable[float]) -> Optional[float]:
    """Compute the mean; None without values."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def gold_records(example: Example) -> Optional[List[Record]]:
    """Read the gold triples of an example, widened to tokens of the predicted Doc; None if they are not all known."""
    if not has_triples(example.reference):
        return None
    return widen_records(example.predicted, get_records(example.reference, source="") or [])


def predicted_records(example: Example, *, source: Optional[str] = None) -> List[Record]:
    """Read the predicted triples of an example, or those of one component, without gold ones on the predicted Doc."""
    records = [record for record in get_records(example.predicted) or [] if record["source"] != ""]
    return [record for record in records if source is None or record["source"] == source]


def compare_documents(
    examples: Sequence[Example],
    predictions: Optional[Candidates] = None,
    label_filter: Optional[Collection[str]] = None,
) -> Iterator[ComparedDocument]:
    """Yield each annotated document with its gold triples and those predicted ones that gold can judge.

    predictions (Optional[Candidates]): Those of each example; None: the triples on the predicted Docs.
    label_filter (Optional[Collection[str]]): These relations only.
    """
    predictions = [predicted_records(example) for example in examples] if predictions is None else predictions
    for number, (example, records_of_model) in enumerate(zip(examples, predictions)):
        all_gold = gold_records(example)
        if all_gold is None:
            continue
        gold, predicted = (
            [record for record in records if label_filter is None or record["relation"] in label_filter]
            for records in (all_gold, records_of_model)
        )
        text = example.reference.text
        gold_keys, judged = {text_key(record, text) for record in gold}, get_judged(example.reference)
        predicted = [
            each
            for each in predicted
            if text_key(each, text) in gold_keys
            or (judged is None or each["relation"] in judged)
            and is_judged(example.reference, tuple(each["subject"]), tuple(each["object"]))
        ]
        scores: Dict[TextKey, float] = {}
        for record in predicted:
            key = text_key(record, text)
            scores[key] = max(record["score"], scores.get(key, record["score"]))
        yield ComparedDocument(number, example, all_gold, gold, predicted, gold_keys, scores)


def text_key(record: Record, text: str) -> TextKey:
    """Return what exact match compares of a triple in a text."""
    return record["relation"], text[slice(*record["subject"])], text[slice(*record["object"])]


def _collect(documents: Sequence[ComparedDocument]) -> TripleOutcomes:
    correct = [[key in document.gold_keys for key in document.scores] for document in documents]
    gold = Counter(key[0] for document in documents for key in document.gold_keys)
    return TripleOutcomes(
        scores=numpy.asarray([score for document in documents for score in document.scores.values()], dtype="float64"),
        correct=numpy.asarray([is_correct for each in correct for is_correct in each], dtype=bool),
        labels=[key[0] for document in documents for key in document.scores],
        gold_per_label=dict(sorted(gold.items())),
        correct_per_document=numpy.asarray([sum(each) for each in correct], dtype="int64"),
        predicted_per_document=numpy.asarray([len(each) for each in correct], dtype="int64"),
        gold_per_document=numpy.asarray([len(document.gold_keys) for document in documents], dtype="int64"),
    )


def _span_key(record: Record) -> Tuple[str, CharSpan, CharSpan]:
    return record["relation"], tuple(record["subject"]), tuple(record["object"])


def _partial_key(key: TextKey) -> TextKey:
    """Cut both arguments to their first word, as the scorer of CasRel does."""
    subject, obj = (" ".join(text.split()[:1]) for text in key[1:])
    return key[0], subject, obj


def _touches(record: Record, sentence: CharSpan) -> bool:
    return overlaps(record["subject"], sentence) or overlaps(record["object"], sentence)
