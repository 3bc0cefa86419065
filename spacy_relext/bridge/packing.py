"""Stores weights in few bits: matrices as int8 with a scale a row, word embeddings as int4 with a scale for 64 values.

All other weights are stored as fp16. Values are symmetric around 0, and their scales are stored as fp16, so that a
product of a scale and an integer is exact in fp32: weights that were read from packed ones pack to the same bytes.
Files of packed weights are compressed with zlib. Weights are unpacked when they are loaded, so that prediction is as
fast as before.
"""

from pathlib import Path
from typing import Dict, List, Mapping, Tuple

import torch
from spacy.language import Language
from spacy.util import load_model_from_config
from thinc.api import Model
from torch import Tensor, nn

# Attribute of a module that is stored packed.
PACKED = "relext_packed"

_SCALE = ".scale"
_GROUP = 64  # values of a word embedding that share a scale
_LARGE = 4096  # rows of an embedding, or elements of a matrix: smaller ones are not worth a scale
_SMALLEST = 2.0**-24  # positive fp16

Layout = Dict[str, Tuple[int, List[int]]]  # name → bits of a value, shape


def pack_module(module: nn.Module) -> Tuple[Dict[str, Tensor], Layout]:
    """Quantize the weights of a module.

    RETURNS (Tuple[Dict[str, Tensor], Layout]): Tensors by name, and the layout; `unpack_state` takes both.
    """
    words = {
        f"{name}.weight"
        for name, part in module.named_modules()
        if isinstance(part, nn.Embedding) and part.num_embeddings >= _LARGE and part.embedding_dim % _GROUP == 0
    }
    packed: Dict[str, Tensor] = {}
    layout: Layout = {}
    for name, tensor in module.state_dict().items():
        weight = tensor.detach().cpu()
        if not weight.is_floating_point() or not weight.isfinite().all():
            packed[name] = weight.contiguous()
        elif name in words:
            packed[name], packed[name + _SCALE] = _pack_nibbles(weight.float())
            layout[name] = (4, list(weight.shape))
        elif weight.ndim > 1 and weight.numel() >= _LARGE:
            packed[name], packed[name + _SCALE] = _quantize(weight.float().flatten(1), 127)
            layout[name] = (8, list(weight.shape))
        elif weight.half().isfinite().all():
            packed[name], layout[name] = weight.half().contiguous(), (16, list(weight.shape))
        else:
            packed[name] = weight.contiguous()
    return packed, layout


def unpack_state(packed: Mapping[str, Tensor], layout: Layout) -> Dict[str, Tensor]:
    """Compute the fp32 weights of quantized ones, which `pack_module` returned."""
    scales = {name + _SCALE for name, (bits, _) in layout.items() if bits < 16}
    state = {}
    for name, tensor in packed.items():
        if name in scales:
            continue
        bits, shape = layout.get(name, (0, []))
        if bits == 4:
            tensor = torch.stack(((tensor & 15).char() - 8, (tensor >> 4).char() - 8), dim=-1).view(-1, _GROUP)
        if bits in (4, 8):
            tensor = tensor.float() * packed[name + _SCALE].float()[:, None]
        state[name] = tensor.float().reshape(shape) if bits else tensor
    return state


def _quantize(rows: Tensor, highest: int) -> Tuple[Tensor, Tensor]:
    """Return integers from -highest to highest, and the scale of each row. Shape (N, K) → (N, K), (N,)"""
    scales = (rows.abs().amax(1) / highest).clamp(_SMALLEST, torch.finfo(torch.float16).max).half()
    values = (rows / scales.float()[:, None]).round().clamp(-highest, highest)
    return values.char().contiguous(), scales


def _pack_nibbles(weight: Tensor) -> Tuple[Tensor, Tensor]:
    """Quantize to int4, two values a byte. Shape (N, D) → (N · D / 64, 32), (N · D / 64,)"""
    values, scales = _quantize(weight.reshape(-1, _GROUP), 7)
    pairs = (values + 8).byte().view(len(values), -1, 2)
    return (pairs[..., 0] | pairs[..., 1] << 4).contiguous(), scales


def set_packed(nlp: Language, packed: bool) -> None:
    """Choose how the weights of a pipeline are stored by `to_disk` and `to_bytes`; a packed pipeline stays packed."""
    models = [getattr(component, "model", None) for _, component in nlp.components]
    for layer in (layer for model in models if isinstance(model, Model) for layer in model.walk()):
        for shim in layer.shims:
            setattr(shim._model, PACKED, packed)


def save_packed(nlp: Language, folder: Path, *, bits: int = 8) -> None:
    """Save a pipeline with packed weights (bits: 8), or with fp32 weights (32).

    Strings of the training texts are left out of a vocabulary without vectors: components keep their labels themselves.
    """
    set_packed(nlp, bits == 8)
    nlp.to_disk(folder)
    if not len(nlp.vocab.vectors):
        clean = load_model_from_config(nlp.config).from_disk(folder, exclude=["vocab"])
        clean.vocab.strings.to_disk(folder / "vocab" / "strings.json")
