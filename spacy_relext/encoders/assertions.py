"""The loss of a head that classifies, from a pair's vector, how its relation is asserted: stated, denied or otherwise.

The head is one linear layer above that vector: z = A q + b, with q a pair's vector and a row of A for each assertion.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# Logits of a model without such a head.
NO_ASSERTIONS = torch.zeros(0, 0)


def assertion_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean cross-entropy of the assertions of gold pairs; 0 if there are none.

    logits (Tensor): z. Shape (P, A)
    labels (Tensor): Number of each pair's assertion; -1 for none, as for pairs that are not gold. Shape (P,)
    """
    known = labels >= 0
    return F.cross_entropy(logits[known], labels[known], reduction="sum") / known.sum().clamp(min=1)
