"""From scores to triples: span decoding and pairing rules of RERE, and the choice among overlapping candidates.

Source: Xie et al., ACL 2021, §4.2, with its ambiguities fixed as `docs/methods/rere.md` says.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..types import CharSpan

ScoredSpan = Tuple[int, int, float]
SpanPair = Tuple[ScoredSpan, ScoredSpan]


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


def calibrate(scores: NDArray[Any], *, scale: float, shift: float) -> NDArray[Any]:
    """Move scores to calibrated probabilities: σ(scale · logit(score) + shift).

    scores (NDArray[Any]): Between 0 and 1. Shape (P,)
    scale (float): Inverse temperature, above 0.
    shift (float): Added to the logits.
    RETURNS (NDArray[Any]): Shape (P,)
    """
    if scale == 1.0 and shift == 0.0:
        return scores
    clipped = numpy.clip(scores.astype("float64"), 1e-9, 1 - 1e-9)
    logits = numpy.log(clipped) - numpy.log1p(-clipped)
    return 1.0 / (1.0 + numpy.exp(-(scale * logits + shift)))


def _gap(first: ScoredSpan, second: ScoredSpan) -> int:
    """Tokens between two spans; 0 or less where they touch or overlap."""
    return max(first[0], second[0]) - min(first[1], second[1])


def _overlap(first: CharSpan, second: CharSpan) -> bool:
    """Say whether two stretches of text share a character."""
    return first[0] < second[1] and second[0] < first[1]
