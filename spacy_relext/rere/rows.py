"""Rows of the extractor, each a query (sentence window, relation), with gold pointers and pairs in training."""

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Dict, Iterator, List, Mapping, Sequence, Tuple, TypeVar

import numpy
from numpy.typing import NDArray

from ..annotations.store import TokenTriple, has_relations, relations_by_sentence
from .model import N_POINTERS
from .windows import EntitySpan, GoldWindows, IntArray, SentenceWindows

if TYPE_CHECKING:
    from .settings import RereSampling

# Limits for sentences with many triples: the number of candidates grows with the cube of that of triples.
MAX_NEGATIVES = 12

MAX_ARGUMENTS = 6

Floats = NDArray[numpy.float32]

Item = TypeVar("Item")


@dataclass
class QueryRows:
    """M queries of B sentence windows."""

    windows: SentenceWindows
    window: IntArray  # of each row (M,)
    relation: IntArray  # of each row (M,)
    probability: Floats  # of each row's relation, from the detector; 1 in training (M,)
    weight: Floats  # of each row in the loss (M,)
    # Gold: row, subject first and last, object first and last token in the window
    pairs: List[Tuple[int, ...]] = field(default_factory=list)
    # Row, first, last of spans that are always candidates: gold or rejected arguments, and hard negatives
    spans: List[Tuple[int, int, int]] = field(default_factory=list)
    # Window, first, last, number of the label of gold entities
    entities: List[Tuple[int, int, int, int]] = field(default_factory=list)
    # As `pairs`: pairs that an annotator rejected, or that are stated, in rows about which nothing else is known
    lone: List[Tuple[int, ...]] = field(default_factory=list)
    # Windows whose entities are not known
    untyped: List[int] = field(default_factory=list)
    # Number of the assertion of each gold pair, -1 for none; empty if assertions are not learned
    assertions: List[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.window)

    def parts(self) -> Iterator["QueryRows"]:
        """Yield the rows, which are in the order of their windows, in parts that the model reads one at a time."""
        for part in self.windows.cut(numpy.bincount(self.window, minlength=len(self.windows))):
            begin, end = numpy.searchsorted(self.window, (part.start, part.stop)).tolist()
            if begin < end:
                columns = self.relation[begin:end], self.probability[begin:end], self.weight[begin:end]
                yield QueryRows(self.windows.take(part), self.window[begin:end] - part.start, *columns)

    def arrays(self) -> Dict[str, IntArray]:
        """Return what the module reads: `index` (B, T), `sentence` and `relation` (M,), in training `extra` (S, 3)."""
        arrays = {"index": self.windows.token_index(), "sentence": self.window, "relation": self.relation}
        if self.spans:
            arrays["extra"] = numpy.asarray(self.spans, dtype="int64")
        return arrays

    def targets(self) -> Dict[str, NDArray[numpy.generic]]:
        """Return targets of the loss, see `extractor_loss`."""
        width = int((self.windows.end - self.windows.start).max(initial=0))
        pairs, lone = (numpy.asarray(each, "int64").reshape(-1, 1 + N_POINTERS) for each in (self.pairs, self.lone))
        pointers = numpy.zeros((len(self), width, N_POINTERS), dtype="float32")
        for pointer in range(N_POINTERS):
            pointers[pairs[:, 0], pairs[:, 1 + pointer], pointer] = 1.0
        entities = numpy.asarray(self.entities, dtype="int64").reshape(-1, 4)
        weights = self.weight.astype("float32")
        targets: Dict[str, NDArray[numpy.generic]]
        targets = {"pointers": pointers, "weights": weights, "gold_pairs": pairs, "entities": entities}
        if self.lone:
            targets["lone_pairs"] = lone
        if self.untyped:
            targets["untyped"] = numpy.asarray(self.untyped, dtype="int64")
        if self.assertions:
            targets["assertions"] = numpy.asarray(self.assertions, dtype="int64")
        return targets


def gold_rows(
    windows: SentenceWindows,
    gold: GoldWindows,
    labels: Sequence[str],
    sampling: "RereSampling",
    *,
    entities: Sequence[Sequence[EntitySpan]] = (),
) -> QueryRows:
    """Query every gold relation, and sampled relations that are absent: negative sampling.

    Without negatives the extractor cannot reject the detector's false positives. Triples of other labels are ignored.
    In a Doc that is not annotated, the relations of rejected triples are queried; only these pairs count in the loss.
    Where the annotation covers some relations, only these are sampled; of a triple of others only its pair counts.

    sampling (RereSampling): `negatives` is the number of absent relations per gold relation, or in a window without
        any; for several gold relations at most `MAX_NEGATIVES` or `negatives`, whichever is more. A negative row has at
        most `MAX_ARGUMENTS` candidate arguments, gold ones and entities together; a gold row `hard_negatives` entities
        besides the gold arguments.
    entities (Sequence[Sequence[EntitySpan]]): Of each window; not read without `hard_negatives`.
    """
    number = {label: index for index, label in enumerate(labels)}
    rows: List[Tuple[int, int, float]] = []
    pairs: List[Tuple[int, ...]] = []
    lone: List[Tuple[int, ...]] = []
    spans: List[Tuple[int, int, int]] = []
    for window, triples in enumerate(gold.triples):
        if gold.refused[window] is not None:
            for triple in gold.refused[window] or ():
                if triple.relation in number:
                    lone.append((len(rows), *triple.subject, *triple.object))
                    spans.extend((len(rows), *span) for span in (triple.subject, triple.object))
                    rows.append((window, number[triple.relation], 0.0))
            continue
        known = [triple for triple in triples if triple.relation in number]
        present = sorted({number[triple.relation] for triple in known})
        arguments = sorted({span for triple in known for span in (triple.subject, triple.object)})
        is_read = sampling.hard_negatives > 0 and len(entities) > 0
        others = sorted({(first, last) for first, last, _ in entities[window]} - {*arguments}) if is_read else []
        judged = gold.judged[window]
        unknown = set() if judged is None else {number[label] for label in labels if label not in judged}
        absent = [label for label in range(len(labels)) if label not in present and label not in unknown]
        limit = min(len(absent), max(MAX_NEGATIVES, round(sampling.negatives)))
        sampled = _sample(absent, min(limit, round(sampling.negatives * max(1, len(present)))))
        for relation in present:
            stated = [(len(rows), *t.subject, *t.object) for t in known if number[t.relation] == relation]
            pairs.extend(stated)
            lone.extend(stated if relation in unknown else ())
            hard = others if len(others) <= sampling.hard_negatives else _sample(others, sampling.hard_negatives)
            spans.extend((len(rows), *span) for span in (*arguments, *hard))
            rows.append((window, relation, float(relation not in unknown)))
        for relation in sampled:
            some = [*arguments, *others]
            some = some if len(some) <= MAX_ARGUMENTS else _sample(some, MAX_ARGUMENTS)
            spans.extend((len(rows), *span) for span in some)
            rows.append((window, relation, sampling.negative_weight))
    window_of, relation_of, weight = _columns(rows)
    return QueryRows(windows, window_of, relation_of, numpy.ones_like(weight), weight, pairs, spans, lone=lone)


def number_assertions(
    rows: QueryRows, stated: Mapping[Tuple[int, TokenTriple], str], *, labels: Sequence[str], known: Sequence[str]
) -> List[int]:
    """Number the assertion of each gold pair of some rows; -1 for one that is not known.

    stated (Mapping[Tuple[int, TokenTriple], str]): Result of `gold_assertions` for the Docs of the windows.
    labels, known (Sequence[str]): The relations, and the assertions, in the model's order.
    """
    windows, number, found = rows.windows, {label: index for index, label in enumerate(known)}, []
    for row, *ends in rows.pairs:
        window, relation = int(rows.window[row]), labels[int(rows.relation[row])]
        tokens = [windows.token(window, word) for word in ends]
        triple = TokenTriple((tokens[0], tokens[1]), relation, (tokens[2], tokens[3]))
        found.append(number.get(stated.get((int(windows.doc[window]), triple), ""), -1))
    return found


def all_rows(windows: SentenceWindows, *, n_labels: int) -> QueryRows:
    """Query every relation in every window with probability 1."""
    window = numpy.repeat(numpy.arange(len(windows)), n_labels)
    relation = numpy.tile(numpy.arange(n_labels), len(windows))
    ones = numpy.ones(len(window), dtype="float32")
    return QueryRows(windows, window, relation, ones, ones)


def detected_rows(windows: SentenceWindows, *, labels: Sequence[str], threshold: float) -> QueryRows:
    """Query the relations detected in each window's sentence, or all relations if no detector ran.

    labels (Sequence[str]): The relations, in the model's order; others are ignored.
    threshold (float): Lowest detector probability of a relation that is queried.
    """
    number = {label: index for index, label in enumerate(labels)}
    rows: List[Tuple[int, int, float]] = []
    relations = _sentence_relations(windows, labels)
    for window, sentence in enumerate(windows.sentence.tolist()):
        stated = relations[sentence].items()
        detected = [(number[label], p) for label, p in stated if label in number and p >= threshold]
        rows.extend((window, relation, p) for relation, p in sorted(detected))
    window_of, relation_of, probability = _columns(rows)
    return QueryRows(windows, window_of, relation_of, probability, probability)


def _sentence_relations(windows: SentenceWindows, labels: Sequence[str]) -> List[Dict[str, float]]:
    """Read the probabilities of relations in each sentence of a batch; 1 in Docs on which no detector ran."""
    relations: List[Dict[str, float]] = []
    for number, group in groupby(windows.bounds, key=itemgetter(0)):
        bounds, doc = [(start, end) for _, start, end in group], windows.docs[number]
        every = dict.fromkeys(labels, 1.0)
        relations += relations_by_sentence(doc, bounds) if has_relations(doc) else [every] * len(bounds)
    return relations


def _columns(rows: List[Tuple[int, int, float]]) -> Tuple[IntArray, IntArray, Floats]:
    """Return windows, relations and third values of rows as arrays. Shapes (M,)"""
    table = numpy.asarray(rows, dtype="float64").reshape(-1, 3)
    windows, relations = table[:, :2].astype("int64").T
    return windows, relations, table[:, 2].astype("float32")


def _sample(items: List[Item], count: int) -> List[Item]:
    """Sample items without replacement, in their order, with numpy's generator, which `[training] seed` seeds."""
    if not count:
        return []
    return [items[i] for i in sorted(numpy.random.choice(len(items), size=count, replace=False).tolist())]
