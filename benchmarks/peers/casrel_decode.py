"""Prediction with the CasRel peer: text → tagger probabilities → spans → triples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.peers.casrel_data import Pieces, Span, Triple, encode_texts
from benchmarks.peers.casrel_model import CasRel, logit
from benchmarks.peers.training import autocast, mean_weights, pad

Tag = tuple[int, float]  # position, probability
Pair = tuple[Span, float, float]  # span, and the thresholds from (inclusive) and to (exclusive)


class Candidate(NamedTuple):
    """A triple and the thresholds that yield it: low ≤ threshold < high."""

    triple: Triple
    low: float
    high: float


@torch.inference_mode()
def predict(
    model: CasRel,
    texts: Sequence[str],
    *,
    tokenizer: Any,
    labels: Sequence[str],
    batch_size: int,
    precision: str,
    low: float,
    high: float,
    max_pieces: int = 512,
) -> list[list[Candidate]]:
    """Find triples, with the thresholds between `low` and `high` at which each is found.

    labels (Sequence[str]): relations, in the order of the object taggers.
    batch_size (int): sentences per batch; sentences of like length go together.
    low (float): lowest threshold of interest; equal to `high` for one threshold.
    max_pieces (int): longest sentence, in pieces; the rest is cut off.
    """
    pieces = encode_texts(texts, tokenizer=tokenizer, max_pieces=max_pieces)
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids))
    candidates: list[list[Candidate]] = [[] for _ in texts]
    with autocast(precision):  # one context for all batches: the weights are converted once
        for at in range(0, len(order), batch_size):
            chosen = order[at : at + batch_size]
            batch = [pieces[i] for i in chosen]
            ids, mask = pad([p.ids for p in batch], value=tokenizer.pad_token_id)
            vectors = model.encode(ids, mask=mask)
            allowed = _word_edges(batch, length=ids.shape[1])
            subjects = _find_subjects(model, vectors, allowed=allowed, low=low, high=high)
            objects = _find_objects(model, vectors, subjects=subjects, allowed=allowed, low=low, high=high)
            for k, relation, (span, start, stop) in objects:
                row, (subject, begin, end) = subjects[k]
                start, stop = max(start, begin), min(stop, end)
                if start < stop and start <= high and stop > low:
                    text, offsets = texts[chosen[row]], batch[row].offsets
                    triple = (
                        _string_of(subject, text=text, offsets=offsets),
                        labels[relation],
                        _string_of(span, text=text, offsets=offsets),
                    )
                    candidates[chosen[row]].append(Candidate(triple, start, stop))
    return candidates


def _word_edges(batch: Sequence[Pieces], *, length: int) -> Tensor:
    """Where a span may start and end."""
    opens, _ = pad([p.opens for p in batch], value=0)
    closes, _ = pad([p.closes for p in batch], value=0)
    return torch.stack((opens, closes), -1).bool()


def _find_subjects(
    model: CasRel, vectors: Tensor, *, allowed: Tensor, low: float, high: float
) -> list[tuple[int, Pair]]:
    """Subject spans of a batch, equations 2 and 3."""
    logits = model.subject_tagger(vectors).float()  # (B, T, 2)
    at = ((logits > logit(low)) & allowed).nonzero()
    tags: dict[int, tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    probs = logits[tuple(at.T)].sigmoid().tolist()
    for (row, position, edge), prob in zip(at.tolist(), probs, strict=True):
        tags[row][edge].append((position, prob))
    return [
        (row, pair) for row, (starts, ends) in tags.items() for pair in _pair_spans(starts, ends, low=low, high=high)
    ]


def _find_objects(
    model: CasRel,
    vectors: Tensor,
    *,
    subjects: Sequence[tuple[int, Pair]],
    allowed: Tensor,
    low: float,
    high: float,
) -> list[tuple[int, int, Pair]]:
    """Object spans, per relation, of the subjects of a batch, equations 4 and 5."""
    if not subjects:
        return []
    rows = torch.tensor([row for row, _ in subjects])
    weights = mean_weights([pair[0] for _, pair in subjects], length=vectors.shape[1])
    logits = model.object_logits(vectors, rows=rows, weights=weights)  # (K, T, 2R)
    logits = logits.view(*logits.shape[:2], 2, -1)  # (K, T, 2, R)
    at = ((logits > logit(low)) & allowed[rows][..., None]).nonzero()
    tags: dict[tuple[int, int], tuple[list[Tag], list[Tag]]] = defaultdict(lambda: ([], []))
    probs = logits[tuple(at.T)].float().sigmoid().tolist()
    for (k, position, edge, relation), prob in zip(at.tolist(), probs, strict=True):
        tags[k, relation][edge].append((position, prob))
    return [
        (k, relation, pair)
        for (k, relation), (starts, ends) in tags.items()
        for pair in _pair_spans(starts, ends, low=low, high=high)
    ]


def _pair_spans(starts: Sequence[Tag], ends: Sequence[Tag], *, low: float, high: float) -> list[Pair]:
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


def _string_of(span: Span, *, text: str, offsets: Sequence[Span]) -> str:
    """The text of a span."""
    return text[offsets[span[0]][0] : offsets[span[1]][1]]
