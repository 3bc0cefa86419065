"""The interface between encoders of entity pairs and the heads above them, and the pooling functions of both."""

from typing import Callable, Dict, NamedTuple, Optional, Protocol, Union

import torch
from torch import Tensor

from ...encoders.layers import TokenModule

FURTHEST = 100


class PairStates(NamedTuple):
    """Vectors of P pairs of entities, read in their texts.

    tokens (Tensor): States of the text's tokens (or word pieces), 0 on padding. Shape (P, T, D)
    mask (Tensor): True on tokens. Shape (P, T)
    sentence (Tensor): Vector of the text, or of the part that the encoder pools. Shape (P, D)
    subject, object (Tensor): Vectors of the arguments in it. Shapes (P, D)
    """

    tokens: Tensor
    mask: Tensor
    sentence: Tensor
    subject: Tensor
    object: Tensor

    @property
    def words(self) -> Tensor:
        """RETURNS (Tensor): Vectors of the tokens themselves. Shape (P, T, D)"""
        return self.tokens


class WordStates(NamedTuple):
    """`PairStates` with `words`, the vectors of the tokens before they were read in their text. Shape (P, T, D_in)"""

    tokens: Tensor
    mask: Tensor
    sentence: Tensor
    subject: Tensor
    object: Tensor
    words: Tensor


States = Union[PairStates, WordStates]


class PairEncoder(Protocol):
    """A torch module that reads texts for pairs of their entities."""

    @property
    def sizes(self) -> Optional[Dict[str, object]]:
        """Arguments of `configure`; None if the encoder is empty."""

    @property
    def form(self) -> str:
        """What represents a pair: "means", "markers" or "punct"; see `spacy_relext.PieceEncoder.v1`."""

    @property
    def input_width(self) -> Optional[int]:
        """Size of the token vectors that are read; None if it reads none."""

    @property
    def output_width(self) -> int:
        """Size of all returned vectors except `words`, D."""

    @property
    def word_width(self) -> int:
        """Size of `words`."""

    def configure(self, **sizes: object) -> None:
        """Build the layers with random weights."""

    def zero_marks(self) -> None:
        """Set learned marks of the arguments to 0, for heads that read a pretrained encoder before they learn."""

    def __call__(self, **arrays: object) -> States:
        """Encode pairs; arguments are the arrays of `features.py`."""


class TokenPairs(TokenModule):
    """Base of encoders over token vectors."""

    form = "means"

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all returned vectors except `words`."""
        raise NotImplementedError

    @property
    def word_width(self) -> int:
        """RETURNS (int): Size of `words`."""
        return self.output_width

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        """Build the layers with random weights.

        width (int): Size of the token vectors, D.
        n_tags, n_types (int): Part-of-speech tags and entity types, with 0 for none.
        """
        self.sizes = {"width": width, "n_tags": n_tags, "n_types": n_types}

    def zero_marks(self) -> None:
        """Do nothing: there are no marks."""

    def states_of_nothing(self, mask: Tensor, *, like: Tensor) -> PairStates:
        """Make the states of an empty batch, which LSTM and maximum reject, with the dtype and device of a tensor."""
        none = like.new_zeros(0, self.output_width)
        return PairStates(like.new_zeros(*mask.shape, self.output_width), mask, none, none, none)


Pooling = Callable[[Tensor, Tensor], Tensor]


def masked_max(states: Tensor, mask: Tensor) -> Tensor:
    """Compute the maximum over the marked cells; 0 if none is marked. Shapes (P, T, D), (P, T) → (P, D)"""
    highest = states.masked_fill(~mask[..., None], float("-inf")).amax(1)
    return torch.where(mask.any(1, keepdim=True), highest, torch.zeros_like(highest))


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean over the marked cells, 0 if none is. Shapes (P, T, D) or (P, T), (P, T) → (P, D) or (P,)"""
    weights = mask.to(states.dtype)
    weights = weights[..., None] if states.dim() > mask.dim() else weights
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Compute attention weights, a softmax over the marked cells; 0 on the others, also if none is. Shape (P, T)"""
    return scores.masked_fill(~mask, float("-inf")).softmax(1).masked_fill(~mask, 0.0)


def pool_pairs(states: Tensor, mask: Tensor, pooled: Tensor, roles: Tensor, *, pooling: Pooling) -> PairStates:
    """Pool the states of tokens over the sentence, the subject and the object.

    states (Tensor): Shape (P, T, D)
    mask (Tensor): True on tokens. Shape (P, T)
    pooled (Tensor): True on the tokens that represent the sentence; if none is marked, both arguments do. Shape (P, T)
    roles (Tensor): 1 on tokens of the subject, 2 on those of the object, 3 on those of both, else 0. Shape (P, T)
    """
    sentence = torch.where(pooled.any(1, keepdim=True), pooled, roles > 0)
    subject, obj = (pooling(states, (roles & role) > 0) for role in (1, 2))
    return PairStates(states, mask, pooling(states, sentence), subject, obj)


def clip_distance(offset: Tensor) -> Tensor:
    """Compute the table rows of signed distances, 0 to 2 * FURTHEST; those further away share the first and last."""
    return offset.clamp(-FURTHEST, FURTHEST) + FURTHEST
