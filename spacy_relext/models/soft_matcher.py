"""NERO's soft matcher: how alike a text between two entities and the body of a rule are.

    a = softmax_t( uᵀ tanh(B x_t + b) ),    q = Σ_t a_t x_t        one set of parameters for texts and rules
    SRM(s, p) = ⟨w∘q_s, w∘q_p⟩ / (‖w∘q_s‖ ‖w∘q_p‖)

Only w² matters, a diagonal metric, and its scale does not. The norm is bounded from below and nothing is added to the
vectors: a text is exactly like itself, while the authors' code gives 0.99996.

Source: Zhou et al., "NERO: A Neural Rule Grounding Framework for Label-Efficient Relation Extraction", WWW 2020.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST_NORM = 1e-8


class AttentionPooling(nn.Module):
    """q = Σ_t a_t x_t, with a = softmax_t(uᵀ tanh(B x_t + b)); u = 0 at first, so that it begins as the mean."""

    def __init__(self, width: int, *, hidden: int) -> None:
        """Build the layer.

        width (int): D.
        hidden (int): Size of the attention's layer.
        """
        super().__init__()
        self.project = nn.Linear(width, hidden)
        self.vector = nn.Parameter(torch.zeros(hidden))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Pool.

        vectors (Tensor): Of tokens. Shape (N, T, D)
        mask (Tensor): True on tokens. Shape (N, T)
        RETURNS (Tensor): 0 where a text has no token. Shape (N, D)
        """
        return pooled(vectors, self.weights(vectors, mask), mask)

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        vectors (Tensor): Of tokens. Shape (N, T, D)
        mask (Tensor): True on tokens. Shape (N, T)
        RETURNS (Tensor): a, 0 everywhere in a text without a token. Shape (N, T)
        """
        scores = torch.tanh(self.project(vectors)) @ self.vector  # (N, T)
        weights = scores.masked_fill(~mask, float("-inf")).softmax(1)
        return weights.masked_fill(~mask, 0.0)  # also of a text without a token


def pooled(vectors: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """Σ_t a_t x_t.

    vectors (Tensor): Of tokens. Shape (N, T, D)
    weights (Tensor): a. Shape (N, T)
    mask (Tensor): True on tokens: what a cell without one holds is not read. Shape (N, T)
    RETURNS (Tensor): Shape (N, D)
    """
    return torch.einsum("nt,ntd->nd", weights, vectors.masked_fill(~mask[..., None], 0.0))


class SoftMatcher(nn.Module):
    """SRM(s, p): the cosine of two pooled texts under a learned diagonal metric."""

    def __init__(self, width: int) -> None:
        """Build the metric; w = 1 at first, so that it begins as the cosine.

        width (int): D.
        """
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, texts: Tensor, rules: Tensor) -> Tensor:
        """Compare.

        texts (Tensor): Pooled. Shape (P, D)
        rules (Tensor): Pooled. Shape (J, D)
        RETURNS (Tensor): From -1 to 1. Shape (P, J)
        """
        return self.unit(texts) @ self.unit(rules).T

    def unit(self, texts: Tensor) -> Tensor:
        """w∘q with a length of 1: the product of two is their score.

        texts (Tensor): Pooled. Shape (N, D)
        RETURNS (Tensor): Shape (N, D)
        """
        return F.normalize(texts * self.scale, dim=1, eps=LEAST_NORM)
