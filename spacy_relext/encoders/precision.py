"""In which numeric precision matrices are multiplied, and where bf16 is fast."""

import contextlib
from typing import Any, ContextManager

import torch

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
    """Say whether matrices are multiplied in bf16.

    precision (str): "auto", "fp32" or "bf16".
    device (torch.device): Where the tensors live.
    RETURNS (bool): With "auto", whether the device does so natively.
    """
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def has_fast_bf16(device: torch.device) -> bool:
    """Say whether a device multiplies bf16 matrices natively; elsewhere bf16 is slower than fp32.

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
