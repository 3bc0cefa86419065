"""RERE: detect the relations of a sentence, then extract subject and object spans for each of them.

Source: Xie et al., "Revisiting the Negative Data of Distantly Supervised Relation Extraction", ACL 2021.

Detector (Eq. 5): ŷ = σ(W h + b), multi-label, h the sentence vector. Extractor (Eq. 6): for a relation r and tokens t,
four independent pointers σ(z_{r,t,k}), k in (subject start, subject end, object start, object end).

What differs from the paper, and why (figures in `docs/research/rere.md`):
- The paper encodes `[CLS] relation text [SEP] sentence [SEP]` once per relation (`MarkedExtractor`). `SharedExtractor`
  encodes the sentence once and conditions the pointers on a relation embedding, so the cost does not grow with the
  number of detected relations. Pointers start with a low bias in both.
- Over token vectors, the detector pools its sentence vector by a separate attention for each relation.
- Subjects and objects are paired by a learned scorer instead of the nearest-object sweep (`rere/span_pairs.py`).
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

from ..encoders.assertions import NO_ASSERTIONS
from ..encoders.layers import TokenModule
from ..encoders.tokens import TokenEncoder, mean_of_ends
from ..pairs.encoders.states import masked_mean
from .span_pairs import (
    ArgumentTypes,
    PairScorer,
    SpanLimits,
    no_types,
    propose_pairs,
    rank_in_group,
    split_assertions,
)

N_POINTERS = 4

INITIAL_BIAS = -4.0

DETECTOR_BIAS = -2.5

# How a detector over pieces represents a sentence: by the vector of its first piece, or by the mean of all.
POOLINGS = ("cls", "mean")


class ExtractorOutput(NamedTuple):
    """What an extractor returns for M rows (sentence, relation) and P candidate pairs."""

    pointers: Tensor  # logits of subject start, subject end, object start, object end (M, T, 4)
    mask: Tensor  # True on tokens that belong to the row's sentence (M, T)
    pairs: Tensor  # row, subject first and last token, object first and last token (P, 5)
    pair_logits: Tensor  # (P,)
    span_probs: Tensor  # probability of each pair's subject span and object span, without gradient (P, 2)
    spans: Tensor  # sentence, first and last token of each argument among the pairs (S, 3); empty without entity types
    type_logits: Tensor  # entity types of these spans, the last is "no entity" (S, K + 1)
    assertions: Tensor = NO_ASSERTIONS  # logits of the assertions of each pair (P, A)


class SharedDetector(TokenModule):
    """Score every relation of a sentence from its token vectors, each relation with its own attention.

    z_r = Σ_t softmax_t(a_r · g_t) (v_r · g_t), with g_t a projection of token vector h_t.
    """

    def __init__(self, *, hidden: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.dropout = hidden, dropout

    def configure(self, *, width: int, n_relations: int) -> None:
        """Build the layers for R relations and token vectors of size D."""
        self.sizes = {"width": width, "n_relations": n_relations}
        dropout = nn.Dropout(self.dropout)
        self.project = nn.Sequential(dropout, nn.Linear(width, self.hidden), nn.GELU(), dropout)
        self.attention = nn.Linear(self.hidden, n_relations)
        self.value = nn.Linear(self.hidden, n_relations)
        nn.init.constant_(self.value.bias, DETECTOR_BIAS)

    def forward(self, vectors: Tensor, index: Tensor) -> Tensor:
        """Compute the logits of relations. Shape (B, R)

        vectors (Tensor): All token vectors. Shape (N, D)
        index (Tensor): Token of each cell of each sentence, -1 on padding. Shape (B, T)
        """
        hidden, mask = gather_tokens(self.project(vectors), index)
        weights = self.attention(hidden).masked_fill(~mask.unsqueeze(-1), -1e4).softmax(dim=1)  # (B, T, R)
        return (weights * self.value(hidden)).sum(dim=1)


class SharedExtractor(TokenModule):
    """Pointers and pairs for (sentence, relation) rows over sentences that are encoded once.

    z_{r,t,k} = (u_{r,k} + w_k) · g_{t,k} / √d + b_{r,k}, with g_{t,k} a projection of token vector h_t for pointer k,
    u_{r,k} an embedding of relation r for pointer k, and w_k a query that all relations share.
    """

    def __init__(
        self,
        *,
        hidden: int,
        pair_hidden: int,
        dropout: float,
        between: bool = False,
    ) -> None:
        super().__init__()
        self.hidden, self.pair_hidden, self.between = hidden, pair_hidden, between
        self.dropout = nn.Dropout(dropout)

    def configure(self, *, width: int, n_relations: int, n_types: int = 0, n_assertions: int = 0) -> None:
        """Build the layers for R relations, K entity types, A assertions and token vectors of size D."""
        self.sizes = {"width": width, "n_relations": n_relations, "n_types": n_types}
        self.sizes.update({"n_assertions": n_assertions} if n_assertions else {})
        self.types = ArgumentTypes(width, n_relations=n_relations, n_types=n_types) if n_types else None
        self.project = nn.Linear(width, N_POINTERS * self.hidden)
        self.query = nn.Parameter(torch.randn(n_relations, N_POINTERS, self.hidden))
        self.common = nn.Parameter(torch.randn(N_POINTERS, self.hidden))
        # Few tokens are an end of an argument: with a bias of 0 the first steps would propose hundreds of spans a row.
        self.bias = nn.Parameter(torch.full((n_relations, N_POINTERS), INITIAL_BIAS))
        self.pool = nn.Linear(width, 1)
        self.pair_scorer = PairScorer(
            width,
            n_relations=n_relations,
            hidden=self.pair_hidden,
            dropout=self.dropout.p,
            between=self.between,
            n_assertions=n_assertions,
        )

    def forward(
        self,
        vectors: Tensor,
        index: Tensor,
        sentence: Tensor,
        relation: Tensor,
        limits: SpanLimits,
        extra: Optional[Tensor] = None,
    ) -> ExtractorOutput:
        """Query each row's sentence for its relation.

        vectors (Tensor): All token vectors. Shape (N, D)
        index (Tensor): Token of each cell of each sentence, -1 on padding. Shape (B, T)
        sentence, relation (Tensor): Sentence and relation of each row. Shapes (M,)
        limits, extra (SpanLimits, Optional[Tensor]): See `propose_pairs`. Shape of the latter (S, 3)
        """
        vectors = self.dropout(vectors)
        tokens, mask = gather_tokens(vectors, index)
        keys, _ = gather_tokens(nn.functional.gelu(self.project(vectors)), index)  # projected without the padding
        keys = keys.unflatten(-1, (N_POINTERS, self.hidden))  # (B, T, 4, d)
        pointers = self._query(keys, sentence, relation) + self.bias[relation].unsqueeze(1)
        row_mask = mask[sentence]
        pairs, span_probs = propose_pairs(pointers, row_mask, extra, limits)
        weights = self.pool(tokens).masked_fill(~mask.unsqueeze(-1), -1e4).softmax(dim=1)
        context = (weights * tokens).sum(dim=1)
        rows = pairs[:, 0]
        scored = self.pair_scorer(tokens, context, pairs, sentence[rows], relation[rows])
        pair_logits, assertions = split_assertions(scored)
        if self.types is None:
            spans, type_logits = no_types(pairs)
        else:
            fit, spans, type_logits = self.types(tokens, pairs, sentence[rows], relation[rows])
            pair_logits = pair_logits + fit
        return ExtractorOutput(pointers, row_mask, pairs, pair_logits, span_probs, spans, type_logits, assertions)

    def _query(self, keys: Tensor, sentence: Tensor, relation: Tensor) -> Tensor:
        """Multiply each row's query with the keys of its sentence. Shapes (B, T, 4, d), (M,), (M,) → (M, T, 4)

        The queries of a sentence are arranged side by side, which needs less memory than a copy of its tokens' keys
        for each query.
        """
        slot = rank_in_group(sentence)
        slots = 1 + int(slot.max()) if len(slot) else 0
        cell = sentence * slots + slot
        queried = torch.zeros(len(keys) * slots, dtype=torch.long, device=keys.device)
        queried[cell] = relation
        table = (self.query + self.common).flatten(1)  # (R, 4 d)
        queries = nn.functional.embedding(queried, table).view(len(keys), slots, N_POINTERS, self.hidden)
        products = queries.permute(0, 2, 1, 3) @ keys.permute(0, 2, 3, 1)  # (B, 4, slots, T)
        products = products.permute(0, 2, 3, 1).reshape(len(keys) * slots, keys.shape[1] * N_POINTERS)
        chosen = nn.functional.embedding(cell, products).view(len(cell), keys.shape[1], N_POINTERS)
        return chosen / self.hidden**0.5


def gather_tokens(vectors: Tensor, index: Tensor) -> Tuple[Tensor, Tensor]:
    """Arrange token vectors by sentence, with a mask. Shapes (N, D), (B, T) → (B, T, D), (B, T)"""
    # embedding() has a much faster backward pass than indexing
    return nn.functional.embedding(index.clamp(min=0), vectors), index >= 0


class MarkedModule(nn.Module):
    """An encoder of word pieces, which may still be empty, with a head; the sizes of both are stored together."""

    def __init__(self, tokens: TokenEncoder, *, dropout: float) -> None:
        super().__init__()
        self.tokens, self.dropout = tokens, nn.Dropout(dropout)
        self.head_sizes: Optional[Dict[str, int]] = None

    @property
    def sizes(self) -> Optional[Dict[str, object]]:
        """RETURNS (Optional[Dict[str, object]]): Arguments of `configure`; None while a part is empty."""
        if self.head_sizes is None or self.tokens.sizes is None:
            return None
        return {**self.head_sizes, **self.tokens.sizes}

    @property
    def input_width(self) -> int:
        """RETURNS (int): Size of the encoder's vectors, D."""
        return self.tokens.width

    def configure(
        self,
        *,
        width: int,
        n_relations: int,
        n_types: int = 0,
        n_assertions: int = 0,
        hf_config: Optional[Dict[str, object]] = None,
        tokenizer: str = "",
    ) -> None:
        """Build the head, and the encoder if its configuration is given; see `TokenEncoder.configure`.

        n_types (int): Not read: a head over pieces has no entity types.
        n_assertions (int): Of an extractor, see `PairScorer`.
        """
        if hf_config is not None:
            self.tokens.configure(hf_config=hf_config, tokenizer=tokenizer)
        self.head_sizes = {"width": width, "n_relations": n_relations}
        self.head_sizes.update({"n_assertions": n_assertions} if n_assertions else {})
        self.build_head(width, n_relations)

    def load_checkpoint(self, path: str) -> None:
        """Build the encoder with the weights of a checkpoint: a folder, or a name on the Hugging Face Hub."""
        self.tokens.load_checkpoint(path)

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the layers above the encoder."""
        raise NotImplementedError


class MarkedDetector(MarkedModule):
    """z = W h + b, multi-label (Eq. 5): h is the vector of [CLS], as in the paper, or the mean of all pieces."""

    def __init__(self, tokens: TokenEncoder, *, dropout: float, pooling: str = "cls") -> None:
        super().__init__(tokens, dropout=dropout)
        self.pooling = pooling

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the output layer."""
        self.output = nn.Linear(width, n_relations)

    def forward(self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], cls: Tensor, **_: object) -> Tensor:
        """Compute the logits of relations. Shape (B, R)

        ids, shapes, masks (List[Tensor]): Padded pieces. Shapes (b, L)
        cls (Tensor): Cell of each sequence's first piece. Shape (B,)
        """
        cells = self.tokens.cells(ids, shapes, masks)
        return self.output(self.dropout(cells[cls] if self.pooling == "cls" else means_of_rows(cells, masks, cls)))


def means_of_rows(cells: Tensor, masks: List[Tensor], cls: Tensor) -> Tensor:
    """Average the pieces of each sequence, [CLS] and [SEP] included.

    cells (Tensor): All cells of the padded batches. Shape (cells, D)
    masks (List[Tensor]): True on pieces. Shapes (b, L)
    cls (Tensor): Cell of each sequence's first piece. Shape (B,)
    RETURNS (Tensor): In the order of `cls`. Shape (B, D)
    """
    tables = cells.split([mask.numel() for mask in masks])
    means = [masked_mean(table.view(*mask.shape, -1), mask) for table, mask in zip(tables, masks)]
    widths = [mask.new_full((len(mask),), mask.shape[1], dtype=torch.long) for mask in masks]
    starts = torch.cat([cls.new_zeros(1), *widths]).cumsum(0)[:-1]
    return torch.cat([cells.new_zeros(0, cells.shape[1]), *means])[torch.searchsorted(starts, cls)]


class MarkedExtractor(MarkedModule):
    """z_{t,k} = w_k h_t + b_k over the sentence's tokens, h read with the relation (Eq. 6)."""

    def __init__(self, tokens: TokenEncoder, *, pair_hidden: int, dropout: float) -> None:
        super().__init__(tokens, dropout=dropout)
        self.pair_hidden = pair_hidden

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the pointers and the pair scorer; neither depends on the number of relations."""
        self.pointers = nn.Linear(width, N_POINTERS)
        nn.init.constant_(self.pointers.bias, INITIAL_BIAS)
        self.pair_scorer = PairScorer(
            width,
            n_relations=0,
            hidden=self.pair_hidden,
            dropout=self.dropout.p,
            n_assertions=(self.head_sizes or {}).get("n_assertions", 0),
        )

    def forward(
        self,
        ids: List[Tensor],
        shapes: List[Tensor],
        masks: List[Tensor],
        segments: List[Tensor],
        first: Tensor,
        last: Tensor,
        cls: Tensor,
        index: Tensor,
        limits: SpanLimits,
        extra: Optional[Tensor] = None,
    ) -> ExtractorOutput:
        """Query each row.

        ids, shapes, masks, segments (List[Tensor]): Padded pieces, a sequence per row. Shapes (b, L)
        first, last (Tensor): Cells of each token's first and last piece. Shape (N,)
        cls (Tensor): Cell of each row's first piece. Shape (M,)
        index (Tensor): Token of each cell of each row, -1 on padding. Shape (M, T)
        limits, extra (SpanLimits, Optional[Tensor]): See `propose_pairs`. Shape of the latter (S, 3)
        """
        table = self.dropout(self.tokens.cells(ids, shapes, masks, segments))
        tokens, mask = gather_tokens(mean_of_ends(table, first, last), index)
        pointers = self.pointers(tokens)
        pairs, span_probs = propose_pairs(pointers, mask, extra, limits)
        pair_logits, assertions = split_assertions(self.pair_scorer(tokens, table[cls], pairs, pairs[:, 0], None))
        return ExtractorOutput(pointers, mask, pairs, pair_logits, span_probs, *no_types(pairs), assertions)
