"""A matcher of entity pairs and descriptions of relations; no weight is specific to a relation.

    u_p = c + W [c; h_s; h_o]          pair: c is the mean of the text's pieces, h_s and h_o stand for the arguments
    v_r = e_r + V e_r                  relation: e_r is the mean of its description's pieces
    z_pr = exp(a) cos(u_p, v_r),  z_p0 = exp(a) b             0: no relation

One encoder reads texts and descriptions; by default "@" and "#" mark the arguments, and h_s and h_o are the vectors of
the markers before them. W and V are initialized to 0: the untrained matcher is the cosine of marked text and
description. Comparing vectors of pair and description follows RE-Matching (Zhao et al., Findings of ACL 2023), with
three vectors of each, and GLiREL (Boylan et al., NAACL 2025), whose encoder reads text and labels together; here the
vectors of descriptions do not depend on the text, and are computed once.
"""

import math
from typing import Any, Dict, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..bridge.weights import CachesWeights
from ..pairs.encoders.states import masked_mean
from ..pairs.model import PairModule, joined

# Logit of a withheld relation, for example one that is left out of a training step.
WITHHELD = -1e4

FIRST_SCALE, FIRST_BIAS = 20.0, 0.3


class MatchOutput(NamedTuple):
    """Logits z of P pairs, and cosines; column 0 is no relation, whose cosine is b."""

    logits: Tensor  # (P, 1 + R)
    similarity: Tensor  # (P, 1 + R)


class DescriptionMatcher(PairModule, CachesWeights):
    """z_pr = exp(a) cos(u_p, v_r), z_p0 = exp(a) b."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build W, V, a and b, whatever the number of relations."""
        self.dropout = nn.Dropout(self.settings["dropout"])
        # shape (1,): the optimizer takes no scalars
        self.log_scale = nn.Parameter(torch.full((1,), math.log(FIRST_SCALE)))
        self.bias = nn.Parameter(torch.full((1,), FIRST_BIAS))
        self.pair, self.description = nn.Linear(3 * width, width), nn.Linear(width, width)
        for layer in (self.pair, self.description):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, description_ids: Tensor, description_mask: Tensor, **arrays: Any) -> MatchOutput:
        """Match pairs with relations; in training, a random share of the relations is left out.

        description_ids (Tensor): Word pieces of the descriptions. Shape (R, L)
        description_mask (Tensor): True on pieces. Shape (R, L)
        """
        pairs = self.encode_pairs(**arrays)
        number = len(description_ids)
        is_kept = torch.ones(number, dtype=torch.bool, device=description_ids.device)
        if self.training and self.settings["relation_dropout"]:
            is_kept = torch.rand(number, device=description_ids.device) >= self.settings["relation_dropout"]
        kept = is_kept.nonzero()[:, 0]
        similarity = pairs @ self.describe(description_ids[kept], description_mask[kept]).T  # (P, kept)
        none = self.bias.expand(len(pairs), 1)
        columns = torch.cat([kept.new_zeros(1), kept + 1])
        cosines = torch.cat([none, similarity], dim=1)
        scaled = self.log_scale.exp() * cosines
        full = cosines.new_full((len(pairs), 1 + number), -1.0)
        logits = torch.full_like(full, WITHHELD)
        return MatchOutput(logits.index_copy(1, columns, scaled), full.index_copy(1, columns, cosines.detach()))

    def encode_pairs(self, **arrays: Any) -> Tensor:
        """Compute u_p / |u_p|. Shape (P, D)"""
        states = self.encoder(**arrays)
        states = states._replace(sentence=masked_mean(states.tokens, states.mask))
        return F.normalize(states.sentence + self.pair(self.dropout(joined(states))), dim=1)

    def describe(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode descriptions; in prediction on a CPU, they are cached until they change."""
        if not self.can_use_cache(ids.device):
            return self.encode_descriptions(ids, mask)
        known: Dict[bytes, Tensor] = self.cached(dict)
        key = ids.numpy().tobytes()
        if key not in known:
            known.clear()
            known[key] = self.encode_descriptions(ids, mask)
        return known[key]

    def encode_descriptions(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Compute v_r / |v_r| with the encoder that reads the texts. Shape (R, D)"""
        encoder: Any = self.encoder
        pieces = encoder.tokens.encoder(ids, torch.zeros_like(ids), mask)
        means = masked_mean(pieces, mask)
        return F.normalize(means + self.description(self.dropout(means)), dim=1)
