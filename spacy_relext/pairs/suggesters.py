"""Registered suggesters: which pairs of entities are classified."""

import sys
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import permutations
from operator import itemgetter
from typing import Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy import registry
from spacy.tokens import Doc

from ..annotations.entities import PAIRS_KEY, Bounds, Entity, doc_entities, entity_links
from ..annotations.sentences import sentence_bounds
from ..annotations.store import align_triples, char_span
from ..annotations.words import IntArray, words_before
from ..errors import check_choice, check_range
from .pairs import Pairs

# About the number of ordered pairs in a sentence with 45 entities.
MAX_PAIRS = 2000

Suggester = Callable[[Sequence[Doc]], Pairs]

# Index of the Doc, bounds of text, subject and object, entity types.
Row = Tuple[int, Bounds, Bounds, Bounds, Tuple[str, str]]


@registry.misc("spacy_relext.EntityPairs.v1")
class EntityPairs:
    """Suggests all ordered pairs of entities in one sentence, except two mentions of the same id.

    max_distance (Optional[int]): Most words between the two; null: any number.
    max_pairs (int): Most pairs within a sentence; if there are more, those with the fewest entities in between are
        suggested. 0: no limit.
    RAISES (ValueError): If a number is negative.
    """

    # A class, not a closure: spawned processes get the component by pickle.
    def __init__(self, *, max_distance: Optional[int] = None, max_pairs: int = MAX_PAIRS) -> None:
        check_range("max_distance", max_distance or 0, 0, 1_000_000)
        check_range("max_pairs", max_pairs, 0, 1_000_000_000)
        self.max_distance, self.max_pairs = max_distance, max_pairs

    def __call__(self, docs: Sequence[Doc]) -> Pairs:
        """Suggest each pair of Docs with entities and sentences, in both orders."""
        rows, dropped = [], 0
        for number, doc in enumerate(docs):
            links, words = entity_links(doc), words_before(doc)
            for text, entities in _sentence_entities(doc):
                chosen, more = self._choose(entities, links, words)
                rows += [(number, text, first[0], second[0], (first[1], second[1])) for first, second in chosen]
                dropped += more
        return replace(_as_pairs(docs, rows, both_orders=True), dropped=dropped)

    def _choose(
        self, entities: List[Entity], links: Mapping[Bounds, str], words: IntArray
    ) -> Tuple[List[Tuple[Entity, Entity]], int]:
        """Choose the ordered pairs of a sentence; also return how many the limit leaves out."""
        most = self.max_pairs or sys.maxsize
        total = len(entities) * (len(entities) - 1)
        places = permutations(range(len(entities)), 2) if total <= most else _nearest_places(len(entities))
        chosen: List[Tuple[int, int]] = []
        seen = 0
        for first, second in places:
            if len(chosen) >= most:
                break
            seen += 1
            if self._is_allowed(entities[first][0], entities[second][0], links, words):
                chosen.append((first, second))
        # by position, no longer by distance
        chosen = chosen if total <= most else sorted(chosen)
        return [(entities[first], entities[second]) for first, second in chosen], total - seen

    def _is_allowed(self, first: Bounds, second: Bounds, links: Mapping[Bounds, str], words: IntArray) -> bool:
        """Return True if two entities may form a pair: not of the same id, and near enough."""
        link = links.get(first)
        if first == second or (link is not None and link == links.get(second)):
            return False
        between = words[max(first[0], second[0])] - words[min(first[1], second[1])]
        return self.max_distance is None or bool(between <= self.max_distance)


@registry.misc("spacy_relext.AnnotatedPairs.v1")
class AnnotatedPairs:
    """Suggests the pairs that a data set marks (`pairs` of a canonical record), as SemEval-2010 and TACRED do."""

    def __call__(self, docs: Sequence[Doc]) -> Pairs:
        """Suggest the marked pairs of Docs, typed by entities with the same spans."""
        rows, lost = [], 0
        for number, doc in enumerate(docs):
            bounds = sentence_bounds(doc)
            types = dict(doc_entities(doc))
            for pair in doc.user_data.get(PAIRS_KEY, ()):
                subject, obj = char_span(doc, pair["subject"]), char_span(doc, pair["object"])
                if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
                    lost += 1
                    continue
                first, second = (subject.start, subject.end), (obj.start, obj.end)
                kinds = (types.get(first, ""), types.get(second, ""))
                rows.append((number, _covering(bounds, first, second), first, second, kinds))
        return _as_pairs(docs, rows, both_orders=False, lost=lost)


@registry.misc("spacy_relext.AnnotatedOrAllPairs.v1")
class AnnotatedOrAllPairs:
    """Suggests the marked pairs of Docs annotated with pairs, and all pairs of entities within a sentence of others.

    This lets a component that was trained on marked pairs read raw text.

    order (str): Which entity of an unmarked pair is the subject, as in the data set: "text", the first in the text, or
        "id", the one with the smaller id if both are linked, else the first in the text.
    RAISES (ValueError): If the order is neither.
    """

    def __init__(self, *, order: str = "text") -> None:
        check_choice("order", order, ("text", "id"))
        self.order = order
        self._marked, self._all = AnnotatedPairs(), EntityPairs()

    def __call__(self, docs: Sequence[Doc]) -> Pairs:
        """Suggest each pair in one order."""
        marked, every = self._marked(docs), self._all(docs)
        links = [entity_links(doc) if self.order == "id" else {} for doc in docs]
        rows = []
        for number, (doc, subject, obj) in enumerate(
            zip(every.doc.tolist(), every.subject.tolist(), every.object.tolist())
        ):
            ids = links[doc].get(tuple(subject), ""), links[doc].get(tuple(obj), "")
            is_first = ids[0] < ids[1] if all(ids) else subject < obj
            if is_first and PAIRS_KEY not in docs[doc].user_data:
                rows.append(number)
        joined = replace(marked.joined(every.take(rows)), both_orders=False)
        return joined.take(numpy.argsort(joined.doc, kind="stable"))


def _sentence_entities(doc: Doc) -> Iterator[Tuple[Bounds, List[Entity]]]:
    """Yield the bounds of each sentence, with the entities within it."""
    entities = doc_entities(doc)
    starts = [first for (first, _), _ in entities]  # in ascending order
    for start, end in sentence_bounds(doc):
        inside = entities[bisect_left(starts, start) : bisect_left(starts, end)]
        yield (start, end), [entity for entity in inside if entity[0][1] <= end]


def _nearest_places(count: int) -> Iterator[Tuple[int, int]]:
    """Yield the numbers of all ordered pairs of entities, the nearest first."""
    for gap in range(1, count):
        for first in range(count - gap):
            yield first, first + gap
            yield first + gap, first


def _covering(bounds: List[Bounds], first: Bounds, second: Bounds) -> Bounds:
    """Return the bounds of the shortest run of sentences with both arguments."""
    low, high = min(first[0], second[0]), max(first[1], second[1])
    start = bisect_right(bounds, low, key=itemgetter(0)) - 1
    return bounds[start][0], bounds[bisect_left(bounds, high, key=itemgetter(1))][1]


def _as_pairs(docs: Sequence[Doc], rows: List[Row], *, both_orders: bool, lost: int = 0) -> Pairs:
    """Convert rows to arrays."""
    columns = [[row[column] for row in rows] for column in range(4)]
    doc = numpy.asarray(columns[0], dtype="int64")
    text, subject, obj = (numpy.asarray(column, dtype="int64").reshape(-1, 2) for column in columns[1:])
    return Pairs(docs, doc, text, subject, obj, [row[4] for row in rows], both_orders, lost)


def missed_by_pairs(docs: Sequence[Doc], *, suggester: Suggester) -> Iterator[Tuple[str, str]]:
    """Yield a reason and the relation of each gold triple of some Docs whose pair of entities is not suggested."""
    pairs = suggester(docs)
    places = zip(pairs.doc.tolist(), pairs.subject.tolist(), pairs.object.tolist())
    suggested = {(number, tuple(subject), tuple(obj)) for number, subject, obj in places}
    if not pairs.both_orders:
        suggested |= {(number, obj, subject) for number, subject, obj in suggested}
    for number, doc in enumerate(docs):
        for triple in align_triples(doc, doc):
            subject, obj = ((start, end + 1) for start, end in (triple.subject, triple.object))
            if (number, subject, obj) not in suggested:
                yield "no suggested pair", triple.relation
