"""The classes of a pair: no relation, or a relation read forwards or, where a pair is there in one order, backwards."""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.training import Example

from ..annotations.gold import align_triples
from ..annotations.store import get_records, has_triples
from .pairs import Pairs

IntArray = NDArray[numpy.int64]

NO_RELATION = 0


class PairClass(NamedTuple):
    """A relation, and whether the object of the pair is its subject."""

    relation: str
    backwards: bool = False

    def turned(self) -> "PairClass":
        """RETURNS (PairClass): The same where the pair is read from the other side."""
        return PairClass(self.relation, not self.backwards)


@dataclass
class GoldPairs:
    """Pairs of annotated Docs with their gold. Docs without annotation have none, but stay in the batch.

    pairs (Pairs): The pairs.
    found (List[Set[PairClass]]): What gold says of each pair; nothing: no relation.
    examples (Sequence[Example]): The batch; their predicted Docs are those of the pairs.
    missed (int): Gold triples of which no pair was suggested.
    unannotated (int): Docs without annotation.
    counted (bool): Whether they are training data, and so among what was counted there.
    """

    pairs: Pairs
    found: List[Set[PairClass]]
    examples: Sequence[Example]
    missed: int
    unannotated: int
    counted: bool = True

    def __len__(self) -> int:
        return len(self.pairs)

    def known(self, known: Sequence[PairClass]) -> Tuple["GoldPairs", List[str]]:
        """Leave out pairs of which gold says nothing but what the model does not know.

        known (Sequence[PairClass]): The model's classes after `no relation`.
        RETURNS (Tuple[GoldPairs, List[str]]): The others, and the unknown relations.
        """
        unknown = sorted({each.relation for said in self.found for each in said}.difference(k.relation for k in known))
        kept = [n for n, said in enumerate(self.found) if not said or said.intersection(known)]
        return (self if len(kept) == len(self.found) else self.take(kept)), unknown

    def in_both_orders(self) -> "GoldPairs":
        """Add each pair as it is read from the other side, unless both orders are there.

        RETURNS (GoldPairs): These pairs, then the turned ones.
        """
        if self.pairs.both_orders:
            return self
        turned = [{each.turned() for each in said} for said in self.found]
        return replace(self, pairs=self.pairs.in_both_orders(), found=self.found + turned)

    def take(self, numbers: Sequence[int]) -> "GoldPairs":
        """Keep some of the pairs.

        numbers (Sequence[int]): Which.
        RETURNS (GoldPairs): These, of the same examples.
        """
        found = [self.found[number] for number in numbers]
        return replace(self, pairs=self.pairs.take(numbers), found=found)

    def with_own_docs(self) -> "GoldPairs":
        """RETURNS (GoldPairs): The same without the examples of which there is no pair."""
        kept = numpy.unique(self.pairs.doc).tolist()
        return replace(self, pairs=self.pairs.with_own_docs(), examples=[self.examples[number] for number in kept])

    def classes(self, known: Sequence[PairClass]) -> IntArray:
        """Choose one class for each pair: the first that is known.

        known (Sequence[PairClass]): The model's classes after `no relation`, in its order.
        RETURNS (IntArray): Class of each pair, 0 for no relation. Shape (P,)
        """
        number = {each: index + 1 for index, each in enumerate(known)}
        chosen = [min((number[e] for e in said if e in number), default=NO_RELATION) for said in self.found]
        return numpy.asarray(chosen, dtype="int64")


def gold_pairs(suggest: Any, examples: Sequence[Example]) -> GoldPairs:
    """Suggest pairs on the predicted Docs of annotated examples, and read what gold says of each.

    suggest (Suggester): Docs → pairs.
    examples (Sequence[Example]): The batch.
    RETURNS (GoldPairs): Pairs and gold.
    """
    annotated = [has_triples(example.reference) for example in examples]
    pairs = suggest([example.predicted for example in examples])  # all of them: a shared encoder waits for each
    if not all(annotated):
        pairs = pairs.take([index for index, doc in enumerate(pairs.doc.tolist()) if annotated[doc]])
    found, missed = match_gold(pairs, examples)
    return GoldPairs(pairs, found, examples, missed, annotated.count(False))


def match_gold(pairs: Pairs, examples: Sequence[Example]) -> Tuple[List[Set[PairClass]], int]:
    """Read what gold says of pairs that have been suggested.

    pairs (Pairs): On the predicted Docs of the examples, of which some may be left out.
    examples (Sequence[Example]): The batch; Docs without annotation say nothing.
    RETURNS (Tuple[List[Set[PairClass]], int]): What it says of each pair, and the number of triples of which there is
        no pair.
    """
    number: Dict[Tuple[int, Tuple[int, int], Tuple[int, int]], List[int]] = {}
    for index, (doc, subject, obj) in enumerate(zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())):
        number.setdefault((doc, tuple(subject), tuple(obj)), []).append(index)
    found: List[Set[PairClass]] = [set() for _ in range(len(pairs))]
    total = missed = 0
    for doc, example in enumerate(examples):
        triples = align_triples(example.predicted, example.reference)
        total += len(get_records(example.reference, source="") or [])
        missed -= len(triples)  # with `total`, those that cover no token
        for triple in triples:
            subject = (triple.subject[0], triple.subject[1] + 1)
            obj = (triple.object[0], triple.object[1] + 1)
            forwards = number.get((doc, subject, obj), [])
            backwards = [] if pairs.both_orders else number.get((doc, obj, subject), [])
            for index in forwards:
                found[index].add(PairClass(triple.relation))
            for index in backwards:
                found[index].add(PairClass(triple.relation, backwards=True))
            missed += not (forwards or backwards)
    return found, missed + total


def list_classes(gold: Sequence[Set[PairClass]], labels: Optional[Sequence[str]] = None) -> List[PairClass]:
    """List the classes that a data set has.

    Where one relation is read backwards, all are: else a rare direction would be missing in a part of the data, and
    two components of the same relations would not have the same classes.

    gold (Sequence[Set[PairClass]]): What gold says of each pair.
    labels (Optional[Sequence[str]]): Relations that shall be there in any case; None: those of gold.
    RETURNS (List[PairClass]): Sorted, without `no relation`.
    """
    seen = {each for said in gold for each in said}
    relations = {each.relation for each in seen} if labels is None else set(labels)
    directions = (False, True) if any(each.backwards for each in seen) else (False,)
    return sorted(PairClass(relation, backwards) for relation in relations for backwards in directions)


def turned_classes(classes: Sequence[PairClass]) -> Optional[IntArray]:
    """Say which class each is where the pair is read from the other side.

    classes (Sequence[PairClass]): The model's classes after `no relation`, in its order.
    RETURNS (Optional[IntArray]): Numbers of classes, 0 for no relation. None where a direction is missing. Shape (R,)
    """
    number = {each: index + 1 for index, each in enumerate(classes)}
    found = [number.get(each.turned()) for each in classes]
    return None if None in found else numpy.asarray([NO_RELATION, *found], dtype="int64")


def turned_answers(said: Mapping[PairClass, float]) -> Dict[PairClass, float]:
    """Read what is said of a pair from the other side.

    said (Mapping[PairClass, float]): Weight of each answer.
    RETURNS (Dict[PairClass, float]): The same of the turned pair.
    """
    return {each.turned(): weight for each, weight in said.items()}
