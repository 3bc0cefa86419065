"""Checks of a stored knowledge base before its numbers are used as indices: names of rows, and tables of numbers."""

import zipfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy
from numpy.lib import format as npy
from numpy.typing import NDArray

Shape = Tuple[int, ...]

# Kinds of the dtypes of stored tables and facts: numbers of a fixed size, in either byte order.
_KINDS = "fiub"


def check_names(value: object, what: str) -> List[str]:
    """Return names of rows. RAISES (ValueError): If they are no list of different strings."""
    if not isinstance(value, (list, tuple)) or not all(map(is_name, value)):
        raise ValueError(f"{what} are no list of names")
    if len(set(value)) != len(value):
        raise ValueError(f"two of the {what} have one name")
    return list(value)


def is_name(value: object) -> bool:
    """Return True for a string without lone surrogates."""
    return isinstance(value, str) and (value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value))


def check_facts(facts: "NDArray[Any]", *, entities: int, relations: int) -> None:
    """RAISES (ValueError): If facts are not rows of three integers that index entities and relations. Shape (N, 3)"""
    if facts.ndim != 2 or facts.shape[1] != 3 or facts.dtype.kind not in "iu":
        raise ValueError(f"facts are {facts.dtype} of shape {facts.shape}, not rows of three integers")
    if len(facts) and (facts.min() < 0 or (facts.max(0) >= [entities, relations, entities]).any()):
        raise ValueError(f"facts number other things than {entities} entities and {relations} relations")


def check_table(table: "NDArray[Any]", shape: Shape, what: str) -> None:
    """RAISES (ValueError): If a table has another shape, or numbers that are not finite."""
    if table.shape != shape or table.dtype.kind != "f":
        raise ValueError(f"the table of {what} is {table.dtype} of shape {table.shape}, not of {shape}")
    if not numpy.isfinite(table).all():
        raise ValueError(f"the table of {what} has numbers that are not finite")


def unpack_array(packed: object, what: str) -> "NDArray[Any]":
    """Make an array from the name of its type, its shape and its bytes. RAISES (ValueError): If they do not fit."""
    if not isinstance(packed, (list, tuple)) or len(packed) != 3:
        raise ValueError(f"{what} is no array")
    kind, shape, content = packed
    if not isinstance(kind, str) or not isinstance(content, bytes) or not isinstance(shape, (list, tuple)):
        raise ValueError(f"{what} is no array")
    dtype = numpy.dtype(kind)
    _check_header(dtype, tuple(shape), len(content), what)
    array: NDArray[Any] = numpy.frombuffer(content, dtype=dtype).reshape(tuple(shape))
    return array


def read_npy(path: Path) -> "NDArray[Any]":
    """Read a .npy file. RAISES (ValueError): If its size is not that of the array in its header."""
    with path.open("rb") as stream:
        shape, _, dtype = _read_header(stream)
        _check_header(dtype, shape, path.stat().st_size - stream.tell(), path.name)
    array: NDArray[Any] = numpy.load(path, allow_pickle=False)
    return array


def read_npz(path: Path) -> "Dict[str, NDArray[Any]]":
    """Read a .npz file. RAISES (ValueError): If an array is compressed, or its size is not the one in its header."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            # without compression, a small file cannot claim to hold a huge array
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ValueError(f"{member.filename} is compressed")
            with archive.open(member) as stream:
                shape, _, dtype = _read_header(stream)
                _check_header(dtype, shape, member.file_size - stream.tell(), member.filename)
    with numpy.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def check_mapping(value: object, keys: Sequence[str], what: str) -> Mapping[str, Any]:
    """Return a mapping that must have some keys. RAISES (ValueError): If one is missing."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a {type(value).__name__}")
    if missing := [key for key in keys if key not in value]:
        raise ValueError(f"{what} has no {', '.join(missing)}")
    return value


def _read_header(stream: Any) -> Any:
    """Read the header of a .npy file: shape, order and type."""
    version = npy.read_magic(stream)
    return npy.read_array_header_1_0(stream) if version == (1, 0) else npy.read_array_header_2_0(stream)


def _check_header(dtype: "numpy.dtype[Any]", shape: Shape, size: int, what: str) -> None:
    """RAISES (ValueError): If numbers of a type and shape do not have that many bytes."""
    if dtype.kind not in _KINDS or not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"{what} announces {dtype} of shape {shape}")
    expected = dtype.itemsize
    for each in shape:
        expected *= each
    if expected != size:
        raise ValueError(f"{what} has {size} bytes of numbers, not {expected}")
