"""Copies of an encoder that only predict, and do so faster than the layers that are trained.

BERT's layers are what `torch.nn.TransformerEncoderLayer` computes, and that class has a fused kernel for prediction:
one call a layer instead of some thirty small ones, which are a fifth of the time of a single sentence.
"""

import copy
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor, nn


def prediction_copy(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Copy an encoder for prediction under autocast, which then need not convert matrices in every call.

    module (nn.Module): Any encoder.
    dtype (torch.dtype): Of the matrices of linear layers; all other weights are shared with the original.
    RETURNS (nn.Module): The copy, or the original where there is nothing to convert.
    """
    if dtype == torch.float32:
        return module
    shared: Dict[int, Any] = {id(tensor): tensor for tensor in [*module.parameters(), *module.buffers()]}
    copied = copy.deepcopy(module, shared)
    for part in copied.modules():
        if isinstance(part, nn.Linear):
            part.weight = nn.Parameter(part.weight.detach().to(dtype), requires_grad=False)
    return copied


class FusedBert(nn.Module):
    """A BERT encoder on torch's fused layers, with the embeddings of the original, for sequences without padding.

    With padding those layers are slower than the original's.
    """

    def __init__(self, bert: Any, dtype: torch.dtype) -> None:
        """Copy the weights.

        bert (Any): A Hugging Face `BertModel` that `fits`.
        dtype (torch.dtype): Of the layers.
        """
        super().__init__()
        self.embeddings = bert.embeddings
        self.dtype = dtype
        self.layers = nn.ModuleList(_fused_layer(layer, bert.config, dtype) for layer in bert.encoder.layer)

    @staticmethod
    def fits(transformer: Any) -> bool:
        """Say whether an encoder's layers are those of torch.

        transformer (Any): A Hugging Face encoder.
        RETURNS (bool): True for BERT with GELU and absolute positions, as sentence encoders have it.
        """
        config = transformer.config
        return (
            type(transformer).__name__ == "BertModel"
            and config.hidden_act == "gelu"
            and getattr(config, "position_embedding_type", "absolute") == "absolute"
            and not config.is_decoder
            and config.num_attention_heads % 2 == 0
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
        attention_mask (Tensor): All 1: there is no padding. Shape (B, L)
        token_type_ids (Optional[Tensor]): Segments. Shape (B, L)
        output_hidden_states (bool): Whether to keep what each layer gives.
        RETURNS (Any): `last_hidden_state` of shape (B, L, D), `hidden_states` of that shape or None.
        """
        hidden = self.embeddings(inputs_embeds=inputs_embeds, token_type_ids=token_type_ids).to(self.dtype)
        kept: List[Tensor] = [hidden]
        with torch.autocast("cpu", enabled=False):  # under it the layers do not take their fused kernel
            for layer in self.layers:
                hidden = layer(hidden)
                kept.append(hidden)
        return SimpleNamespace(last_hidden_state=hidden, hidden_states=tuple(kept) if output_hidden_states else None)


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
    return fused
