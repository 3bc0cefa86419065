"""Precision of matrix products: bf16 where the CPU or GPU supports it natively."""

import contextlib
from typing import ContextManager

import torch

PRECISIONS = ("auto", "fp32", "bf16")


def autocast(precision: str, device: torch.device) -> ContextManager[object]:
    """Return a context for the forward pass that computes matrix products in bf16 if `uses_bf16`."""
    if not uses_bf16(precision, device):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Return True if matrices are multiplied in bf16: if "bf16" is set, or "auto" and the device does so natively."""
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def has_fast_bf16(device: torch.device) -> bool:
    """Return True if a device multiplies bf16 matrices natively; elsewhere bf16 is slower than fp32.

    Processors with AVX512-BF16 or AMX do, and GPUs of compute capability 8.0 and above.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    has_instruction = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # without AVX512 oneDNN emulates bf16
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported() and has_instruction and has_instruction())
