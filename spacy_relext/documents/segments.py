"""What the classifier of a document reads: its entities, in segments of a limited number of tokens, and pairs of them.

A long text is read in segments that overlap by half, of whole sentences where these are not longer. Two entities are a
pair of a segment in which both have a mention; memory grows with the length of a text, not with its square.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..annotations.doc_entities import DocEntity, FactKey, stated_facts
from ..annotations.sentences import sentence_bounds
from ..annotations.triple import Triple
from ..annotations.words import IntArray

# Cells (pair, token) that the model reads at a time.
CELLS = 1_000_000

# Returns True if a relation may hold between two entity types.
Allows = Callable[[str, str], bool]


class Segment(NamedTuple):
    """A part of a document.

    doc (int): Number of the document.
    start, end (int): Tokens.
    entities (List[Tuple[int, List[Tuple[int, int]]]]): Entities that it mentions: number, and tokens of the mentions.
    pairs (List[Tuple[int, int]]): Subject and object, as positions in `entities`.
    """

    doc: int
    start: int
    end: int
    entities: List[Tuple[int, List[Tuple[int, int]]]]
    pairs: List[Tuple[int, int]]


@dataclass
class DocumentGold:
    """What is annotated of the pairs of some segments.

    facts (NDArray[numpy.float32]): 1 where a relation holds. Shape (P, R)
    judged (NDArray[numpy.bool_]): Cells that the annotation covers. Shape (P, R)
    """

    facts: NDArray[numpy.float32]
    judged: NDArray[numpy.bool_]


@dataclass
class DocumentInstances:
    """The segments of a batch of Docs, their entities, and the facts that their triples state."""

    docs: List[Doc]
    entities: List[List[DocEntity]]
    stated: List[Dict[FactKey, List[Triple]]]
    segments: List[Segment]
    gold: Optional[DocumentGold] = None

    def __len__(self) -> int:
        return sum(len(segment.pairs) for segment in self.segments)

    def parts(self, cells: int = CELLS) -> Iterator["DocumentInstances"]:
        """Yield the segments in parts that the model reads one at a time."""
        chosen: List[Segment] = []
        size = 0
        for segment in self.segments:
            own = len(segment.pairs) * (segment.end - segment.start)
            if chosen and size + own > cells:
                yield self._part(chosen)
                chosen, size = [], 0
            chosen.append(segment)
            size += own
        if chosen:
            yield self._part(chosen)

    def _part(self, segments: List[Segment]) -> "DocumentInstances":
        """Make instances of some segments, with the Docs that these are of."""
        numbers = sorted({segment.doc for segment in segments})
        places = {number: at for at, number in enumerate(numbers)}
        return DocumentInstances(
            [self.docs[i] for i in numbers],
            [self.entities[i] for i in numbers],
            [self.stated[i] for i in numbers],
            [each._replace(doc=places[each.doc]) for each in segments],
        )


def suggest_pairs(docs: Sequence[Doc], *, length: int, allows: Allows) -> DocumentInstances:
    """List the pairs of named entities of a batch of Docs.

    length (int): Maximum number of tokens of a segment.
    allows (Allows): Says between which types some relation may hold.
    """
    instances = DocumentInstances(list(docs), [], [], [])
    for number, doc in enumerate(docs):
        entities, stated, _ = stated_facts(doc)
        instances.entities.append(entities)
        instances.stated.append(stated)
        instances.segments += [each for each in _cut(number, doc, entities, length, allows) if each.pairs]
    return instances


def _cut(number: int, doc: Doc, entities: Sequence[DocEntity], length: int, allows: Allows) -> Iterator[Segment]:
    mentions = sorted(
        (mention.span.start, mention.span.end, i)
        for i, entity in enumerate(entities)
        if entity.name
        for mention in entity.mentions
    )
    for start, end in segment_bounds(doc, length):
        inside: Dict[int, List[Tuple[int, int]]] = {}
        for at in range(bisect_left(mentions, (start, 0, 0)), len(mentions)):
            first, last, i = mentions[at]
            if first >= end:
                break
            if last <= end:
                inside.setdefault(i, []).append((first, last))
        known = list(inside.items())
        labels = [entities[i].label or "" for i, _ in known]
        pairs = [
            (one, other)
            for one in range(len(known))
            for other in range(len(known))
            if one != other and allows(labels[one], labels[other])
        ]
        yield Segment(number, start, end, known, pairs)


def segment_bounds(doc: Doc, length: int) -> List[Tuple[int, int]]:
    """Cut a Doc into segments of at most `length` tokens, which overlap by about half, at sentence ends if possible."""
    if len(doc) <= length:
        return [(0, len(doc))] if len(doc) else []
    ends = [end for _, end in sentence_bounds(doc)]
    bounds: List[Tuple[int, int]] = []
    start = end = 0
    while end < len(doc):
        least, limit = max(end, start + length // 2), start + length
        at = bisect_left(ends, limit + 1) - 1
        end = ends[at] if at >= 0 and ends[at] > least else min(limit, len(doc))
        bounds.append((start, end))
        half = bisect_left(ends, start + length // 2)
        following = ends[half] if half < len(ends) and ends[half] < end else start + length // 2
        start = max(start + 1, min(following, end))
    return bounds


def pair_arrays(instances: DocumentInstances, labels: Sequence[str]) -> Dict[str, IntArray]:
    """Lay mentions, entities and pairs out as arrays, numbered through all segments.

    labels (Sequence[str]): Entity types that the model knows.
    RETURNS (Dict[str, IntArray]): `index`: row of each token of each segment, -1 on padding. Shape (S, T). `mentions`:
        first and last token, as cells of `index`, -1 on padding. Shape (E, M, 2). `types`: number of each entity's
        type, 0 for others. Shape (E,). `segments`: segment of each entity. Shape (E,). `pairs`: entities. Shape (P, 2)
    """
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    starts = numpy.cumsum([0, *(len(doc) for doc in instances.docs)]).tolist()
    length = max((segment.end - segment.start for segment in instances.segments), default=0)
    index = numpy.full((len(instances.segments), length), -1, dtype="int64")
    mentions: List[List[Tuple[int, int]]] = []
    types: List[int] = []
    segments: List[int] = []
    pairs: List[Tuple[int, int]] = []
    for at, segment in enumerate(instances.segments):
        base, first, cell = starts[segment.doc], len(types), at * length - segment.start
        index[at, : segment.end - segment.start] = numpy.arange(base + segment.start, base + segment.end)
        for i, spans in segment.entities:
            mentions.append([(cell + start, cell + end - 1) for start, end in spans])
            types.append(numbers.get(instances.entities[segment.doc][i].label or "", 0))
            segments.append(at)
        pairs += [(first + one, first + other) for one, other in segment.pairs]
    width = max(map(len, mentions), default=0)
    padded = [[*spans, *[(-1, -1)] * (width - len(spans))] for spans in mentions]
    return {
        "index": index,
        "mentions": _array(padded, (len(mentions), width, 2)),
        "types": _array(types, (-1,)),
        "segments": _array(segments, (-1,)),
        "pairs": _array(pairs, (len(pairs), 2)),
    }


def _array(values: object, shape: Tuple[int, ...]) -> IntArray:
    return numpy.asarray(values, dtype="int64").reshape(shape)


class DocumentBatch(NamedTuple):
    """Input of the model: Docs, whose tokens the encoder reads, and the arrays of `pair_arrays`."""

    docs: Sequence[Doc]
    arrays: Dict[str, IntArray]
