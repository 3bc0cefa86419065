"""Files that are written whole or, after an error, not at all."""

import json
import os
import re
import shutil
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Iterator, TextIO, Union
from uuid import uuid4

import srsly
from spacy.language import Language

from ..errors import Errors


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`, which is renamed to `path` when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = _new_name(path)
    try:
        with new.open("wb", buffering=1 << 20) as stream:
            yield stream
        with new.open("rb") as stream:  # a wrapper may have closed the first
            os.fsync(stream.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file that appears under its name only when it is whole; line ends are not translated."""
    with whole_file(path) as stream:
        file = TextIOWrapper(stream, encoding="utf8", newline="")
        yield file
        file.detach()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Make a temporary folder beside `path`, whose files move to `path` when all are written; other files there stay.

    RAISES (ValueError): If `path` is a file.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(Errors.R801.format(path=path, found="a file", expected="a folder"))
    with _temporary_folder(path) as new:
        yield new
        path.mkdir(exist_ok=True)
        for each in sorted(new.iterdir()):
            target = path / each.name
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            os.replace(each, target)


def write_whole(path: Path, content: Union[str, bytes]) -> None:
    """Write a file; text is encoded as UTF-8, and its line ends are not translated."""
    with whole_file(path) as stream:
        stream.write(content.encode("utf8") if isinstance(content, str) else content)


def append_line(path: Path, line: str) -> None:
    """Append a line to a file, and wait until it is on the disk; after an error, none of it is there."""
    rest = f"{line}\n".encode()
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            while rest:
                rest = rest[file.write(rest) or 0 :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)  # half a line would spoil the next
            raise


def read_lines(path: Path, *, first: str) -> Iterator[bytes]:
    """Yield the lines that `append_line` wrote; then, of a last line that was cut off, nothing is left in the file.

    first (str): How each line begins; a last line that does not is yielded, too.
    """
    *lines, last = path.read_bytes().split(b"\n")
    yield from lines
    if not last:
        return
    try:
        json.loads(last)
    except ValueError:
        if first.encode().startswith(last[: len(first)]):
            os.truncate(path, path.stat().st_size - len(last))
            return
    yield last
    with path.open("ab") as file:
        file.write(b"\n")  # only the line break was lost


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON."""
    write_whole(path, str(srsly.json_dumps(value, indent=2)) + "\n")


def save_pipeline(nlp: Language, path: Path) -> None:
    """Save a pipeline to a folder; nothing in it is replaced before the whole pipeline is written."""
    with whole_folder(path) as new:
        nlp.to_disk(new)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make a temporary folder beside `path`, which is renamed to `path` when all is written.

    RAISES (ValueError): If `path` is a file, or a folder that is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ValueError(Errors.R121.format(path=str(path)))
    with _temporary_folder(path) as new:
        yield new
        if path.exists():
            path.rmdir()
        os.replace(new, path)


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside `path`, which is removed in the end unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = _new_name(path)
    try:
        new.mkdir()
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files that a killed process has left of a file, which no process may be writing."""
    for left in path.parent.glob(".*.new"):
        if left.is_file() and re.fullmatch(re.escape(_prefix(path)) + r"[0-9a-f]{32}\.new", left.name):
            left.unlink(missing_ok=True)


def _new_name(path: Path) -> Path:
    """Make a hidden and unique name for a file or folder that is not finished."""
    return path.parent / f"{_prefix(path)}{uuid4().hex}.new"


def _prefix(path: Path) -> str:
    """Return the start of such a name."""
    return f".{path.name[:100]}."
