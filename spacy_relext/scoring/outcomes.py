"""Predicted triples and detected relations as arrays, for calibration and tuning."""

from collections import Counter
from dataclasses import dataclass
from typing import Collection, Dict, Iterable, List, Optional, Sequence

import numpy
from spacy.training import Example

from ..annotations.store import char_span, get_relations
from .probabilities import Bools, Counts, Floats
from .relations import crossing_relations, gold_relations
from .triples import TextKey, gold_records, predicted_records, text_key

SHRINKAGE = 10.0

LEAST_FREQUENCY = 0.1


@dataclass(frozen=True)
class TripleOutcomes:
    """The predicted triples of some documents, each once, under exact match of texts.

    scores (Floats): Highest score of each triple. Shape (N,)
    correct (Bools): Which are in gold. Shape (N,)
    labels (List[str]): Relation of each. Length N
    documents (Counts): Number of the document of each, 0 to D - 1. Shape (N,)
    gold_per_label (Dict[str, int]): Gold triples of each relation, those never predicted included.
    gold_per_document (Counts): Gold triples of each document. Shape (D,)
    """

    scores: Floats
    correct: Bools
    labels: List[str]
    documents: Counts
    gold_per_label: Dict[str, int]
    gold_per_document: Counts

    @property
    def n_gold(self) -> int:
        """RETURNS (int): All gold triples."""
        return int(self.gold_per_document.sum())

    def per_document(self, of: Optional[Bools] = None) -> Counts:
        """Count predictions in each document.

        of (Optional[Bools]): Count these only, such as `correct`; None: all. Shape (N,)
        RETURNS (Counts): Shape (D,)
        """
        documents = self.documents if of is None else self.documents[of]
        return numpy.bincount(documents, minlength=len(self.gold_per_document)).astype(numpy.int64)


def collect_outcomes(
    examples: Iterable[Example], *, source: Optional[str] = None, label_filter: Optional[Collection[str]] = None
) -> TripleOutcomes:
    """Collect the score and correctness of predicted triples.

    examples (Iterable[Example]): Predicted and reference documents; those without annotation are skipped.
    source (Optional[str]): This component's triples only.
    label_filter (Optional[Collection[str]]): These relations only.
    RETURNS (TripleOutcomes): In the order of the documents.
    """
    scores: List[float] = []
    correct: List[bool] = []
    labels: List[str] = []
    documents: List[int] = []
    per_label: Counter[str] = Counter()
    per_document: List[int] = []
    for example in examples:
        records = gold_records(example)
        if records is None:
            continue
        text = example.reference.text
        gold = {key for key in (text_key(record, text) for record in records) if _is_scored(key, label_filter)}
        best: Dict[TextKey, float] = {}
        for record in predicted_records(example, source=source):
            key = text_key(record, text)
            if _is_scored(key, label_filter):
                best[key] = max(record["score"], best.get(key, record["score"]))
        scores.extend(best.values())
        correct.extend(key in gold for key in best)
        labels.extend(key[0] for key in best)
        documents.extend([len(per_document)] * len(best))
        per_label.update(key[0] for key in gold)
        per_document.append(len(gold))
    return TripleOutcomes(
        scores=numpy.asarray(scores, dtype=numpy.float64),
        correct=numpy.asarray(correct, dtype=bool),
        labels=labels,
        documents=numpy.asarray(documents, dtype=numpy.int64),
        gold_per_label=dict(sorted(per_label.items())),
        gold_per_document=numpy.asarray(per_document, dtype=numpy.int64),
    )


@dataclass(frozen=True)
class RelationCells:
    """Relation probabilities of the sentences of annotated documents; a cell is one sentence and relation.

    scores (Floats): Probability of each cell. Shape (N,)
    correct (Bools): True if the sentence states the relation. Shape (N,)
    labels (List[str]): Relation of each. Length N
    gold_per_label (Dict[str, int]): Sentences that state each relation, and triples that cross sentences.
    """

    scores: Floats
    correct: Bools
    labels: List[str]
    gold_per_label: Dict[str, int]

    @property
    def n_gold(self) -> int:
        """RETURNS (int): All stated relations."""
        return sum(self.gold_per_label.values())


@dataclass(frozen=True)
class LabelFrequency:
    """Share of the true relations that is labelled: c, and c_j of each relation (Elkan and Noto, KDD 2008).

    overall (float): c, mean probability of all labelled cells.
    per_label (Dict[str, float]): c_j, shrunk towards c.
    counts (Dict[str, int]): Number of labelled cells of each relation.
    """

    overall: float
    per_label: Dict[str, float]
    counts: Dict[str, int]

    @property
    def missing_rates(self) -> Dict[str, float]:
        """RETURNS (Dict[str, float]): τ_j = 1 - c_j."""
        return {label: round(1.0 - frequency, 6) for label, frequency in self.per_label.items()}


def collect_cells(examples: Iterable[Example]) -> RelationCells:
    """Collect stored relation probabilities and their correctness.

    examples (Iterable[Example]): Predicted and reference documents; those without annotation are skipped.
    RETURNS (RelationCells): In the order of the documents.
    """
    scores: List[float] = []
    correct: List[bool] = []
    labels: List[str] = []
    gold_counts: Counter[str] = Counter()
    for example in examples:
        sentences = gold_relations(example)
        if sentences is None:
            continue
        for sentence, gold in sentences:
            span = char_span(example.predicted, sentence)
            probs = get_relations(span) if span is not None else {}
            scores.extend(probs.values())
            labels.extend(probs)
            correct.extend(label in gold for label in probs)
            gold_counts.update(gold)
        gold_counts.update(crossing_relations(example, [sentence for sentence, _ in sentences]))
    return RelationCells(
        scores=numpy.asarray(scores, dtype=numpy.float64),
        correct=numpy.asarray(correct, dtype=bool),
        labels=labels,
        gold_per_label=dict(sorted(gold_counts.items())),
    )


def estimate_label_frequency(
    cells: RelationCells, *, labels: Sequence[str], shrinkage: float = SHRINKAGE
) -> LabelFrequency:
    """Estimate the share of the true relations that is labelled: the mean probability of labelled held-out cells.

    A detector trained on labels with random gaps gives a true relation the probability that it is labelled. Other
    uncertainty lowers the estimate as well, so 1 - c is an upper bound of the missing share.

    cells (RelationCells): Held-out sentences, labelled like the training data, with uncalibrated probabilities.
    labels (Sequence[str]): The relations.
    shrinkage (float): Number of labelled cells that the overall value counts as.
    RETURNS (LabelFrequency): At least 0.1; 1 if nothing is labelled.
    """
    names = numpy.asarray(cells.labels, dtype=object)[cells.correct]
    scores = cells.scores[cells.correct]
    overall = _bounded(float(scores.mean()) if len(scores) else 1.0)
    per_label, counts = {}, {}
    for label in labels:
        own = scores[names == label]
        counts[label] = len(own)
        per_label[label] = _bounded((float(own.sum()) + shrinkage * overall) / (len(own) + shrinkage))
    return LabelFrequency(overall, per_label, counts)


def _bounded(frequency: float) -> float:
    return round(min(1.0, max(LEAST_FREQUENCY, frequency)), 6)


def _is_scored(key: TextKey, label_filter: Optional[Collection[str]]) -> bool:
    return label_filter is None or key[0] in label_filter
