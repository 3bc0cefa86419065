"""From an extractor's output for many rows to scored candidate triples of each Doc."""

from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..annotations.triple import CharSpan
from ..scoring.probabilities import sigmoid
from .rows import QueryRows

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
    return CandidateTable(output.pairs, probability, subject, obj, sigmoid(output.pair_logits))


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
    probs = sigmoid(output.pointers) * output.mask[..., None]
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


@dataclass(frozen=True)
class Candidate:
    """A possible triple of one Doc.

    subject (CharSpan): Character offsets.
    relation (str): The label.
    object (CharSpan): Character offsets.
    score (float): 0 to 1.
    evidence (Dict[str, float]): The parts of the score.
    """

    subject: CharSpan
    relation: str
    object: CharSpan
    score: float
    evidence: Dict[str, float]


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


ScoredSpan = Tuple[int, int, float]


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


LEAST_PROBABILITY = 0.1

LONGEST_SPAN = 40

BEST_ENDS = 40


class StringSpan(NamedTuple):
    """A string that the pointers mark, once or several times.

    text (str): The string.
    score (float): p_start · p_end, summed over all its mentions: may exceed 1.
    best (ScoredSpan): First token, last token (inclusive) and p_start · p_end of its best mention.
    """

    text: str
    score: float
    best: ScoredSpan


def code_rule_strings(
    starts: Sequence[float],
    ends: Sequence[float],
    *,
    text: str,
    offsets: Sequence[CharSpan],
    floor: float = LEAST_PROBABILITY,
    max_length: int = LONGEST_SPAN,
) -> List[StringSpan]:
    """Combine the best starts with the best ends, add up equal strings, and resolve strings inside strings.

    starts (Sequence[float]): Probability of a span's start at each token.
    ends (Sequence[float]): Probability of a span's end at each token.
    text (str): The text in which the tokens stand.
    offsets (Sequence[CharSpan]): Start and end character of each token.
    floor (float): What a start, an end and a string's score must reach.
    max_length (int): Longest span, in tokens.
    RETURNS (List[StringSpan]): By falling score.
    """
    mentions: Dict[str, List[ScoredSpan]] = {}
    for first in _best(starts, floor):
        for last in _best(ends, floor):
            if first <= last < first + max_length:
                string = text[offsets[first][0] : offsets[last][1]]
                mentions.setdefault(string, []).append((first, last, float(starts[first]) * float(ends[last])))
    strings = [
        StringSpan(string, sum(score for _, _, score in found), max(found, key=lambda span: (span[2], -span[0])))
        for string, found in mentions.items()
    ]
    kept = [string for string in _without_nested(strings) if string.score >= floor]
    return sorted(kept, key=lambda string: (-string.score, string.best))


def code_rule_spans(strings: Sequence[StringSpan], *, threshold: float) -> List[ScoredSpan]:
    """Take the best mention of each string that is good enough.

    strings (Sequence[StringSpan]): Of `code_rule_strings`.
    threshold (float): What a string's summed score must reach.
    RETURNS (List[ScoredSpan]): First token, last token (inclusive), score of that mention alone, at most 1.
    """
    return [string.best for string in strings if string.score >= threshold]


def code_rule_pairs(
    subjects: Sequence[StringSpan], objects: Sequence[StringSpan], *, threshold: float
) -> List[Tuple[StringSpan, StringSpan]]:
    """Combine every subject with every object of another text.

    subjects (Sequence[StringSpan]): Subject strings.
    objects (Sequence[StringSpan]): Object strings.
    threshold (float): What the weaker of the two must reach.
    RETURNS (List[Tuple[StringSpan, StringSpan]]): In the order given.
    """
    return [
        (subject, obj)
        for subject in subjects
        for obj in objects
        if subject.text != obj.text and min(subject.score, obj.score) >= threshold
    ]


def _best(probs: Sequence[float], floor: float) -> List[int]:
    """Positions of the highest probabilities above the floor."""
    positions = [position for position, prob in enumerate(probs) if prob >= floor]
    return sorted(positions, key=lambda position: -probs[position])[:BEST_ENDS]


def _without_nested(strings: Sequence[StringSpan]) -> List[StringSpan]:
    """From short to long: a string gives way to the strings inside it if together they are better, or replaces them."""
    kept: List[StringSpan] = []
    for string in sorted(strings, key=lambda string: (len(string.text), string.best)):
        inside = [other for other in kept if other.text in string.text]
        if inside:
            covered = len(string.text) / sum(len(other.text) for other in inside)
            if sum(other.score for other in inside) * min(1.0, covered) > string.score:
                continue
            kept = [other for other in kept if other not in inside]
        kept.append(string)
    return kept


SpanPair = Tuple[ScoredSpan, ScoredSpan]


def decode_spans(
    starts: Sequence[float], ends: Sequence[float], *, threshold: float, max_length: int, mutual: bool = True
) -> List[ScoredSpan]:
    """Pair each start with its nearest end.

    starts (Sequence[float]): Probability of a span's start at each token.
    ends (Sequence[float]): Probability of a span's end at each token.
    threshold (float): What a start and an end must reach.
    max_length (int): Longest span, in tokens.
    mutual (bool): Drop a start if another start lies between it and its end.
    RETURNS (List[ScoredSpan]): First token, last token (inclusive), product of the two probabilities.
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
    """The paper's sweep: an object belongs to the last subject that began before it.

    An object before all subjects goes to the nearest one; a subject that is still alone takes its nearest object, the
    following one if two are equally near.

    subjects (Sequence[ScoredSpan]): Subject spans.
    objects (Sequence[ScoredSpan]): Object spans.
    RETURNS (List[SpanPair]): Pairs of different spans.
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


def pair_product(subjects: Sequence[ScoredSpan], objects: Sequence[ScoredSpan]) -> List[SpanPair]:
    """The released code's rule: every subject with every object.

    subjects (Sequence[ScoredSpan]): Subject spans.
    objects (Sequence[ScoredSpan]): Object spans.
    RETURNS (List[SpanPair]): Pairs of different spans.
    """
    return [(subject, obj) for subject in subjects for obj in objects if subject[:2] != obj[:2]]


def keep_best_candidates(candidates: Sequence[Candidate]) -> List[Candidate]:
    """Drop repetitions and, of one relation's candidates that overlap in both arguments, all but the best.

    candidates (Sequence[Candidate]): Of one Doc, possibly found in several windows.
    RETURNS (List[Candidate]): By falling score; equal scores in order of offsets.
    """
    kept: List[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.subject, c.object, c.relation)):
        rivals = (other for other in kept if other.relation == candidate.relation)
        if not any(
            _overlap(candidate.subject, other.subject) and _overlap(candidate.object, other.object) for other in rivals
        ):
            kept.append(candidate)
    return kept


def _gap(first: ScoredSpan, second: ScoredSpan) -> int:
    """Tokens between two spans; 0 or less where they touch or overlap."""
    return max(first[0], second[0]) - min(first[1], second[1])


def _overlap(first: CharSpan, second: CharSpan) -> bool:
    """Say whether two stretches of text share a character."""
    return first[0] < second[1] and second[0] < first[1]
