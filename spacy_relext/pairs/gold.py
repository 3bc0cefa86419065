"""The classes of a pair: no relation, or a relation read forwards or, for pairs in one order, backwards."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.assertion import gold_assertions, list_assertions
from ..annotations.judged import judges_all
from ..annotations.store import TokenTriple, align_records, align_triples, get_records, get_rejected, has_triples
from .pairs import IntArray, Pairs

# Class numbers of no relation, and of pairs without a label.
NO_RELATION = 0
UNLABELLED = -1

Bools = NDArray[numpy.bool_]
MarkPairs = Callable[[Pairs, Sequence[Example]], Bools]


class PairClass(NamedTuple):
    """A relation, and whether it holds backwards: the object of the pair is its subject."""

    relation: str
    backwards: bool = False

    def reversed(self) -> "PairClass":
        """Return the same class of the reversed pair."""
        return PairClass(self.relation, not self.backwards)


@dataclass
class GoldPairs:
    """Pairs with known gold: all pairs of annotated Docs and, in others, those of triples that an annotator rejected.

    All Docs stay in the batch. Pairs without gold can be kept too, for what else is known about them.

    gold (List[Set[PairClass]]): Classes of each pair; empty: no relation.
    labelled (Bools): Whether the gold of each pair is known. Shape (P,)
    examples (Sequence[Example]): The batch; their predicted Docs are those of the pairs.
    missed (int): Gold triples without a suggested pair.
    unannotated (int): Docs that are not annotated and have no pair here.
    counted (bool): Whether the pairs belong to the training data whose argument types were counted.
    """

    pairs: Pairs
    gold: List[Set[PairClass]]
    labelled: Bools
    examples: Sequence[Example]
    missed: int
    unannotated: int
    counted: bool = True

    def __len__(self) -> int:
        return len(self.pairs)

    def known(self, known: Sequence[PairClass]) -> Tuple["GoldPairs", List[str]]:
        """Drop pairs whose gold classes are all unknown to the model; also return the unknown relations."""
        unknown = sorted({each.relation for pair in self.gold for each in pair}.difference(k.relation for k in known))
        rows = [n for n, classes in enumerate(self.gold) if not classes or classes.intersection(known)]
        return (self if len(rows) == len(self.gold) else self.take(rows)), unknown

    def take(self, numbers: Sequence[int]) -> "GoldPairs":
        """Select pairs by their numbers, with all examples."""
        gold, labelled = [self.gold[number] for number in numbers], self.labelled[numpy.asarray(numbers, dtype="int64")]
        return replace(self, pairs=self.pairs.take(numbers), gold=gold, labelled=labelled)

    def with_own_docs(self) -> "GoldPairs":
        """Drop the examples without a pair."""
        docs = numpy.unique(self.pairs.doc).tolist()
        return replace(self, pairs=self.pairs.with_own_docs(), examples=[self.examples[number] for number in docs])

    def classes(self, known: Sequence[PairClass]) -> IntArray:
        """Choose the first known class of each pair: n for `known[n - 1]`, 0 for no relation, -1 without gold.

        Shape (P,)
        """
        number = {each: index + 1 for index, each in enumerate(known)}
        chosen = [min((number[e] for e in pair if e in number), default=NO_RELATION) for pair in self.gold]
        return numpy.where(self.labelled, numpy.asarray(chosen, dtype="int64"), UNLABELLED)

    def assertions(self, known: Sequence[PairClass], labels: Sequence[str]) -> IntArray:
        """Number the assertion, among `labels`, of each pair's first known class; -1 for none. Shape (P,)"""
        number, stated = {label: index for index, label in enumerate(labels)}, gold_assertions(self.examples)
        chosen = numpy.full(len(self), -1, dtype="int64")
        classes = self.classes(known)
        for row in numpy.flatnonzero(classes > NO_RELATION).tolist():
            relation, backwards = known[classes[row] - 1]
            spans = [(int(start), int(end) - 1) for start, end in (self.pairs.subject[row], self.pairs.object[row])]
            subject, obj = spans[::-1] if backwards else spans
            label = stated.get((int(self.pairs.doc[row]), TokenTriple(subject, relation, obj)), "")
            chosen[row] = number.get(label, -1)
        return chosen


@dataclass
class CollectedPairs:
    """Contents of a pair component's training data; `gold`, `missed` and `unannotated` as in `GoldPairs`.

    labels (List[str]): The relations: those in gold, unless the user gives them.
    types (List[Tuple[str, str]]): Entity types of each pair.
    docs (int): Number of all Docs.
    where (str): Name of the data, for messages.
    assertions (Set[str]): Assertions of gold triples.
    """

    labels: List[str] = field(default_factory=list)
    gold: List[Set[PairClass]] = field(default_factory=list)
    types: List[Tuple[str, str]] = field(default_factory=list)
    missed: int = 0
    unannotated: int = 0
    docs: int = 0
    where: str = ""
    assertions: Set[str] = field(default_factory=set)

    def argument_types(self, known: Sequence[PairClass]) -> Counter:
        """Count the triples of each subject type, relation and object type.

        known (Sequence[PairClass]): The model's classes; others are not counted.
        """
        return Counter(
            (kinds[each.backwards], each.relation, kinds[not each.backwards])
            for kinds, classes in zip(self.types, self.gold)
            for each in classes.intersection(known)
        )

    def classes(self, labels: Sequence[str]) -> List[PairClass]:
        """List the classes of these relations, in both directions if gold has both."""
        return list_classes(self.gold, labels)

    def add(self, batch: GoldPairs) -> None:
        """Add the pairs of a batch."""
        self.gold.extend(batch.gold)
        self.types.extend(batch.pairs.types)
        self.missed += batch.missed
        self.unannotated += batch.unannotated
        self.docs += len(batch.examples)
        self.assertions.update(list_assertions(batch.examples))


def gold_pairs(
    suggest: Callable[[Sequence[Doc]], Pairs],
    examples: Sequence[Example],
    *,
    labels: Sequence[str] = (),
    unlabelled: Optional[MarkPairs] = None,
) -> GoldPairs:
    """Suggest pairs on the predicted Docs of examples, and align the gold with them.

    labels (Sequence[str]): The relations of the model: see `mark_known`.
    unlabelled (Optional[MarkPairs]): Marks the pairs that are kept although their gold is not known.
    """
    pairs = suggest([example.predicted for example in examples])  # all Docs: a shared encoder waits for each
    labelled = mark_known(pairs, examples, labels=labels)
    kept = labelled if unlabelled is None else labelled | unlabelled(pairs, examples)
    if not kept.all():
        pairs, labelled = pairs.take(numpy.flatnonzero(kept)), labelled[kept]
    gold, missed = match_gold(pairs, examples)
    read = set(pairs.doc.tolist())
    unannotated = sum(not has_triples(each.reference) and number not in read for number, each in enumerate(examples))
    return GoldPairs(pairs, gold, labelled, examples, missed, unannotated)


def mark_known(pairs: Pairs, examples: Sequence[Example], *, labels: Sequence[str] = ()) -> Bools:
    """Mark the pairs whose gold is known. Shape (P,)

    In a Doc whose annotation covers all of the relations these are all pairs. In others they are the pairs of triples
    that an annotator rejected, which have no relation, and the pairs of the triples that are there.

    labels (Sequence[str]): The relations that a pair without one must not have.
    """
    references = [example.reference for example in examples]
    annotated = numpy.asarray([has_triples(each) and judges_all(each, labels) for each in references], dtype=bool)
    known = annotated[pairs.doc]
    chosen: Set[Tuple[int, ...]] = set()
    for number in numpy.flatnonzero(~annotated).tolist():
        example = examples[number]
        records = [*get_rejected(example.reference), *(get_records(example.reference, source="") or ())]
        for triple in align_records(example.predicted, records):
            (first, last), (start, end) = triple.subject, triple.object
            chosen.add((number, first, last + 1, start, end + 1))
            if not pairs.both_orders:
                chosen.add((number, start, end + 1, first, last + 1))
    if chosen:
        keys = zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())
        known = known | numpy.asarray([(doc, *subject, *obj) in chosen for doc, subject, obj in keys], dtype=bool)
    return known


def mark_every_pair(pairs: Pairs, examples: Sequence[Example]) -> Bools:
    """Mark all pairs. Shape (P,)"""
    return numpy.ones(len(pairs), dtype=bool)


def match_gold(pairs: Pairs, examples: Sequence[Example]) -> Tuple[List[Set[PairClass]], int]:
    """Align gold triples with pairs of the predicted Docs.

    RETURNS (Tuple[List[Set[PairClass]], int]): Gold classes of each pair, and the number of triples without a pair.
    """
    number: Dict[Tuple[int, Tuple[int, int], Tuple[int, int]], List[int]] = {}
    for index, (doc, subject, obj) in enumerate(zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())):
        number.setdefault((doc, tuple(subject), tuple(obj)), []).append(index)
    gold: List[Set[PairClass]] = [set() for _ in range(len(pairs))]
    total = missed = 0
    for doc, example in enumerate(examples):
        triples = align_triples(example.predicted, example.reference)
        total += len(get_records(example.reference, source="") or [])
        missed -= len(triples)  # with `total`, also counts those that cover no token
        for triple in triples:
            subject = (triple.subject[0], triple.subject[1] + 1)
            obj = (triple.object[0], triple.object[1] + 1)
            forwards = number.get((doc, subject, obj), [])
            backwards = [] if pairs.both_orders else number.get((doc, obj, subject), [])
            for index in forwards:
                gold[index].add(PairClass(triple.relation))
            for index in backwards:
                gold[index].add(PairClass(triple.relation, backwards=True))
            missed += not (forwards or backwards)
    return gold, missed + total


def list_classes(gold: Sequence[Set[PairClass]], labels: Optional[Sequence[str]] = None) -> List[PairClass]:
    """List the classes of a data set, sorted, without `no relation`.

    If one relation has a backwards class, all have: otherwise a rare direction could be missing in part of the data,
    and two components with the same relations would have different classes.

    gold (Sequence[Set[PairClass]]): Gold classes of each pair.
    labels (Optional[Sequence[str]]): The relations; None: those of gold.
    """
    seen = {each for classes in gold for each in classes}
    relations = {each.relation for each in seen} if labels is None else set(labels)
    directions = (False, True) if any(each.backwards for each in seen) else (False,)
    return sorted(PairClass(relation, backwards) for relation in relations for backwards in directions)


def reversed_classes(classes: Sequence[PairClass]) -> Optional[IntArray]:
    """Map each class number, 0 for no relation, to that of its reverse; None if one is missing. Shape (1 + R,)"""
    number = {each: index + 1 for index, each in enumerate(classes)}
    numbers = [number.get(each.reversed()) for each in classes]
    return None if None in numbers else numpy.asarray([NO_RELATION, *numbers], dtype="int64")
