"""How often sentences state each relation, counted in training data."""

from collections import Counter
from typing import Dict, Iterable, List, Tuple

from spacy.training import Example

from ..instances.sentences import sentence_bounds
from ..triples.store import get_records


def estimate_priors(examples: Iterable[Example]) -> Tuple[List[str], float, Dict[str, float]]:
    """Count sentences and the relations they state: the observed class prior π_o.

    examples (Iterable[Example]): Training data.
    RETURNS (Tuple[List[str], float, Dict[str, float]]): The relations; π_o over all cells (sentence, relation); π_o of
        each relation.
    """
    counts: Counter = Counter()
    sentences = 0
    for example in examples:
        records = get_records(example.reference, source="")
        if records is None:
            continue
        doc = example.reference
        for start, end in sentence_bounds(doc):
            first, last = doc[start].idx, doc[end - 1].idx + len(doc[end - 1])
            counts.update({r["relation"] for r in records if first <= r["subject"][0] and r["subject"][1] <= last})
            sentences += 1
    labels = sorted(counts)
    rates = {label: counts[label] / max(1, sentences) for label in labels}
    return labels, sum(rates.values()) / max(1, len(labels)), rates
