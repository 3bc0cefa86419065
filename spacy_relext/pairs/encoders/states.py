"""What every encoder of entity pairs gives to the heads above it."""

from typing import NamedTuple

import torch
from torch import Tensor

FURTHEST = 100


class PairStates(NamedTuple):
    """Vectors of P pairs, each in the text it is read in.

    tokens (Tensor): States of the text's tokens (or word pieces), 0 on padding. Shape (P, T, D)
    mask (Tensor): True on tokens. Shape (P, T)
    sentence (Tensor): What the text says. Shape (P, D)
    subject (Tensor): The subject in it. Shape (P, D)
    object (Tensor): The object in it. Shape (P, D)
    """

    tokens: Tensor
    mask: Tensor
    sentence: Tensor
    subject: Tensor
    object: Tensor


def masked_max(states: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the marked cells; 0 where none is marked, never -inf.

    states (Tensor): Shape (P, T, D)
    mask (Tensor): Shape (P, T)
    RETURNS (Tensor): Shape (P, D)
    """
    found = states.masked_fill(~mask[..., None], float("-inf")).amax(1)
    return torch.where(mask.any(1, keepdim=True), found, torch.zeros_like(found))


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the marked cells; 0 where none is marked.

    states (Tensor): Shape (P, T, D)
    mask (Tensor): Shape (P, T)
    RETURNS (Tensor): Shape (P, D)
    """
    weights = mask.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True).clamp(min=1.0)


def clip_distance(offset: Tensor) -> Tensor:
    """Row of a distance in the table of distances: those beyond the furthest share its row.

    offset (Tensor): Signed distances.
    RETURNS (Tensor): 0 to 2 * FURTHEST.
    """
    return offset.clamp(-FURTHEST, FURTHEST) + FURTHEST
