"""From an extractor's output for many rows to scored candidate triples of each Doc."""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..instances.rows import QueryRows
from .code_rule import LEAST_PROBABILITY, code_rule_spans, code_rule_strings
from .decode import Candidate, ScoredSpan, decode_spans, pair_nearest, pair_product

PAIRINGS = ("scored", "nearest", "product")
SPAN_RULES = ("mutual", "nearest", "code")


class CandidateTable(NamedTuple):
    """Candidates of a whole batch, one line each.

    pairs (NDArray): Row, subject first and last, object first and last token in the row's window. Shape (P, 5)
    relation (NDArray): Probability of the row's relation. Shape (P,)
    subject (NDArray): Probability p_s of the subject span. Shape (P,)
    object (NDArray): Probability p_o of the object span. Shape (P,)
    pair (NDArray): Probability that the two belong together; 1 where no scorer was asked. Shape (P,)
    """

    pairs: NDArray[Any]
    relation: NDArray[Any]
    subject: NDArray[Any]
    object: NDArray[Any]
    pair: NDArray[Any]

    def scores(self) -> NDArray[Any]:
        """The final score: the geometric mean of p_rc, √(p_s p_o) and p_pair.

        It orders candidates as their product does, and stays on the scale of a probability, where a logistic curve
        can calibrate it.

        RETURNS (NDArray[Any]): Shape (P,)
        """
        return numpy.cbrt(self.relation * numpy.sqrt(self.subject * self.object) * self.pair)


def scored_candidates(rows: QueryRows, output: Any) -> CandidateTable:
    """Take the candidates that the pair scorer judged.

    rows (QueryRows): The rows asked.
    output (ExtractorOutput): As numpy arrays.
    RETURNS (CandidateTable): All candidates.
    """
    probability = rows.probability[output.pairs[:, 0]]
    subject, obj = output.span_probs[:, 0], output.span_probs[:, 1]
    return CandidateTable(output.pairs, probability, subject, obj, _sigmoid(output.pair_logits))


def ruled_candidates(
    rows: QueryRows, output: Any, *, pairing: str, threshold: float, max_length: int, span_rule: str = "mutual"
) -> CandidateTable:
    """Pair spans by one of the paper's rules instead of the scorer.

    rows (QueryRows): The rows asked.
    output (ExtractorOutput): As numpy arrays.
    pairing (str): "nearest" or "product".
    threshold (float): For starts and ends; with the rule "code", for the summed score of a string.
    max_length (int): Longest span, in tokens.
    span_rule (str): "mutual" (a start with its nearest end, unless another start lies between), "nearest" (without
        that condition), or "code" (the released code's, see `code_rule.py`).
    RETURNS (CandidateTable): With pair probability 1.
    """
    probs = _sigmoid(output.pointers) * output.mask[..., None]
    rule = pair_nearest if pairing == "nearest" else pair_product
    floor = LEAST_PROBABILITY if span_rule == "code" else threshold
    found: List[Tuple[int, ...]] = []
    subject_scores: List[float] = []
    object_scores: List[float] = []
    for row in numpy.flatnonzero((probs >= floor).any(axis=1).all(axis=1)).tolist():
        columns = probs[row].T.tolist()
        options: Dict[str, Any] = {"rule": span_rule, "threshold": threshold, "max_length": max_length}
        subjects = _ruled_spans(rows, row, columns[0], columns[1], **options)
        objects = _ruled_spans(rows, row, columns[2], columns[3], **options)
        for subject, obj in rule(subjects, objects):
            found.append((row, *subject[:2], *obj[:2]))
            subject_scores.append(subject[2])
            object_scores.append(obj[2])
    pairs = numpy.asarray(found, dtype="int64").reshape(-1, 5)
    return CandidateTable(
        pairs,
        rows.probability[pairs[:, 0]],
        numpy.asarray(subject_scores, dtype="float64"),
        numpy.asarray(object_scores, dtype="float64"),
        numpy.ones(len(pairs)),
    )


def candidates_by_doc(
    rows: QueryRows, table: CandidateTable, scores: NDArray[Any], *, labels: Sequence[str], thresholds: NDArray[Any]
) -> List[List[Candidate]]:
    """Give each Doc its candidates above the threshold of their relation, in character offsets.

    rows (QueryRows): The rows asked.
    table (CandidateTable): The candidates.
    scores (NDArray[Any]): Their (calibrated) scores. Shape (P,)
    labels (Sequence[str]): The relations.
    thresholds (NDArray[Any]): One per relation. Shape (R,)
    RETURNS (List[List[Candidate]]): Spans that touch the cut edge of a window are left out: they may go on beyond it.
    """
    found: List[List[Candidate]] = [[] for _ in rows.windows.docs]
    relation = rows.relation[table.pairs[:, 0]]
    for line in numpy.flatnonzero(scores >= thresholds[relation]).tolist():
        row, *ends = table.pairs[line].tolist()
        window = int(rows.window[row])
        if _touches_cut(rows, window, ends):
            continue
        number = int(rows.windows.doc[window])
        doc, start = rows.windows.docs[number], int(rows.windows.start[window])
        evidence = {
            "relation": round(float(table.relation[line]), 4),
            "subject": round(float(table.subject[line]), 4),
            "object": round(float(table.object[line]), 4),
            "pair": round(float(table.pair[line]), 4),
        }
        subject, obj = _chars(doc, start, ends[0], ends[1]), _chars(doc, start, ends[2], ends[3])
        found[number].append(Candidate(subject, labels[relation[line]], obj, float(scores[line]), evidence))
    return found


def _ruled_spans(
    rows: QueryRows,
    row: int,
    starts: Sequence[float],
    ends: Sequence[float],
    *,
    rule: str,
    threshold: float,
    max_length: int,
) -> List[ScoredSpan]:
    """Find the spans of one row's subjects, or of its objects."""
    if rule != "code":
        return decode_spans(starts, ends, threshold=threshold, max_length=max_length, mutual=rule == "mutual")
    window = int(rows.window[row])
    doc = rows.windows.docs[int(rows.windows.doc[window])]
    tokens = doc[int(rows.windows.start[window]) : int(rows.windows.end[window])]
    offsets = [(token.idx, token.idx + len(token)) for token in tokens]
    strings = code_rule_strings(starts, ends, text=doc.text, offsets=offsets, max_length=max_length)
    return code_rule_spans(strings, threshold=threshold)


def _touches_cut(rows: QueryRows, window: int, ends: Sequence[int]) -> bool:
    """Say whether an argument ends at an edge at which its sentence was cut."""
    left, right = rows.windows.is_cut(window)
    last = int(rows.windows.end[window] - rows.windows.start[window]) - 1
    return (left and min(ends) == 0) or (right and max(ends) == last)


def _chars(doc: Doc, start: int, first: int, last: int) -> Tuple[int, int]:
    """Character offsets of tokens counted from a window's beginning."""
    token = doc[start + last]
    return doc[start + first].idx, token.idx + len(token)


def _sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    """Logistic function without overflow."""
    return 0.5 * (1.0 + numpy.tanh(0.5 * logits.astype("float64")))
