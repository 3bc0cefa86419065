"""Loss of the description matcher: cross-entropy over the relations of a step and no relation.

    L = CE(z, y'),  y' = y if relation y is among those of the step, else no relation

A pair whose relation is withheld for a step is a pair of none of the others: this is how the matcher learns to reject
(Levy et al., CoNLL 2017, also train on questions without an answer).
"""

from typing import Dict

from torch import Tensor
from torch.nn import functional as F

from ..pairs.gold import NO_RELATION
from .model import WITHHELD, MatchOutput


def matching_loss(outputs: MatchOutput, targets: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Compute L, the mean over the pairs; 0 without pairs.

    targets (Dict[str, Tensor]): `classes`, gold, 0 for no relation. Shape (P,)
    """
    logits, classes = outputs.logits, targets["classes"]
    is_withheld = logits.detach().gather(1, classes[:, None])[:, 0] <= WITHHELD
    seen = classes.masked_fill(is_withheld, NO_RELATION)
    return {"match": F.cross_entropy(logits, seen, reduction="sum") / max(1, len(logits))}
