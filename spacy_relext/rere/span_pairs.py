"""Candidate spans from start and end pointers, and the scorers of (subject, object) candidates."""

from typing import List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ..encoders.assertions import NO_ASSERTIONS
from ..encoders.layers import N_BUCKETS, bucket_distance

# Most pairs in a chunk; with more than one chunk, activations are checkpointed.
PAIRS_PER_CHUNK = 16384

# Most cells (row, start, end) in which candidate spans are searched at a time.
TABLE_CELLS = 2**21


class SpanLimits(NamedTuple):
    """Which spans are candidates."""

    threshold: float  # lowest probability of starts and ends
    max_length: int  # longest span, in tokens
    top_k: int  # most spans per row and role, those with the highest scores


def propose_pairs(pointers: Tensor, mask: Tensor, extra: Optional[Tensor], limits: SpanLimits) -> Tuple[Tensor, Tensor]:
    """List candidate pairs, without gradient.

    pointers (Tensor): Logits of subject start, subject end, object start, object end. Shape (M, T, 4)
    mask (Tensor): True on tokens. Shape (M, T)
    extra (Optional[Tensor]): Row, first, last of spans that are always candidates: in training, gold arguments and
        hard negatives, see `rows.py`. Shape (S, 3)
    RETURNS (Tuple[Tensor, Tensor]): Row, subject first and last, object first and last; probabilities of the subject
        and the object span. Shapes (P, 5), (P, 2)
    """
    with torch.no_grad():
        probs = torch.sigmoid(pointers.float()) * mask.unsqueeze(-1)
        (subjects, p_subject), (objects, p_object) = _propose_both(probs, limits)
        if extra is not None:
            subjects, objects = (torch.unique(torch.cat([spans, extra]), dim=0) for spans in (subjects, objects))
            p_subject = score_spans(probs[..., 0], probs[..., 1], subjects)
            p_object = score_spans(probs[..., 2], probs[..., 3], objects)
        pairs, subject, obj = cross_spans(subjects, objects)
        return pairs, torch.stack([p_subject[subject], p_object[obj]], dim=1)


def _propose_both(probs: Tensor, limits: SpanLimits) -> List[Tuple[Tensor, ...]]:
    """Propose subjects, and objects, in chunks of as many rows as fit. Shapes (S, 3), (S,); (O, 3), (O,)"""
    # Most rows query an absent relation: only those with a possible subject and object enter the table.
    best = probs.amax(dim=1) if probs.shape[1] else probs.new_zeros(len(probs), 4)
    # the score of a span is at most the product of its ends
    enough = best[:, 0::2] * best[:, 1::2] >= limits.threshold**2
    subjects, objects = [], []
    n_rows = max(1, TABLE_CELLS // (2 * max(1, probs.shape[1]) ** 2))
    for rows in enough.all(dim=1).nonzero().squeeze(1).split(n_rows):
        part = probs[rows]
        # both roles in one call: first the rows for subjects, then those for objects
        starts, ends = (torch.cat([part[..., end], part[..., 2 + end]]) for end in (0, 1))
        spans, scores = propose_spans(starts, ends, limits)
        n_subjects = int((spans[:, 0] < len(rows)).sum())
        spans[:, 0] = rows.repeat(2)[spans[:, 0]]
        subjects.append((spans[:n_subjects], scores[:n_subjects]))
        objects.append((spans[n_subjects:], scores[n_subjects:]))
    return [tuple(torch.cat(column) for column in zip(*role)) for role in (subjects, objects)]


def propose_spans(starts: Tensor, ends: Tensor, limits: SpanLimits) -> Tuple[Tensor, Tensor]:
    """Propose candidate spans of every row: those whose `soft_span_scores` reach the square of the threshold.

    starts, ends (Tensor): Probability that a span starts, or ends, at a token; 0 on padding. Shapes (M, T)
    RETURNS (Tuple[Tensor, Tensor]): Row, first token, last token of each span, by row and descending score; the scores.
        Shapes (S, 3), (S,)
    """
    scores = soft_span_scores(starts, ends)
    pairs = scores >= limits.threshold**2  # (M, T, T)
    # (T, T), 0 ≤ end - start < max_length
    band = pairs.new_ones(pairs.shape[1:]).triu_().tril_(limits.max_length - 1)
    spans = (pairs & band).nonzero()
    return top_k_per_row(spans, scores[spans.unbind(1)], top_k=limits.top_k)


def soft_span_scores(starts: Tensor, ends: Tensor) -> Tensor:
    """Compute the probability of each span under RERE's mutual-nearest rule, with independent pointers.

    p(i, j) = ps_i · pe_j · Π_{i ≤ k < j} (1 - pe_k) · Π_{i < k ≤ j} (1 - ps_k): a start at i, an end at j, no end
    before it and no other start between.

    starts, ends (Tensor): As for `propose_spans`. Shapes (M, T)
    RETURNS (Tensor): p; 0 if the end lies before the start. Shape (M, T, T)
    """
    inside = _log_no_boundary(starts, ends)
    inside = inside.unsqueeze(1) - inside.unsqueeze(2)  # (M, T, T)
    return torch.triu(starts.unsqueeze(2) * ends.unsqueeze(1) * inside.clamp(max=0.0).exp())


def score_spans(starts: Tensor, ends: Tensor, spans: Tensor) -> Tensor:
    """Score given spans as `soft_span_scores` does, without a table of shape (M, T, T).

    starts, ends (Tensor): Shapes (M, T)
    spans (Tensor): Row, first, last. Shape (S, 3)
    """
    row, first, last = spans.unbind(1)
    inside = _log_no_boundary(starts, ends)
    return starts[row, first] * ends[row, last] * (inside[row, last] - inside[row, first]).clamp(max=0.0).exp()


def _log_no_boundary(starts: Tensor, ends: Tensor) -> Tensor:
    """Compute S with S_j - S_i = Σ_{i ≤ k < j} ln(1 - pe_k) + Σ_{i < k ≤ j} ln(1 - ps_k). Shape (M, T)"""
    no_end = torch.log1p(-ends.clamp(max=1.0 - 1e-6))
    no_start = torch.log1p(-starts.clamp(max=1.0 - 1e-6))
    return no_end.cumsum(1) - no_end + no_start.cumsum(1)


def top_k_per_row(spans: Tensor, scores: Tensor, *, top_k: int) -> Tuple[Tensor, Tensor]:
    """Select the spans (row, first, last) with the highest scores of each row.

    RETURNS (Tuple[Tensor, Tensor]): Sorted by row, then by descending score. Shapes (S', 3), (S',)
    """
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[torch.argsort(spans[order, 0], stable=True)]
    spans, scores = spans[order], scores[order]
    if len(spans) <= top_k:
        return spans, scores
    best = rank_in_group(spans[:, 0]) < top_k
    return spans[best], scores[best]


def rank_in_group(group: Tensor) -> Tensor:
    """Number the members of each group from 0, in their order; groups are non-negative integers. Shape (M,)"""
    counts = torch.bincount(group)
    order = torch.argsort(group, stable=True)
    first = torch.repeat_interleave(counts.cumsum(0) - counts, counts)  # of the member's group, in sorted order
    rank = torch.empty_like(group)
    rank[order] = torch.arange(len(group), device=group.device) - first
    return rank


def cross_spans(subjects: Tensor, objects: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Combine the subjects and objects of each row whose spans differ.

    subjects, objects (Tensor): Row, first, last, sorted by row. Shapes (S, 3), (O, 3)
    RETURNS (Tuple[Tensor, Tensor, Tensor]): Row, subject first and last, object first and last of each pair; indices
        of its subject and its object. Shapes (P, 5), (P,), (P,)
    """
    n_rows = 1 + max((int(spans[-1, 0]) for spans in (subjects, objects) if len(spans)), default=-1)
    counts = torch.bincount(objects[:, 0], minlength=n_rows)
    partners = counts[subjects[:, 0]]  # (S,)
    i = torch.repeat_interleave(partners)
    first = (counts.cumsum(0) - counts)[subjects[:, 0]] - (partners.cumsum(0) - partners)
    j = torch.arange(len(i), device=i.device) + first[i]
    differ = (subjects[i, 1:] != objects[j, 1:]).any(dim=1)
    i, j = i[differ], j[differ]
    return torch.cat([subjects[i], objects[j, 1:]], dim=1), i, j


class PairScorer(nn.Module):
    """Score (subject, object) candidates under a relation.

    score = w · GELU(s + o + W_c c + e_r + d) + s · (e'_r ∘ o) / √H, with s = W_1 h_s0 + W_2 h_s1 and
    o = W_3 h_o0 + W_4 h_o1, h the token vectors at the spans' ends, c the sentence vector, e_r and e'_r embeddings of
    the relation (absent if the token vectors already depend on it), d an embedding of the signed distance. With
    `between`, W_b m is added to the hidden layer, m the attention-pooled vectors of the tokens between both spans. The
    logits of assertions, if they are learned, are a second linear layer above the hidden one.

    Each token is projected once, not once per pair.
    """

    def __init__(
        self,
        width: int,
        *,
        n_relations: int,
        hidden: int,
        dropout: float,
        between: bool = False,
        n_assertions: int = 0,
    ) -> None:
        """Create the scorer.

        width (int): Size of the token vectors, D.
        n_relations (int): R, or 0 if the token vectors already depend on the relation.
        hidden (int): Size H of the hidden layer.
        dropout (float): Dropout on the hidden layer.
        n_assertions (int): Number A of assertions, see `encoders/assertions.py`; 0: no head for them.
        """
        super().__init__()
        self.ends = nn.Linear(width, 4 * hidden)
        self.context = nn.Linear(width, hidden)
        self.between = nn.Linear(width, hidden + 1) if between else None
        self.distance = nn.Embedding(N_BUCKETS, hidden)
        self.relation = nn.Embedding(n_relations, hidden) if n_relations else None
        self.interaction = nn.Embedding(n_relations, hidden) if n_relations else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, 1)
        for table in (self.relation, self.interaction, self.distance):
            if table is not None:
                nn.init.normal_(table.weight, std=0.1)
        self.assertion = nn.Linear(hidden, n_assertions) if n_assertions else None

    def forward(
        self, tokens: Tensor, context: Tensor, pairs: Tensor, sentence: Tensor, relation: Optional[Tensor]
    ) -> Tensor:
        """Compute the logits of candidates, (P,), or these followed by the logits of assertions, (P, 1 + A).

        tokens (Tensor): Token vectors. Shape (B, T, D)
        context (Tensor): Sentence vectors. Shape (B, D)
        pairs (Tensor): Row, subject first and last, object first and last. Shape (P, 5)
        sentence (Tensor): Sentence of each pair. Shape (P,)
        relation (Optional[Tensor]): Relation of each pair. Shape (P,)
        """
        width = tokens.shape[1]
        used, cells = torch.unique(sentence.unsqueeze(1) * width + pairs[:, 1:], return_inverse=True)  # (U,), (P, 4)
        ends = self.ends(F.embedding(used, tokens.flatten(0, 1)))  # (U, 4 H)
        context = self.context(context)
        sums = None if self.between is None else pooled_sums(self.between(tokens))  # (B (T + 1), H + 1)
        gaps = pairs.new_empty(len(pairs), 0)
        if sums is not None:  # cells of the tokens between: the first, and the one after the last (P, 2)
            bounds = torch.minimum(pairs[:, 2], pairs[:, 4]) + 1, torch.maximum(pairs[:, 1], pairs[:, 3])
            gaps = sentence.unsqueeze(1) * (width + 1) + torch.stack(bounds, 1)
        logits = []
        for chosen in torch.arange(len(pairs), device=pairs.device).split(PAIRS_PER_CHUNK):
            labels = relation[chosen] if relation is not None else None
            arguments = (
                ends,
                cells[chosen],
                context,
                sentence[chosen],
                bucket_distance(pairs[chosen, 3] - pairs[chosen, 1]),
                labels,
                sums,
                gaps[chosen],
            )
            if torch.is_grad_enabled() and len(pairs) > PAIRS_PER_CHUNK:  # else dozens of tensors of P rows are stored
                logits.append(checkpoint(self._score, *arguments, use_reentrant=False))
            else:
                logits.append(self._score(*arguments))
        return torch.cat(logits)

    def _score(
        self,
        ends: Tensor,
        cells: Tensor,
        context: Tensor,
        sentence: Tensor,
        distance: Tensor,
        relation: Optional[Tensor],
        sums: Optional[Tensor],
        gaps: Tensor,
    ) -> Tensor:
        """Score candidates from projections.

        Shapes: ends (U, 4 H), cells (P, 4), context (B, H), sums (B (T + 1), H + 1), gaps (P, 2), the others (P,).
        """
        tables = ends.chunk(4, dim=-1)
        first, last, object_first, object_last = (
            F.embedding(cell, part) for cell, part in zip(cells.unbind(1), tables)
        )
        subject, obj = first + last, object_first + object_last
        hidden = subject + obj + F.embedding(sentence, context) + self.distance(distance)
        if sums is not None:
            first_gap, last_gap = (F.embedding(gap, sums) for gap in gaps.unbind(1))
            pooled = (last_gap - first_gap) * (gaps[:, 1] > gaps[:, 0]).unsqueeze(1)
            hidden = hidden + pooled[:, :-1] / pooled[:, -1:].clamp(min=1e-4)
        product = subject * obj
        if self.relation is not None and self.interaction is not None:
            assert relation is not None
            hidden = hidden + self.relation(relation)
            product = product * self.interaction(relation)
        bilinear = product.sum(-1) / hidden.shape[-1] ** 0.5
        hidden = self.dropout(F.gelu(hidden))
        logits = self.output(hidden).squeeze(-1) + bilinear
        return logits if self.assertion is None else torch.cat([logits.unsqueeze(1), self.assertion(hidden)], dim=1)


def split_assertions(logits: Tensor) -> Tuple[Tensor, Tensor]:
    """Split what `PairScorer` returns into the logits of candidates and those of assertions. Shapes (P,), (P, A)"""
    return (logits, NO_ASSERTIONS) if logits.dim() == 1 else (logits[:, 0], logits[:, 1:])


def pooled_sums(values: Tensor) -> Tensor:
    """Sum the vectors before each token, weighted by exp of their last column, and these weights.

    The difference of the sums at two tokens, divided by that of the weights, is the attention-pooled vector of the
    tokens between. Shape (B, T, H + 1) → (B (T + 1), H + 1)
    """
    weight = values[..., -1:].float().clamp(-8.0, 8.0).exp()
    weighted = torch.cat([values[..., :-1].float() * weight, weight], dim=-1)
    return F.pad(weighted.cumsum(1), (0, 0, 1, 0)).flatten(0, 1)


class ArgumentTypes(nn.Module):
    """Predict the entity type of candidate arguments, and score pairs by it.

    q_s = softmax(V_1 h_s0 + V_2 h_s1 + b), over K types and "no entity", h the token vectors at the span's ends. A pair
    (s, o) under relation r gets a_r · q_s + b_r · q_o added to its score, so that arguments of types that the relation
    never has score lower. Types are predicted from the token vectors: no entities are needed in prediction.
    """

    def __init__(self, width: int, *, n_relations: int, n_types: int) -> None:
        super().__init__()
        self.ends = nn.Linear(width, 2 * (n_types + 1))
        self.subject = nn.Embedding(n_relations, n_types + 1)
        self.object = nn.Embedding(n_relations, n_types + 1)
        for table in (self.subject, self.object):
            nn.init.zeros_(table.weight)

    def forward(self, tokens: Tensor, pairs: Tensor, sentence: Tensor, relation: Tensor) -> Tuple[Tensor, ...]:
        """Compute what types add to the logits of pairs; the distinct argument spans; and the logits of their types.

        tokens (Tensor): Token vectors. Shape (B, T, D)
        pairs (Tensor): Row, subject first and last, object first and last. Shape (P, 5)
        sentence, relation (Tensor): Sentence and relation of each pair. Shapes (P,)
        RETURNS (Tuple[Tensor, ...]): Spans are sentence, first, last. Shapes (P,), (S, 3), (S, K + 1)
        """
        width = tokens.shape[1]
        cells = torch.cat([pairs[:, 1:3], pairs[:, 3:5]])  # (2 P, 2)
        keys = (sentence.repeat(2) * width + cells[:, 0]) * width + cells[:, 1]
        keys, span = torch.unique(keys, return_inverse=True)  # (S,), (2 P,)
        spans = torch.stack([keys // (width * width), keys // width % width, keys % width], dim=1)
        flat = tokens.flatten(0, 1)
        first, last = (F.embedding(spans[:, 0] * width + spans[:, end], flat) for end in (1, 2))
        first_weight, last_weight = self.ends.weight.chunk(2)
        first_bias, last_bias = self.ends.bias.chunk(2)
        logits = F.linear(first, first_weight, first_bias) + F.linear(last, last_weight, last_bias)
        subject, obj = F.embedding(span, logits.softmax(dim=1)).chunk(2)
        fit = (subject * self.subject(relation)).sum(1) + (obj * self.object(relation)).sum(1)
        return fit, spans, logits


def no_types(pairs: Tensor) -> Tuple[Tensor, Tensor]:
    """Return the spans and type logits of an extractor without types: none. Shapes (0, 3), (0, 0)"""
    return pairs.new_empty(0, 3), pairs.new_empty(0, 0, dtype=torch.float32)


def look_up_rows(rows: Tensor, known: Tensor, values: Tensor, *, n_tokens: int, default: int = 0) -> Tensor:
    """Look up the value of each row among known rows, else `default`. Shapes (N, C), (K, C), (K,) → (N,)

    n_tokens (int): All columns but the first are below it.
    """
    keys, order = torch.sort(row_keys(known, n_tokens=n_tokens))
    wanted = row_keys(rows, n_tokens=n_tokens)
    place = torch.searchsorted(keys, wanted).clamp(max=max(0, len(keys) - 1))
    missing = values.new_full(wanted.shape, default)
    return torch.where(keys[place] == wanted, values[order[place]], missing) if len(keys) else missing


def row_keys(rows: Tensor, *, n_tokens: int) -> Tensor:
    """Encode each row as one integer; all columns but the first are below `n_tokens`. Shape (N, C) → (N,)"""
    powers = n_tokens ** torch.arange(rows.shape[1] - 1, -1, -1, device=rows.device)
    return (rows * powers).sum(1)
