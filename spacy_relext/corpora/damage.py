"""Damaged files: errors of their readers become one-line messages, and lists of files reveal incomplete copies."""

import hashlib
import json
import operator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterable, Iterator, Sequence

from ..errors import Errors

FILES = "files.json"


def first_line(error: BaseException) -> str:
    """Return the first non-blank line of an error's message, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")


@contextmanager
def refuse_damage(path: object, *, message: str = Errors.R020, place: str = "", **values: object) -> Iterator[None]:
    """Turn errors of a block that reads a file into a ValueError; errors raised by this package pass unchanged.

    path (object): The file or folder, for the message.
    message (str): Template that takes `path`, `reason` and `values`.
    place (str): Place in the file, put before the reason.
    RAISES (ValueError): If anything in the block fails.
    """
    try:
        yield
    except Exception as error:  # readers of damaged files can raise almost any exception
        if isinstance(error, (ValueError, ImportError)) and str(error).startswith("[R"):
            raise
        reason = first_line(error)
        if isinstance(error, (KeyError, AttributeError, IndexError, MemoryError)):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(message.format(path=str(path), reason=place + reason[:200], **values)) from None


def write_file_list(folder: Path, *, only: Sequence[str] = (), besides: Sequence[str] = ()) -> None:
    """Write `files.json` into a component's folder, with the size and SHA-256 of each of its files.

    only (Sequence[str]): Names of the files to list; empty: all.
    besides (Sequence[str]): Folders of other components, beside this one, whose files are listed too where they exist:
        spaCy does not check them itself.
    """
    files = _files(folder, only)
    for name in besides:
        files.update({f"../{name}/{each}": path for each, path in _files(folder.parent / name).items()})
    content = {name: {"size": path.stat().st_size, "sha256": hash_file(path)} for name, path in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf8")


def check_file_list(folder: Path, *, name: str, exclude: Iterable[str] = (), only: Sequence[str] = ()) -> None:
    """Compare the files of a component's folder with its list, which alone tells whether they are whole.

    name (str): The component, for the message.
    exclude (Iterable[str]): Parts that are not loaded, given as the first segment of file paths.
    only (Sequence[str]): Names of the files to compare; empty: all that are listed.
    RAISES (ValueError): If a file or the list is missing or has changed.
    """
    path = folder / FILES
    if not path.is_file():
        raise ValueError(Errors.R019.format(name=name, path=path, found="is missing"))
    try:
        listed = json.loads(path.read_text(encoding="utf8"))
        expected = {str(each): (operator.index(value["size"]), value["sha256"]) for each, value in listed.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(Errors.R019.format(name=name, path=path, found="is no list of files")) from None
    found, left_out = _files(folder, only), set(exclude)
    for each, (size, digest) in expected.items():
        if each.split("/")[0] in left_out or (only and each not in only):
            continue
        if each.startswith("../") and (folder / each).is_file():
            found[each] = folder / each
        if each not in found:
            if each.startswith("../"):  # a component that is loaded elsewhere
                continue
            raise ValueError(Errors.R019.format(name=name, path=folder / each, found="is missing"))
        if found[each].stat().st_size != size:
            text = f"has {found[each].stat().st_size} bytes, not {size}"
            raise ValueError(Errors.R019.format(name=name, path=folder / each, found=text))
        if hash_file(found[each]) != digest:
            raise ValueError(Errors.R019.format(name=name, path=folder / each, found="has other content"))


def _files(folder: Path, only: Sequence[str] = ()) -> Dict[str, Path]:
    """Map the names of the files to their paths."""
    if only:
        return {name: folder / name for name in only if (folder / name).is_file()}
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != FILES)
    return {path.relative_to(folder).as_posix(): path for path in files}


def hash_file(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal; of a file that several components read, once."""
    status = path.stat()
    return _hash_content(path.resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash_content(path: Path, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
