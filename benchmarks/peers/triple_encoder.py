"""Encoders of the baselines that extract triples: a plain one of Hugging Face, or one with this project's additions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from benchmarks.peers.training import load_encoder
from spacy_relext.encoders.transformer import TransformerEncoder

# Parameters and their learning rate.
Rated = tuple[Sequence[nn.Parameter], float]


class PlainEncoder(nn.Module):
    """A Hugging Face encoder without its pooler, which is not used here: no time, no weight decay for it."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        if getattr(transformer, "pooler", None) is not None:
            transformer.pooler = None
        self.transformer = transformer
        self.width: int = transformer.config.hidden_size

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        """Compute the vectors of the pieces; shapes are ignored. Shapes (B, T) → (B, T, D)"""
        vectors: Tensor = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        return vectors


Encoder = PlainEncoder | TransformerEncoder


def build_encoder(
    folder: str, *, additions: bool, precision: str, adversarial_radius: float = 0.0
) -> tuple[Any, PlainEncoder | TransformerEncoder]:
    """Load an encoder.

    additions (bool): Read letter shapes and mix the layers, without dropout and with frozen embeddings of pieces, as
        `configs/rere.cfg` has it.
    adversarial_radius (float): ε of the adversary of `configs/rere.cfg`; with the additions only.
    RETURNS (tuple[PreTrainedTokenizerFast, PlainEncoder | TransformerEncoder]): Tokenizer and encoder.
    """
    tokenizer, transformer = load_encoder(folder)
    if not additions:
        return tokenizer, PlainEncoder(transformer)
    options: dict[str, Any] = {"dropout": 0.0, "adversarial_radius": adversarial_radius}
    encoder = TransformerEncoder(precision=precision, freeze_embeddings=True, **options)
    encoder.load_checkpoint(folder)
    return tokenizer, encoder


def rated_parameters(encoder: PlainEncoder | TransformerEncoder, *, lr: float, head_lr: float) -> list[Rated]:
    """RETURNS (list[Rated]): New parameters get a higher learning rate than pretrained ones, as in our training."""
    assert encoder.transformer is not None
    rated: list[Rated] = [(list(encoder.transformer.parameters()), lr)]
    if isinstance(encoder, TransformerEncoder):
        assert encoder.shape_table is not None and encoder.mix is not None
        rated += [(list(encoder.shape_table.parameters()), min(head_lr, 5 * lr)), ([encoder.mix], head_lr)]
    return rated
