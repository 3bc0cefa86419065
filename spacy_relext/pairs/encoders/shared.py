"""Encoders of pairs over token vectors that all pairs of a text share."""

from torch import Tensor, nn
from torch.nn import functional as F

from ...encoders.layers import N_BUCKETS, bucket_distance
from .states import PairStates, TokenPairs, masked_max, masked_mean, masked_softmax, pool_pairs

N_ROLES = 4


class SharedPairs(TokenPairs):
    """Make the states of pairs from token vectors that were computed once for the whole text.

    The text is encoded once, however many pairs it has: a pair adds role and type embeddings to its tokens, and takes
    maxima over the subject, the object and the tokens between them (as in SpERT, Eberts & Ulges, ECAI 2020). With
    `context`, the sentence vector is

        h = m + GELU(Σ_i a_i U x_i + Σ_i b_i V x_i + d)

    with m the maximum over the tokens between, a and b the attention over the vectors x of the tokens between and of
    the whole text, and d an embedding of the distance from subject to object.
    """

    def __init__(self, *, hidden: int = 256, dropout: float = 0.1, context: bool = False) -> None:
        """Create an empty encoder.

        hidden (int): Size of the projection of a token vector.
        dropout (float): Dropout on the token vectors.
        context (bool): Whether the sentence vector also contains attention-pooled tokens and the distance.
        """
        super().__init__()
        self.hidden, self.dropout, self.context = hidden, nn.Dropout(dropout), context

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that are returned."""
        return self.hidden

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        """Build the layers; tags are not read."""
        super().configure(width=width, n_tags=n_tags, n_types=n_types)
        self.project = nn.Linear(width, self.hidden)
        self.roles, self.types = nn.Embedding(N_ROLES, self.hidden), nn.Embedding(n_types, self.hidden)
        for table in (self.roles, self.types):
            nn.init.normal_(table.weight, std=0.02)
        if self.context:
            self.scores, self.values = nn.Linear(width, 2), nn.Linear(width, 2 * self.hidden)
            self.distances = nn.Embedding(N_BUCKETS, self.hidden)
            nn.init.normal_(self.distances.weight, std=0.1)

    def forward(
        self, vectors: Tensor, index: Tensor, types: Tensor, roles: Tensor, pooled: Tensor, **_: object
    ) -> PairStates:
        """Encode pairs; the sentence vector pools the tokens between the arguments, or the arguments if there are none.

        vectors (Tensor): All token vectors. Shape (N, D)
        index (Tensor): Token vector of each cell of each pair's text, -1 on padding. Shape (P, T)
        types (Tensor): Entity types; values on padding are ignored, also in the following. Shape (P, T)
        roles (Tensor): 1 on tokens of the subject, 2 on those of the object, 3 on those of both, else 0. Shape (P, T)
        pooled (Tensor): True on the tokens between both. Shape (P, T)
        """
        mask = index >= 0
        if not len(index):
            return self.states_of_nothing(mask, like=self.roles.weight)
        types, roles = types.masked_fill(~mask, 0), roles.masked_fill(~mask, 0)
        vectors = self.dropout(vectors.to(self.project.weight.dtype))
        states = self.project(vectors)  # (N, hidden)
        # embedding() has a much faster backward pass than indexing
        states = F.embedding(index.clamp(min=0), states) + self.roles(roles) + self.types(types)
        states = F.gelu(states) * mask[..., None]  # (P, T, hidden)
        pairs = pool_pairs(states, mask, pooled & mask, roles, pooling=masked_max)
        if not self.context:
            return pairs
        context = self._read_context(vectors, index, mask, pooled & mask, roles)
        return pairs._replace(sentence=pairs.sentence + context)

    def _read_context(self, vectors: Tensor, index: Tensor, mask: Tensor, between: Tensor, roles: Tensor) -> Tensor:
        """Compute h - m; arguments as for `forward`, 0 on padding. Shape (P, hidden)"""
        cells, scores, values = index.clamp(min=0), self.scores(vectors), self.values(vectors)
        first, second = (((roles & role) > 0).int().argmax(1) for role in (1, 2))
        hidden = self.distances(bucket_distance(second - first))
        for score, value, read in zip(scores.unbind(1), values.chunk(2, dim=1), (between, mask)):
            weights = masked_softmax(score[cells], read)  # (P, T)
            hidden = hidden + F.embedding_bag(cells, value, mode="sum", per_sample_weights=weights)
        return F.gelu(hidden)


class MeanPairs(TokenPairs):
    """Token vectors as they are, and their means over subject, object and the tokens between them.

    There are no weights: a head that reads pairs before anything is learned must not depend on random ones.
    """

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Create an empty encoder with dropout on the token vectors."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that are returned."""
        assert self.sizes is not None, "configure() comes first"
        return self.sizes["width"]

    def forward(self, vectors: Tensor, index: Tensor, roles: Tensor, pooled: Tensor, **_: object) -> PairStates:
        """Encode pairs, see `SharedPairs.forward`."""
        mask = index >= 0
        if not len(index):
            return self.states_of_nothing(mask, like=vectors)
        roles = roles.masked_fill(~mask, 0)
        # embedding() has a much faster backward pass than indexing
        states = F.embedding(index.clamp(min=0), self.dropout(vectors)) * mask[..., None]  # (P, T, D)
        return pool_pairs(states, mask, pooled & mask, roles, pooling=masked_mean)
