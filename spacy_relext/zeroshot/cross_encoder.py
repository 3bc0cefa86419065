"""A cross-encoder: reads an entity pair's text and the description of a relation together, and scores how they fit.

    x_p: states of the text's pieces with the marks of the arguments, before layer m
    y_r: states of the description's pieces, before layer m
    h_pr: the first state of layers m to the last over [x_p; y_r]
    z_pr = exp(a) cos(c_p, e_r) + w tanh(W h_pr)
    z_p0 = exp(a) b                                           0: no relation

c_p, e_r, a and b are those of `DescriptionMatcher`, which reads both apart; w begins at 0, so that the untrained
cross-encoder is the untrained matcher. The description is the second segment, without a first piece of its own, and its
positions begin where the longest text ends.

Only w tanh(W h_pr) learns from pairs without a relation. Most are pairs with one in the wrong order; both orders read
nearly the same text, and a cosine that has to reject one unlearns the other.

Layers below m read each text and each description once, as in PreTTR (MacAvaney et al., SIGIR 2020); at m = 0 all
layers read both, as is usual. A text and a label are also read together in zero-shot classification by entailment (Yin
et al., EMNLP 2019; for relations Obamuyide & Vlachos, FEVER 2018). It costs P · R sequences, or P · k where only the k
candidates of the highest cosine are read so, where `DescriptionMatcher` costs P + R.
"""

from typing import Any, Optional, Tuple

import torch
from torch import Tensor, nn

from .model import WITHHELD, CosineModule, MatchOutput

# Most pieces of the sequences that are read at a time.
CELLS = 2**14

# In training, how many relations a pair without a relation is read with.
WITHOUT = 2


class DescriptionCrossEncoder(CosineModule):
    """z_pr = exp(a) cos(c_p, e_r) + w tanh(W h_pr), z_p0 = exp(a) b."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build W and w as well."""
        super().build_head(width, n_classes=n_classes, n_types=n_types)
        self.hidden, self.score = nn.Linear(width, width), nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(
        self,
        description_ids: Tensor,
        description_mask: Tensor,
        classes: Optional[Tensor] = None,
        asked: Optional[Tensor] = None,
        **arrays: Any,
    ) -> MatchOutput:
        """Score pairs with relations: in training as `sample_relations` chooses, in prediction with those whose
        descriptions have the highest cosine; the others are withheld.

        description_ids (Tensor): Word pieces of the descriptions. Shape (R, L)
        description_mask (Tensor): True on pieces. Shape (R, L)
        classes, asked (Optional[Tensor]): In training, see `sample_relations`. Shapes (P,)
        """
        texts, number = self.encoder(**arrays, below=True), len(description_ids)
        descriptions, vectors = self.describe(description_ids, description_mask)
        masks = description_mask[:, 1:]
        apart = self.encode_pairs(**arrays) @ vectors.T  # (P, R)
        if self.training and classes is not None and asked is not None:
            options = {"negatives": self.settings["negatives"], "dropout": self.settings["relation_dropout"]}
            pairs, relations = sample_relations(classes, asked, number, **options)
            apart = torch.where(classes[:, None] > 0, apart, apart.detach())
        else:
            best = apart.topk(min(number, self.settings["candidates"] or number), dim=1).indices
            pairs = torch.arange(len(best), device=best.device).repeat_interleave(best.shape[1])
            relations = best.flatten()
        size = max(1, CELLS // (texts.tokens.shape[1] + description_ids.shape[1]))
        scores = [
            self._read(texts.tokens[p], texts.mask[p], descriptions[r], masks[r])
            for p, r in zip(pairs.split(size), relations.split(size))
            if len(p)
        ]
        scale, columns = self.log_scale.exp(), torch.full_like(apart, WITHHELD)
        if scores:
            together = scale * apart[pairs, relations] + torch.cat(scores)
            columns = columns.index_put((pairs, relations), together)
        logits = torch.cat([(scale * self.bias).expand(len(apart), 1), columns], dim=1)
        return MatchOutput(logits, logits.detach())

    def _read(self, text: Tensor, text_mask: Tensor, description: Tensor, description_mask: Tensor) -> Tensor:
        """Read each text with a description, and score both.

        text, text_mask (Tensor): Its states and mask. Shapes (N, T, D), (N, T)
        description, description_mask (Tensor): Shapes (N, L, D), (N, L)
        RETURNS (Tensor): w tanh(W h_pr). Shape (N,)
        """
        encoder: Any = self.encoder
        mask = torch.cat([text_mask, description_mask], dim=1)
        order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)[:, : int(mask.sum(1).max())]  # padding last
        hidden = torch.cat([text, description], dim=1).gather(1, order[..., None].expand(-1, -1, text.shape[2]))
        states = encoder.tokens.encoder.forward_above(hidden, mask.gather(1, order), layer=encoder.marker_layer)
        return self.score(torch.tanh(self.hidden(self.dropout(states[:, 0]))))[:, 0]

    def encode_descriptions(self, ids: Tensor, mask: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute y_r by the layers below m, and e_r / |e_r|. Shapes (R, L - 1, D), (R, D)"""
        encoder: Any = self.encoder
        options = {"layer": encoder.marker_layer, "most": self.settings["max_pieces"]}
        states = encoder.tokens.encoder.forward_second(ids[:, 1:], mask[:, 1:], **options)
        return states, super().encode_descriptions(ids, mask)


def sample_relations(
    classes: Tensor, asked: Tensor, number: int, *, negatives: int, dropout: float
) -> Tuple[Tensor, Tensor]:
    """Choose what pairs are read with in a training step: their own relation, and others that are drawn.

    classes (Tensor): The relation of each pair, from 1; 0 for none. Shape (P,)
    asked (Tensor): A relation that it is read with first: its own, or for a pair without one that of the pair in the
        other order; 0 for none. Shape (P,)
    number (int): R.
    negatives (int): How many others; a pair without a relation is read with two in all.
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
