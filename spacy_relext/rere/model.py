"""RERE: detect the relations of a sentence, then extract subject and object spans for each of them.

Source: Xie et al., "Revisiting the Negative Data of Distantly Supervised Relation Extraction", ACL 2021.

Detector (Eq. 5): ŷ = σ(W h + b), multi-label, h the sentence vector. Extractor (Eq. 6): for a relation r and tokens t,
four independent pointers σ(z_{r,t,k}), k in (subject start, subject end, object start, object end).

What differs from the paper, and why (figures in `docs/benchmarks/rere.md`):
- The paper encodes `[CLS] relation text [SEP] sentence [SEP]` once per relation (`MarkedExtractor`). `SharedExtractor`
  encodes the sentence once and conditions the pointers on a relation embedding, so the cost does not grow with the
  number of detected relations.
- Over token vectors, the detector pools its sentence vector by a separate attention for each relation.
- Subjects and objects are paired by a learned scorer instead of the nearest-object sweep (`rere/span_pairs.py`).
"""

from typing import List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

from ..encoders.assertions import NO_ASSERTIONS
from ..encoders.layers import PredictionLinear, TokenModule
from .argument_types import ArgumentTypes, no_types
from .span_pairs import PairScorer, cross_spans, propose_spans, rank_in_group, score_spans, split_assertions

N_POINTERS = 4

INITIAL_BIAS = -4.0

# Most cells (row, start, end) in which candidate spans are searched at a time.
TABLE_CELLS = 2**21

DETECTOR_BIAS = -2.5


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


class Proposal(nn.Module):
    """Turn pointer logits into candidate pairs; has settings, but no weights."""

    def __init__(self, *, threshold: float, max_length: int, top_k: int) -> None:
        """Set how spans are proposed; see `span_pairs.propose_spans`."""
        super().__init__()
        self.threshold, self.max_length, self.top_k = threshold, max_length, top_k

    @torch.no_grad()
    def forward(self, pointers: Tensor, mask: Tensor, extra: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
        """List candidate pairs.

        pointers (Tensor): Logits. Shape (M, T, 4)
        mask (Tensor): True on tokens. Shape (M, T)
        extra (Optional[Tensor]): Row, first, last of spans that are always candidates: in training, gold arguments and
            rival entities, see `rows.py`. Shape (S, 3)
        RETURNS (Tuple[Tensor, Tensor]): Row, subject first and last, object first and last; probabilities of the
            subject and the object span. Shapes (P, 5), (P, 2)
        """
        probs = torch.sigmoid(pointers.float()) * mask.unsqueeze(-1)
        (subjects, p_subject), (objects, p_object) = self._spans(probs)
        if extra is not None:
            subjects, objects = (torch.unique(torch.cat([spans, extra]), dim=0) for spans in (subjects, objects))
            p_subject = score_spans(probs[..., 0], probs[..., 1], subjects)
            p_object = score_spans(probs[..., 2], probs[..., 3], objects)
        pairs, subject, obj = cross_spans(subjects, objects)
        return pairs, torch.stack([p_subject[subject], p_object[obj]], dim=1)

    def _spans(self, probs: Tensor) -> List[Tuple[Tensor, ...]]:
        """Propose subjects, and objects, in chunks of as many rows as fit. Shapes (S, 3), (S,); (O, 3), (O,)"""
        # Most rows query an absent relation: only those with a possible subject and object enter the table.
        best = probs.amax(dim=1) if probs.shape[1] else probs.new_zeros(len(probs), N_POINTERS)
        # the score of a span is at most the product of its ends
        enough = best[:, 0::2] * best[:, 1::2] >= self.threshold**2
        alive = enough.all(dim=1).nonzero().squeeze(1)
        subjects, objects = [], []
        for rows in alive.split(max(1, TABLE_CELLS // (2 * max(1, probs.shape[1]) ** 2))):
            part = probs[rows]
            # both roles in one call: first the rows for subjects, then those for objects
            spans, scores = propose_spans(
                torch.cat([part[..., 0], part[..., 2]]),
                torch.cat([part[..., 1], part[..., 3]]),
                threshold=self.threshold,
                max_length=self.max_length,
                top_k=self.top_k,
            )
            n_subjects = int((spans[:, 0] < len(rows)).sum())
            spans[:, 0] = rows.repeat(2)[spans[:, 0]]
            subjects.append((spans[:n_subjects], scores[:n_subjects]))
            objects.append((spans[n_subjects:], scores[n_subjects:]))
        return [tuple(torch.cat(column) for column in zip(*role)) for role in (subjects, objects)]


class SharedDetector(TokenModule):
    """Score every relation of a sentence from its token vectors, each relation with its own attention.

    z_r = Σ_t softmax_t(a_r · g_t) (v_r · g_t), with g_t a projection of token vector h_t.
    """

    def __init__(self, *, hidden: int, dropout: float, precision: str = "fp32") -> None:
        """Create an empty detector.

        hidden (int): Size of the projection.
        dropout (float): Dropout on token vectors and projection.
        precision (str): Of predictions on a CPU, see `PredictionLinear`.
        """
        super().__init__()
        self.hidden, self.dropout, self.precision = hidden, dropout, precision

    def configure(self, *, width: int, n_relations: int) -> None:
        """Build the layers for R relations and token vectors of size D."""
        self.sizes = {"width": width, "n_relations": n_relations}
        dropout = nn.Dropout(self.dropout)
        linear = PredictionLinear(width, self.hidden, precision=self.precision)
        self.project = nn.Sequential(dropout, linear, nn.GELU(), dropout)
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
        proposal: Proposal,
        hidden: int,
        pair_hidden: int,
        dropout: float,
        between: bool = False,
        precision: str = "fp32",
    ) -> None:
        """Create an empty extractor.

        hidden (int): Size d of a pointer's projection.
        pair_hidden (int): Size of the pair scorer's hidden layer.
        dropout (float): Dropout on the token vectors and in the pair scorer.
        precision (str): Of predictions on a CPU, see `PredictionLinear`.
        """
        super().__init__()
        self.proposal = proposal
        self.hidden, self.pair_hidden, self.between, self.precision = hidden, pair_hidden, between, precision
        self.dropout = nn.Dropout(dropout)

    def configure(self, *, width: int, n_relations: int, n_types: int = 0, n_assertions: int = 0) -> None:
        """Build the layers for R relations, K entity types, A assertions and token vectors of size D."""
        self.sizes = {"width": width, "n_relations": n_relations, "n_types": n_types}
        self.sizes.update({"n_assertions": n_assertions} if n_assertions else {})
        self.types = ArgumentTypes(width, n_relations=n_relations, n_types=n_types) if n_types else None
        self.project = PredictionLinear(width, N_POINTERS * self.hidden, precision=self.precision)
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
            precision=self.precision,
            n_assertions=n_assertions,
        )

    def forward(
        self, vectors: Tensor, index: Tensor, sentence: Tensor, relation: Tensor, extra: Optional[Tensor] = None
    ) -> ExtractorOutput:
        """Query each row's sentence for its relation.

        vectors (Tensor): All token vectors. Shape (N, D)
        index (Tensor): Token of each cell of each sentence, -1 on padding. Shape (B, T)
        sentence, relation (Tensor): Sentence and relation of each row. Shapes (M,)
        extra (Optional[Tensor]): See `Proposal.forward`. Shape (S, 3)
        """
        vectors = self.dropout(vectors)
        tokens, mask = gather_tokens(vectors, index)
        keys, _ = gather_tokens(nn.functional.gelu(self.project(vectors)), index)  # projected without the padding
        keys = keys.unflatten(-1, (N_POINTERS, self.hidden))  # (B, T, 4, d)
        pointers = self._query(keys, sentence, relation) + self.bias[relation].unsqueeze(1)
        row_mask = mask[sentence]
        pairs, span_probs = self.proposal(pointers, row_mask, extra)
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
