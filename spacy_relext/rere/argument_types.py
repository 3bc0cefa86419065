"""Entity types of arguments, an auxiliary target of RERE's extractor, and how well they fit a relation."""

from typing import Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ArgumentTypes(nn.Module):
    """Predict the entity type of candidate arguments, and score pairs by it.

    q_s = softmax(V_1 h_s0 + V_2 h_s1 + b), over K types and "no entity", h the token vectors at the span's ends. A pair
    (s, o) under relation r gets a_r · q_s + b_r · q_o added to its score, so that arguments of types that the relation
    never has score lower. Types are predicted from the token vectors: no entities are needed in prediction.
    """

    def __init__(self, width: int, *, n_relations: int, n_types: int) -> None:
        """Create the layers.

        width (int): Size of the token vectors, D.
        n_relations (int): R.
        n_types (int): Number K of entity types, without "no entity".
        """
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
