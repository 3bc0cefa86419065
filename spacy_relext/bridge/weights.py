"""Precision of matrix products, copies of weights for prediction, and means of weights: of several trained modules, to
start from, and of one module over its updates, as a teacher.

Models fine-tuned from one checkpoint, on different data or in a different order, lie in one basin: the mean of their
weights scores like their ensemble at the cost of one model (Wortsman et al., "Model soups", ICML 2022).
"""

import copy
from contextlib import contextmanager, nullcontext
from typing import Callable, ContextManager, Dict, Iterator, List, Mapping, Optional, Sequence, Set, TypeVar, cast

import torch
from torch import Tensor, nn

Copy = TypeVar("Copy")

PRECISIONS = ("auto", "fp32", "bf16")


def autocast(precision: str, device: torch.device) -> ContextManager[object]:
    """Return a context for the forward pass that computes matrix products in bf16 if `uses_bf16`."""
    if not uses_bf16(precision, device):
        return nullcontext()
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


def load_mean(module: nn.Module, states: Sequence[Mapping[str, Tensor]], *, required: str) -> Optional[str]:
    """Copy the mean of trained weights into a module, for each name and shape that all of them have.

    states (Sequence[Mapping[str, Tensor]]): Names and weights of trained modules.
    required (str): Prefix of the names that all must have; if one is missing, nothing is copied.
    RETURNS (Optional[str]): The first required name that is missing; None if none is.
    """
    means = {}
    for key, own in module.state_dict().items():
        same = [state[key] for state in states if key in state and state[key].shape == own.shape]
        if len(same) == len(states):
            means[key] = torch.stack([weight.to(own.device, torch.float32) for weight in same]).mean(0).to(own.dtype)
        elif key.startswith(required):
            return key
    module.load_state_dict(means, strict=False)
    return None


# Sizes of a module that count labels begin so, and one of them counts relations.
_COUNT, _RELATIONS = "n_", "n_relations"


def copy_weights(module: nn.Module, trained: nn.Module, *, rows: Mapping[int, int]) -> Optional[str]:
    """Copy the weights of a module that was trained for other labels: those that depend on none, and rows of relations.

    module (nn.Module): A `WrappedModule` with random weights.
    rows (Mapping[int, int]): Number of a relation → its number in the trained module. The rows of others become the
        mean of all trained ones.
    RETURNS (Optional[str]): The first weight without labels that is missing, and nothing is copied; None if none is.
    """
    sizes: Dict[str, int] = getattr(module, "sizes", None) or {}
    larger = {key: count + 1 for key, count in sizes.items() if key.startswith(_COUNT) and count}  # 0: not in use
    by_relation = _dependent(module, {key: count for key, count in larger.items() if key == _RELATIONS})
    by_label = _dependent(module, {key: count for key, count in larger.items() if key != _RELATIONS})
    others, copied = trained.state_dict(), {}
    for name, own in module.state_dict().items():
        other = others.get(name, own.new_empty(0))
        if name not in by_relation | by_label:
            if other.shape != own.shape:
                return name
            copied[name] = other
        elif name not in by_label and other.shape[1:] == own.shape[1:] and len(other):
            table = other.mean(0, keepdim=True).repeat(len(own), *[1] * (own.dim() - 1))
            for row, number in rows.items():
                table[row] = other[number]
            copied[name] = table
    module.load_state_dict(copied, strict=False)
    return None


def _dependent(module: nn.Module, changed: Mapping[str, int]) -> Set[str]:
    """Name the weights of a module whose shapes change with some of its sizes."""
    if not changed:
        return set()
    own, other = module.state_dict(), copy.deepcopy(module)
    with torch.device("meta"):
        other.configure(**{**other.sizes, **changed})  # type: ignore[operator, dict-item]
    return {name for name, weight in other.state_dict().items() if weight.shape != own[name].shape}


@contextmanager
def swapped_weights(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> Iterator[None]:
    """Let a module compute with other values of some of its weights; meanwhile `others` holds the original ones."""
    _swap(module, weights, others)
    try:
        yield
    finally:
        _swap(module, weights, others)


def _swap(module: nn.Module, weights: Sequence[Tensor], others: List[Tensor]) -> None:
    for number, weight in enumerate(weights):
        weight.data, others[number] = others[number], weight.data
    clear_caches(module)


class CachesWeights(nn.Module):
    """A module that caches a copy made from its weights for prediction, until they change."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._cache: List[object] = []  # a list, so that a cached module is not registered as a submodule
        self.register_load_state_dict_post_hook(_after_loading)

    def can_use_cache(self, device: torch.device) -> bool:
        """Return True for prediction on the CPU, given the device of the input: the copy then replaces the weights."""
        return not (self.training or torch.is_grad_enabled() or device.type != "cpu")

    def cached(self, make: Callable[[], Copy]) -> Copy:
        """Return the copy, which is made at the first call."""
        if not self._cache:
            self._cache = [make()]
        return cast(Copy, self._cache[0])

    def clear_cache(self) -> None:
        """Drop the copy; the optimizer's step calls this."""
        self._cache = []

    def __getstate__(self) -> Dict[str, object]:
        return {**self.__dict__, "_cache": []}


def _after_loading(module: CachesWeights, _: object) -> None:
    """Drop the copy after weights were loaded; a function, so that modules can be pickled for other processes."""
    module.clear_cache()


def clear_caches(module: nn.Module) -> None:
    """Clear the caches of all parts of a module, after its weights have changed."""
    for part in module.modules():
        if isinstance(part, CachesWeights):
            part.clear_cache()


class EmaWeights:
    """Exponential moving average (EMA) of a module's weights, θ̄ ← d θ̄ + (1 − d) θ; at first the plain mean.

    Its predictions are steadier than those of the module itself (Tarvainen & Valpola, "Mean teachers", NeurIPS 2017).

    module (nn.Module): The module; only its trainable weights are averaged.
    decay (float): d.
    """

    def __init__(self, module: nn.Module, *, decay: float) -> None:
        self._module = module
        self._weights = [weight for weight in module.parameters() if weight.requires_grad]
        self._means = [weight.detach().clone() for weight in self._weights]
        self._decay, self._updates = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """Add the current weights to the mean."""
        self._updates += 1
        decay = min(self._decay, 1.0 - 1.0 / self._updates)
        for mean, weight in zip(self._means, self._weights):
            mean.lerp_(weight.detach(), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the module compute with the means while the context lasts."""
        with swapped_weights(self._module, self._weights, self._means):
            yield
