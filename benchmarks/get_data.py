"""Gets the published data sets that the benchmarks read, and checks that each file is the one that was used.

    python benchmarks/get_data.py webnlg fewrel                 from where they are published
    python benchmarks/get_data.py nyt24_multi --source COPY     from a copy: COPY/nyt24_multi/… or COPY/…
    python benchmarks/get_data.py all --check                   reports which files are there and correct; no downloads

docs/research/data.md lists the sets. Those without an open licence are not fetched: bring your own copy. Files that
are present and correct are left alone; others are replaced once the new one is complete and correct.
"""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Optional

import typer

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # so that this runs as a file, too

from spacy_relext.corpora.whole import whole_file  # noqa: E402

LIST = HERE / "data_sets.json"
TIMEOUT = 30.0  # seconds without an answer


class File(NamedTuple):
    """A file of a set.

    path (str): Below the set's folder.
    url (Optional[str]): Where it is published; None if it was derived from published files.
    bytes (int): Its size.
    sha256 (str): Digest of its content.
    """

    path: str
    url: Optional[str]
    bytes: int
    sha256: str


class PublishedSet(NamedTuple):
    """A data set.

    name (str): Its folder.
    title (str): Its usual name.
    holds (str): How much it holds, such as the number of sentences.
    licence (str): Licence of text and labels.
    may_be_fetched (bool): Whether the licence is open.
    note (str): Whose text it is, or how it was made.
    files (tuple[File, ...]): What the benchmarks read.
    """

    name: str
    title: str
    holds: str
    licence: str
    may_be_fetched: bool
    note: str
    files: tuple[File, ...]


def read_list(path: Path = LIST) -> dict[str, PublishedSet]:
    """Read the list of data sets. RETURNS (dict[str, PublishedSet]): By name."""
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf8"))
    sets = [PublishedSet(**{**entry, "files": tuple(File(**file) for file in entry["files"])}) for entry in entries]
    return {each.name: each for each in sets}


def find_problem(file: File, content: Optional[bytes]) -> str:
    """Say what is wrong with a file's content. RETURNS (str): "" if nothing is."""
    if content is None:
        return "not found"
    found = hashlib.sha256(content).hexdigest()
    return "" if found == file.sha256 else f"{len(content):,} bytes, sha256 {found[:12]}…; expected {file.sha256[:12]}…"


def get_file(chosen: PublishedSet, file: File, target: Path, *, source: Optional[Path]) -> str:
    """Get one file, unless it is present. RETURNS (str): What is wrong; "" if the file is present and correct."""
    path = target / chosen.name / file.path
    if not find_problem(file, _read(path)):
        return ""
    if source is not None:
        copies = (source / chosen.name / file.path, source / file.path)
        content = next(filter(None, map(_read, copies)), None)
        where = f"in {source}"
    elif not chosen.may_be_fetched:
        return f"not fetched ({chosen.licence}); published at {file.url}; --source takes your copy"
    elif file.url is None:
        return f"not fetched: {chosen.note}; --source takes your copy"
    else:
        try:
            content, where = fetch(file.url), f"at {file.url}"
        except OSError as error:
            return f"{file.url}: {error}"
    problem = find_problem(file, content)
    if content is None or problem:
        return f"{problem} {where}"
    with whole_file(path) as stream:
        stream.write(content)
    return ""


def fetch(url: str) -> bytes:
    """Download a file.

    RAISES (OSError): If that fails.
    """
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        content: bytes = answer.read()
    return content


def _read(path: Path) -> Optional[bytes]:
    return path.read_bytes() if path.is_file() else None


def main(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets, or all.")],
    target: Annotated[Path, typer.Option(help="Folder that gets a folder for each set.")] = Path("../shared/data"),
    source: Annotated[Optional[Path], typer.Option(help="Folder with a copy; without it they are downloaded.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Get nothing.")] = False,
) -> None:
    """Get data sets, or check them."""
    known = read_list()
    unknown = sorted({*names} - {*known, "all"})
    if unknown:
        sys.exit(f"get_data: there is no {', '.join(unknown)}; known are {', '.join(known)}")
    if source is not None and not source.is_dir():
        sys.exit(f"get_data: --source {source}: no such folder")
    failed = 0
    for chosen in known.values() if "all" in names else [known[name] for name in dict.fromkeys(names)]:
        if check:
            found = {file: find_problem(file, _read(target / chosen.name / file.path)) for file in chosen.files}
        else:
            found = {file: get_file(chosen, file, target, source=source) for file in chosen.files}
        problems = {file.path: problem for file, problem in found.items() if problem}
        print(f"{chosen.name}: {len(chosen.files) - len(problems)} of {len(chosen.files)} files are there and correct")
        for path, problem in problems.items():
            print(f"  {path}: {problem}")
        failed += bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
