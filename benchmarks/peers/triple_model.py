"""Interface of the models of baselines that extract triples, and prediction with any of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.peers.training import autocast, pad
from benchmarks.peers.triple_data import Example, Pieces, Span, Triple, encode_texts
from benchmarks.peers.triple_encoder import Encoder


class Candidate(NamedTuple):
    """A triple and the thresholds that yield it: low ≤ threshold < high."""

    triple: Triple
    low: float
    high: float


def triples_at(candidates: Sequence[Candidate], threshold: float) -> set[Triple]:
    """RETURNS (set[Triple]): The triples of a sentence that a threshold yields."""
    return {c.triple for c in candidates if c.low <= threshold < c.high}


class Found(NamedTuple):
    """A triple in pieces, as a model finds it in a batch, with the thresholds that yield it."""

    sentence: int
    subject: Span
    relation: int
    object: Span
    low: float
    high: float


class TriplePeer(nn.Module):
    """An encoder of word pieces, and layers that find triples in its vectors.

    encoder (Encoder): gives one vector per piece.
    padding (int): id of the padding piece.
    """

    # Thresholds tried on the development set.
    grid: ClassVar[tuple[float, ...]] = tuple(round(0.05 * k, 2) for k in range(1, 20))  # 0.05 … 0.95

    def __init__(self, encoder: Encoder, *, padding: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.padding = padding

    def read(self, sentences: Sequence[Example] | Sequence[Pieces]) -> tuple[Tensor, Tensor]:
        """RETURNS (tuple[Tensor, Tensor]): Vectors of the pieces, and mask. Shapes (B, T, D), (B, T)"""
        ids, mask = pad([s.ids for s in sentences], value=self.padding)
        shapes, _ = pad([s.shapes for s in sentences], value=0)
        vectors: Tensor = self.encoder(ids, shapes, mask)
        return vectors, mask

    def heads(self) -> list[nn.Module]:
        """RETURNS (list[nn.Module]): The layers on top of the encoder."""
        return [module for name, module in self.named_children() if name != "encoder"]

    def loss(self, examples: Sequence[Example], *, rng: random.Random, precision: str) -> Tensor:
        """RETURNS (Tensor): Loss of a training batch, a scalar; encoder and layers run in `precision`."""
        raise NotImplementedError

    def find(self, sentences: Sequence[Pieces], *, low: float, high: float) -> Iterable[Found]:
        """Find the triples of a batch, with the thresholds between `low` and `high` at which each is found."""
        raise NotImplementedError


@torch.inference_mode()
def predict(
    model: TriplePeer,
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

    labels (Sequence[str]): relations, in the order of the model's.
    batch_size (int): sentences per batch; sentences of similar length share one.
    low (float): lowest threshold of interest; equal to `high` for one threshold.
    max_pieces (int): longest sentence, in pieces; the rest is cut off.
    """
    pieces = encode_texts(texts, tokenizer=tokenizer, max_pieces=max_pieces)
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids))
    candidates: list[list[Candidate]] = [[] for _ in texts]
    with autocast(precision):  # one context for all batches: the weights are converted once
        for at in range(0, len(order), batch_size):
            chosen = order[at : at + batch_size]
            for found in model.find([pieces[i] for i in chosen], low=low, high=high):
                number = chosen[found.sentence]
                subject, object_ = (
                    texts[number][pieces[number].offsets[first][0] : pieces[number].offsets[last][1]]
                    for first, last in (found.subject, found.object)
                )
                triple = (subject, labels[found.relation], object_)
                candidates[number].append(Candidate(triple, found.low, found.high))
    return candidates


def word_edges(batch: Sequence[Pieces]) -> Tensor:
    """RETURNS (Tensor): Where a span may start, and where it may end. Shape (B, T, 2)"""
    opens, _ = pad([p.opens for p in batch], value=0)
    closes, _ = pad([p.closes for p in batch], value=0)
    return torch.stack((opens, closes), -1).bool()


def logit(probability: float) -> float:
    """Compute the inverse of the logistic function.

    probability (float): between 0 and 1, both exclusive.
    """
    return math.log(probability / (1.0 - probability))
