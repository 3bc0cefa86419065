"""Input of whole corpora: files and folders as numbered units, which are cut into shards before they are parsed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple, cast

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotations.triple import Record
from ..corpora.canonical import KNOWN_KEYS
from ..corpora.records import doc_to_record
from ..corpora.shards import SUFFIX, load_shard, make_docs
from ..corpora.texts import JSONL_SUFFIXES, TEXT_FORMATS, RawText, TextReader, bare_suffix, join_paragraphs, open_binary
from ..errors import Errors, require
from .workers import Numbered

PARQUET = ".parquet"

# Suffixes that folders are searched for, besides .spacy.
_SUFFIXES = (".txt", PARQUET, *JSONL_SUFFIXES)

# A number within the source, and a line, a paragraph, a row, a Doc or the path of a file.
Unit = Tuple[int, Any]


@dataclass(frozen=True)
class Source:
    """A file, or the .txt files of a folder, as units.

    path (Path): What is read.
    name (str): Its name in ids of documents: the path relative to the input folder, or the bare name of the input.
    kind (str): "text", "jsonl", "paragraph", "file", "parquet" or "spacy".
    files (Sequence[Path]): The files to read, for "file".
    """

    path: Path
    name: str
    kind: str
    files: Sequence[Path] = ()

    def fingerprint(self) -> Record:
        """Return name, kind, number of files, total size and latest modification time, for a later run to compare."""
        found = [each.stat() for each in (self.files or [self.path])]
        size, newest = sum(each.st_size for each in found), max(each.st_mtime_ns for each in found)
        return {"name": self.name, "kind": self.kind, "files": len(found), "size": size, "mtime_ns": newest}

    def units(self) -> Iterator[Unit]:
        """Yield the units, not parsed yet.

        RAISES (ValueError): If the file is damaged.
        """
        if self.kind == "file":
            yield from enumerate(self.files, start=1)
        elif self.kind == "parquet":
            yield from enumerate(_parquet_rows(self.path), start=1)
        elif self.kind == "spacy":
            yield from enumerate(make_docs(load_shard(self.path), Vocab()), start=1)
        else:
            with open_binary(str(self.path)) as stream:
                lines = enumerate(stream, start=1)
                yield from join_paragraphs(lines) if self.kind == "paragraph" else lines

    def parse(self, units: Iterable[Unit], reader: TextReader) -> Iterator[Numbered]:
        """Parse units into texts; the reader counts and reports those that cannot be read.

        A text without an id of its own gets the name of the source and the number of the unit.
        """
        for number, raw in self._parse(units, reader):
            problem = reader.problem(raw)
            if problem:
                reader.skip(problem)
            else:
                yield Numbered(f"{self.name}:{number}", raw)

    def _parse(self, units: Iterable[Unit], reader: TextReader) -> Iterator[Tuple[int, RawText]]:
        """Yield numbers and texts."""
        if self.kind == "file":
            for number, path in units:
                name = path.relative_to(self.path).as_posix() if path != self.path else path.name
                for raw in reader.parse_file(str(path), {"file": name}):
                    yield number, raw
        elif self.kind in ("parquet", "spacy"):
            for number, value in units:
                record = _texts_of(value) if self.kind == "spacy" else value
                where = f"{self.path}, {'document' if self.kind == 'spacy' else 'row'} {number}"
                text = record.pop("text", None)
                if isinstance(text, str):
                    yield number, RawText(text, where, record, str(self.path), number)
                else:
                    reader.skip(Errors.R811.format(where=where, found=repr(text)[:40]))
        else:
            is_json, path = self.kind == "jsonl", str(self.path)
            for raw in reader.parse_lines(units, name=path, path=path, is_json=is_json, extra={}):
                yield raw.line, raw


def list_sources(path: Path, *, input_format: Optional[str] = None) -> List[Source]:
    """List the sources: a file, or the files of a folder by name, after one source of all .txt files read whole.

    input_format (Optional[str]): "text", "jsonl", "paragraph" or "file", for files other than Parquet and .spacy; None,
        or "file" for a folder: by the suffix, with .txt files of a folder read whole.
    RAISES (ValueError): If there is nothing to read.
    """
    if input_format not in (None, *TEXT_FORMATS):
        expected = ", ".join(TEXT_FORMATS)
        raise ValueError(Errors.R206.format(option="--input-format", found=input_format, expected=expected))
    if not path.exists():
        raise ValueError(Errors.R202.format(path=str(path)))
    if path.is_file():
        return [_source(path, path.name, input_format or _kind(path))]
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and _is_input(each.relative_to(path))]
    corpora = [each for each in files if bare_suffix(each) == SUFFIX]
    others = [each for each in files if each not in set(corpora)]
    if not files:
        raise ValueError(Errors.R812.format(path=str(path), expected=", ".join((*_SUFFIXES, SUFFIX))))
    whole = [each for each in others if _kind(each) == "text" and input_format in (None, "file")]
    sources = [Source(path, path.name, "file", whole)] if whole else []
    rest = [each for each in files if each not in set(whole)]
    return sources + [
        _source(
            each, each.relative_to(path).as_posix(), _kind(each) if input_format in (None, "file") else input_format
        )
        for each in rest
    ]


def _source(path: Path, name: str, kind: str) -> Source:
    """Make a source; for a binary file, its suffix decides the format."""
    actual = _kind(path)
    if actual in ("parquet", "spacy"):
        return Source(path, name, actual)
    return Source(path, name, kind, [path] if kind == "file" else ())


def _kind(path: Path) -> str:
    """Return the kind of a file by its name."""
    suffix = bare_suffix(path)
    if suffix in JSONL_SUFFIXES:
        return "jsonl"
    return {SUFFIX: "spacy", PARQUET: "parquet"}.get(suffix, "text")


def _is_input(name: Path) -> bool:
    """Return True if a file of a folder is read: names that begin with "." or "_" are not."""
    return bare_suffix(name) in (*_SUFFIXES, SUFFIX) and not any(part.startswith((".", "_")) for part in name.parts)


def count_units(source: Source) -> int:
    """Count the units of a source, without parsing them."""
    if source.kind == "file":
        return len(source.files)
    if source.kind == "parquet":
        parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
        try:
            return int(parquet.ParquetFile(source.path).metadata.num_rows)
        except (OSError, ValueError) as error:
            raise ValueError(_damaged(source.path, error)) from None
    if source.kind == "spacy":
        return len(load_shard(source.path))
    return sum(1 for _ in source.units())


def _texts_of(doc: Doc) -> Record:
    """Return the text, gold triples and extra keys of a Doc in a corpus, but not the annotation of pipelines."""
    return {k: v for k, v in doc_to_record(doc).items() if k in ("text", "triples") or k not in KNOWN_KEYS}


def _parquet_rows(path: Path) -> Iterator[Record]:
    """Yield the rows of a table, one batch in memory at a time; values that JSON cannot represent become strings."""
    arrow, parquet = (require(name, purpose="Parquet", extra="export") for name in ("pyarrow", "pyarrow.parquet"))
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for row in batch.to_pylist():
                    yield cast(Record, json.loads(json.dumps(row, default=str)))
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise ValueError(_damaged(path, error)) from None


def _damaged(path: Path, error: Exception) -> str:
    """Write the message about a table that cannot be read."""
    found = (str(error).splitlines() or [type(error).__name__])[0]
    return Errors.R801.format(path=path, found=found, expected="Parquet with a column text")
