"""Files become raw items, each with its file and line: JSON arrays, lines and objects, and plain lines."""

import json
import math
import re
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

from ...annotations.encoding import decode, describe_bytes, number_lines
from ...errors import Errors
from .evidence import OffsetConvention

_JSON = json.JSONDecoder()
_EXPECTED = "a JSON array, or JSON lines"

# Maximum nesting of lists and objects: functions that recurse over a value fail at a few hundred levels.
MAX_DEPTH = 100
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Item:
    """One raw record, or what is wrong with it."""

    path: str
    # The first line of the record, from 1.
    line: int
    # A parsed JSON value or a line of text.
    value: Any = None
    # What is wrong; "" if the value can be read.
    error: str = ""
    # Number in a JSON array, from 1, since an array may be on one line; 0 elsewhere.
    element: int = 0
    # How the records of this file are read, if that is decided by what it holds.
    convention: OffsetConvention = OffsetConvention({})

    @property
    def where(self) -> str:
        """The place as `file:line`; for an array with the number of the element."""
        return f"{self.path}:{self.line}" + (f" (element {self.element})" if self.element else "")


def read_lines(path: Path, *, comment: Optional[str] = None) -> Iterator[Item]:
    """Read a text file line by line; lines that are not UTF-8 become items with an error.

    comment (Optional[str]): Leave out blank lines and lines that start with this; None keeps all.
    """
    with path.open("rb") as file:
        for number, raw in number_lines(file):
            try:
                line = raw.decode("utf8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield Item(str(path), number, error=describe_bytes(error)[1])
                continue
            if comment is None or (line.strip() and not line.startswith(comment)):
                yield Item(str(path), number, line)


def read_blocks(path: Path, is_start: Callable[[str], object]) -> Iterator[Item]:
    """Read the documents of a text file, each from a line that begins one; the value is the numbered lines with text.

    is_start (Callable[[str], object]): Whether a line begins a document.
    """
    lines: List[Tuple[int, str]] = []
    error = ""
    for item in read_lines(path):
        line = item.value or ""
        if lines and is_start(line):
            yield Item(str(path), lines[0][0], lines, error)
            lines, error = [], ""
        lines += [(item.line, line)] if item.error or line.strip() else []
        error = error or item.error
    if lines:
        yield Item(str(path), lines[0][0], lines, error)


def read_json(path: Path) -> Iterator[Item]:
    """Read records from a JSON array, JSON lines, or one object over several lines, as the first line begins and ends.

    RAISES (ValueError): If an array is broken, since what follows cannot be read.
    """
    with path.open("rb") as file:
        first = next(filter(None, (line.strip() for _, line in number_lines(file))), b"")
    if first.startswith(b"["):
        yield from _read_array(path)
        return
    if first.startswith(b"{") and not first.endswith(b"}"):
        try:
            yield Item(str(path), 1, parse_json(decode(path.read_bytes())))
            return
        except ValueError:
            pass  # lines, of which the first is broken
    for item in read_lines(path):
        if item.error:
            yield item
        elif item.value.strip():
            try:
                yield Item(item.path, item.line, parse_json(item.value))
            except json.JSONDecodeError as error:
                yield Item(item.path, item.line, error=f"not JSON: {error.msg} at column {error.colno}")
            except ValueError as error:
                yield Item(item.path, item.line, error=f"not JSON: {error}")


def read_folder(path: Path, suffixes: Sequence[str], read: Callable[[Path], Iterator[Item]]) -> Iterator[Item]:
    """Read a file, or the files of a folder and its sub-folders, in the order of their names.

    suffixes (Sequence[str]): Suffixes of the files of a folder, such as `.json`.
    RAISES (ValueError): If the folder has no such file.
    """
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix.lower() in suffixes)
        if not files:
            expected = f"files that end in {' or '.join(suffixes)}"
            raise ValueError(Errors.R209.format(what=path, found="no such file in the folder", expected=expected))
    for file in files:
        yield from read(file)


def parse_json(text: str) -> Any:
    """Parse JSON. RAISES (ValueError): If it is not JSON, or nested too deep for later processing."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    check_depth(value)
    return value


def to_json(value: object, *, sort_keys: bool = False) -> str:
    """Serialize a value as JSON that UTF-8 can encode: lone surrogates are escaped, NaN and infinity become null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    except ValueError:
        value = storable(value)
        text = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys)
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=sort_keys)
    return text


def storable(value: object) -> object:
    """Copy a plain value as files can hold it: null for NaN and infinity, the digits of integers beyond 64 bits."""
    if isinstance(value, dict):
        return {key: storable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(each) for each in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_depth(value: object) -> None:
    """RAISES (ValueError): If lists and objects are nested too deep."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        holders = [each for each in level if isinstance(each, (dict, list))]
        if not holders:
            return
        level = [inner for each in holders for inner in (each.values() if isinstance(each, dict) else each)]
    raise ValueError(_TOO_DEEP)


def _read_array(path: Path) -> Iterator[Item]:
    """Parse the elements of an array one at a time, so that only the text and one element are in memory."""
    try:
        text = decode(path.read_bytes())
    except UnicodeDecodeError as error:
        line, what = describe_bytes(error)
        raise ValueError(Errors.R101.format(path=f"{path}:{line}", what=what, expected=_EXPECTED)) from None
    line_ends = [match.start() for match in re.finditer("\n", text)]
    position, element = _skip_space(text, text.index("[") + 1), 0
    try:
        while text[position : position + 1] != "]":
            value, end = _JSON.raw_decode(text, position)
            check_depth(value)
            element += 1
            yield Item(str(path), bisect_left(line_ends, position) + 1, value, element=element)
            position = _skip_space(text, end)
            if text[position : position + 1] == ",":
                position = _skip_space(text, position + 1)
            elif text[position : position + 1] != "]":
                raise json.JSONDecodeError("no ',' or ']' after an element", text, position)
        rest = _skip_space(text, position + 1)
        if rest != len(text):
            raise json.JSONDecodeError("more text after the array", text, rest)
    except (RecursionError, ValueError) as error:
        if not isinstance(error, json.JSONDecodeError):  # too deep, or a number with too many digits
            error = json.JSONDecodeError(str(error), text, position)
        where, what = f"{path}:{error.lineno}", f"broken JSON array: {error.msg}"
        raise ValueError(Errors.R101.format(path=where, what=what, expected=_EXPECTED)) from None


def _skip_space(text: str, position: int) -> int:
    """Find the next character that is not white space."""
    match = _SPACE.match(text, position)
    return match.end() if match else position
