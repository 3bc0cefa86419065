"""A scorer of antecedents over token vectors.

    g_i = W [h_first(i); h_last(i)] + e_look(i)                       a slot: a name, a pronoun, or a phrase
    n_ij = v · tanh(U g_ij), n_i0 = 0                                 phrase i ends with its word j; 0: no mention
    s_ac = f([g_a; g_c; g_a ∘ g_c]) + Σ_k u_k(φ_k(a, c)), s_a0 = b    anaphor a has antecedent c; 0: it has none

with h the token vectors, f a layer of GELU units, φ buckets of distances and counts. One pass over mention pairs with a
dummy antecedent, as Lee et al. (EMNLP 2017) have it, over few candidates: names are found before, pronouns and
determiners are closed lists, and only where a phrase ends is learned. The look of a slot is its type or class; u of
both looks together learns agreement.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..encoders.layers import TokenModule
from .slots import FEATURES, MAX_WORDS, n_looks

# Score of a candidate on padding.
NEVER = -1e4

# Anaphors whose candidates are scored at a time.
ANAPHORS = 512


class CorefOutput(NamedTuple):
    """Logits of anaphors' antecedents, the last of none, and of phrases' ends, the first of no mention."""

    antecedents: Tensor  # (A, C + 1)
    phrases: Tensor  # (S, 1 + MAX_WORDS)


class AntecedentScorer(TokenModule):
    """Score the antecedents of each pronoun and phrase."""

    def __init__(self, *, hidden: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.dropout = hidden, nn.Dropout(dropout)

    def configure(self, *, width: int, n_labels: int) -> None:
        """Build the layers for token vectors of size D and K entity types."""
        self.sizes = {"width": width, "n_labels": n_labels}
        hidden, looks = self.hidden, n_looks(n_labels)
        self.first, self.last = nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.looks = nn.Embedding(looks, hidden)
        self.agreement = nn.Embedding(looks * looks, 1)
        self.tables = nn.ModuleList(nn.Embedding(size, 1) for size in FEATURES.values())
        self.pair = nn.Sequential(nn.Linear(3 * hidden, hidden), nn.GELU(), self.dropout, nn.Linear(hidden, 1))
        self.phrase = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), self.dropout, nn.Linear(hidden, 1))
        self.none = nn.Parameter(torch.zeros(1))
        for table in (self.looks, self.agreement, *self.tables):
            nn.init.zeros_(table.weight)

    def forward(
        self,
        vectors: Tensor,
        first: Tensor,
        last: Tensor,
        look: Tensor,
        phrase_ends: Tensor,
        anaphor: Tensor,
        candidates: Tensor,
        features: Tensor,
        ends: Tensor,
    ) -> CorefOutput:
        """Compute the logits of antecedents and of the ends of phrases.

        vectors (Tensor): All token vectors. Shape (N, D)
        ends (Tensor): Annotated number of words of each phrase, 0 or less: the likeliest is taken. Shape (S,)
        The others are those of `slot_arrays`.
        """
        vectors = self.dropout(vectors)
        begins, closes = self.first(vectors), self.last(vectors)
        phrases = self._score_ends(begins, closes, first, phrase_ends)
        words = torch.where(ends > 0, ends, phrases[:, 1:].argmax(1) + 1)
        of_phrase = phrase_ends.gather(1, words[:, None] - 1)[:, 0]
        slots = begins[first] + closes[torch.where(of_phrase >= 0, of_phrase, last)] + self.looks(look)
        # of a long text, some anaphors at a time
        rows = zip(anaphor.split(ANAPHORS), candidates.clamp(min=0).split(ANAPHORS))
        parts = [self._score_pairs(slots[anaphors], slots[others]) for anaphors, others in rows]
        scores = torch.cat([slots.new_zeros(0, candidates.shape[1]), *parts])  # (A, C)
        both = look[anaphor][:, None] * self.looks.num_embeddings + look[candidates.clamp(min=0)]
        scores = scores + self.agreement(both)[..., 0]
        for number, table in enumerate(self.tables):
            scores = scores + table(features[..., number])[..., 0]
        scores = scores.masked_fill(candidates < 0, NEVER)
        return CorefOutput(torch.cat([scores, self.none.expand(len(scores), 1)], 1), phrases)

    def _score_pairs(self, anaphors: Tensor, candidates: Tensor) -> Tensor:
        """Score the candidates of each anaphor by their vectors. Shapes (A, H), (A, C, H) → (A, C)"""
        one = anaphors[:, None].expand_as(candidates)
        return self.pair(torch.cat([one, candidates, one * candidates], -1))[..., 0]

    def _score_ends(self, begins: Tensor, closes: Tensor, first: Tensor, phrase_ends: Tensor) -> Tensor:
        """Score each end of each phrase, and that it is no mention. Shape (S, 1 + MAX_WORDS)"""
        spans = begins[first][:, None] + closes[phrase_ends.clamp(min=0)]  # (S, MAX_WORDS, H)
        scores = self.phrase(spans)[..., 0].masked_fill(phrase_ends < 0, NEVER)
        assert scores.shape[1] == MAX_WORDS
        return torch.cat([scores.new_zeros(len(scores), 1), scores], 1)
