"""A GPU without a GPU: tensors that say they are on one, hold their numbers in main memory, and refuse to be mixed.

torch's FakeTensorMode has no numbers, so that it cannot run what depends on them (spans above a threshold, lengths of
sequences), and without a CUDA build of torch it cannot backpropagate. Here every operation is computed, on the CPU.
"""

import contextlib
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy
import pytest
import thinc.shims.pytorch
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

CPU, DEVICE = torch.device("cpu"), torch.device("cuda:0")
aten = torch.ops.aten

COPIES = (aten.copy_.default, aten._to_copy.default)
# The index may be in main memory.
WITH_INDEX = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default)
# The lengths of packed sequences always are.
PACKED = (aten._pack_padded_sequence.default, aten._pad_packed_sequence.default)
WITH_LENGTHS = (*PACKED, aten.lstm.data)
PACK_BACKWARD = aten._pack_padded_sequence_backward.default


class GpuTensor(Tensor):
    """A tensor on the simulated GPU; to torch's own code it is one on the device "meta", which needs no driver."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> "GpuTensor":
        with torch.inference_mode(numbers.is_inference()):  # a view of weights is none, even in this mode
            made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
                cls,
                numbers.size(),
                strides=numbers.stride(),
                storage_offset=numbers.storage_offset(),
                dtype=numbers.dtype,
                device="meta",
            )
        made.numbers = numbers
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return DEVICE

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        return True

    @property
    def data(self) -> "GpuTensor":  # type: ignore[override]
        return self.detach()  # type: ignore[return-value]

    @data.setter
    def data(self, other: "GpuTensor") -> None:
        assert isinstance(other, GpuTensor), "weights on the GPU get values in main memory"
        self.numbers = other.numbers

    # What C++ makes of Python numbers would be on "meta", without their values.
    def new_tensor(self, data: Any, **options: Any) -> Tensor:  # type: ignore[override]
        return torch.tensor(data, **{"dtype": self.dtype, "device": DEVICE, **options})

    def __getitem__(self, index: Any) -> Tensor:
        return super().__getitem__(_index_on_gpu(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_index_on_gpu(index), value)

    def tolist(self) -> Any:
        return self.numbers.tolist()

    def data_ptr(self) -> int:
        return self.numbers.data_ptr()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("cannot convert a tensor on the GPU to numpy")

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"GpuTensor({self.numbers})"


def _index_on_gpu(index: Any) -> Any:
    """Make tensors of lists of numbers in an index, as torch does."""
    if isinstance(index, list):
        return torch.tensor(index, device=DEVICE)
    if not isinstance(index, tuple):
        return index
    return tuple(torch.tensor(each, device=DEVICE) if isinstance(each, (list, tuple)) else each for each in index)


class SimulatedGpu(TorchDispatchMode):
    """Makes what is created on, or copied to, the simulated GPU a `GpuTensor`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})


def compute(func: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """Run an operation on the numbers of its arguments; its results are where torch would put them."""
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    on_gpu = [tensor for tensor in tensors if isinstance(tensor, GpuTensor)]
    assert all(isinstance(tensor, GpuTensor) or not tensor.is_meta for tensor in tensors), "made in C++, without values"
    devices = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.device)]
    if devices:
        goes_to_gpu = devices[0].type != "cpu"
        args, kwargs = tree_map(lambda each: CPU if isinstance(each, torch.device) else each, (args, kwargs))
    elif func is COPIES[0]:
        goes_to_gpu = isinstance(args[0], GpuTensor)
    else:
        goes_to_gpu = bool(on_gpu)
    if on_gpu and func not in COPIES:
        check_devices(func, args, tensors)
    if goes_to_gpu and kwargs.get("generator") is not None:
        raise RuntimeError(f"{func}: a generator in main memory draws numbers for the GPU")
    args, kwargs = tree_map(lambda each: each.numbers if isinstance(each, GpuTensor) else each, (args, kwargs))
    results = func(*args, **kwargs)
    if func in PACKED:
        return GpuTensor(results[0]), results[1]
    given = {id(tensor.numbers): tensor for tensor in on_gpu}  # what is changed in place stays the same object

    def put(result: Any) -> Any:
        if not goes_to_gpu or not isinstance(result, Tensor):
            return result
        return given[id(result)] if id(result) in given else GpuTensor(result)

    return tree_map(put, results)


def check_devices(func: Any, args: Tuple[Any, ...], tensors: List[Tensor]) -> None:
    """Raise an error if an operation reads the GPU and main memory.

    Elementwise operations take numbers without a dimension from anywhere.
    """
    allowed: List[Any] = []
    if func is PACK_BACKWARD:
        allowed = [args[2]]
    elif isinstance(args[0], GpuTensor):
        allowed = [args[1]] if func in WITH_LENGTHS else args[1] if func in WITH_INDEX else []
    is_elementwise = torch.Tag.pointwise in func.tags or func in WITH_INDEX
    others = [
        tensor
        for tensor in tensors
        if not isinstance(tensor, GpuTensor)
        and not (is_elementwise and not tensor.dim())
        and all(tensor is not each for each in allowed)
    ]
    if others:
        raise RuntimeError(f"{func}: {len(others)} of {len(tensors)} tensors are in main memory, the others on the GPU")


def to_gpu(value: Any) -> Any:
    """Put tensors, also those in lists, dictionaries and named tuples, onto the simulated GPU."""
    return tree_map(lambda each: GpuTensor(each.detach()) if isinstance(each, Tensor) else each, value)


@contextlib.contextmanager
def simulated_gpu() -> Iterator[None]:
    """Let torch, and the bridge to thinc, work on a simulated GPU; thinc's own layers stay in main memory.

    The arrays that the bridge takes from thinc and gives back count as those of a GPU.
    """
    from spacy_relext.bridge import modules, shim

    def to_tensor(array: Any, requires_grad: bool = False, device: Optional[torch.device] = None) -> Tensor:
        assert device is None or device == DEVICE, "an array of the GPU becomes a tensor in main memory"
        return GpuTensor(torch.from_numpy(numpy.asarray(array))).requires_grad_(requires_grad)

    def to_array(tensor: Tensor) -> Any:
        assert isinstance(tensor, GpuTensor), "a tensor in main memory reaches a layer of thinc"
        return tensor.detach().cpu().numpy() if tensor.requires_grad else tensor.numbers.numpy()

    before = torch._C._only_lift_cpu_tensors()
    with pytest.MonkeyPatch.context() as patch, SimulatedGpu():
        patch.setattr(torch.cuda, "_lazy_init", lambda: None)
        patch.setattr(torch.backends.cudnn, "is_acceptable", lambda tensor: False)  # its LSTM needs a GPU
        for module in (modules, thinc.shims.pytorch):
            patch.setattr(module, "get_torch_default_device", lambda: DEVICE)
        for module in (modules, shim):
            patch.setattr(module, "xp2torch", to_tensor)
            patch.setattr(module, "torch2xp", to_array)
        # torch.tensor(numbers, device=...) makes a tensor in main memory, and copies it where the mode sees it
        torch._C._set_only_lift_cpu_tensors(True)
        try:
            yield
        finally:
            torch._C._set_only_lift_cpu_tensors(before)
