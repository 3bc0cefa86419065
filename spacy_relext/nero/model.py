"""NERO: a relation module that learns from rules, and a soft matcher that compares texts with rules.

    relation module   z = F([h; h_s; h_o]),  h = Σ_t a_t h_t  over the arguments and what stands between them
    soft matcher      SRM(s, p) = ⟨w∘q_s, w∘q_p⟩ / (‖w∘q_s‖ ‖w∘q_p‖),  q = Σ_t a_t x_t  over what stands between them

Both read texts and the bodies of rules with the same weights, in one call. x are word vectors if the encoder has them
(the paper's form), else states of tokens; if nothing stands between the arguments, the arguments themselves are read.

What differs from the paper is listed in `docs/research/differences.md`: above all, F also reads both arguments, and
class 0, no relation, is a class like the others.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..pairs.encoders.states import masked_softmax
from ..pairs.model import PairModule, by_token


class GrounderOutput(NamedTuple):
    """Output for N pairs, in texts and in the bodies of rules.

    unit (Tensor): w∘q, normalized to length 1: the dot product of two is their score. Shape (N, D)
    attention (Tensor): a of the matcher, by token, without gradient. Shape (N, T)
    """

    logits: Tensor  # z (N, R)
    unit: Tensor
    attention: Tensor


class Grounder(PairModule):
    """Relation module and soft matcher over one encoder."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build F, both attentions, and the metric, which starts as the cosine."""
        hidden = self.settings["attention_hidden"]
        self.reading = AttentionPooling(width, hidden=hidden)
        self.head = self.class_head(width, n_classes)
        self.attention = AttentionPooling(self.encoder.word_width, hidden=hidden)
        self.matcher = SoftMatcher(self.encoder.word_width)

    def forward(
        self, to_subject: Tensor, to_object: Tensor, types: Tensor, positions: Tensor, **arrays: object
    ) -> GrounderOutput:
        """Classify texts and rules, and pool them for the soft matcher."""
        states = self.encoder(types=types, to_subject=to_subject, to_object=to_object, **arrays)
        arguments = ((to_subject == 0) | (to_object == 0)) & states.mask
        between = (to_subject * to_object < 0) & states.mask
        sentence = self.reading(states.tokens, arguments | between)
        logits = self.head(states._replace(sentence=sentence))
        read = between | (arguments & ~between.any(1, keepdim=True))
        weights = self.attention.weights(states.words, read)
        unit = self.matcher.unit(_pool(states.words, weights, read))
        return GrounderOutput(logits, unit, by_token(weights.detach(), positions))


class AttentionPooling(nn.Module):
    """q = Σ_t a_t x_t, with a = softmax_t(uᵀ tanh(B x_t + b)); u is initialized to 0: q starts as the mean.

    Vectors x of tokens have the shape (N, T, D); the mask, (N, T), is True on tokens.
    """

    def __init__(self, width: int, *, hidden: int) -> None:
        """Build the layer, for D = `width`."""
        super().__init__()
        self.project = nn.Linear(width, hidden)
        self.vector = nn.Parameter(torch.zeros(hidden))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Compute q, 0 for a text without a token. Shape (N, D)"""
        return _pool(vectors, self.weights(vectors, mask), mask)

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Compute a, 0 everywhere in a text without a token. Shape (N, T)"""
        return masked_softmax(torch.tanh(self.project(vectors)) @ self.vector, mask)


def _pool(vectors: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """Compute Σ_t a_t x_t; values of cells without a token, such as nan, have no effect. Shape (N, D)"""
    return torch.einsum("nt,ntd->nd", weights, vectors.masked_fill(~mask[..., None], 0.0))


class SoftMatcher(nn.Module):
    """SRM(s, p): the cosine of two pooled texts under a learned diagonal metric."""

    def __init__(self, width: int) -> None:
        """Build the metric, for D = `width`; w is initialized to 1, so that it starts as the cosine."""
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, texts: Tensor, rules: Tensor) -> Tensor:
        """Compare pooled texts (P, D) and rules (J, D). Shape (P, J)"""
        return self.unit(texts) @ self.unit(rules).T

    def unit(self, texts: Tensor) -> Tensor:
        """Compute w∘q, normalized to length 1: the dot product of two is their score. Shapes (N, D) → (N, D)"""
        return F.normalize(texts * self.scale, dim=1, eps=1e-8)
