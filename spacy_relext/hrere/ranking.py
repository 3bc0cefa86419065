"""Probabilities of every relation of every pair, beside the gold, as cells of a ranking."""

from typing import Dict, Hashable, List, NamedTuple, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.entities import entity_links
from ..annotations.store import align_triples
from ..pairs.gold import GoldPairs, PairClass
from ..scoring.ranking import UNITS, Cell, Fact
from .bags import Bags

BAG, MENTION = UNITS

Ends = Tuple[Hashable, Hashable]


class Truth(NamedTuple):
    """Gold of bags.

    bags (Bags): What was scored: bags, or single mentions.
    classes (Sequence[Set[PairClass]]): Gold classes of each of them.
    gold (GoldPairs): The pairs they were gathered from, whose examples have all facts.
    """

    bags: Bags
    classes: Sequence[Set[PairClass]]
    gold: GoldPairs


def cells_of(
    truth: Truth, probs: NDArray[numpy.float64], classes: Sequence[PairClass], *, unit: str
) -> Tuple[List[Cell], Set[Fact]]:
    """Make a cell of each relation of each bag or mention.

    A bag is known by what its entities are linked to, a mention, and a bag without links, by where it stands. Where a
    pair was scored from both sides, the higher score counts.

    truth (Truth): What was scored, and gold.
    probs (NDArray): Class 0 is no relation. Shape (G, R)
    classes (Sequence[PairClass]): The others.
    unit (str): "bag" or "mention".
    RETURNS (Tuple[List[Cell], Set[Fact]]): Cells; and all that is true, so that what was not scored counts as missed.
    """
    best: Dict[Tuple[Ends, str], Tuple[float, bool]] = {}
    starts = truth.bags.starts().tolist()
    for number, row in enumerate(probs[:, 1:].tolist()):
        ends = _ends(truth.bags, number, starts[number], unit=unit)
        for answer, score in zip(classes, row):
            key = (ends[::-1] if answer.backwards else ends, answer.relation)
            before, true = best.get(key, (-1.0, False))
            best[key] = (max(before, score), true or answer in truth.classes[number])
    facts = _facts(truth.gold, unit=unit)
    # where a pair is scored in several Docs, each by itself, what one of them states is true of it
    return [Cell(*key, score, true or key in facts) for key, (score, true) in best.items()], facts


def _ends(bags: Bags, number: int, row: int, *, unit: str) -> Ends:
    """Return the key of a bag or a mention."""
    ids = bags.ids[number]
    if unit == BAG and all(ids):
        return ids
    doc, subject, obj = int(bags.pairs.doc[row]), bags.pairs.subject[row], bags.pairs.object[row]
    return (doc, *subject.tolist()), (doc, *obj.tolist())


def _facts(gold: GoldPairs, *, unit: str) -> Set[Fact]:
    """List all facts of the examples."""
    facts: Set[Fact] = set()
    for number, example in enumerate(gold.examples):
        links = entity_links(example.predicted) if unit == BAG else {}
        for triple in align_triples(example.predicted, example.reference):
            places = [(first, last + 1) for first, last in (triple.subject, triple.object)]
            ids = tuple(links.get(place, "") for place in places)
            ends = ids if all(ids) else tuple((number, *place) for place in places)
            facts.add((ends, triple.relation))
    return facts
