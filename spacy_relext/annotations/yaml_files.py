"""YAML and JSON files that a user writes, read with errors that name the line."""

import json
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any, Optional, Tuple, Union

from .encoding import decode, describe_bytes

# Keys, and positions in lists, that lead to a value.
Place = Tuple[Union[str, int], ...]

DEEPEST = 100  # brackets


def read_yaml(path: Path, *, message: str) -> Tuple[Any, Any]:
    """Read a YAML file, or a JSON file (`.json`).

    message (str): Template of the ValueError, with `place` and `reason`.
    RETURNS (Tuple[Any, Any]): Its content, and the same with line numbers, for `find_line`.
    RAISES (ValueError): If there is none or it is broken: one line with the file and the line.
    """
    ruamel_yaml = import_module("srsly.ruamel_yaml")  # a plain import would hide the rest of srsly from mypy

    try:
        text = decode(path.read_bytes()).replace("\r\n", "\n")
    except OSError as error:
        raise ValueError(message.format(place=path, reason=error.strerror or error)) from None
    except UnicodeDecodeError as error:
        line, what = describe_bytes(error)
        raise ValueError(message.format(place=name_line(path, line), reason=what)) from None
    is_json = path.suffix == ".json"
    if _depth(text) > DEEPEST:  # the parser would need many seconds until it fails
        raise ValueError(message.format(place=path, reason="nested too deeply"))
    try:
        # knows the lines, and refuses duplicate keys; tabs are white space in JSON, but not in YAML
        root = ruamel_yaml.load(text.replace("\t", " ") if is_json else text, Loader=ruamel_yaml.RoundTripLoader)
        return json.loads(text) if is_json else ruamel_yaml.safe_load(text), root
    except json.JSONDecodeError as error:
        raise ValueError(message.format(place=name_line(path, error.lineno), reason=error.msg)) from None
    except Exception as error:  # besides YAML errors, whatever Python raises for broken escapes
        place = name_line(path, _line_of(error, text))
        raise ValueError(message.format(place=place, reason=_reason(error))) from None


def find_line(root: Any, place: Place) -> Optional[int]:
    """Find the line of a key, or of a value in a list; if it is missing, the line of what encloses it.

    root (Any): What `read_yaml` returns with line numbers; None if there is none.
    """
    if root is None:
        return None
    node, line = root, 1
    for part in place:
        places = getattr(getattr(node, "lc", None), "data", None) or {}
        if part not in places:
            break
        line, node = places[part][0] + 1, node[part]
    return line


def name_line(path: Path, line: Optional[int]) -> str:
    """Name a line of a file in a message."""
    return str(path) if line is None else f"{path}, line {line}"


def _line_of(error: Exception, text: str) -> Optional[int]:
    """Find the line of a YAML error."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", None)
    return None if position is None else text[:position].count("\n") + 1


def _depth(text: str) -> int:
    """Count the brackets that are open at once."""
    return max(accumulate((c in "[{") - (c in "]}") for c in text), default=0)


def _reason(error: Exception) -> str:
    """Say in one line what is wrong with YAML."""
    if isinstance(error, RecursionError):  # nested without brackets
        return "nested too deeply"
    return (
        str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
        .split("\n")[0]
        .partition(" with value ")[0]
    )
