"""Decode an extractor's output into candidate triples of each Doc.

Spans come from start and end pointers, pairs from the pair scorer or from the paper's nearest-object sweep (section
4.2).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..annotations.assertion import ASSERTION
from ..annotations.triple import CharSpan, Record
from ..pipeline.assertions import best_assertions
from ..scoring.probabilities import sigmoid
from .rows import QueryRows
from .windows import IntArray

if TYPE_CHECKING:
    from .settings import RereDecoding

# Characters in each part of a text; only candidates whose subjects share a part are compared.
PART = 256

# In single or double precision.
Floats = NDArray[numpy.floating]

# First token, last token (inclusive), score.
ScoredSpan = Tuple[int, int, float]

SpanPair = Tuple[ScoredSpan, ScoredSpan]


class ExtractorArrays(NamedTuple):
    """`ExtractorOutput` as numpy arrays; shapes as there."""

    pointers: Floats
    mask: NDArray[numpy.bool_]
    pairs: IntArray
    pair_logits: Floats
    span_probs: Floats
    spans: IntArray
    type_logits: Floats
    assertions: Floats = numpy.zeros((0, 0))


class CandidateTable(NamedTuple):
    """P candidates of a batch, one line each; the columns are probabilities unless noted."""

    pairs: IntArray  # row, subject first and last, object first and last word in the row's window (P, 5)
    relation: Floats  # p_rc of the row's relation (P,)
    subject: Floats  # p_s of the subject span (P,)
    object: Floats  # p_o of the object span (P,)
    pair: Floats  # p_pair of the pair scorer; 1 without it (P,)
    assertions: Floats = numpy.zeros((0, 0))  # logits of the pair scorer's assertions (P, A)

    def scores(self) -> Floats:
        """Compute the final scores: the geometric mean of p_rc, √(p_s p_o) and p_pair. Shape (P,)

        They rank candidates as the product does, but stay on the scale of a probability for Platt calibration.
        """
        return numpy.cbrt(self.relation * numpy.sqrt(self.subject * self.object) * self.pair)


def decode_scored_pairs(rows: QueryRows, output: ExtractorArrays) -> CandidateTable:
    """Return all candidates of the pair scorer."""
    probability = rows.probability[output.pairs[:, 0]]
    subject, obj = output.span_probs.T
    return CandidateTable(output.pairs, probability, subject, obj, sigmoid(output.pair_logits), output.assertions)


def decode_pointers(rows: QueryRows, output: ExtractorArrays, settings: "RereDecoding") -> CandidateTable:
    """Decode spans from the pointers and pair them by `pair_nearest` instead of the scorer; pair probabilities are 1.

    settings (RereDecoding): `span_threshold`, `max_span_length` and `span_rule` are read.
    """
    threshold, max_length = settings.span_threshold, settings.max_span_length
    is_mutual = settings.span_rule == "mutual"
    probs = sigmoid(output.pointers) * output.mask[..., None]
    pairs: List[Tuple[int, ...]] = []
    scores: List[Tuple[float, float]] = []
    for row in numpy.flatnonzero(numpy.all((probs >= threshold).any(axis=1), axis=1)).tolist():
        columns = probs[row].T.tolist()
        subjects, objects = (
            decode_spans(*ends, threshold=threshold, max_length=max_length, mutual=is_mutual)
            for ends in (columns[:2], columns[2:])
        )
        for subject, obj in pair_nearest(subjects, objects):
            pairs.append((row, *subject[:2], *obj[:2]))
            scores.append((subject[2], obj[2]))
    table = numpy.asarray(pairs, dtype="int64").reshape(-1, 5)
    subject_scores, object_scores = numpy.asarray(scores, dtype="float64").reshape(-1, 2).T
    return CandidateTable(table, rows.probability[table[:, 0]], subject_scores, object_scores, numpy.ones(len(table)))


@dataclass(frozen=True)
class Candidate:
    """A possible triple of one Doc."""

    subject: CharSpan
    relation: str
    object: CharSpan
    score: float  # 0 to 1
    evidence: Dict[str, float]  # the factors of the score, and the probability of the assertion
    attributes: Record = field(default_factory=dict)


def candidates_by_doc(
    rows: QueryRows,
    table: CandidateTable,
    scores: Floats,
    *,
    labels: Sequence[str],
    thresholds: Floats,
    assertions: Sequence[str] = (),
) -> List[List[Candidate]]:
    """Group the candidates above the threshold of their relation by Doc, with character offsets.

    Spans that touch the cut edge of a window are dropped: they may continue beyond it.

    scores (Floats): Calibrated scores. Shape (P,)
    thresholds (Floats): One per relation. Shape (R,)
    assertions (Sequence[str]): The assertions that the pair scorer distinguishes, in its order.
    """
    windows = rows.windows
    by_doc: List[List[Candidate]] = [[] for _ in windows.docs]
    relation = rows.relation[table.pairs[:, 0]]
    asserted = best_assertions(table.assertions, assertions) if assertions and len(table.assertions) else []
    for line in numpy.flatnonzero(scores >= thresholds[relation]).tolist():
        row, *ends = table.pairs[line].tolist()
        window = int(rows.window[row])
        is_cut_left, is_cut_right = windows.is_cut[window].tolist()
        number, length = int(windows.doc[window]), int(windows.end[window] - windows.start[window])
        if (is_cut_left and min(ends) == 0) or (is_cut_right and max(ends) == length - 1):
            continue
        columns = (table.relation, table.subject, table.object, table.pair)
        evidence = {key: round(float(column[line]), 4) for key, column in zip(CandidateTable._fields[1:], columns)}
        tokens = [windows.docs[number][windows.token(window, word)] for word in ends]
        subject, obj = ((first.idx, last.idx + len(last)) for first, last in (tokens[:2], tokens[2:]))
        attributes: Record = {}
        if asserted:
            attributes, evidence[ASSERTION] = asserted[line]
        by_doc[number].append(
            Candidate(subject, labels[relation[line]], obj, float(scores[line]), evidence, attributes)
        )
    return by_doc


def decode_spans(
    starts: Sequence[float], ends: Sequence[float], *, threshold: float, max_length: int, mutual: bool = True
) -> List[ScoredSpan]:
    """Pair each start with its nearest end; a span's score is the product of both probabilities.

    starts, ends (Sequence[float]): Probability of a span's start, and of its end, at each token.
    threshold (float): Lowest probability of starts and ends.
    max_length (int): Longest span, in tokens.
    mutual (bool): Whether to drop a start if another start lies between it and its end.
    """
    begins = [i for i, p in enumerate(starts) if p >= threshold]
    stops = [j for j, p in enumerate(ends) if p >= threshold]
    spans = []
    for start in begins:
        end = next((j for j in stops if start <= j < start + max_length), None)
        if end is None or (mutual and any(start < other <= end for other in begins)):
            continue
        spans.append((start, end, float(starts[start]) * float(ends[end])))
    return spans


def pair_nearest(subjects: Sequence[ScoredSpan], objects: Sequence[ScoredSpan]) -> List[SpanPair]:
    """Pair each object with the last subject that does not start after it: the paper's rule. Spans of a pair differ.

    An object before all subjects is paired with the nearest one. A subject without an object is paired with its nearest
    object; of two equally near, with the following one.
    """
    pairs: List[SpanPair] = []
    ordered = sorted(subjects)
    for obj in sorted(objects):
        others = [subject for subject in ordered if subject[:2] != obj[:2]]
        before = [subject for subject in others if subject[0] <= obj[0]]
        if before:
            pairs.append((before[-1], obj))
        elif others:
            pairs.append((min(others, key=lambda subject: _gap(subject, obj)), obj))
    paired = {subject[:2] for subject, _ in pairs}
    for subject in ordered:
        candidates = [obj for obj in objects if obj[:2] != subject[:2]]
        if subject[:2] not in paired and candidates:
            nearest = min(candidates, key=lambda obj: (_gap(subject, obj), obj[0] < subject[0]))
            pairs.append((subject, nearest))
    return pairs


def non_max_suppression(candidates: Sequence[Candidate]) -> List[Candidate]:
    """Drop each candidate of a Doc that overlaps a better one of the same relation in both arguments.

    RETURNS (List[Candidate]): By descending score; equal scores in order of offsets.
    """
    selected: List[Candidate] = []
    # by relation and part of the text, so that a candidate is compared with its neighbours only
    nearby: Dict[Tuple[str, int], List[Candidate]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.subject, c.object, c.relation)):
        start, end = candidate.subject
        keys = [(candidate.relation, part) for part in range(start // PART, (end - 1) // PART + 1)]
        if not any(overlap_in_both(candidate, other) for key in keys for other in nearby[key]):
            selected.append(candidate)
            for key in keys:
                nearby[key].append(candidate)
    return selected


def overlap_in_both(first: Candidate, second: Candidate) -> bool:
    """Return True if two candidates have the same relation and share a character in both arguments."""
    overlaps = _overlap(first.subject, second.subject) and _overlap(first.object, second.object)
    return first.relation == second.relation and overlaps


def _gap(first: ScoredSpan, second: ScoredSpan) -> int:
    return max(first[0], second[0]) - min(first[1], second[1])


def _overlap(first: CharSpan, second: CharSpan) -> bool:
    return first[0] < second[1] and second[0] < first[1]
