"""Sentence windows: Docs cut into sentences, long sentences into overlapping windows.

A window holds words, the tokens that are not white space: two spaces or a line break between two words change nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations.judged import get_judged
from ..annotations.sentences import sentence_bounds
from ..annotations.store import TokenTriple, align_records, align_triples, get_records, get_rejected, has_triples
from ..annotations.triple import Record
from ..annotations.words import words_of

IntArray = NDArray[numpy.int64]

# Longest sentence that is read in one piece, and distance between the windows of longer ones, in words.
MAX_LENGTH, STRIDE = 256, 128

# Most cells (window or query, word) that a model reads at a time.
CELLS = 2**16

# First and last word in a window, and label.
EntitySpan = Tuple[int, int, str]


@dataclass
class GoldWindows:
    """Gold triples of each window, in words of the window."""

    triples: List[List[TokenTriple]]
    lost: int  # triples in no window: they cross a sentence boundary or cover no word
    # Triples that an annotator rejected, in windows of Docs that are not annotated; None in windows of annotated Docs
    refused: List[Optional[List[TokenTriple]]] = field(default_factory=list)
    # Relations that the annotation of each window covers; None: all
    judged: List[Optional[FrozenSet[str]]] = field(default_factory=list)


@dataclass
class SentenceWindows:
    """Windows of a batch of Docs."""

    docs: Sequence[Doc]
    words: Sequence[IntArray]  # the tokens of each Doc that are not white space (W,)
    doc: IntArray  # Doc of each window (B,)
    start: IntArray  # first of the Doc's words in each window (B,)
    end: IntArray  # word after the last (B,)
    sentence: IntArray  # sentence of each window, numbered through the batch (B,)
    is_cut: NDArray[numpy.bool_]  # whether a window starts, and whether it ends, inside its sentence (B, 2)
    bounds: List[Tuple[int, int, int]]  # Doc, first token and token after the last of each sentence with words
    gold: Optional[GoldWindows] = None  # in training

    def __len__(self) -> int:
        return len(self.doc)

    def token(self, window: int, word: int) -> int:
        """Return the token of the Doc that is a word of a window."""
        return int(self.words[self.doc[window]][self.start[window] + word])

    def span(self, window: int) -> Span:
        """Return the text of a window, from its first to its last word."""
        tokens = self.tokens(window)
        return self.docs[self.doc[window]][int(tokens[0]) : int(tokens[-1]) + 1]

    def tokens(self, window: int) -> IntArray:
        """Return the tokens of the Doc that are the words of a window. Shape (T,)"""
        return self.words[self.doc[window]][self.start[window] : self.end[window]]

    def of_docs(self, chosen: Sequence[bool]) -> "SentenceWindows":
        """Select the windows of some Docs."""
        return self.take(numpy.asarray(chosen, dtype=bool)[self.doc])

    def take(self, chosen: object) -> "SentenceWindows":
        """Select windows by a mask or a slice; all Docs stay in the batch, since a shared encoder reads them all."""
        columns = {key: getattr(self, key)[chosen] for key in ("doc", "start", "end", "sentence", "is_cut")}
        return replace(self, **columns)

    def cut(self, rows: IntArray) -> Iterator[slice]:
        """Cut the windows into parts that a model reads at a time.

        rows (IntArray): Number of queries of each window. Shape (B,)
        """
        begin = longest = size = 0
        for at, (length, more) in enumerate(zip((self.end - self.start).tolist(), (1 + rows).tolist())):
            if at > begin and max(longest, length) * (size + more) > CELLS:
                yield slice(begin, at)
                begin, longest, size = at, 0, 0
            longest, size = max(longest, length), size + more
        if begin < len(self):
            yield slice(begin, len(self))

    def token_index(self) -> IntArray:
        """Index each window's words in the concatenated tokens of all Docs, -1 on padding. Shape (B, T)"""
        lengths = self.end - self.start
        offsets = numpy.cumsum([0] + [len(doc) for doc in self.docs])
        words = numpy.concatenate([numpy.zeros(0, "int64"), *map(numpy.add, self.words, offsets)])
        first = numpy.cumsum([0] + [len(each) for each in self.words])[self.doc] + self.start
        position = numpy.arange(lengths.max(initial=0), dtype="int64")
        inside = position < lengths[:, None]
        index = numpy.full(inside.shape, -1, dtype="int64")
        index[inside] = words[(first[:, None] + position)[inside]]
        return index


def make_windows(docs: Sequence[Doc], *, max_length: int = MAX_LENGTH, stride: int = STRIDE) -> SentenceWindows:
    """Cut Docs into sentences and long sentences into windows, in document order; white space has no window.

    max_length (int): Longest window, in words.
    stride (int): Distance between the starts of two windows, in words.
    """
    rows: List[Tuple[int, ...]] = []
    bounds: List[Tuple[int, int, int]] = []
    words = [words_of(doc) for doc in docs]
    for number, doc in enumerate(docs):
        for start, end in sentence_bounds(doc):
            first, last = numpy.searchsorted(words[number], (start, end)).tolist()
            for left, right in _cut(first, last, max_length, stride):
                rows.append((number, left, right, len(bounds), left > first, right < last))
            bounds += [(number, start, end)] * (first < last)
    table = numpy.asarray(rows, dtype="int64").reshape(-1, 6)
    doc_of, first, after, sentence = table[:, :4].T
    return SentenceWindows(docs, words, doc_of, first, after, sentence, table[:, 4:].astype(bool), bounds)


def _cut(start: int, end: int, max_length: int, stride: int) -> Iterator[Tuple[int, int]]:
    """Yield the windows of one sentence, if it has words; the last one is shifted left to full length."""
    if end - start <= max_length:
        yield from [(start, end)] * (start < end)
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
    judged = [get_judged(example.reference) for example in examples]
    return GoldWindows(triples, lost + lost_too, of_window, [judged[doc] for doc in windows.doc.tolist()])


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
            subject, obj = (_to_words(windows.words[doc], *span) for span in (triple.subject, triple.object))
            first, last = min(subject[0], obj[0]), max(subject[1], obj[1])
            inside = in_doc[(windows.start[in_doc] <= first) & (last < windows.end[in_doc])]
            if subject[0] > subject[1] or obj[0] > obj[1]:
                inside = inside[:0]
            lost += not len(inside)
            for window in inside.tolist():
                in_words = TokenTriple(subject, triple.relation, obj)
                triples[window].append(in_words.shifted(int(windows.start[window])))
    return triples, lost


def _to_words(words: IntArray, first: int, last: int) -> Tuple[int, int]:
    """Find the first and the last word of a span of tokens; the last is before the first if it has none."""
    left, right = numpy.searchsorted(words, (first, last + 1)).tolist()
    return left, right - 1


def entity_windows(windows: SentenceWindows, examples: Sequence[Example]) -> List[List[EntitySpan]]:
    """List the entities of the references that lie in each window, as first and last word and label."""
    by_doc: List[List[EntitySpan]] = []
    for example, words in zip(examples, windows.words):
        spans = example.get_aligned_spans_y2x(example.reference.ents, allow_overlap=True)
        by_doc.append([(*_to_words(words, span.start, span.end - 1), span.label_) for span in spans])
    entities = []
    for doc, start, end in zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist()):
        inside = [each for each in by_doc[doc] if start <= each[0] <= each[1] < end]
        entities.append([(first - start, last - start, label) for first, last, label in inside])
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


def judged_matrix(gold: GoldWindows, labels: Sequence[str]) -> NDArray[numpy.bool_]:
    """Mark the relations of each window that its annotation covers, or that it states. Shape (B, R)"""
    rows = [[judged is None or label in judged for label in labels] for judged in gold.judged]
    return numpy.asarray(rows, dtype=bool).reshape(-1, len(labels)) | (label_matrix(gold, labels) > 0)


def missed_by_windows(docs: Sequence[Doc], *, most: int) -> Iterator[Tuple[str, str]]:
    """Yield a reason and the relation of each gold triple of some Docs that is in no window, or too long.

    most (int): Longest argument, in words.
    """
    windows = make_windows(docs)
    bounds: List[List[Tuple[int, int]]] = [[] for _ in docs]
    for number, start, end in zip(windows.doc.tolist(), windows.start.tolist(), windows.end.tolist()):
        bounds[number].append((start, end))
    for number, doc in enumerate(docs):
        for triple in align_triples(doc, doc):
            places = [_to_words(windows.words[number], *span) for span in (triple.subject, triple.object)]
            first, last = min(start for start, _ in places), max(end for _, end in places)
            if not any(start <= first and last < end for start, end in bounds[number]):
                yield "arguments in different sentences, or too far apart", triple.relation
            elif max(end - start + 1 for start, end in places) > most:
                yield f"argument of more than {most} tokens (max_span_length)", triple.relation
