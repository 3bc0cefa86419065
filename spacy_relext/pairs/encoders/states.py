"""The interface between encoders of entity pairs and the heads above them, and the poolings that both use."""

from typing import Any, NamedTuple, Optional, Protocol, TypedDict, Union

import torch
from torch import Tensor, nn

FURTHEST = 100


class TokenSizes(TypedDict):
    """Sizes of an encoder over token vectors.

    width (int): Size of the token vectors, D.
    n_tags (int): Part-of-speech tags, with 0 for none.
    n_types (int): Entity types, with 0 for none.
    """

    width: int
    n_tags: int
    n_types: int


class PairStates(NamedTuple):
    """Vectors of P pairs, each in the text it is read in.

    tokens (Tensor): States of the text's tokens (or word pieces), 0 on padding. Shape (P, T, D)
    mask (Tensor): True on tokens. Shape (P, T)
    sentence (Tensor): The text. Shape (P, D)
    subject (Tensor): The subject in it. Shape (P, D)
    object (Tensor): The object in it. Shape (P, D)
    """

    tokens: Tensor
    mask: Tensor
    sentence: Tensor
    subject: Tensor
    object: Tensor

    @property
    def words(self) -> Tensor:
        """RETURNS (Tensor): Vectors that stand for the tokens themselves. Shape (P, T, D)"""
        return self.tokens


class WordStates(NamedTuple):
    """`PairStates` with the vectors of the tokens before they were read in their text.

    tokens, mask, sentence, subject, object (Tensor): See `PairStates`.
    words (Tensor): Shape (P, T, D_in)
    """

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
    def sizes(self) -> Any:
        """Arguments of `configure`; None if the encoder is empty."""

    @property
    def form(self) -> str:
        """What stands for a pair: "means" of tokens, "markers" before the arguments, or the mask of a "cloze"."""

    @property
    def input_width(self) -> Optional[int]:
        """Size of the token vectors that are read; None if it reads none."""

    @property
    def output_width(self) -> int:
        """Size of all vectors that are returned but `words`, D."""

    @property
    def word_width(self) -> int:
        """Size of `words`."""

    def configure(self, **sizes: Any) -> None:
        """Build the layers with random weights."""

    def size_types(self, n_types: int) -> None:
        """Build what depends on the number of entity types only; called before each head is built."""

    def zero_marks(self) -> None:
        """Set learned marks of the arguments to 0, for heads that read an encoder as it is before they learn."""

    def __call__(self, **arrays: Any) -> States:
        """Encode pairs; arguments are the arrays of `features.py`."""


class TokenPairs(nn.Module):
    """Base of encoders over token vectors."""

    form = "means"

    def __init__(self) -> None:
        """Create an empty encoder; `configure` gives it its sizes."""
        super().__init__()
        self.sizes: Optional[TokenSizes] = None

    @property
    def input_width(self) -> Optional[int]:
        """RETURNS (Optional[int]): Size of the token vectors; None if the encoder is empty."""
        return None if self.sizes is None else self.sizes["width"]

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that are returned but `words`."""
        raise NotImplementedError

    @property
    def word_width(self) -> int:
        """RETURNS (int): Size of `words`."""
        return self.output_width

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        """Build the layers with random weights.

        width, n_tags, n_types (int): See `TokenSizes`.
        """
        self.sizes = {"width": width, "n_tags": n_tags, "n_types": n_types}

    def size_types(self, n_types: int) -> None:
        """Do nothing: `configure` knows the number of types."""

    def zero_marks(self) -> None:
        """Do nothing: there are no marks."""

    def states_of_nothing(self, mask: Tensor, *, like: Tensor) -> PairStates:
        """Make the states of an empty batch, which neither an LSTM nor a maximum accepts.

        mask (Tensor): Shape (0, T)
        like (Tensor): Of the type and on the device of the states.
        RETURNS (PairStates): Of no pair.
        """
        none = like.new_zeros(0, self.output_width)
        return PairStates(like.new_zeros(*mask.shape, self.output_width), mask, none, none, none)


def masked_max(states: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the marked cells; 0 where none is marked, never -inf.

    states (Tensor): Shape (P, T, D)
    mask (Tensor): Shape (P, T)
    RETURNS (Tensor): Shape (P, D)
    """
    highest = states.masked_fill(~mask[..., None], float("-inf")).amax(1)
    return torch.where(mask.any(1, keepdim=True), highest, torch.zeros_like(highest))


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the marked cells; 0 where none is marked.

    states (Tensor): Shape (P, T, D)
    mask (Tensor): Shape (P, T)
    RETURNS (Tensor): Shape (P, D)
    """
    weights = mask.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True).clamp(min=1.0)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Attention weights: softmax over the marked cells; 0 on the others, also if none is marked.

    scores (Tensor): Shape (P, T)
    mask (Tensor): Shape (P, T)
    RETURNS (Tensor): Shape (P, T)
    """
    return scores.masked_fill(~mask, float("-inf")).softmax(1).masked_fill(~mask, 0.0)


def clip_distance(offset: Tensor) -> Tensor:
    """Row of a distance in the table of distances: those beyond the furthest share its row.

    offset (Tensor): Signed distances.
    RETURNS (Tensor): 0 to 2 * FURTHEST.
    """
    return offset.clamp(-FURTHEST, FURTHEST) + FURTHEST
