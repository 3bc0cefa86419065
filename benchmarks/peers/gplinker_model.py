"""GPLinker in PyTorch: pointers to whole spans for subjects and objects, and tables that link their ends by relation.

Su, GPLinker: entity-relation extraction on GlobalPointer, 2022 (kexue.fm/archives/8888), with the efficient pointer of
Su et al., Global Pointer, arXiv 2208.03054, as in the author's example. A triple (s_h, s_t, r, o_h, o_t) holds if

    min(S_sub(s_h, s_t), S_obj(o_h, o_t), S_r^head(s_h, o_h), S_r^tail(s_t, o_t)) > 0

    S_α(i, j) = q_i·k_j / √d + w_α·[q_i; k_i] / 2 + v_α·[q_j; k_j] / 2

q and k are linear in the encoder's vectors, d = 64 wide and shared by the tables of a pointer. For entities they are
rotated by position (RoPE), and no end precedes its start; for heads and tails neither holds. The loss of a table
with gold cells P and others N is log(1 + Σ_P exp -S) + log(1 + Σ_N exp S) (Su et al., ZLPR, arXiv 2208.02955), summed
over the tables and averaged over the sentences.

Departures: only pieces that open (close) a word open (close) a span; the 40 best subjects and objects of a sentence are
linked, and its 100 best triples kept; the threshold of the minimum is a probability, σ(0) = 0.5 being the author's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.training import autocast
from benchmarks.peers.triple_data import Example, Pieces
from benchmarks.peers.triple_encoder import Encoder
from benchmarks.peers.triple_model import Found, TriplePeer, logit, word_edges

# Limits per sentence, since an untrained model finds very many.
MOST_SPANS, MOST_TRIPLES = 40, 100

Cell = tuple[int, int, int, int]


class Pointer(nn.Module):
    """Scores of pairs of pieces in several tables: the efficient global pointer.

    width (int): D.
    tables (int): A.
    rotary (bool): for spans: rotate by the position, and let no end precede its start.
    """

    def __init__(self, width: int, *, tables: int, rotary: bool, size: int = 64) -> None:
        super().__init__()
        self.rotary, self.size = rotary, size
        self.project = nn.Linear(width, 2 * size)
        self.bias = nn.Linear(2 * size, 2 * tables)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Score all pairs of pieces, -inf where there is none. Shapes (B, T, D), (B, T) → (B, A, T, T)"""
        both = self.project(vectors)
        first, second = self.bias(both).float().chunk(2, -1)  # (B, T, A)
        queries, keys = (rotate(part) if self.rotary else part for part in both.chunk(2, -1))
        common = (queries @ keys.transpose(1, 2)).float() / self.size**0.5  # (B, T, T)
        scores = common[:, None] + (first.mT[..., None] + second.mT[:, :, None]) / 2
        pairs = mask[:, :, None].bool() & mask[:, None].bool()
        return scores.masked_fill(~(pairs.triu() if self.rotary else pairs)[:, None], -torch.inf)


class GpLinker(TriplePeer):
    """Pointers on top of an encoder.

    n_relations (int): R.
    """

    # Logits from -6 to 6: the loss spreads them more widely than cross-entropy does.
    grid: ClassVar[tuple[float, ...]] = tuple(round(float(torch.tensor(0.5 * k).sigmoid()), 4) for k in range(-12, 13))

    def __init__(self, encoder: Encoder, *, padding: int, n_relations: int) -> None:
        super().__init__(encoder, padding=padding)
        self.entities = Pointer(encoder.width, tables=2, rotary=True)
        self.linked_heads = Pointer(encoder.width, tables=n_relations, rotary=False)
        self.linked_tails = Pointer(encoder.width, tables=n_relations, rotary=False)

    def tables(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RETURNS (tuple[Tensor, Tensor, Tensor]): Tables of entities, heads, tails. Shapes (B, 2 or R, T, T)"""
        return self.entities(vectors, mask), self.linked_heads(vectors, mask), self.linked_tails(vectors, mask)

    def loss(self, examples: Sequence[Example], *, rng: random.Random, precision: str) -> Tensor:
        """Compute the ZLPR loss of all tables."""
        with autocast(precision):
            tables = self.tables(*self.read(examples))
        losses = [zlpr(table, gold) for table, gold in zip(tables, gold_cells(examples), strict=True)]
        return torch.stack(losses).sum() / len(examples)

    def find(self, sentences: Sequence[Pieces], *, low: float, high: float) -> Iterator[Found]:
        """Find the triples whose lowest score is above `low`; all thresholds below that score yield them."""
        entities, heads, tails = self.tables(*self.read(sentences))
        edges = word_edges(sentences)
        allowed = edges[:, None, :, None, 0] & edges[:, None, None, :, 1]
        scores, cells = (
            entities.masked_fill(~allowed, -torch.inf).flatten(2).topk(min(MOST_SPANS, edges[0].numel() // 2))
        )
        most = int((scores > logit(low)).sum(-1).max())
        scores, cells = scores[..., :most], cells[..., :most]  # (B, 2, K)
        length, row = edges.shape[1], torch.arange(len(sentences))[:, None, None]
        starts, ends = cells // length, cells % length
        links = [  # (B, K, K, R)
            table.permute(0, 2, 3, 1)[row, at[:, 0, :, None], at[:, 1, None]]
            for table, at in ((heads, starts), (tails, ends))
        ]
        of_spans = torch.minimum(scores[:, 0, :, None], scores[:, 1, None])[..., None]
        lowest = torch.minimum(torch.minimum(*links), of_spans)
        best, places = lowest.flatten(1).topk(min(MOST_TRIPLES, lowest[0].numel()))  # (B, N)
        at = (best > logit(low)).nonzero()
        chosen = torch.stack(torch.unravel_index(places[tuple(at.T)], lowest.shape[1:]), 1)
        rows = zip(at[:, 0].tolist(), chosen.tolist(), best[tuple(at.T)].sigmoid().tolist(), strict=True)
        for b, (s, o, relation), score in rows:
            subject, object_ = ((int(starts[b, role, k]), int(ends[b, role, k])) for role, k in ((0, s), (1, o)))
            yield Found(b, subject, relation, object_, 0.0, score)


def rotate(vectors: Tensor) -> Tensor:
    """Rotate pairs of numbers by the position, at frequencies from 1 to 1/10000. Shape (B, T, size)"""
    _, length, size = vectors.shape
    angles = torch.arange(length)[:, None] * 10_000.0 ** (torch.arange(0, size, 2) / -size)  # (T, size / 2)
    even, odd = vectors[..., ::2].float(), vectors[..., 1::2].float()
    sine, cosine = angles.sin(), angles.cos()
    return torch.stack((even * cosine - odd * sine, odd * cosine + even * sine), -1).flatten(2).to(vectors.dtype)


def gold_cells(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """RETURNS (tuple[Tensor, Tensor, Tensor]): Sentence, table and cell of entities, heads and tails. Shapes (G, 4)"""
    entities: set[Cell] = set()
    heads: set[Cell] = set()
    tails: set[Cell] = set()
    for row, example in enumerate(examples):
        for subject, objects in example.subjects.items():
            entities.add((row, 0, *subject))
            for relation, object_ in objects:
                entities.add((row, 1, *object_))
                heads.add((row, relation, subject[0], object_[0]))
                tails.add((row, relation, subject[1], object_[1]))
    return _rows(entities), _rows(heads), _rows(tails)


def _rows(cells: set[Cell]) -> Tensor:
    return torch.tensor(sorted(cells)).long().view(-1, 4)


def zlpr(scores: Tensor, gold: Tensor) -> Tensor:
    """Sum over the tables of log(1 + Σ_P exp -S) + log(1 + Σ_N exp S).

    scores (Tensor): S, -inf where there is no cell. Shape (B, A, T, T)
    gold (Tensor): P as row, table and cell. Shape (G, 4)
    RETURNS (Tensor): A scalar.
    """
    where = tuple(gold.T)
    positive = scores[where]
    others = scores.index_put(where, scores.new_tensor(-torch.inf))
    table = gold[:, 0] * scores.shape[1] + gold[:, 1]
    # the 1 in the sum is exp 0, so the maximum is at least 0
    peak = positive.new_zeros(scores.shape[0] * scores.shape[1]).scatter_reduce(0, table, -positive.detach(), "amax")
    total = (-peak).exp().index_add(0, table, (-positive - peak[table]).exp())
    return (total.log() + peak).sum() + F.softplus(others.flatten(2).logsumexp(-1)).sum()
