"""Detected relations as arrays, a cell for each sentence and relation; and how many true ones the labels miss."""

from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence

import numpy as np
from spacy.training import Example

from ..triples.store import char_span, get_relations
from .calibration import Bools, Floats
from .relations import crossing_relations, gold_relations

SHRINKAGE = 10.0
LEAST_FREQUENCY = 0.1


@dataclass(frozen=True)
class RelationCells:
    """What a detector says of the sentences of annotated documents.

    scores (Floats): Probability of each cell. Shape (N,)
    correct (Bools): Whether the sentence states the relation. Shape (N,)
    labels (List[str]): Relation of each. Length N
    gold_per_label (Dict[str, int]): Sentences that state each relation; triples that no sentence holds count as well.
    """

    scores: Floats
    correct: Bools
    labels: List[str]
    gold_per_label: Dict[str, int]

    @property
    def n_gold(self) -> int:
        """RETURNS (int): All relations stated."""
        return sum(self.gold_per_label.values())


@dataclass(frozen=True)
class LabelFrequency:
    """How many of the true relations are labelled: c, and per relation c_j (Elkan and Noto, KDD 2008).

    overall (float): c, mean probability of all labelled cells.
    per_label (Dict[str, float]): c_j, shrunk towards c.
    counts (Dict[str, int]): Labelled cells that each is estimated from.
    """

    overall: float
    per_label: Dict[str, float]
    counts: Dict[str, int]

    @property
    def missing_rates(self) -> Dict[str, float]:
        """RETURNS (Dict[str, float]): τ_j = 1 - c_j."""
        return {label: round(1.0 - frequency, 6) for label, frequency in self.per_label.items()}


def collect_cells(examples: Iterable[Example]) -> RelationCells:
    """Line up stored probabilities with whether sentences state the relations.

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
        scores=np.asarray(scores, dtype=np.float64),
        correct=np.asarray(correct, dtype=bool),
        labels=labels,
        gold_per_label=dict(sorted(gold_counts.items())),
    )


def estimate_label_frequency(
    cells: RelationCells, *, labels: Sequence[str], shrinkage: float = SHRINKAGE
) -> LabelFrequency:
    """Estimate which share of the true relations is labelled, by the mean probability of labelled held-out cells.

    A detector that learned from labels with random gaps gives a true relation the probability that it is labelled.
    What it is unsure of for other reasons lowers the estimate as well: 1 - c is an upper bound of what is missing.

    cells (RelationCells): Held-out sentences, labelled like the training data, with the detector's own probabilities.
    labels (Sequence[str]): The relations.
    shrinkage (float): How many labelled cells the overall value counts as in each relation's.
    RETURNS (LabelFrequency): At least 0.1; 1 where nothing is labelled.
    """
    found = np.asarray(cells.labels, dtype=object)[cells.correct]
    scores = cells.scores[cells.correct]
    overall = _bounded(float(scores.mean()) if len(scores) else 1.0)
    per_label, counts = {}, {}
    for label in labels:
        own = scores[found == label]
        counts[label] = len(own)
        per_label[label] = _bounded((float(own.sum()) + shrinkage * overall) / (len(own) + shrinkage))
    return LabelFrequency(overall, per_label, counts)


def _bounded(frequency: float) -> float:
    return round(min(1.0, max(LEAST_FREQUENCY, frequency)), 6)
