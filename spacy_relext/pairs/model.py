"""Torch modules that heads over entity pairs share."""

from typing import Any, Dict, Optional, cast

import torch
from torch import Tensor, nn

from ..encoders.assertions import NO_ASSERTIONS
from .encoders.states import PairEncoder, States


class ClassHead(nn.Module):
    """F: two linear layers over [h; h_s; h_o], with dropout before each."""

    def __init__(self, width: int, *, hidden: int, n_classes: int, dropout: float) -> None:
        """Build the layers; `width` is D, `n_classes` R."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(3 * width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, states: States) -> Tensor:
        """Compute logits. Shape (P, R)"""
        return self.layers(joined(states))


def joined(states: States) -> Tensor:
    """Compute q = [h; h_s; h_o]. Shape (P, 3 D)"""
    return torch.cat([states.sentence, states.subject, states.object], dim=1)


class PairModule(nn.Module):
    """An encoder of pairs and a head above it; `configure` sets their sizes.

    `forward` takes the arrays of `encoders/features.py`. Among them are, for each token or word piece of the texts of P
    pairs: `to_subject` and `to_object`, its signed distances to both arguments, 0 inside; `types`, its entity type; and
    `positions`, the number of its token in the text, -1 for none. Shapes (P, T)
    """

    encoder: PairEncoder

    def __init__(self, encoder: PairEncoder, **settings: Any) -> None:
        """Create the module; the encoder may still be empty, `settings` are what `build_head` reads."""
        super().__init__()
        self.encoder, self.settings = encoder, settings
        self.head_sizes: Optional[Dict[str, int]] = None
        self.assertion: Optional[nn.Linear] = None

    @property
    def sizes(self) -> Optional[Dict[str, Any]]:
        """Arguments of `configure`; None before it."""
        if self.head_sizes is None or self.encoder.sizes is None:
            return None
        return {"encoder": self.encoder.sizes, **self.head_sizes}

    def configure(
        self, *, n_classes: int, n_types: int, encoder: Optional[Dict[str, Any]] = None, n_assertions: int = 0
    ) -> None:
        """Build the head, and the encoder if its sizes are given.

        n_classes (int): R, with 0 for no relation.
        n_types (int): Number of entity types, with 0 for none.
        encoder (Optional[Dict[str, Any]]): Sizes of the encoder.
        n_assertions (int): A, see `encoders/assertions.py`; 0: no head for them.
        """
        if encoder is not None:
            self.encoder.configure(**encoder)
        self.head_sizes = {"n_classes": n_classes, "n_types": n_types}
        self.build_head(self.encoder.output_width, n_classes=n_classes, n_types=n_types)
        self.assertion = None
        if n_assertions:
            self.head_sizes["n_assertions"] = n_assertions
            self.assertion = nn.Linear(3 * self.encoder.output_width, n_assertions)

    def assertions(self, states: States) -> Tensor:
        """Compute the logits of assertions; `NO_ASSERTIONS` without a head for them. Shape (P, A)"""
        return NO_ASSERTIONS if self.assertion is None else self.assertion(joined(states))

    @property
    def input_width(self) -> Optional[int]:
        """Size of the token vectors that the encoder reads."""
        return self.encoder.input_width

    def load_checkpoint(self, path: str) -> None:
        """Load the encoder's weights from a folder, or a name on the Hugging Face Hub."""
        cast(Any, self.encoder).load_checkpoint(path)

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build the layers above the encoder, whose vectors have size `width`."""
        raise NotImplementedError

    def class_head(self, width: int, n_classes: int) -> ClassHead:
        """Build F with the sizes of the settings."""
        return ClassHead(width, n_classes=n_classes, hidden=self.settings["hidden"], dropout=self.settings["dropout"])


def by_token(weights: Tensor, positions: Tensor) -> Tensor:
    """Sum the weights of the pieces of each token.

    weights (Tensor): Shape (P, T)
    positions (Tensor): Token of each piece, -1 for none; a window of a long text starts anywhere. Shape (P, T)
    RETURNS (Tensor): Shape (P, T), or wider if a token lies beyond T.
    """
    width = max(weights.shape[1], int(positions.max()) + 1 if positions.numel() else 0)
    sums = weights.new_zeros(weights.shape[0], width + 1)
    return sums.scatter_add(1, torch.where(positions < 0, width, positions), weights)[:, :-1]
