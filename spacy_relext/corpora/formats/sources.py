"""Files become raw items, each with the place it stands at: JSON arrays, JSON lines and plain lines."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

from ...errors import Errors

_BOM = b"\xef\xbb\xbf"

_JSON = json.JSONDecoder()


@dataclass(frozen=True)
class Item:
    """One raw record, or what was wrong where one should stand.

    path (str): The file.
    line (int): Its first line, counted from 1.
    value (Any): The raw value: a parsed JSON value or a line of text.
    error (str): What was wrong; "" where the value could be read.
    element (int): Number in a JSON array, from 1, since an array may stand in one line; 0 elsewhere.
    """

    path: str
    line: int
    value: Any = None
    error: str = ""
    element: int = 0

    @property
    def where(self) -> str:
        """RETURNS (str): `file:line`, as editors and compilers write it; for an array also which element."""
        place = f"{self.path}:{self.line}"
        return f"{place} (element {self.element})" if self.element else place


def read_lines(path: Path, *, comment: Optional[str] = None) -> Iterator[Item]:
    """Read a text file line by line; lines that are not UTF-8 become items with an error.

    path (Path): The file.
    comment (Optional[str]): Blank lines, and lines that start with this, are left out; None keeps all.
    YIELDS (Item): The line without its end.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            raw = raw.removeprefix(_BOM) if number == 1 else raw
            try:
                line = raw.decode("utf8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield Item(str(path), number, error=f"not UTF-8 text (byte {error.start + 1}: {error.reason})")
                continue
            if comment is not None and (not line.strip() or line.startswith(comment)):
                continue
            yield Item(str(path), number, line)


def read_json(path: Path) -> Iterator[Item]:
    """Read records from a JSON array or from JSON lines; which of the two, its first character says.

    path (Path): The file.
    YIELDS (Item): The parsed value; blank lines are left out.
    RAISES (ValueError): Where an array is broken, since what follows cannot be read.
    """
    if _first_character(path) == b"[":
        yield from _read_array(path)
        return
    for item in read_lines(path):
        if item.error:
            yield item
        elif item.value.strip():
            yield _parse_line(item)


def _parse_line(item: Item) -> Item:
    """Parse one line of JSON."""
    try:
        return Item(item.path, item.line, json.loads(item.value))
    except json.JSONDecodeError as error:
        return Item(item.path, item.line, error=f"not JSON: {error.msg} at column {error.colno}")
    except (RecursionError, ValueError) as error:
        return Item(item.path, item.line, error=f"not JSON: {error}")


def _first_character(path: Path) -> bytes:
    """Read the first byte that is neither white space nor the byte order mark."""
    with path.open("rb") as file:
        for line in file:
            text = line.removeprefix(_BOM).lstrip()
            if text:
                return text[:1]
    return b""


def _read_array(path: Path) -> Iterator[Item]:
    """Read the elements of an array one at a time, so that only the text and one element are held."""
    text = _decode(path)
    position, line = _skip_space(text, text.index("[") + 1), 1 + text.count("\n", 0, text.index("["))
    counted, element = text.index("["), 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        value, end = _parse_element(text, position, path)
        element += 1
        yield Item(str(path), line, value, element=element)
        position = _skip_space(text, end)
        if text[position : position + 1] == ",":
            position = _skip_space(text, position + 1)
        elif text[position : position + 1] != "]":
            raise ValueError(_broken(path, text, position, "no ',' or ']' after an element"))
    rest = _skip_space(text, position + 1)
    if rest != len(text):
        raise ValueError(_broken(path, text, rest, "more text after the array"))


def _decode(path: Path) -> str:
    """Read a whole file as UTF-8."""
    try:
        return path.read_bytes().removeprefix(_BOM).decode("utf8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text (byte {error.start + 1}: {error.reason})"
        raise ValueError(Errors.R101.format(path=path, what=what, expected="a JSON array, or JSON lines")) from None


def _parse_element(text: str, position: int, path: Path) -> Tuple[Any, int]:
    """Parse the element that starts here; RETURNS also where it ends."""
    try:
        return _JSON.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise ValueError(_broken(path, text, error.pos, error.msg)) from None
    except (RecursionError, ValueError) as error:
        raise ValueError(_broken(path, text, position, str(error))) from None


def _skip_space(text: str, position: int) -> int:
    """Find the next character that is no white space."""
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _broken(path: Path, text: str, position: int, what: str) -> str:
    """Say where an array breaks."""
    where = f"{path}:{text.count(chr(10), 0, position) + 1}"
    return Errors.R101.format(path=where, what=f"broken JSON array: {what}", expected="a JSON array, or JSON lines")
