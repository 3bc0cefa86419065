"""Probabilities of every relation of every pair: as predictions of bags, and with the gold as cells of a ranking."""

from typing import Dict, Hashable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.training import Example

from ..annotations.entities import Bounds, entity_links, is_judged
from ..annotations.store import align_triples, char_span
from ..pairs.gold import GoldPairs, PairClass
from ..pipeline.pipe import Outputs
from ..scoring.ranking import UNITS, Cell, Fact
from .bags import Bags
from .mixture import MixedProbs

BAG, MENTION = UNITS

Floats = NDArray[numpy.float64]

Ends = Tuple[Hashable, Hashable]

# Number of the Doc; start and end characters of subject and object; weight β.
Mention = Tuple[int, List[int], float]


class BagPrediction(NamedTuple):
    """Probabilities of one ordered pair of entities.

    subject, object (str): Ids, "" if the mention is not linked.
    scores, text, kb (Dict[str, float]): Probability of each relation: mixed (pairs are ranked by it), from the text
        alone, and from the knowledge base alone; `kb` is empty if that does not know the pair.
    mentions (List[Mention]): The mentions with their weights.
    """

    subject: str
    object: str
    scores: Dict[str, float]
    text: Dict[str, float]
    kb: Dict[str, float]
    mentions: List[Mention]


def list_predictions(
    bags: Bags, mixed: MixedProbs, *, weights: Floats, classes: Sequence[PairClass]
) -> List[BagPrediction]:
    """List the probabilities of bags; a relation that is read backwards has `~` before its name.

    weights (Floats): Of the mentions. Shape (P, 1)
    """
    names = [f"~{each.relation}" if each.backwards else each.relation for each in classes]
    predictions = []
    for number, (subject, obj) in enumerate(bags.ids):
        scores, text, kb = (dict(zip(names, each[number, 1:].tolist())) for each in mixed)
        known = kb if mixed.kb[number].any() else {}
        mentions = list_mentions(bags, weights, number)
        predictions.append(BagPrediction(subject, obj, scores=scores, text=text, kb=known, mentions=mentions))
    return predictions


def list_mentions(bags: Bags, weights: Floats, number: int) -> List[Mention]:
    """List the mentions of one bag with their weights."""
    mentions = []
    for row in bags.rows(number):
        subject, obj = bags.pairs.spans(row)
        place = [subject.start_char, subject.end_char, obj.start_char, obj.end_char]
        mentions.append((int(bags.pairs.doc[row]), place, round(float(weights[row, 0]), 4)))
    return mentions


def single_outputs(bags: Bags, outputs: Optional[Outputs]) -> Optional[Outputs]:
    """Turn the model's output for bags into that for `single_mentions(bags)`, without reading the text again."""
    if outputs is None:
        return None
    # the knowledge base's logits depend on the links alone
    knowledge, weights = outputs.knowledge[bags.bag], numpy.ones_like(outputs.weights)
    return outputs._replace(text=outputs.alone, knowledge=knowledge, weights=weights)


def cells_of(
    bags: Bags, gold: GoldPairs, probs: Floats, classes: Sequence[PairClass], *, unit: str
) -> Tuple[List[Cell], Set[Fact]]:
    """Make a cell of each relation of each bag or mention.

    A bag is identified by the ids of its entities; a mention, and a bag without links, by its position. If a pair was
    scored in both orders, the higher score counts.

    bags (Bags): What was scored: bags, or single mentions.
    gold (GoldPairs): The pairs they were gathered from, whose examples have all facts.
    probs (Floats): Class 0 is no relation. Shape (G, R)
    unit (str): "bag" or "mention".
    RETURNS (Tuple[List[Cell], Set[Fact]]): Cells; and all true facts, so that those not scored count as missed.
    """
    best: Dict[Tuple[Ends, str], float] = {}
    starts = bags.starts().tolist()
    for number, row in enumerate(probs[:, 1:].tolist()):
        ends = _ends(bags, number, starts[number], unit=unit)
        for answer, score in zip(classes, row):
            key = (ends[::-1] if answer.backwards else ends, answer.relation)
            best[key] = max(best.get(key, -1.0), score)
    facts = _facts(gold, unit=unit)
    return [Cell(*key, score, key in facts) for key, score in best.items()], facts


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
        links = _gold_links(example) if unit == BAG else {}
        for triple in align_triples(example.predicted, example.reference):
            places = [(first, last + 1) for first, last in (triple.subject, triple.object)]
            ids = tuple(links.get(place, "") for place in places)
            ends = ids if all(ids) else tuple((number, *place) for place in places)
            facts.add((ends, triple.relation))
    return facts


def _gold_links(example: Example) -> Dict[Bounds, str]:
    """Map the tokens of entities to their gold ids, or to those of the pipeline where gold has no link."""
    links = entity_links(example.predicted)
    for (start, end), link in entity_links(example.reference).items():
        ent = example.reference[start:end]
        span = char_span(example.predicted, (ent.start_char, ent.end_char))
        if span is not None:
            links[span.start, span.end] = link
    return links


def judged_pairs(gold: GoldPairs) -> GoldPairs:
    """Leave out the pairs of gold entities that a corpus with marked pairs does not mark: their gold is unknown."""
    rows = []
    for number, doc in enumerate(gold.pairs.doc.tolist()):
        places = [(span.start_char, span.end_char) for span in gold.pairs.spans(number)]
        if is_judged(gold.examples[doc].reference, *places):
            rows.append(number)
    return gold if len(rows) == len(gold) else gold.take(rows)
