"""Cut Docs into sentences, and sentences into windows a model can read."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Iterator, List, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

if TYPE_CHECKING:
    from .gold import GoldWindows

IntArray = NDArray[numpy.int64]


def sentence_bounds(doc: Doc) -> List[Tuple[int, int]]:
    """List the sentences of a Doc; a Doc without sentence annotation is one sentence.

    doc (Doc): The document.
    RETURNS (List[Tuple[int, int]]): First token and the token after the last of each sentence.
    """
    if not len(doc):
        return []
    if "sents" in doc.user_hooks:
        return [(sentence.start, sentence.end) for sentence in doc.sents]
    # what doc.sents does, without a Python step for each token
    begins = [0, *(numpy.flatnonzero(doc.to_array("SENT_START")[1:] == 1) + 1).tolist()]
    return list(zip(begins, [*begins[1:], len(doc)]))


@dataclass
class SentenceWindows:
    """Sentences of a batch of Docs, long ones cut into overlapping windows.

    docs (Sequence[Doc]): The batch.
    doc (IntArray): Which Doc each window lies in. Shape (B,)
    start (IntArray): First token of each window in its Doc. Shape (B,)
    end (IntArray): Token after the last. Shape (B,)
    sentence (IntArray): Running number of the sentence each window belongs to. Shape (B,)
    bounds (List[Tuple[int, int, int]]): Doc, first token and token after the last of each sentence.
    gold (Optional[GoldWindows]): In training, the triples of each window.
    """

    docs: Sequence[Doc]
    doc: IntArray
    start: IntArray
    end: IntArray
    sentence: IntArray
    bounds: List[Tuple[int, int, int]]
    gold: Optional["GoldWindows"] = None

    def __len__(self) -> int:
        return len(self.doc)

    def is_cut(self, window: int) -> Tuple[bool, bool]:
        """Say whether a window begins or ends inside its sentence.

        window (int): The window.
        RETURNS (Tuple[bool, bool]): At its left edge, at its right edge.
        """
        _, first, last = self.bounds[self.sentence[window]]
        return bool(self.start[window] > first), bool(self.end[window] < last)

    def of_docs(self, chosen: Sequence[bool]) -> "SentenceWindows":
        """Keep the windows of some Docs; all Docs stay in the batch, since a shared encoder reads them all.

        chosen (Sequence[bool]): Whether each Doc's windows are kept.
        RETURNS (SentenceWindows): The sentences keep their numbers.
        """
        kept = numpy.asarray(chosen, dtype=bool)[self.doc]
        columns = {key: getattr(self, key)[kept] for key in ("doc", "start", "end", "sentence")}
        return replace(self, **columns)

    def token_index(self) -> IntArray:
        """Where each window's tokens stand when the tokens of all Docs are concatenated.

        RETURNS (IntArray): -1 on padding. Shape (B, T)
        """
        lengths = self.end - self.start
        width = int(lengths.max()) if len(lengths) else 0
        offsets = numpy.cumsum([0] + [len(doc) for doc in self.docs])[self.doc] if len(self) else self.doc
        position = numpy.arange(width, dtype="int64")
        index = (offsets + self.start)[:, None] + position
        return numpy.where(position < lengths[:, None], index, -1)


def make_windows(docs: Sequence[Doc], *, max_length: int, stride: int) -> SentenceWindows:
    """Cut Docs into sentences and long sentences into windows.

    docs (Sequence[Doc]): The batch.
    max_length (int): Longest window, in tokens; 0 for no limit.
    stride (int): Distance between the beginnings of two windows, in tokens.
    RETURNS (SentenceWindows): In document order.
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
    """Yield the windows of one sentence; the last one is moved left so that it is full."""
    if not max_length or end - start <= max_length:
        yield start, end
        return
    position = start
    while position + max_length < end:
        yield position, position + max_length
        position += stride
    yield end - max_length, end
