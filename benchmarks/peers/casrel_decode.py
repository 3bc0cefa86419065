"""Decoding of the CasRel peer: logits of taggers → spans, each with the thresholds that yield it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from torch import Tensor

from benchmarks.peers.triple_data import Span
from benchmarks.peers.triple_model import logit

Tag = tuple[int, float]  # position, probability
Pair = tuple[Span, float, float]  # span, and the thresholds from (inclusive) and to (exclusive)


def find_subjects(logits: Tensor, *, allowed: Tensor, low: float, high: float) -> list[tuple[int, Pair]]:
    """Find the subject spans of a batch, equations 2 and 3, each with its sentence.

    logits (Tensor): starts and ends. Shape (B, T, 2)
    allowed (Tensor): where a span may start and end. Shape (B, T, 2)
    """
    at = ((logits > logit(low)) & allowed).nonzero()
    tags: dict[int, tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    probs = logits[tuple(at.T)].float().sigmoid().tolist()
    for (row, position, edge), prob in zip(at.tolist(), probs, strict=True):
        tags[row][edge].append((position, prob))
    return [
        (row, pair) for row, (starts, ends) in tags.items() for pair in pair_spans(starts, ends, low=low, high=high)
    ]


def find_objects(logits: Tensor, *, allowed: Tensor, low: float, high: float) -> list[tuple[int, int, Pair]]:
    """Find the object spans of some subjects, equations 4 and 5, each with its subject and relation.

    logits (Tensor): starts for all relations, then ends. Shape (K, T, 2R)
    allowed (Tensor): where a span may start and end in the sentence of each subject. Shape (K, T, 2)
    """
    logits = logits.view(*logits.shape[:2], 2, -1)  # (K, T, 2, R)
    at = ((logits > logit(low)) & allowed[..., None]).nonzero()
    tags: dict[tuple[int, int], tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    probs = logits[tuple(at.T)].float().sigmoid().tolist()
    for (k, position, edge, relation), prob in zip(at.tolist(), probs, strict=True):
        tags[k, relation][edge].append((position, prob))
    return [
        (k, relation, pair)
        for (k, relation), (starts, ends) in tags.items()
        for pair in pair_spans(starts, ends, low=low, high=high)
    ]


def pair_spans(starts: Sequence[Tag], ends: Sequence[Tag], *, low: float, high: float) -> list[Pair]:
    """Pair each start with the nearest end at or after it, for all thresholds at once."""
    pairs = []
    for start, p_start in starts:
        blocked = 0.0
        for end, p_end in ends:
            if end < start or p_end <= blocked:
                continue
            if blocked <= high and min(p_start, p_end) > low:
                pairs.append(((start, end), blocked, min(p_start, p_end)))
            blocked = p_end
            if blocked >= p_start:
                break
    return pairs
