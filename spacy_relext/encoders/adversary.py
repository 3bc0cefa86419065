"""Adversarial training on the input vectors of an encoder.

With x the input vectors of one text, g = ∂L/∂x and the adversarial perturbation r = ε g / ‖g‖₂, ½ (L(x) + L(x + r)) is
minimized (Miyato et al., "Adversarial training methods for semi-supervised text classification", ICLR 2017, equations 4
and 5, there on word embeddings). r is a constant: no gradient flows through it.

Computing r takes a second forward and backward pass. But perturbations transfer between epochs (Zheng et al.,
"Efficient adversarial training with transferable adversarial examples", CVPR 2020): L(x + r′), with r′ from the
previous epoch and 0 in the first one, costs as much as L(x), and its own gradient gives the r′ of the next epoch.
"""

import warnings
from contextlib import contextmanager
from functools import partial
from typing import Callable, Dict, Iterator, List, Optional, Protocol, Tuple, cast, runtime_checkable

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import Warnings

MAX_CACHE_BYTES = 2**31  # with MiniLM a text of 25 word pieces takes 10 kB

INT8_MAX = 127


@runtime_checkable
class _Perturbable(Protocol):
    """An encoder that names the submodule that returns its input vectors."""

    @property
    def input_module(self) -> nn.Module:
        """The submodule; returns vectors of shape (B, L, D)."""


@runtime_checkable
class _Recognizing(Protocol):
    """An encoder whose texts can be recognized in the next epoch, by their word pieces and mask. Shapes (B, L)"""

    last_read: Optional[Tuple[Tensor, Tensor]]


class PerturbationCache:
    """Perturbations of texts, by their word pieces, quantized to int8 with one scale per text.

    Once the cache is full, it warns and stores no further texts: those in it are perturbed in every epoch, others in
    none.
    """

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._entries: Dict[bytes, Tuple[float, NDArray[numpy.int8]]] = {}
        self._max_bytes = self._free = max_bytes

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """Copies start empty: another process needs no perturbations to predict."""
        return type(self), ()

    @property
    def is_full(self) -> bool:
        """Return True if a text did not fit."""
        return self._free < 0

    def lookup(self, ids: Tensor, mask: Tensor, width: int) -> Tensor:
        """Look up the perturbations of texts; 0 for texts not in the cache, and on padding.

        ids, mask (Tensor): Word pieces; True on them, then False on padding. Shapes (B, L)
        width (int): D.
        RETURNS (Tensor): In fp32. Shape (B, L, D)
        """
        levels = numpy.zeros((*ids.shape, width), dtype="int8")
        scales = numpy.zeros((len(ids), 1, 1), dtype="float32")
        for row, key in enumerate(_cache_keys(ids, mask)):
            if key in self._entries:
                scales[row], entry = self._entries[key]
                levels[row, : len(entry)] = entry
        return torch.from_numpy(levels).to(ids.device).float() * torch.from_numpy(scales).to(ids.device)

    def store(self, ids: Tensor, mask: Tensor, perturbations: Tensor) -> None:
        """Store perturbations, in fp32, of shape (B, L, D); see `lookup`."""
        scales = perturbations.abs().amax((1, 2)) / INT8_MAX
        # zero perturbations are stored as 0 / 1
        levels = perturbations / torch.where(scales > 0, scales, 1.0)[:, None, None]
        rows, lengths = levels.round().to(torch.int8).cpu().numpy(), mask.sum(1).tolist()
        for key, scale, row, length in zip(_cache_keys(ids, mask), scales.tolist(), rows, lengths):
            if key not in self._entries and not self.is_full:
                self._free -= row[:length].size
                if self.is_full:
                    size = {"count": len(self), "mebibytes": self._max_bytes >> 20}
                    warnings.warn(Warnings.W407.format(**size), stacklevel=2)
            if key in self._entries or not self.is_full:
                self._entries[key] = (scale, row[:length].copy())


class AdversarialPerturber:
    """Perturbs the input vectors of a module's encoders if gradients are enabled: a teacher reads clean texts."""

    def __init__(self, module: nn.Module) -> None:
        self._encoders = [part for part in module.modules() if isinstance(part, _Perturbable)]
        self._recorded: List[Tensor] = []
        self._perturbations: Optional[Iterator[Tensor]] = None

    def __bool__(self) -> bool:
        """Return True if the module has an encoder to perturb."""
        return bool(self._encoders)

    @property
    def can_reuse(self) -> bool:
        """Return True if texts can be recognized in the next epoch."""
        return all(isinstance(encoder, _Recognizing) for encoder in self._encoders)

    @contextmanager
    def reusing(self, cache: PerturbationCache, epsilon: float) -> Iterator[None]:
        """Perturb texts by their perturbations in `cache`; a backward pass inside the context stores new ones.

        cache (PerturbationCache): Perturbations of size ε.
        """

        def perturb(encoder: nn.Module, part: nn.Module, inputs: Tuple[object, ...], states: Tensor) -> Tensor:
            if not torch.is_grad_enabled():
                return states
            text = cast(_Recognizing, encoder).last_read
            assert text is not None, "the encoder sets last_read before it calls its input module"
            states = _with_gradient(states + cache.lookup(*text, states.shape[-1]).to(states.dtype))
            states.register_hook(lambda gradient: cache.store(*text, adversarial_perturbation(gradient, epsilon)))
            return states

        with self._hooked(perturb):
            yield

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record input vectors, and after `perturb_next` perturb them, inside the context."""
        try:
            with self._hooked(self._record):
                yield
        finally:
            self._recorded, self._perturbations = [], None

    def perturb_next(self, epsilon: float) -> None:
        """Perturb the next forward passes by ε, in the order of the recorded ones; call it after the backward pass."""
        self._perturbations = iter([adversarial_perturbation(states.grad, epsilon) for states in self._recorded])
        self._recorded = []

    def _record(self, encoder: nn.Module, part: nn.Module, inputs: Tuple[object, ...], states: Tensor) -> Tensor:
        """Record or perturb the input vectors of an encoder. Shape (B, L, D)"""
        if not torch.is_grad_enabled():
            return states
        if self._perturbations is not None:
            return states + next(self._perturbations).to(states.dtype)
        states = _with_gradient(states)
        states.retain_grad()
        self._recorded.append(states)
        return states

    @contextmanager
    def _hooked(self, hook: Callable[..., Tensor]) -> Iterator[None]:
        """Let a function change the input vectors of each encoder, inside the context."""
        handles = [each.input_module.register_forward_hook(partial(hook, each)) for each in self._encoders]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _with_gradient(states: Tensor) -> Tensor:
    """Return input vectors that require a gradient: the perturbation needs it even if the input module is frozen."""
    return states if states.requires_grad else states.detach().requires_grad_()


def adversarial_perturbation(gradient: Optional[Tensor], epsilon: float) -> Tensor:
    """Compute r = ε g / ‖g‖₂ of each text, in fp32; 0 if g is 0, or None: the loss does not depend on the input.

    Shapes: (B, L, D) → (B, L, D)
    """
    if gradient is None:
        return torch.zeros(())
    gradient = gradient.float()
    norm = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
    return epsilon * gradient / norm.clamp(min=torch.finfo(gradient.dtype).tiny)


def _cache_keys(ids: Tensor, mask: Tensor) -> List[bytes]:
    """Return the word pieces of each text, without its padding."""
    rows, lengths = ids.cpu().numpy().astype("int32"), mask.sum(1).tolist()
    return [row[:length].tobytes() for row, length in zip(rows, lengths)]
