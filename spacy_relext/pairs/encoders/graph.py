"""C-GCN: a BiLSTM, then graph convolutions over the pruned dependency tree between two entities.

    x_i = [w_i; t_i; e_i]        word vector, part-of-speech and entity-type embedding of token i
    h⁰  = BiLSTM(x)
    hˡ⁺¹_i = ReLU( (Σ_{j ∈ N(i) ∪ {i}} Wˡ hˡ_j) / d_i + bˡ ),    d_i = 1 + |N(i)|    (GraphConvolution)
    h_sent = max over the tokens of the tree, h_s and h_o = max over those of subject and object

N(i): the neighbours of token i in the tree, whatever the direction of the edge.

What differs from the authors' code, and why:
- The bias is added after the division, as in the paper; `legacy_bias` gives the code's form, which adds it twice and
  then divides it by d_i.
- Padding is 0 after every layer and belongs to no entity. The code pools over padded cells, so a pair depends on the
  other pairs of its batch.
- A tree of one token is pooled over that token. The code pools over tokens with an edge, and gives -1e12 without any.
- Word vectors are an input. The special rows of the code's word table are learned here: a vector for each role and
  entity type, which replaces the words of an entity, and one for dropped words.

Source: Zhang, Qi and Manning, "Graph Convolution over Pruned Dependency Trees Improves Relation Extraction", EMNLP
2018; the base encoder of Zhang et al. (AAAI 2020).
"""

from typing import Any, Optional, Tuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .states import FURTHEST, PairStates, TokenPairs, WordStates, clip_distance, masked_max, pool_pairs

# A token may belong to subject, object or both: roles 1, 2 and 3.
N_ROLES = 3


class GraphConvolution(nn.Module):
    """Graph convolutions: each layer adds to every token the vectors of its neighbours.

    h'_i = ReLU( (Σ_{j ∈ N(i) ∪ {i}} W h_j) / d_i + b ), with d_i = 1 + |N(i)|; with `legacy_bias`
    h'_i = ReLU( (Σ_{j ∈ N(i) ∪ {i}} W h_j + 2 b) / d_i ), as in the authors' code.
    """

    def __init__(self, input_width: int, *, width: int, layers: int, dropout: float, legacy_bias: bool = False) -> None:
        """Build the layers.

        input_width (int): Size of the input vectors, D.
        width (int): Size of the output vectors of every layer.
        layers (int): Number of layers, and the most edges between two tokens that influence each other.
        dropout (float): Dropout between layers; none before the first or after the last.
        """
        super().__init__()
        self.legacy_bias = legacy_bias
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(nn.Linear(width if depth else input_width, width) for depth in range(layers))

    def forward(self, states: Tensor, adjacency: Tensor, mask: Tensor) -> Tensor:
        """Convolve; the result is 0 on padding. Shape (P, T, width)

        states (Tensor): Token vectors. Shape (P, T, D)
        adjacency (Tensor): True if two tokens are neighbours; symmetric, no token is its own. Shape (P, T, T)
        mask (Tensor): True on tokens. Shape (P, T)
        """
        degree = 1 + adjacency.sum(-1, keepdim=True).to(states.dtype)  # (P, T, 1)
        links = adjacency.to(states.dtype)
        padding = ~mask[..., None]
        states = states.masked_fill(padding, 0.0)
        for depth, layer in enumerate(self.layers):
            if depth:
                states = self.dropout(states)
            linear = cast(nn.Linear, layer)
            projected = F.linear(states, linear.weight)
            total = links @ projected + projected
            states = (total + 2 * linear.bias) / degree if self.legacy_bias else total / degree + linear.bias
            states = states.relu().masked_fill(padding, 0.0)
        return states


class ContextualGraph(TokenPairs):
    """Encode pairs of entities by a BiLSTM over their text and graph convolutions over its tree (C-GCN)."""

    def __init__(
        self,
        *,
        hidden: int = 200,
        layers: int = 2,
        tag_width: int = 30,
        type_width: int = 30,
        offset_width: int = 0,
        input_dropout: float = 0.5,
        dropout: float = 0.5,
        word_dropout: float = 0.04,
        mask_entities: bool = True,
        legacy_bias: bool = False,
    ) -> None:
        """Create an empty encoder.

        hidden (int): Size of the BiLSTM in each direction, and of the graph convolutions.
        layers (int): Number of graph convolutions.
        tag_width, type_width (int): Size of the embeddings of part-of-speech tags and of entity types.
        offset_width (int): Size of the embedding of each of a token's two distances to the arguments (Zeng et al.,
            COLING 2014); 0: the BiLSTM does not know which tokens the arguments are, unless their words are replaced.
        input_dropout (float): Dropout on the input of the BiLSTM.
        dropout (float): Dropout on its output, and between graph convolutions.
        word_dropout (float): Share of word vectors that are replaced in training by the vector for dropped words.
        mask_entities (bool): Whether learned vectors for role and entity type replace the words of both arguments.
        """
        super().__init__()
        self.hidden, self.layers = hidden, layers
        self.tag_width, self.type_width, self.offset_width = tag_width, type_width, offset_width
        self.input_dropout, self.dropout = nn.Dropout(input_dropout), nn.Dropout(dropout)
        self.word_dropout, self.mask_entities, self.legacy_bias = word_dropout, mask_entities, legacy_bias

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that are returned."""
        return self.hidden

    @property
    def input_module(self) -> nn.Module:
        """RETURNS (nn.Module): The part whose output the BiLSTM reads, for adversarial training."""
        return self.input_dropout

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        """Build the layers with random weights."""
        super().configure(width=width, n_tags=n_tags, n_types=n_types)
        self.tags = nn.Embedding(n_tags, self.tag_width)
        self.types = nn.Embedding(n_types, self.type_width)
        # the first row is the vector for dropped words
        self.placeholders = nn.Embedding(1 + N_ROLES * n_types, width)
        tables = [self.tags, self.types, self.placeholders]
        if self.offset_width:
            self.offsets = nn.Embedding(2 * FURTHEST + 1, self.offset_width)
            tables.append(self.offsets)
        for table in tables:
            nn.init.uniform_(table.weight, -1.0, 1.0)
        input_width = width + self.tag_width + self.type_width + 2 * self.offset_width
        self.lstm = nn.LSTM(input_width, self.hidden, batch_first=True, bidirectional=True)
        self.graph = GraphConvolution(
            2 * self.hidden,
            width=self.hidden,
            layers=self.layers,
            dropout=self.dropout.p,
            legacy_bias=self.legacy_bias,
        )

    def forward(self, vectors: Tensor, index: Tensor, pooled: Tensor, edges: Tensor, **features: Tensor) -> PairStates:
        """Encode pairs; the sentence vector pools the tokens of the tree that have an edge, or all of them if none has.

        pooled (Tensor): True on the tokens of the pruned tree. Shape (P, T)
        edges (Tensor): Pair, token and token of each edge of the trees, in one direction. Shape (E, 3)
        vectors, index, features: See `read`.
        """
        mask = index >= 0
        if not len(index):
            return self.states_of_nothing(mask, like=self.placeholders.weight)
        states, _, roles = self.read(vectors, index, **features)
        adjacency = neighbours(edges, mask.shape)
        tree = pooled & mask
        linked = tree & adjacency.any(-1)
        tree = torch.where(linked.any(1, keepdim=True), linked, tree)
        return pool_pairs(self.graph(states, adjacency, mask), mask, tree, roles, pooling=masked_max)

    def read(
        self,
        vectors: Tensor,
        index: Tensor,
        *,
        tags: Tensor,
        types: Tensor,
        roles: Tensor,
        to_subject: Optional[Tensor] = None,
        to_object: Optional[Tensor] = None,
        **_: object,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """Run the BiLSTM over the tokens of at least one pair. The values of features on padding are ignored.

        vectors (Tensor): All word vectors. Shape (N, D)
        index (Tensor): Word vector of each cell of each pair's text, -1 on padding, which comes last; every text has a
            token. Shape (P, T)
        tags, types (Tensor): Part-of-speech tags and entity types. Shapes (P, T)
        roles (Tensor): 1 on tokens of the subject, 2 on those of the object, 3 on those of both, else 0. Shape (P, T)
        to_subject, to_object (Optional[Tensor]): Signed distance of each token, 0 inside; read if `offset_width` is
            not 0. Shapes (P, T)
        RETURNS (Tuple[Tensor, Tensor, Tensor]): States of tokens, 0 on padding; word vectors that the BiLSTM read,
            arbitrary on padding; roles, 0 on padding. Shapes (P, T, 2 hidden), (P, T, D), (P, T)
        """
        mask = index >= 0
        tags, types, roles = (numbers.masked_fill(~mask, 0) for numbers in (tags, types, roles))
        words = self._words(vectors, index.clamp(min=0), types, roles)
        inputs = [words, self.tags(tags), self.types(types)]
        if self.offset_width:
            assert to_subject is not None and to_object is not None, "offset_width reads distances"
            inputs += [self.offsets(clip_distance(each)) for each in (to_subject, to_object)]
        cells = self.input_dropout(torch.cat(inputs, dim=-1))
        packed = pack_padded_sequence(cells, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        hidden = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=mask.shape[1])[0]
        return self.dropout(hidden), words, roles

    def _words(self, vectors: Tensor, index: Tensor, types: Tensor, roles: Tensor) -> Tensor:
        """Arrange word vectors by pair, with learned vectors in place of some words. Shape (P, T, D)"""
        # embedding() has a much faster backward pass than indexing
        words = F.embedding(index, vectors.to(self.placeholders.weight.dtype))  # (P, T, D)
        row = torch.zeros_like(roles)
        replaced = torch.zeros_like(roles, dtype=torch.bool)
        if self.mask_entities:
            replaced = roles > 0
            row = torch.where(replaced, 1 + (roles - 1) * self.types.num_embeddings + types, row)
        if self.training and self.word_dropout:
            # the authors' code also drops words after masking the entities
            dropped = torch.rand(row.shape, device=row.device) < self.word_dropout
            row, replaced = row.masked_fill(dropped, 0), replaced | dropped
        return torch.where(replaced[..., None], self.placeholders(row), words)


class RecurrentPairs(ContextualGraph):
    """The BiLSTM of `ContextualGraph` without a tree: no parser is needed.

    The sentence vector pools the tokens between the arguments, or both arguments if there are none. `words` are the
    word vectors that the BiLSTM reads, with learned vectors for role and type in place of each argument's words.
    """

    def __init__(self, **settings: Any) -> None:
        """Create an empty encoder with the settings of `ContextualGraph` that do not concern the graph."""
        super().__init__(layers=0, **settings)

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all returned vectors except `words`."""
        return 2 * self.hidden

    @property
    def word_width(self) -> int:
        """RETURNS (int): Size of `words`."""
        assert self.sizes is not None, "configure() comes first"
        return self.sizes["width"]

    def forward(  # type: ignore[override]
        self, vectors: Tensor, index: Tensor, pooled: Tensor, **features: Tensor
    ) -> WordStates:
        """Encode pairs, see `ContextualGraph.forward`; `pooled` is True between the arguments."""
        mask = index >= 0
        if not len(index):
            words = vectors.new_zeros(*mask.shape, self.word_width)
            return WordStates(*self.states_of_nothing(mask, like=vectors), words)
        states, words, roles = self.read(vectors, index, **features)
        return WordStates(*pool_pairs(states * mask[..., None], mask, pooled & mask, roles, pooling=masked_max), words)


def neighbours(edges: Tensor, shape: Tuple[int, ...]) -> Tensor:
    """Mark the tokens that an edge (pair, token, token) joins, in both directions. Shapes (E, 3) → (P, T, T)"""
    adjacency = torch.zeros(*shape, shape[-1], dtype=torch.bool, device=edges.device)
    pair, first, second = edges.unbind(1)
    adjacency[pair, first, second] = True
    adjacency[pair, second, first] = True
    return adjacency
