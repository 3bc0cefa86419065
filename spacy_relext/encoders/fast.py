"""What makes an encoder fast: copies of it that only predict, and bf16 where the processor has it.

BERT's layers are what `torch.nn.TransformerEncoderLayer` computes, and that class has a fused kernel for prediction:
one call a layer instead of some thirty small ones. Sequences of several lengths go through it as a nested tensor, so
that padding costs nothing and a text gets the same vectors alone and in a batch.
"""

import contextlib
import copy
import warnings
from types import SimpleNamespace
from typing import Any, Callable, ContextManager, Dict, List, Optional, cast

import torch
from torch import Tensor, nn


def prediction_copy(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Copy an encoder for prediction on a CPU.

    module (nn.Module): Any encoder with the interface of Hugging Face.
    dtype (torch.dtype): In which its matrices are multiplied; all weights that are not converted are shared with the
        original.
    RETURNS (nn.Module): The copy, or the original where nothing would be faster.
    """
    if FusedBert.fits(module):
        return FusedBert(module, dtype).eval()
    if dtype == torch.float32:
        return module
    shared: Dict[int, Any] = {id(tensor): tensor for tensor in [*module.parameters(), *module.buffers()]}
    copied = copy.deepcopy(module, shared)
    for part in copied.modules():
        if isinstance(part, nn.Linear):  # which autocast would convert in every call
            part.weight = nn.Parameter(part.weight.detach().to(dtype), requires_grad=False)
    return copied


class FusedBert(nn.Module):
    """A BERT encoder on torch's fused layers, with the embeddings of the original."""

    def __init__(self, bert: Any, dtype: torch.dtype) -> None:
        """Copy the weights.

        bert (Any): A Hugging Face `BertModel` that `fits`.
        dtype (torch.dtype): Of the layers.
        """
        super().__init__()
        self.embeddings = bert.embeddings
        self.dtype = dtype
        self.layers = nn.ModuleList(_fused_layer(layer, bert.config, dtype) for layer in bert.encoder.layer)
        self._kernels = [fused_kernel(layer) for layer in self.layers]
        with warnings.catch_warnings():  # the first nested tensor of a process warns that their interface may change
            warnings.simplefilter("ignore")
            torch.nested.nested_tensor([torch.zeros(1)])

    @staticmethod
    def fits(transformer: Any) -> bool:
        """Say whether an encoder's layers are those of torch.

        transformer (Any): An encoder.
        RETURNS (bool): True for Hugging Face's BERT with GELU and absolute positions, as sentence encoders have it.
        """
        config = getattr(transformer, "config", None)
        return (
            type(transformer).__name__ == "BertModel"
            and config is not None
            and config.hidden_act == "gelu"
            and getattr(config, "position_embedding_type", "absolute") == "absolute"
            and not config.is_decoder
            and config.num_attention_heads % 2 == 0  # else the kernel is not taken
        )

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        token_type_ids: Optional[Tensor] = None,
        output_hidden_states: bool = False,
    ) -> Any:
        """Encode word pieces.

        inputs_embeds (Tensor): Shape (B, L, D)
        attention_mask (Tensor): 1 on pieces, then 0 on padding. Shape (B, L)
        token_type_ids (Optional[Tensor]): Segments. Shape (B, L)
        output_hidden_states (bool): Whether to keep what each layer gives.
        RETURNS (Any): `last_hidden_state` of shape (B, L, D), `hidden_states` of that shape or None; 0 on padding.
        """
        hidden = self.embeddings(inputs_embeds=inputs_embeds, token_type_ids=token_type_ids)
        states = self.run(hidden, attention_mask, 0, len(self.layers), keep=output_hidden_states)
        return SimpleNamespace(
            last_hidden_state=states[-1], hidden_states=tuple(states) if output_hidden_states else None
        )

    def run(self, hidden: Tensor, mask: Tensor, first: int, last: int, *, keep: bool = True) -> List[Tensor]:
        """Run some layers.

        hidden (Tensor): Input of layer `first`. Shape (B, L, D)
        mask (Tensor): 1 on pieces, then 0 on padding. Shape (B, L)
        first (int): The first layer.
        last (int): The layer after the last.
        keep (bool): Whether to return the input and what each layer gives, or the last of these only.
        RETURNS (List[Tensor]): Of shape (B, L, D), 0 on padding.
        """
        shape = tuple(hidden.shape)
        hidden = hidden.to(self.dtype)
        lengths = mask.sum(1).tolist()
        padded = min(lengths) < shape[1]
        if padded:
            hidden = torch.nested.as_nested_tensor([row[:length] for row, length in zip(hidden, lengths)])
        kept: List[Tensor] = [hidden]
        with torch.autocast("cpu", enabled=False):  # under it the layers do not take their fused kernel
            for layer in self._kernels[first:last]:
                hidden = layer(hidden)
                kept.append(hidden)
        states = kept if keep else kept[-1:]
        return [torch.nested.to_padded_tensor(state, 0.0, shape) for state in states] if padded else states


def fused_kernel(layer: Any) -> Callable[[Tensor], Tensor]:
    """Find the kernel that a layer of torch calls for prediction, after checks in Python.

    layer (Any): A `torch.nn.TransformerEncoderLayer` in evaluation mode, its weights without gradients, that
        normalises after its parts.
    RETURNS (Callable[[Tensor], Tensor]): From and to states of shape (B, L, D); the layer itself where a version of
        torch has no such kernel.
    """
    kernel = getattr(torch, "_transformer_encoder_layer_fwd", None)
    if kernel is None:
        return cast(Callable[[Tensor], Tensor], layer)
    attention = layer.self_attn
    weights = (attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias)
    first, second = layer.norm1, layer.norm2
    after = (first.eps, first.weight, first.bias, second.weight, second.bias)
    parts = (layer.linear1.weight, layer.linear1.bias, layer.linear2.weight, layer.linear2.bias)
    heads = (attention.embed_dim, attention.num_heads)
    use_gelu, norm_first = True, False
    rest = (*heads, *weights, use_gelu, norm_first, *after, *parts)
    return lambda states: cast(Tensor, kernel(states, *rest))


def _fused_layer(layer: Any, config: Any, dtype: torch.dtype) -> nn.Module:
    """Copy the weights of one BERT layer."""
    fused = nn.TransformerEncoderLayer(
        config.hidden_size,
        config.num_attention_heads,
        config.intermediate_size,
        activation="gelu",
        layer_norm_eps=config.layer_norm_eps,
        batch_first=True,
        device="meta",
    )
    own = layer.attention.self
    projections = (own.query, own.key, own.value)
    weights = {
        "self_attn.in_proj_weight": torch.cat([part.weight for part in projections]),
        "self_attn.in_proj_bias": torch.cat([part.bias for part in projections]),
    }
    parts = {
        "self_attn.out_proj": layer.attention.output.dense,
        "linear1": layer.intermediate.dense,
        "linear2": layer.output.dense,
        "norm1": layer.attention.output.LayerNorm,
        "norm2": layer.output.LayerNorm,
    }
    for name, part in parts.items():
        weights.update({f"{name}.weight": part.weight, f"{name}.bias": part.bias})
    fused.load_state_dict({name: weight.detach().to(dtype) for name, weight in weights.items()}, assign=True)
    return fused.requires_grad_(False)


# Bits of a random number; one of 64 gives four.
LEVELS = 2**16


class CheapDropout(nn.Dropout):
    """As `nn.Dropout`, whose mask on a CPU is drawn from 16 random bits a value: p is met to 1/65536.

    They depend on PyTorch's seed, and are others than PyTorch's. Training MiniLM in bf16 on one core, 11 % of the time
    goes into drawing PyTorch's masks, and 2 % into drawing these.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Set a share p of the values to 0, and divide the others by 1 − p, in training.

        values (Tensor): Any shape.
        RETURNS (Tensor): The same shape.
        """
        if not self.training or self.inplace or not 0.0 < self.p < 1.0 or values.device.type != "cpu":
            return super().forward(values)
        kept: Tensor = draw_bits(values) >= round(LEVELS * self.p) - LEVELS // 2
        return values * kept.to(values.dtype).div_(1.0 - self.p)


def draw_bits(values: Tensor) -> Tensor:
    """Draw a number of 16 bits for each value.

    values (Tensor): On the CPU. Any shape
    RETURNS (Tensor): int16, evenly from all that there are. The same shape
    """
    count = values.numel()
    drawn = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    return drawn.view(torch.int16)[:count].view(values.shape)


def cheapen_dropout(module: nn.Module) -> None:
    """Exchange each `nn.Dropout` of a module for one that does the same in less time.

    module (nn.Module): Any module.
    """
    for part in module.modules():
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, CheapDropout(child.p, child.inplace))


PRECISIONS = ("auto", "fp32", "bf16")


def autocast(precision: str, device: torch.device) -> ContextManager[Any]:
    """Choose the numeric precision of the matrix products on a device.

    precision (str): "auto", "fp32" or "bf16".
    device (torch.device): Where the tensors live.
    RETURNS (ContextManager[Any]): A context for the forward pass.
    """
    if not uses_bf16(precision, device):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Return True if matrices are multiplied in bf16.

    precision (str): "auto", "fp32" or "bf16".
    device (torch.device): Where the tensors live.
    RETURNS (bool): With "auto", whether the device does so natively.
    """
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def has_fast_bf16(device: torch.device) -> bool:
    """Return True if a device multiplies bf16 matrices natively; elsewhere bf16 is slower than fp32.

    device (torch.device): The device.
    RETURNS (bool): True for AVX512-BF16 or AMX processors and for GPUs of compute capability 8.0 and above.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported() and _avx512())
    return False


def _avx512() -> bool:
    """Ask torch for the processor's vector instructions; without AVX512 oneDNN emulates bf16."""
    has_instruction = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(has_instruction()) if has_instruction else False
