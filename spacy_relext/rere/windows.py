"""Sentence windows: Docs cut into sentences, long sentences into overlapping windows."""

from dataclasses import dataclass, field, replace
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.sentences import sentence_bounds
from ..annotations.store import TokenTriple, align_records, align_triples, get_records, get_rejected, has_triples
from ..annotations.triple import Record

IntArray = NDArray[numpy.int64]

# Longest sentence that is read in one piece, and distance between the windows of longer ones, in tokens.
MAX_LENGTH, STRIDE = 256, 128

# First and last token in a window, and label.
EntitySpan = Tuple[int, int, str]


@dataclass
class GoldWindows:
    """Gold triples of each window, in token offsets of the window."""

    triples: List[List[TokenTriple]]
    lost: int  # triples in no window: they cross a sentence boundary or cover no token
    # Triples that an annotator rejected, in windows of Docs that are not annotated; None in windows of annotated Docs
    refused: List[Optional[List[TokenTriple]]] = field(default_factory=list)


@dataclass
class SentenceWindows:
    """Windows of a batch of Docs."""

    docs: Sequence[Doc]
    doc: IntArray  # Doc of each window (B,)
    start: IntArray  # first token of each window in its Doc (B,)
    end: IntArray  # token after the last (B,)
    sentence: IntArray  # sentence of each window, numbered through the batch (B,)
    bounds: List[Tuple[int, int, int]]  # Doc, first token and token after the last of each sentence
    gold: Optional[GoldWindows] = None  # in training

    def __len__(self) -> int:
        return len(self.doc)

    def is_cut(self, window: int) -> Tuple[bool, bool]:
        """Return whether a window starts, and whether it ends, inside its sentence."""
        _, first, last = self.bounds[self.sentence[window]]
        return bool(self.start[window] > first), bool(self.end[window] < last)

    def of_docs(self, chosen: Sequence[bool]) -> "SentenceWindows":
        """Select the windows of some Docs; all Docs stay in the batch, since a shared encoder reads them all."""
        mask = numpy.asarray(chosen, dtype=bool)[self.doc]
        columns = {key: getattr(self, key)[mask] for key in ("doc", "start", "end", "sentence")}
        return replace(self, **columns)

    def token_index(self) -> IntArray:
        """Index each window's tokens in the concatenated tokens of all Docs, -1 on padding. Shape (B, T)"""
        lengths = self.end - self.start
        offsets = numpy.cumsum([0] + [len(doc) for doc in self.docs])[self.doc]
        position = numpy.arange(lengths.max(initial=0), dtype="int64")
        index = (offsets + self.start)[:, None] + position
        return numpy.where(position < lengths[:, None], index, -1)


def make_windows(docs: Sequence[Doc], *, max_length: int = MAX_LENGTH, stride: int = STRIDE) -> SentenceWindows:
    """Cut Docs into sentences and long sentences into windows, in document order.

    max_length (int): Longest window, in tokens.
    stride (int): Distance between the starts of two windows, in tokens.
    """
    rows: List[Tuple[int, int, int, int]] = []
    bounds: List[Tuple[int, int, int]] = []
    for number, doc in enumerate(docs):
        for start, end in sentence_bounds(doc):
            rows.extend((number, *window, len(bounds)) for window in _cut(start, end, max_length, stride))
            bounds.append((number, start, end))
    table = numpy.asarray(rows, dtype="int64").reshape(-1, 4)
    return SentenceWindows(docs, table[:, 0], table[:, 1], table[:, 2], table[:, 3], bounds)


def _cut(start: int, end: int, max_length: int, stride: int) -> Iterator[Tuple[int, int]]:
    """Yield the windows of one sentence; the last one is shifted left to full length."""
    if end - start <= max_length:
        yield start, end
        return
    position = start
    while position + max_length < end:
        yield position, position + max_length
        position += stride
    yield end - max_length, end


@dataclass
class TokenBatch:
    """One model input."""

    docs: Sequence[Doc]
    arrays: Dict[str, IntArray] = field(default_factory=dict)  # keyword arguments of the module
    windows: Optional[SentenceWindows] = None  # for models that cut them into word pieces
    queries: List[str] = field(default_factory=list)  # text of each relation, for models that read it
    options: Dict[str, object] = field(default_factory=dict)  # further keyword arguments of the module


def gold_windows(windows: SentenceWindows, examples: Sequence[Example]) -> GoldWindows:
    """Assign the gold triples to the windows of the predicted Docs that contain both arguments."""
    records = [get_records(example.reference, source="") or [] for example in examples]
    triples, lost = _assign(windows, examples, records)
    annotated = [has_triples(example.reference) for example in examples]
    refused = [[] if known else get_rejected(eg.reference) for known, eg in zip(annotated, examples)]
    rejected, lost_too = _assign(windows, examples, refused)
    of_window = [None if annotated[doc] else each for doc, each in zip(windows.doc.tolist(), rejected)]
    return GoldWindows(triples, lost + lost_too, of_window)


def _assign(
    windows: SentenceWindows, examples: Sequence[Example], records: Sequence[List[Record]]
) -> Tuple[List[List[TokenTriple]], int]:
    """Assign triples of each example to windows; also return how many are in none."""
    aligned = [align_records(example.predicted, of_doc) for example, of_doc in zip(examples, records)]
    lost = sum(map(len, records)) - sum(map(len, aligned))
    triples: List[List[TokenTriple]] = [[] for _ in range(len(windows))]
    for doc, gold in enumerate(aligned):
        in_doc = numpy.flatnonzero(windows.doc == doc)
        for triple in gold:
            first = min(triple.subject[0], triple.object[0])
            last = max(triple.subject[1], triple.object[1])
            inside = in_doc[(windows.start[in_doc] <= first) & (last < windows.end[in_doc])]
            lost += not len(inside)
            for window in inside.tolist():
                triples[window].append(triple.shifted(int(windows.start[window])))
    return triples, lost


def entity_windows(windows: SentenceWindows, examples: Sequence[Example]) -> List[List[EntitySpan]]:
    """List the entities of the references that lie in each window, as first and last token and label."""
    by_doc = [eg.get_aligned_spans_y2x(eg.reference.ents, allow_overlap=True) for eg in examples]
    entities = []
    for doc, start, end in zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist()):
        inside = [span for span in by_doc[doc] if start <= span.start and span.end <= end]
        entities.append([(span.start - start, span.end - start - 1, span.label_) for span in inside])
    return entities


def label_matrix(gold: GoldWindows, labels: Sequence[str]) -> NDArray[numpy.float32]:
    """Encode the relations of each window as multi-hot rows. Shape (B, R)"""
    number = {label: index for index, label in enumerate(labels)}
    matrix = numpy.zeros((len(gold.triples), len(labels)), dtype="float32")
    for row, triples in enumerate(gold.triples):
        for triple in triples:
            if triple.relation in number:
                matrix[row, number[triple.relation]] = 1.0
    return matrix


def missed_by_windows(docs: Sequence[Doc], *, most: int) -> Iterator[Tuple[str, str]]:
    """Yield a reason and the relation of each gold triple of some Docs that is in no window, or too long.

    most (int): Longest argument, in tokens.
    """
    windows = make_windows(docs)
    bounds: List[List[Tuple[int, int]]] = [[] for _ in docs]
    for number, start, end in zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist()):
        bounds[number].append((start, end))
    for number, doc in enumerate(docs):
        for triple in align_triples(doc, doc):
            places = (triple.subject, triple.object)
            first, last = min(start for start, _ in places), max(end for _, end in places)
            if not any(start <= first and last < end for start, end in bounds[number]):
                yield "arguments in different sentences, or too far apart", triple.relation
            elif max(end - start + 1 for start, end in places) > most:
                yield f"argument of more than {most} tokens (max_span_length)", triple.relation
