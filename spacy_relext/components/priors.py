"""How often sentences state each relation, counted in training data."""

from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Set

from spacy.training import Example

from ..instances.sentences import sentence_bounds
from ..triples.store import get_records


class Priors(NamedTuple):
    """What training data states, counted.

    labels (List[str]): The relations, sorted.
    mean (float): π_o over all cells (sentence, relation).
    rates (Dict[str, float]): π_o of each relation.
    documents (int): How many documents there are.
    unannotated (int): How many of them are not annotated, and not counted.
    """

    labels: List[str]
    mean: float
    rates: Dict[str, float]
    documents: int
    unannotated: int


def estimate_priors(examples: Iterable[Example]) -> Priors:
    """Count sentences and the relations they state: the observed class prior π_o.

    examples (Iterable[Example]): Training data.
    RETURNS (Priors): Of the annotated documents.
    """
    counts: Counter = Counter()
    labels: Set[str] = set()
    documents, unannotated, sentences = 0, 0, 0
    for example in examples:
        documents += 1
        records = get_records(example.reference, source="")
        if records is None:
            unannotated += 1
            continue
        labels.update(record["relation"] for record in records)
        doc = example.reference
        for start, end in sentence_bounds(doc):
            first, last = doc[start].idx, doc[end - 1].idx + len(doc[end - 1])
            offsets = [(*record["subject"], *record["object"]) for record in records]
            held = [first <= min(ends) and max(ends) <= last for ends in offsets]
            counts.update({record["relation"] for record, whole in zip(records, held) if whole})
            sentences += 1
    rates = {label: counts[label] / max(1, sentences) for label in sorted(labels)}
    mean = sum(rates.values()) / max(1, len(rates))
    return Priors(list(rates), mean, rates, documents, unannotated)
