"""Pairs of entities as means of token vectors, without weights of their own."""

from typing import Any, Dict, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pair_states import PairStates, masked_mean


class MeanPairs(nn.Module):
    """Token vectors as they are, and their means over subject, object and the words between: what reads pairs before
    anything has been learned must not begin with weights drawn by chance.
    """

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Create an empty encoder; `configure` tells it its sizes.

        dropout (float): Dropout on the token vectors.
        """
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.sizes: Optional[Dict[str, Any]] = None

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that come out."""
        assert self.sizes is not None, "configure() comes first"
        return int(self.sizes["width"])

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        """Take down the sizes.

        width (int): Size of the token vectors, D.
        n_tags (int): Part-of-speech tags, which are not read.
        n_types (int): Entity types, which are not read.
        """
        self.sizes = {"width": width, "n_tags": n_tags, "n_types": n_types}

    def forward(
        self, vectors: Tensor, index: Tensor, roles: Tensor, kept: Tensor, hidden: Optional[Tensor] = None, **_: Any
    ) -> PairStates:
        """Read pairs. What roles and kept hold on padding is not read.

        vectors (Tensor): All token vectors. Shape (N, D)
        index (Tensor): Token vector of each cell of each pair's text, -1 on padding. Shape (P, T)
        roles (Tensor): 1 on tokens of the subject, 2 on those of the object, 3 on those of both, else 0. Shape (P, T)
        kept (Tensor): True on the tokens between both. Shape (P, T)
        hidden (Optional[Tensor]): Whether subject and object of each pair are not to be seen; their vectors are 0.
            Shape (P, 2)
        RETURNS (PairStates): The sentence is what stands between the arguments, or both where nothing does.
        """
        mask = index >= 0
        if not len(index):
            none = vectors.new_zeros(0, vectors.shape[1])
            return PairStates(none.new_zeros(*index.shape, vectors.shape[1]), mask, none, none, none)
        roles, kept = roles.masked_fill(~mask, 0), kept & mask
        # embedding() has a much faster backward pass than indexing
        states = F.embedding(index.clamp(min=0), self.dropout(vectors)) * mask[..., None]  # (P, T, D)
        if hidden is not None:
            for column, role in enumerate((1, 2)):
                states = states * ~(((roles & role) > 0) & hidden[:, column, None])[..., None]
        between = torch.where(kept.any(1, keepdim=True), kept, roles > 0)
        subject, obj = (masked_mean(states, (roles & role) > 0) for role in (1, 2))
        return PairStates(states, mask, masked_mean(states, between), subject, obj)
