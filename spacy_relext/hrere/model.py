"""HRERE: relations of a pair of entities from its sentences, and from a knowledge base.

    word attention      s_i = Σ_t α_t h_t,  α = softmax_t(a · h_t)                     over tokens, never over padding
    mention             x_i = tanh(W [s_i; h_s; h_o])
    sentence attention  s_L = Σ_i β_i x_i,  β = softmax_i((x_i ∘ A) · q)               over the mentions of a bag
    text                z_L = F(s_L)
    knowledge base      z_G(r) = c · φ(h, r, t) + b_r,  φ of ComplEx                   z_G(no relation) = b_0
                        or, with an embedding of no relation, c · φ(h, none, t) + b_0

h_s and h_o are the encoder's vectors of subject and object. h and t are trained embeddings (`kb/model.py`) plus a
learned offset for entities of the training data. `docs/research/differences.md` lists the differences from the paper:
above all, x_i includes h_s and h_o, the score of no relation is a bias by default, and unknown entities have no z_G.

Source: Xu and Barbosa, NAACL 2019.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn

from ..pairs.encoders.states import masked_softmax
from ..pairs.model import PairModule, joined

# Forms of the knowledge base's score of no relation.
NO_RELATION_FORMS = ("bias", "vector")


class HrereOutput(NamedTuple):
    """Output for G bags with P mentions.

    text (Tensor): z_L. Shape (G, R)
    knowledge (Tensor): z_G; meaningless for relations that are not in the knowledge base. Shape (G, R)
    weights (Tensor): β. Shape (P, 1)
    alone (Tensor): z_L of each mention as a bag of its own; 0 in training. Shape (P, R)
    """

    text: Tensor
    knowledge: Tensor
    weights: Tensor
    alone: Tensor


class BagClassifier(PairModule):
    """Module that computes z_L and z_G of bags."""

    def configure(self, *, kb_width: int = 0, kb_rows: int = 0, **sizes: Any) -> None:
        """Build both branches; `sizes` are the arguments of `PairModule.configure`.

        kb_width (int): Size of an entity's embedding; 0: no knowledge base.
        kb_rows (int): Number of entities whose embeddings are trained.
        """
        self.kb_sizes: Dict[str, Any] = {"kb_width": kb_width, "kb_rows": kb_rows}
        super().configure(**sizes)
        assert self.head_sizes is not None
        self.head_sizes = {**self.head_sizes, **self.kb_sizes}

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build word attention, sentence attention, F and the knowledge base's branch."""
        hidden, dropout = self.settings["hidden"], self.settings["dropout"]
        self.word_query = nn.Linear(width, 1, bias=False)
        self.mention = nn.Linear(3 * width, hidden)
        self.sentence_query = SentenceAttention(hidden)
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden), nn.Dropout(dropout)
        )
        self.classes = nn.Linear(hidden, n_classes)
        if self.kb_sizes["kb_width"]:
            self.knowledge = PairKnowledge(n_classes, no_relation=self.settings["no_relation"], **self.kb_sizes)

    def forward(
        self,
        bag: Tensor,
        subjects: Tensor,
        objects: Tensor,
        subject_rows: Tensor,
        object_rows: Tensor,
        positions: Optional[Tensor] = None,
        **arrays: Any,
    ) -> HrereOutput:
        """Score classes.

        bag (Tensor): Bag of each mention. Shape (P,)
        subjects, objects (Tensor): Embeddings of the bags' entities; 0 for unknown ones. Shapes (G, W)
        subject_rows, object_rows (Tensor): Rows of `PairKnowledge.changes`, from 1; 0: none. Shapes (G,)
        positions (Optional[Tensor]): Not read.
        arrays (Any): Input of the encoder.
        """
        states = self.encoder(**arrays)
        words = masked_softmax(self.word_query(states.tokens)[..., 0], states.mask)
        attended = (words[..., None] * states.tokens).sum(1)
        mentions = torch.tanh(self.mention(joined(states._replace(sentence=attended))))
        sentence, weights = self.sentence_query(mentions, bag, len(subjects))
        text = self.classes(self.head(sentence))
        # with a single mention, s_L is the vector of that mention
        alone = text.new_zeros(len(mentions), text.shape[1]) if self.training else self.classes(self.head(mentions))
        if not self.kb_sizes["kb_width"]:
            return HrereOutput(text, torch.zeros_like(text), weights[:, None], alone)
        knowledge = self.knowledge(subjects, objects, subject_rows, object_rows)
        return HrereOutput(text, knowledge.to(text.dtype), weights[:, None], alone)


class SentenceAttention(nn.Module):
    """β = softmax((x ∘ A) · q) over the mentions of each bag; uniform initially, with A = 1 and q = 0."""

    def __init__(self, width: int) -> None:
        """Build A and q of `width` numbers each."""
        super().__init__()
        self.diagonal, self.query = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, mentions: Tensor, bag: Tensor, count: int) -> Tuple[Tensor, Tensor]:
        """Compute s_L and β of `count` = G bags. Shapes (P, D), (P,) → (G, D), (P,)"""
        scores = (mentions * self.diagonal) @ self.query
        top = scores.new_full((count,), float("-inf")).scatter_reduce(0, bag, scores.detach(), "amax")
        powers = (scores - top[bag]).exp()
        weights = powers / scores.new_zeros(count).index_add(0, bag, powers)[bag]
        return mentions.new_zeros(count, mentions.shape[1]).index_add(0, bag, weights[:, None] * mentions), weights


class PairKnowledge(nn.Module):
    """z_G of ordered pairs of entities: c · φ(h, r, t) + b_r, and b_0 or c · φ(h, none, t) + b_0 for no relation.

    A relation may have two embeddings, `forwards` for the pair, `reversed` for the reversed one: φ is the sum of both
    scores. `reversed` is that of the reciprocal relation; a class that is read backwards has the two exchanged.
    """

    def __init__(self, n_classes: int, *, kb_width: int, kb_rows: int, no_relation: str = "bias") -> None:
        """Build the tables; `load` fills those of relations. Other arguments as for `BagClassifier.configure`.

        no_relation (str): One of `NO_RELATION_FORMS`.
        """
        super().__init__()
        self.forwards = nn.Parameter(torch.zeros(n_classes - 1, kb_width))
        self.reversed = nn.Parameter(torch.zeros(n_classes - 1, kb_width))
        self.none = nn.Parameter(torch.zeros(1, kb_width)) if no_relation == "vector" else None
        self.changes = nn.Embedding(kb_rows + 1, kb_width, padding_idx=0)
        nn.init.zeros_(self.changes.weight)
        # c is a vector of length 1: thinc does not update scalars
        self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(n_classes))

    @torch.no_grad()
    def load(self, forwards: numpy.ndarray, reversed_: numpy.ndarray) -> None:
        """Copy the embeddings of relations; 0 for none. Shapes (R - 1, W)"""
        self.forwards.copy_(torch.as_tensor(forwards))
        self.reversed.copy_(torch.as_tensor(reversed_))

    def forward(self, subjects: Tensor, objects: Tensor, subject_rows: Tensor, object_rows: Tensor) -> Tensor:
        """Score classes. Shapes (G, W), (G, W), (G,), (G,) → (G, R)"""
        one, two = subjects + self.changes(subject_rows), objects + self.changes(object_rows)
        phi = self.products(one, two) @ self.forwards.T + self.products(two, one) @ self.reversed.T
        none = phi.new_zeros(len(phi), 1) if self.none is None else self.products(one, two) @ self.none.T
        return self.scale * torch.cat([none, phi], 1) + self.bias

    def products(self, one: Tensor, two: Tensor) -> Tensor:
        """Compute the vector of two entities whose dot product with w_r is φ. Shapes (G, W)"""
        (a, b), (c, d) = one.chunk(2, 1), two.chunk(2, 1)
        return torch.cat([a * c + b * d, a * d - b * c], 1)
