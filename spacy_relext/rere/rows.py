"""Rows of the extractor: which relation is asked of which sentence window, and what it should answer."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.gold import TokenTriple
from ..annotations.store import get_relations, has_relations
from .windows import GoldWindows, SentenceWindows

IntArray = NDArray[numpy.int64]

N_POINTERS = 4

# Limits for sentences with many triples, whose candidates grow with the cube of their number.
MOST_ABSENT_ROWS = 12

MOST_ARGUMENTS = 6


@dataclass
class QueryRows:
    """M questions to B sentence windows.

    windows (SentenceWindows): The windows.
    window (IntArray): Window of each row. Shape (M,)
    relation (IntArray): Relation of each row. Shape (M,)
    probability (NDArray): The detector's probability of each row's relation, 1 in training. Shape (M,)
    weight (NDArray): Weight of each row in the loss. Shape (M,)
    pairs (List[Tuple[int, ...]]): Gold: row, subject first and last, object first and last token in the window.
    spans (List[Tuple[int, int, int]]): Row, first, last of the gold arguments of the row's window, of any relation.
    """

    windows: SentenceWindows
    window: IntArray
    relation: IntArray
    probability: NDArray[Any]
    weight: NDArray[Any]
    pairs: List[Tuple[int, ...]] = field(default_factory=list)
    spans: List[Tuple[int, int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.window)

    def arrays(self) -> Dict[str, IntArray]:
        """Keyword arguments of the extractor module.

        RETURNS (Dict[str, IntArray]): `index` (B, T), `sentence` (M,), `relation` (M,), in training `extra` (S, 3).
        """
        found = {"index": self.windows.token_index(), "sentence": self.window, "relation": self.relation}
        if self.spans:
            found["extra"] = numpy.asarray(self.spans, dtype="int64")
        return found

    def targets(self) -> Dict[str, Any]:
        """Arrays for `models.rere_losses.extractor_loss`.

        RETURNS (Dict[str, Any]): `pointers` (M, T, 4), `weights` (M,), `gold_pairs` (G, 5).
        """
        lengths = self.windows.end - self.windows.start
        width = int(lengths.max()) if len(lengths) else 0
        pairs = numpy.asarray(self.pairs, dtype="int64").reshape(-1, 1 + N_POINTERS)
        pointers = numpy.zeros((len(self), width, N_POINTERS), dtype="float32")
        for pointer in range(N_POINTERS):
            pointers[pairs[:, 0], pairs[:, 1 + pointer], pointer] = 1.0
        return {"pointers": pointers, "weights": self.weight.astype("float32"), "gold_pairs": pairs}


def gold_rows(
    windows: SentenceWindows, gold: GoldWindows, labels: Sequence[str], *, absent_rows: float, absent_weight: float
) -> QueryRows:
    """Ask every gold relation, and some that the window does not state.

    Without the latter the extractor never sees a wrong question and cannot veto the detector.

    windows (SentenceWindows): The windows.
    gold (GoldWindows): Their triples.
    labels (Sequence[str]): The relations, in the model's order; triples of others are left out.
    absent_rows (float): How many absent relations are drawn per gold relation (a window without any counts as one);
        of relations drawn beyond one gold relation's, a window gets at most MOST_ABSENT_ROWS, and an absent relation is
        tried on at most MOST_ARGUMENTS of the window's gold arguments.
    absent_weight (float): Weight of such a row in the loss.
    RETURNS (QueryRows): With gold.
    """
    number = {label: index for index, label in enumerate(labels)}
    window: List[int] = []
    relation: List[int] = []
    weight: List[float] = []
    pairs: List[Tuple[int, ...]] = []
    spans: List[Tuple[int, int, int]] = []
    for index, triples in enumerate(gold.triples):
        known = [triple for triple in triples if triple.relation in number]
        present = sorted({number[triple.relation] for triple in known})
        drawn = _draw_absent(len(labels), present, absent_rows)
        arguments = sorted({span for triple in known for span in (triple.subject, triple.object)})
        for asked in present + drawn:
            row = len(window)
            window.append(index)
            relation.append(asked)
            weight.append(1.0 if asked in present else absent_weight)
            spans.extend((row, *span) for span in (arguments if asked in present else _draw(arguments)))
            pairs.extend((row, *_ends(triple)) for triple in known if number[triple.relation] == asked)
    rows, asked_relations = numpy.asarray(window, dtype="int64"), numpy.asarray(relation, dtype="int64")
    weights = numpy.asarray(weight, dtype="float32")
    return QueryRows(windows, rows, asked_relations, numpy.ones_like(weights), weights, pairs, spans)


def all_rows(windows: SentenceWindows, *, n_labels: int) -> QueryRows:
    """Ask every relation of every window.

    windows (SentenceWindows): The windows.
    n_labels (int): R.
    RETURNS (QueryRows): B times R rows with probability 1.
    """
    window = numpy.repeat(numpy.arange(len(windows)), n_labels)
    relation = numpy.tile(numpy.arange(n_labels), len(windows))
    ones = numpy.ones(len(window), dtype="float32")
    return QueryRows(windows, window, relation, ones, ones)


def detected_rows(windows: SentenceWindows, *, labels: Sequence[str], threshold: float) -> QueryRows:
    """Ask the relations that a detector found in each window's sentence, and all where none looked.

    windows (SentenceWindows): The windows; their Docs may carry `sent._.relations`.
    labels (Sequence[str]): The relations, in the model's order; others are left out.
    threshold (float): What the detector's probability must reach.
    RETURNS (QueryRows): By window.
    """
    number = {label: index for index, label in enumerate(labels)}
    asked: List[Tuple[int, int, float]] = []
    for window, sentence in enumerate(windows.sentence.tolist()):
        doc, start, end = windows.bounds[sentence]
        relations = dict.fromkeys(labels, 1.0)
        if has_relations(windows.docs[doc]):
            relations = get_relations(windows.docs[doc][start:end])
        found = [(number[label], p) for label, p in relations.items() if label in number and p >= threshold]
        asked.extend((window, relation, p) for relation, p in sorted(found))
    table = numpy.asarray(asked, dtype="float64").reshape(-1, 3)
    probability = table[:, 2].astype("float32")
    rows = QueryRows(windows, table[:, 0].astype("int64"), table[:, 1].astype("int64"), probability, probability)
    return rows


def _draw_absent(n_labels: int, present: List[int], absent_rows: float) -> List[int]:
    """Draw relations that are not present, with numpy's generator, which `[training] seed` fixes."""
    absent = [label for label in range(n_labels) if label not in present]
    most = max(MOST_ABSENT_ROWS, round(absent_rows))
    count = min(len(absent), round(absent_rows * max(1, len(present))), most)
    if not count:
        return []
    return sorted(numpy.random.choice(absent, size=count, replace=False).tolist())


def _draw(arguments: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    """Draw some of many arguments, with numpy's generator."""
    if len(arguments) <= MOST_ARGUMENTS:
        return arguments
    return [arguments[i] for i in sorted(numpy.random.choice(len(arguments), MOST_ARGUMENTS, replace=False).tolist())]


def _ends(triple: TokenTriple) -> Tuple[int, ...]:
    """First and last tokens of subject and object."""
    return (*triple.subject, *triple.object)
