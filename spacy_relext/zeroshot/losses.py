"""Loss of models that know relations by their descriptions: cross-entropy over both orders of a pair.

    L = CE([z_p; z_q], y'),  y' = y if relation y is among those of the step, else no relation

p is a pair of relation y, or without one, and q the same pair in the other order. A pair whose relation is withheld for
a step is a pair of none of the others: this is how the matcher learns to reject (Levy et al., CoNLL 2017, also train on
questions without an answer). A pair in the wrong order has no term of its own: its text says nearly the same as that of
the right order, and a score that had to fall for one would fall for the other. It only has to score less than the
right one.
"""

from typing import Dict

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pairs.gold import NO_RELATION
from .model import WITHHELD, MatchOutput


def matching_loss(outputs: MatchOutput, targets: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Compute L, the mean over the pairs that are not in the wrong order; 0 without pairs.

    targets (Dict[str, Tensor]): `classes`, gold, 0 for no relation, and `other_order`, the number of the pair in the
        other order, -1 if it is not there. Shapes (P,), (P,)
    """
    logits, classes, other = outputs.logits, targets["classes"], targets["other_order"]
    rows = torch.arange(len(classes), device=classes.device)
    of_other = classes[other.clamp(min=0)].masked_fill(other < 0, NO_RELATION)
    is_withheld = logits.detach()[rows, classes] <= WITHHELD
    # q is no rival with its own gold, nor with a relation that is withheld from p
    free = torch.ones_like(logits, dtype=torch.bool)
    free[rows, of_other] = False
    free[rows[is_withheld], classes[is_withheld]] = False
    rivals = torch.where(free & (other >= 0)[:, None], logits[other.clamp(min=0)], WITHHELD)[:, 1:]
    seen = classes.masked_fill(is_withheld, NO_RELATION)
    losses = F.cross_entropy(torch.cat([logits, rivals], 1), seen, reduction="none")
    is_judged = (classes != NO_RELATION) | (of_other == NO_RELATION)
    return {"match": losses[is_judged].sum() / is_judged.sum().clamp(min=1)}
