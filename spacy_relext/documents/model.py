"""A classifier of pairs of entities of a document.

    e_i = log Σ_m exp(W [h_first(m); h_last(m)])                          entity: all of its mentions
    a_i = softmax_t(Q_k e_i · K_k h_t / √d), for head k                   what an entity attends to
    c_so = Σ_t p_t h_t, p ∝ Σ_k a_s ∘ a_o                                 context of a pair: what both attend to
    z_s = tanh(U_s [e_s; c_so] + τ_s),  z_o likewise                      τ: entity type
    y_r = Σ_g z_s^g B_r^g z_o^g + b_r                                     in groups of 64 dimensions

Source: Zhou et al., "Document-Level Relation Extraction with Adaptive Thresholding and Localized Context Pooling", AAAI
2021 (Eqs. 2 to 9). Its attention is the encoder's own; here Q and K learn it from token vectors, which any encoder
gives, and the mentions are names, pronouns and phrases, without markers in the text.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..bridge.weights import autocast
from ..encoders.layers import TokenModule

GROUP = 64


class DocumentOutput(NamedTuple):
    """Logits of the relations of pairs, and the token that both entities attend to most."""

    logits: Tensor  # (P, R)
    evidence: Tensor  # number of the token in its segment (P,)


class DocumentPairs(TokenModule):
    """Score the relations of each pair of entities."""

    def __init__(self, *, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.heads, self.dropout = hidden, heads, nn.Dropout(dropout)

    def configure(self, *, width: int, n_relations: int, n_types: int) -> None:
        """Build the layers for token vectors of size D, R relations and K entity types."""
        self.sizes = {"width": width, "n_relations": n_relations, "n_types": n_types}
        hidden = self.hidden
        self.first, self.last = nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.query, self.key = nn.Linear(hidden, hidden), nn.Linear(width, hidden)
        self.context = nn.Linear(width, hidden)
        self.subject, self.object = nn.Linear(2 * hidden, hidden), nn.Linear(2 * hidden, hidden)
        self.types = nn.Embedding(2 * (n_types + 1), hidden)
        nn.init.zeros_(self.types.weight)
        self.bilinear = nn.Linear(hidden * GROUP, n_relations)

    def forward(
        self, vectors: Tensor, index: Tensor, mentions: Tensor, types: Tensor, segments: Tensor, pairs: Tensor
    ) -> DocumentOutput:
        """Compute the logits of relations.

        vectors (Tensor): All token vectors. Shape (N, D)
        The others are those of `pair_arrays`.
        """
        vectors = self.dropout(vectors)
        padding, rows = mentions[..., 0] < 0, index.flatten()
        begin, end = rows[mentions.clamp(min=0)].unbind(-1) if len(rows) else mentions.unbind(-1)
        states = self.first(vectors)[begin] + self.last(vectors)[end]  # (E, M, H)
        entities = states.masked_fill(padding[..., None], -1e4).logsumexp(1)
        contexts, evidence = self._attend(vectors, entities, index, segments, pairs)
        kinds = self.types.num_embeddings // 2
        one = torch.cat([entities[pairs[:, 0]], contexts], 1)
        other = torch.cat([entities[pairs[:, 1]], contexts], 1)
        subjects = torch.tanh(self.subject(one) + self.types(types[pairs[:, 0]]))
        objects = torch.tanh(self.object(other) + self.types(kinds + types[pairs[:, 1]]))
        shape = (len(pairs), self.hidden // GROUP, GROUP)
        is_exact = self.training or vectors.dtype != torch.float32
        with autocast("fp32" if is_exact else "auto", vectors.device):  # this is most of the time of a prediction
            if torch.is_autocast_enabled(vectors.device.type):
                subjects, objects = subjects.bfloat16(), objects.bfloat16()
            blocks = subjects.view(*shape, 1) * objects.view(*shape[:2], 1, GROUP)
            logits = self.bilinear(self.dropout(blocks.flatten(1))).to(vectors.dtype)
        return DocumentOutput(logits, evidence)

    def _attend(
        self, vectors: Tensor, entities: Tensor, index: Tensor, segments: Tensor, pairs: Tensor
    ) -> "tuple[Tensor, Tensor]":
        """Compute the context of each pair, and the token with most of its weight. Shapes (P, H), (P,)"""
        size = self.hidden // self.heads
        queries = self.query(entities).view(len(entities), self.heads, size)
        keys, values = self.key(vectors), self.context(vectors)
        of_pair = segments[pairs[:, 0]]
        contexts, evidence = [values[:0]], [pairs[:0, 0]]
        for number, cells in enumerate(index):  # pairs are in the order of segments
            rows, own = cells[cells >= 0], pairs[of_pair == number]
            key = keys[rows].view(len(rows), self.heads, size)
            first = int(own.min()) if len(own) else 0
            count = int(own.max()) + 1 - first if len(own) else 0
            scores = torch.einsum("ekd,tkd->ekt", queries[first : first + count], key) / math.sqrt(size)
            weights = scores.softmax(-1)
            both = (weights[own[:, 0] - first] * weights[own[:, 1] - first]).sum(1)  # (p, T)
            shares = both / both.sum(1, keepdim=True).clamp(min=1e-12)
            contexts.append(shares @ values[rows])
            evidence.append(shares.argmax(1))
        return torch.cat(contexts), torch.cat(evidence)
