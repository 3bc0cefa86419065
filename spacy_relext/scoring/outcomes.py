"""Predicted triples as arrays: score, right or wrong, label, document. What calibration and tuning work on."""

from collections import Counter
from dataclasses import dataclass
from typing import Collection, Dict, Iterable, List, Optional

import numpy as np
from spacy.training import Example

from .calibration import Bools, Counts, Floats
from .triples import TextKey, gold_records, predicted_records, text_key


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
        return np.bincount(documents, minlength=len(self.gold_per_document)).astype(np.int64)


def collect_outcomes(
    examples: Iterable[Example], *, source: Optional[str] = None, label_filter: Optional[Collection[str]] = None
) -> TripleOutcomes:
    """Line up predicted triples with whether they are right.

    examples (Iterable[Example]): Predicted and reference documents; those without annotation are skipped.
    source (Optional[str]): One component's triples only.
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
        gold = {key for key in (text_key(record, text) for record in records) if _wanted(key, label_filter)}
        best: Dict[TextKey, float] = {}
        for record in predicted_records(example, source=source):
            key = text_key(record, text)
            if _wanted(key, label_filter):
                best[key] = max(record["score"], best.get(key, record["score"]))
        scores.extend(best.values())
        correct.extend(key in gold for key in best)
        labels.extend(key[0] for key in best)
        documents.extend([len(per_document)] * len(best))
        per_label.update(key[0] for key in gold)
        per_document.append(len(gold))
    return TripleOutcomes(
        scores=np.asarray(scores, dtype=np.float64),
        correct=np.asarray(correct, dtype=bool),
        labels=labels,
        documents=np.asarray(documents, dtype=np.int64),
        gold_per_label=dict(sorted(per_label.items())),
        gold_per_document=np.asarray(per_document, dtype=np.int64),
    )


def _wanted(key: TextKey, label_filter: Optional[Collection[str]]) -> bool:
    return label_filter is None or key[0] in label_filter
