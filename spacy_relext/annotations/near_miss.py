"""Triples that a pipeline came near to stating, and what stopped each of them."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc

from .constraints import get_removed
from .triple import CharSpan

# What can stop a triple, in the order in which a pipeline decides.
STAGES = ("relation", "span", "pair", "type", "threshold", "constraints")


@dataclass(frozen=True)
class NearMiss:
    """A triple that was not stated.

    relation (str): The relation.
    score (float): The score that was too low, or what the triple would have had; 0 to 1.
    threshold (float): The threshold for that score.
    stopped_by (str): One of `STAGES`.
    text (str): Why, as a clause.
    source (str): Name of the component.
    subject, object (Optional[CharSpan]): Character offsets; None if arguments were not searched for.
    """

    relation: str
    score: float
    threshold: float
    stopped_by: str
    text: str
    source: str
    subject: Optional[CharSpan] = None
    object: Optional[CharSpan] = None


def describe_miss(doc: Doc, miss: NearMiss) -> str:
    """Write a near miss with its score in one line; without arguments only its relation."""
    if miss.subject is None or miss.object is None:
        return f"{miss.relation} with {miss.score:.3f}"
    subject, obj = (" ".join(doc.text[slice(*span)].split()) for span in (miss.subject, miss.object))
    return f"{subject} → {miss.relation} → {obj} with {miss.score:.3f}"


def removed_triples(doc: Doc) -> List[NearMiss]:
    """List the triples that constraints removed from a Doc; their threshold is their own score."""
    return [
        NearMiss(
            relation=record["relation"],
            score=record["score"],
            threshold=record["score"],
            stopped_by="constraints",
            text=f"removed by {record['removed']['by']}: {record['removed']['reason']}",
            source=record["source"],
            subject=record["subject"],
            object=record["object"],
        )
        for record in get_removed(doc)
    ]


def rank_misses(misses: Iterable[NearMiss]) -> List[NearMiss]:
    """Sort near misses by descending score, and keep the best one for each triple of a component."""
    best: Dict[Tuple[object, ...], NearMiss] = {}
    for miss in sorted(misses, key=lambda miss: -miss.score):
        # a relation without arguments may be missing in several sentences
        where = (miss.text,) if None in (miss.subject, miss.object) else (miss.subject, miss.object)
        best.setdefault((miss.source, miss.relation, *where), miss)
    return list(best.values())
