"""Layers that encoders and heads share: the layers of a Hugging Face encoder, run one by one; a base class over token
vectors; buckets of distances between tokens."""

import functools
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..errors import Errors
from .fast import FusedBert

# Encoders whose layers need only the output of the layer below and a mask, and follow directly after the embeddings.
# Others also have a list of layers, but would silently go wrong (MPNet's need a table of relative positions).
LIKE_BERT = ("bert", "camembert", "data2vec-text", "electra", "ernie", "roberta", "xlm-roberta")

# Buckets of distances in one direction: one per token up to `_SINGLE`, then of doubling width; the last ends at the
# distance `_FARTHEST`, but also contains those beyond.
_ONE_WAY, _SINGLE = 12, 5

_FARTHEST = _SINGLE * 2 ** (_ONE_WAY - _SINGLE)

N_BUCKETS = 2 * _ONE_WAY + 1

# Bytes that a layer stores for the backward pass per word piece and unit of its width (measured: MiniLM on a CPU).
_STORED_BYTES = 110

_MOST_STORED = 2**32  # bytes


class LayerStack:
    """Embeddings and layers of an encoder built like BERT, or of its copy for prediction."""

    def __init__(self, transformer: Any) -> None:
        self.fused = isinstance(transformer, FusedBert)
        kind = "bert" if self.fused else transformer.config.model_type
        if kind not in LIKE_BERT:
            raise ValueError(Errors.R404.format(found=kind, expected=", ".join(LIKE_BERT)))
        self.transformer = transformer
        self.layers = transformer.layers if self.fused else transformer.encoder.layer

    def __len__(self) -> int:
        return len(self.layers)

    def embed(self, inputs_embeds: Tensor) -> Tensor:
        """Add positions and segment to word-piece vectors. Shape (B, L, D)"""
        hidden = self.transformer.embeddings(inputs_embeds=inputs_embeds)
        # ELECTRA's, if its embeddings are narrower than its layers
        project = getattr(self.transformer, "embeddings_project", None)
        return hidden if project is None else project(hidden)

    def run(self, hidden: Tensor, mask: Tensor, first: int, last: int, *, recompute: bool = False) -> List[Tensor]:
        """Run the layers from `first` up to, but not including, `last`.

        hidden (Tensor): Input of layer `first`. Shape (B, L, D)
        mask (Tensor): True on pieces, then False on padding. Shape (B, L)
        recompute (bool): Whether the backward pass recomputes the activations within layers; see `must_recompute`.
        RETURNS (List[Tensor]): The input and the output of each layer. Shapes (B, L, D)
        """
        if self.fused:
            return self.transformer.run(hidden, mask, first, last)
        lowest = torch.finfo(hidden.dtype).min
        extended = torch.where(mask[:, None, None], 0.0, lowest).to(hidden.dtype)  # (B, 1, 1, L)
        states = [hidden]
        for layer in self.layers[first:last]:
            inputs = states[-1], extended
            output = checkpoint(layer, *inputs, use_reentrant=False) if recompute else layer(*inputs)
            states.append(output[0] if isinstance(output, tuple) else output)
        return states


def must_recompute(transformer: Any, pieces: int) -> bool:
    """Return True in training if a batch's activations take over 4 GiB and, on a GPU, over half of its memory.

    The backward pass then recomputes those within each layer (Chen et al., arXiv 1604.06174). Such batches need not be
    large: a text with 24 entities has 552 pairs, and some encoders read it once for each.

    transformer (Any): A Hugging Face model.
    pieces (int): Pieces in the batch, padding included; those of a text count once for each pair that reads it.
    """
    config, device = transformer.config, transformer.device
    stored: int = _STORED_BYTES * pieces * config.num_hidden_layers * config.hidden_size
    if stored <= _MOST_STORED or not torch.is_grad_enabled():
        return False
    return device.type != "cuda" or stored > torch.cuda.get_device_properties(device).total_memory / 2


def layers_of(transformer: nn.Module) -> List[nn.Module]:
    """Get the layers of any Hugging Face encoder: its longest list of modules."""
    lists = [list(m) for m in transformer.modules() if isinstance(m, nn.ModuleList) and len(m) > 1]
    return max(lists, key=len) if lists else []


class TokenModule(nn.Module):
    """Base of modules over token vectors, empty until `configure` gives them their sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Optional[Dict[str, int]] = None

    @property
    def input_width(self) -> Optional[int]:
        """RETURNS (Optional[int]): Size of the token vectors, D; None if the module is empty."""
        return None if self.sizes is None else self.sizes["width"]


def bucket_distance(distance: Tensor) -> Tensor:
    """Compute the buckets, 0 to `N_BUCKETS` - 1, of signed distances in tokens. Shapes (P,) → (P,)"""
    return _buckets(distance.device)[distance.clamp(-_FARTHEST, _FARTHEST) + _FARTHEST]


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)  # cached tensors are used in training too
def _buckets(device: torch.device) -> Tensor:
    """Compute the bucket of every distance from -_FARTHEST to _FARTHEST."""
    distance = torch.arange(-_FARTHEST, _FARTHEST + 1)
    size = distance.abs()
    wide = _SINGLE + torch.log2(size.clamp(min=1).float() / _SINGLE).ceil().long()
    bucket = torch.where(size <= _SINGLE, size, wide).clamp(max=_ONE_WAY)
    return (distance.sign() * bucket + _ONE_WAY).to(device)
