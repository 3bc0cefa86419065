"""Loss of models that know relations by their descriptions: cross-entropy over both orders of a pair.

    L = CE([z_p; z_q], y'),  y' = y if relation y is among those of the step, else no relation

p is a pair of relation y, or without one, and q the same pair in the other order. A pair whose relation is withheld for
a step is learned as one of no relation, which teaches the matcher to reject (Levy et al., CoNLL 2017, also train on
questions without an answer). A pair in the wrong order has no term of its own: its text hardly differs from that of the
right order, and lowering its score would lower that of the right order, too. It only has to score lower.
"""

from typing import Dict

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pairs.gold import NO_RELATION
from .model import WITHHELD, MatchOutput


def matching_loss(outputs: MatchOutput, targets: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Compute L, the mean over the pairs that are not in the wrong order; 0 without pairs.

    targets (Dict[str, Tensor]): `classes`, gold, 0 for no relation, and `other_order`, the index of the pair in the
        other order, -1 if it is not in the batch. Shapes (P,), (P,)
    """
    logits, classes, other = outputs.logits, targets["classes"], targets["other_order"]
    rows = torch.arange(len(classes), device=classes.device)
    of_other = classes[other.clamp(min=0)].masked_fill(other < 0, NO_RELATION)
    is_withheld = logits.detach()[rows, classes] <= WITHHELD
    # neither q's own gold relation nor one that is withheld from p competes
    free = torch.ones_like(logits, dtype=torch.bool)
    free[rows, of_other] = False
    free[rows[is_withheld], classes[is_withheld]] = False
    hard_negatives = torch.where(free & (other >= 0)[:, None], logits[other.clamp(min=0)], WITHHELD)[:, 1:]
    seen = classes.masked_fill(is_withheld, NO_RELATION)
    losses = F.cross_entropy(torch.cat([logits, hard_negatives], 1), seen, reduction="none")
    is_judged = (classes != NO_RELATION) | (of_other == NO_RELATION)
    return {"match": losses[is_judged].sum() / is_judged.sum().clamp(min=1)}
