"""A cross-encoder, which reads the text of an entity pair jointly with the description of a relation, and scores both.

    x_p: states of the text's pieces with the markers of the arguments, before layer m
    y_r: states of the description's pieces, before layer m
    z_pr = exp(a) cos(c_p, e_r) + w tanh(W [c; h_s; h_o]) + d   c, h_s, h_o of layers m to the last over [x_p; y_r]
    z_p0 = exp(a) b                                             0: no relation

c_p (the mean of the text's pieces), e_r, a and b are as in `DescriptionMatcher`, which reads both separately. c is the
first state, h_s and h_o are the means of the arguments' states. The joint term is not scaled by exp(a), which starts at
20 and would multiply each step of w. The description is the second segment; its positions start where the longest text
ends.

Layers below m read each text and each description once, as in PreTTR (MacAvaney et al., SIGIR 2020); at m = 0 all
layers read both, as is usual. A text and a label are also read jointly in zero-shot classification by entailment (Yin
et al., EMNLP 2019; for relations Obamuyide & Vlachos, FEVER 2018). The cost is P · R sequences, or P · k if only the k
candidates with the highest cosine are read jointly; that of `DescriptionMatcher` is P + R.
"""

from typing import Any, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ..pairs.encoders.pieces import OBJECT, SUBJECT
from ..pairs.encoders.states import States, masked_mean
from .model import WITHHELD, DescriptionMatcher, MatchOutput

# Maximum number of word pieces that are read at a time.
CELLS = 2**14

# Number of relations that a pair without a relation is read with in training.
WITHOUT = 2


class DescriptionCrossEncoder(DescriptionMatcher):
    """z_pr = exp(a) cos(c_p, e_r) + w tanh(W [c; h_s; h_o]) + d, z_p0 = exp(a) b."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build W, w, d, a and b, whatever the number of relations."""
        self.build_scale()
        self.hidden, self.score = nn.Linear(3 * width, width), nn.Linear(width, 1)

    def pair_vectors(self, states: States) -> Tensor:
        """Return c_p. Shape (P, D)"""
        return states.sentence

    def description_vectors(self, means: Tensor) -> Tensor:
        """Return e_r. Shape (R, D)"""
        return means

    def forward(
        self,
        description_ids: Tensor,
        description_mask: Tensor,
        classes: Optional[Tensor] = None,
        asked: Optional[Tensor] = None,
        **arrays: Any,
    ) -> MatchOutput:
        """Score pairs with some relations, and withhold the others.

        In training `sample_relations` chooses them; in prediction they are those with the highest cosines.

        description_ids (Tensor): Word pieces of the descriptions. Shape (R, L)
        description_mask (Tensor): True on pieces. Shape (R, L)
        classes, asked (Optional[Tensor]): In training, see `sample_relations`. Shapes (P,)
        """
        texts, roles = self.encoder(**arrays, below=True), _roles(arrays["roles"], arrays["order"])
        (descriptions, vectors), number = self.describe(description_ids, description_mask), len(description_ids)
        apart = self.encode_pairs(**arrays) @ vectors.T  # (P, R)
        if self.training and classes is not None and asked is not None:
            options = {"negatives": self.settings["negatives"], "dropout": self.settings["relation_dropout"]}
            pairs, relations = sample_relations(classes, asked, number, **options)
        else:
            best = apart.topk(min(number, self.settings["candidates"] or number), dim=1).indices
            pairs = torch.arange(len(best), device=best.device).repeat_interleave(best.shape[1])
            relations = best.flatten()
        size = max(1, CELLS // (texts.tokens.shape[1] + description_ids.shape[1]))
        scores = [
            self._read(texts.tokens[p], texts.mask[p], roles[p], descriptions[r], description_mask[r])
            for p, r in zip(pairs.split(size), relations.split(size))
            if len(p)
        ]
        scale, columns = self.log_scale.exp(), torch.full_like(apart, WITHHELD)
        if scores:
            together = torch.cat(scores) + scale * apart[pairs, relations]
            columns = columns.index_put((pairs, relations), together)
        logits = torch.cat([(scale * self.bias).expand(len(apart), 1), columns], dim=1)
        return MatchOutput(logits, logits.detach())

    def _read(
        self, text: Tensor, text_mask: Tensor, roles: Tensor, description: Tensor, description_mask: Tensor
    ) -> Tensor:
        """Read each text jointly with a description, and score how well they fit.

        text, text_mask, roles (Tensor): Its states, mask and arguments. Shapes (N, T, D), (N, T), (N, T)
        description, description_mask (Tensor): Shapes (N, L, D), (N, L)
        RETURNS (Tensor): Shape (N,)
        """
        encoder: Any = self.encoder
        mask = torch.cat([text_mask, description_mask], dim=1)
        order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)[:, : int(mask.sum(1).max())]  # padding last
        hidden = torch.cat([text, description], dim=1).gather(1, order[..., None].expand(-1, -1, text.shape[2]))
        states = encoder.tokens.encoder.forward_above(hidden, mask.gather(1, order), layer=encoder.marker_layer)
        # the text's pieces stay where they were
        roles = nn.functional.pad(roles, (0, states.shape[1] - roles.shape[1]))
        read = [states[:, 0], *(masked_mean(states, roles == each) for each in (SUBJECT, OBJECT))]
        return self.score(torch.tanh(self.hidden(self.dropout(torch.cat(read, dim=1)))))[:, 0]

    def encode_descriptions(self, ids: Tensor, mask: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute y_r by the layers below m, and e_r / |e_r|. Shapes (R, L, D), (R, D)"""
        encoder: Any = self.encoder
        options = {"layer": encoder.marker_layer, "most": self.settings["max_pieces"]}
        return encoder.tokens.encoder.forward_second(ids, mask, **options), super().encode_descriptions(ids, mask)


def _roles(groups: Sequence[Tensor], order: Tensor) -> Tensor:
    """Concatenate the roles of all groups' pieces, in the pairs' order. Shapes (p, L), (P,) → (P, T)"""
    if not groups:
        return order.new_zeros(0, 1)
    longest = max(group.shape[1] for group in groups)
    return torch.cat([nn.functional.pad(group, (0, longest - group.shape[1])) for group in groups])[order.argsort()]


def sample_relations(
    classes: Tensor, asked: Tensor, number: int, *, negatives: int, dropout: float
) -> Tuple[Tensor, Tensor]:
    """Choose the relations that pairs are read with in a training step: their own, and others drawn at random.

    classes (Tensor): The relation of each pair, from 1; 0 for none. Shape (P,)
    asked (Tensor): A relation that it is read with first: its own, or for a pair without one, that of the pair in the
        other order; 0 for none. Shape (P,)
    number (int): R.
    negatives (int): Number of others; a pair without a relation is read with two relations in all.
    dropout (float): Probability with which a pair's own relation is left out.
    RETURNS (Tuple[Tensor, Tensor]): Pairs, and a relation of each, from 0. Shapes (N,)
    """
    ranks = torch.rand(len(classes), number, device=classes.device)
    first = torch.where((classes > 0) & (torch.rand(len(classes), device=classes.device) < dropout), -1.0, 2.0)
    pairs = asked.nonzero()[:, 0]
    ranks = ranks.index_put((pairs, asked[pairs] - 1), first[pairs])
    best, order = ranks.topk(min(number, 1 + negatives), dim=1)
    wanted = torch.where(classes > 0, 1 + negatives, WITHOUT)
    kept = (torch.arange(best.shape[1], device=classes.device) < wanted[:, None]) & (best >= 0.0)
    rows, places = kept.nonzero().unbind(1)
    return rows, order[rows, places]
