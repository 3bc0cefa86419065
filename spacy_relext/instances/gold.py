"""Align gold triples with the tokens and sentence windows of predicted Docs."""

from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..triples.store import char_span, get_records
from .sentences import SentenceWindows


class TokenTriple(NamedTuple):
    """A triple in token offsets; `end`s are the last tokens, inclusive."""

    subject: Tuple[int, int]
    relation: str
    object: Tuple[int, int]

    def shifted(self, start: int) -> "TokenTriple":
        """Count tokens from another beginning.

        start (int): The new token 0.
        RETURNS (TokenTriple): The same triple.
        """
        subject, obj = self.subject, self.object
        return TokenTriple((subject[0] - start, subject[1] - start), self.relation, (obj[0] - start, obj[1] - start))


@dataclass
class GoldWindows:
    """Gold triples of each sentence window.

    triples (List[List[TokenTriple]]): Per window, in token offsets of the window.
    lost (int): Triples that lie in no window: they cross a sentence boundary or cover no token.
    """

    triples: List[List[TokenTriple]]
    lost: int


def align_triples(doc: Doc, gold: Doc) -> List[TokenTriple]:
    """Find the tokens of gold triples in another Doc of the same text.

    doc (Doc): The Doc whose tokens count.
    gold (Doc): The annotated Doc.
    RETURNS (List[TokenTriple]): Arguments inside a token are widened to it; triples whose arguments become one span
        are left out.
    """
    found = []
    for record in get_records(gold, source="") or []:
        subject, obj = char_span(doc, record["subject"]), char_span(doc, record["object"])
        if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
            continue
        found.append(TokenTriple((subject.start, subject.end - 1), record["relation"], (obj.start, obj.end - 1)))
    return found


def gold_windows(windows: SentenceWindows, examples: Sequence[Example]) -> GoldWindows:
    """Give each window the gold triples that lie inside it.

    windows (SentenceWindows): Over the predicted Docs of the examples.
    examples (Sequence[Example]): The batch.
    RETURNS (GoldWindows): With the number of triples that lie in no window.
    """
    aligned = [align_triples(example.predicted, example.reference) for example in examples]
    lost = sum(len(get_records(eg.reference, source="") or []) for eg in examples) - sum(map(len, aligned))
    triples: List[List[TokenTriple]] = [[] for _ in range(len(windows))]
    by_doc: Dict[int, List[int]] = {}
    for window, doc in enumerate(windows.doc.tolist()):
        by_doc.setdefault(doc, []).append(window)
    for doc, found in enumerate(aligned):
        for triple in found:
            first = min(triple.subject[0], triple.object[0])
            last = max(triple.subject[1], triple.object[1])
            homes = [w for w in by_doc.get(doc, []) if windows.start[w] <= first and last < windows.end[w]]
            lost += not homes
            for window in homes:
                triples[window].append(triple.shifted(int(windows.start[window])))
    return GoldWindows(triples, lost)


def label_matrix(gold: GoldWindows, labels: Sequence[str]) -> "numpy.ndarray":
    """Which relations each window states.

    gold (GoldWindows): Gold triples.
    labels (Sequence[str]): The relations, in the model's order.
    RETURNS (numpy.ndarray): 0 or 1. Shape (B, R)
    """
    number = {label: index for index, label in enumerate(labels)}
    matrix = numpy.zeros((len(gold.triples), len(labels)), dtype="float32")
    for row, triples in enumerate(gold.triples):
        for triple in triples:
            if triple.relation in number:
                matrix[row, number[triple.relation]] = 1.0
    return matrix
