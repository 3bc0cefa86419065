"""The span rule of RERE's released code: strings instead of spans, summed over their mentions.

Source: the code of Xie et al., ACL 2021, described in `docs/methods/rere.md`. Two things differ: a string keeps the
offsets of its best mention, since triples here have offsets; and the code's splitting of Chinese enumerations and book
titles is left out.
"""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from ..types import CharSpan
from .decode import ScoredSpan

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
