"""Texts of files, folders and standard input, read one at a time: a source for each kind of input, chosen once."""

import gzip
import io
import json
import sys
import warnings
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any, BinaryIO, Iterable, Iterator, List, Optional, Sequence, Tuple, Union, cast

from spacy.vocab import Vocab

from ..annotations.encoding import number_lines, open_utf8
from ..annotations.triple import Record
from ..errors import Errors, Warnings, require
from .canonical import KNOWN_KEYS, check_record
from .documents import (
    DOCUMENT_SUFFIXES,
    DOCUMENTS,
    MARKUP,
    PDF,
    check_library,
    find_charset,
)
from .formats.recognition import HEAD, READ_AS_TEXT, recognize_bytes
from .formats.sources import parse_json
from .raw_text import RawText, TextLog
from .records import doc_to_record, read_jsonl
from .shards import SUFFIX, iter_docs, load_shard, make_docs

STDIN = "-"
JSONL_SUFFIXES = (".jsonl", ".ndjson")
COMPRESSED = (".gz", ".zst")
PARQUET = ".parquet"

TEXT_FORMATS = ("text", "jsonl", "paragraph", "file", *DOCUMENTS)

# Suffixes of texts, and of all files, that folders are searched for.
TEXT_SUFFIXES = (".txt", *DOCUMENT_SUFFIXES)
SUFFIXES = (*TEXT_SUFFIXES, PARQUET, *JSONL_SUFFIXES, SUFFIX)

# What a text of a file is, by the kind of its source; of others, it is the whole file.
_UNITS = {
    "text": "a text per line (--input-format file: one text)",
    "paragraph": "a text per paragraph",
    "jsonl": "a text per line of JSON",
    "parquet": "a text per row",
    "spacy": "a text per document",
}

# A number within the source, and a line, a paragraph, a row, a Doc or the path of a file: not parsed yet.
Unit = Tuple[int, Any]


@dataclass(frozen=True)
class Source(ABC):
    """A file, or the texts of a folder, as units that are counted and cut into shards before they are parsed.

    path (Path): What is read.
    name (str): Its name in ids of documents: the path relative to the input folder, or the bare name of the input.
    kind (str): "text", "jsonl", "paragraph", "file", "html", "markdown", "pdf", "parquet" or "spacy".
    markup (str): "html" or "markdown" if the texts of records are such; "" if they are prose.
    """

    path: Path
    name: str
    kind: str
    markup: str = ""

    @property
    def files(self) -> Sequence[Path]:
        """Return the files that are read."""
        return [self.path]

    def fingerprint(self) -> Record:
        """Return name, kind, number of files, total size and latest modification time, for a later run to compare."""
        stats = [each.stat() for each in self.files]
        size, newest = sum(each.st_size for each in stats), max(each.st_mtime_ns for each in stats)
        return {"name": self.name, "kind": self.kind, "files": len(stats), "size": size, "mtime_ns": newest}

    @abstractmethod
    def units(self) -> Iterator[Unit]:
        """Yield the units. RAISES (ValueError): If the file is damaged."""

    def count(self) -> int:
        """Count the units, without parsing them."""
        return sum(1 for _ in self.units())

    @abstractmethod
    def parse(self, units: Iterable[Unit], log: TextLog) -> Iterator[RawText]:
        """Parse units into texts; the log gets what cannot be parsed."""

    def read(self, log: TextLog, units: Optional[Iterable[Unit]] = None) -> Iterator[RawText]:
        """Parse units, None for all, into texts that a pipeline can process."""
        texts = self.parse(self.units() if units is None else units, log)
        if self.markup:
            texts = chain.from_iterable(log.convert(raw, raw.text, self.markup) for raw in texts)
        return filter(log.accept, texts)


class LineSource(Source):
    """Lines of text or JSON, or paragraphs up to a blank line, of a file or of standard input."""

    def units(self) -> Iterator[Unit]:
        """See `Source.units`."""
        with open_binary(str(self.path)) as stream:
            lines = number_lines(stream)
            yield from _join_paragraphs(lines) if self.kind == "paragraph" else lines

    def parse(self, units: Iterable[Unit], log: TextLog) -> Iterator[RawText]:
        """See `Source.parse`."""
        path = str(self.path)
        name, count = "standard input" if path == STDIN else path, 0
        for number, line in units:
            if number == 1 and line.startswith(b"%PDF-"):
                raise ValueError(Errors.R233.format(path=name))
            text = log.decode(line, name=name, line=number)
            if text is None:
                continue
            text = text.rstrip("\r\n")
            extra: Record = {}
            if not text.strip():
                log.blank += 1
                continue
            if self.kind != "jsonl":
                text = text.replace("\r\n", "\n")
            elif record := _parse_line(text, f"{name}, line {number}", log):
                text, extra = record.pop("text"), record
            else:
                continue
            count += 1
            unit = count if path == STDIN else f"{self.name}:{number}"
            yield RawText(text, f"{name}, line {number}", extra, path, number, unit)


@dataclass(frozen=True)
class FileSource(Source):
    """Whole files, each a text; files of a folder, and documents with markup or pages, also have the key `file`."""

    whole: Sequence[Path] = ()

    @property
    def files(self) -> Sequence[Path]:
        """See `Source.files`."""
        return self.whole

    def units(self) -> Iterator[Unit]:
        """See `Source.units`."""
        return enumerate(self.whole, start=1)

    def parse(self, units: Iterable[Unit], log: TextLog) -> Iterator[RawText]:
        """See `Source.parse`."""
        for number, path in units:
            kind = self.kind if self.kind in DOCUMENTS else DOCUMENT_SUFFIXES.get(_bare_suffix(path), "")
            is_alone = path == self.path
            file = {} if is_alone and not kind else {"file": self.name if is_alone else _relative(path, self.path)}
            raw = RawText("", str(path), file, str(path), number=f"{self.name}:{number}")
            with open_binary(str(path)) as stream:
                content = stream.read()
            if kind == PDF:
                yield from log.convert(raw, content, kind)
                continue
            encoding = find_charset(content) if kind == "html" else "utf-8"
            whole = log.decode(content, name=str(path), encoding=encoding)
            if whole is not None and kind:
                yield from log.convert(raw, whole, kind)
            elif whole is not None:
                yield replace(raw, text=whole.replace("\r\n", "\n"))


class ParquetSource(Source):
    """Rows of a table; values that JSON cannot represent become strings."""

    def units(self) -> Iterator[Unit]:
        """See `Source.units`."""
        arrow, parquet = (require(name, purpose="Parquet", extra="export") for name in ("pyarrow", "pyarrow.parquet"))
        try:
            with parquet.ParquetFile(self.path) as file:
                rows = (row for batch in file.iter_batches(batch_size=1000) for row in batch.to_pylist())
                for number, row in enumerate(rows, start=1):
                    yield number, json.loads(json.dumps(row, default=str))
        except (OSError, ValueError, arrow.ArrowException) as error:
            raise ValueError(self._damaged(error)) from None

    def count(self) -> int:
        """See `Source.count`."""
        parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
        try:
            return int(parquet.ParquetFile(self.path).metadata.num_rows)
        except (OSError, ValueError) as error:
            raise ValueError(self._damaged(error)) from None

    def parse(self, units: Iterable[Unit], log: TextLog) -> Iterator[RawText]:
        """See `Source.parse`."""
        return _parse_records(self, units, log, unit="row")

    def _damaged(self, error: Exception) -> str:
        """Write the message about a table that cannot be read."""
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return Errors.R801.format(path=self.path, found=reason, expected="Parquet with a column text")


class CorpusSource(Source):
    """Docs of a .spacy file, with gold triples and extra keys, but not the annotation of pipelines."""

    def units(self) -> Iterator[Unit]:
        """See `Source.units`."""
        return enumerate(make_docs(load_shard(self.path), Vocab()), start=1)

    def count(self) -> int:
        """See `Source.count`."""
        return len(load_shard(self.path))

    def parse(self, units: Iterable[Unit], log: TextLog) -> Iterator[RawText]:
        """See `Source.parse`."""
        for number, doc in units:
            record = doc_to_record(doc)
            kept = {k: v for k, v in record.items() if k in ("text", "triples") or k not in KNOWN_KEYS}
            yield from _parse_records(self, [(number, kept)], log, unit="document")


def list_sources(
    path: Union[str, Path], *, input_format: Optional[str] = None, suffixes: Sequence[str] = SUFFIXES
) -> List[Source]:
    """List the sources of a file, of standard input ("-"), or of the files of a folder by name.

    The texts of a folder that are read whole are one source, before all others. Warns of files that are not read.

    input_format (Optional[str]): "text", "paragraph" or "jsonl": what a line is; "file", "html", "markdown" or "pdf":
        what a whole file is; None: a document by the suffix, a line of text or JSON, and for .txt files of a folder the
        whole file. For Parquet and .spacy, the suffix decides; "html" and "markdown" then tell what the texts are.
    suffixes (Sequence[str]): Suffixes of the files of a folder that are read, whether compressed or not.
    RAISES (ValueError): If there is nothing to read.
    RAISES (ImportError): If the library for a document is not installed.
    """
    path = Path(path)
    if input_format not in (None, *TEXT_FORMATS):
        expected = ", ".join(TEXT_FORMATS)
        raise ValueError(Errors.R206.format(option="--input-format", found=input_format, expected=expected))
    if str(path) == STDIN or path.is_file():
        return [_make_source(path, path.name, input_format)]
    if not path.exists():
        raise ValueError(Errors.R202.format(path=str(path)))
    files = _list_files(path, suffixes)
    is_whole = input_format in (None, "file", *DOCUMENTS)
    whole = {each: None for each in files if is_whole and _kind(each) in ("text", *DOCUMENTS)}
    sources: List[Source] = []
    if whole:
        kind = input_format or "file"
        for each in {kind, *map(_kind, whole)}.intersection(DOCUMENTS):
            check_library(each)
        sources.append(FileSource(path, path.name, kind, whole=list(whole)))
    rest = (each for each in files if each not in whole)
    format = None if input_format == "file" else input_format
    return sources + [_make_source(each, _relative(each, path), format) for each in rest]


def _list_files(folder: Path, suffixes: Sequence[str]) -> List[Path]:
    """List the files of a folder that are read, and warn of those that are not.

    Names that begin with "." or "_" are passed over. RAISES (ValueError): If no file is read.
    """
    seen = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    files = [path for path in seen if _bare_suffix(path) in suffixes]
    if not files:
        raise ValueError(Errors.R812.format(path=str(folder), expected=", ".join(suffixes)))
    others = [path for path in seen if _bare_suffix(path) not in suffixes]
    if others:
        counts = Counter(path.suffix or "no suffix" for path in others)
        found = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
        message = Warnings.W202.format(path=folder, found=found, first=_relative(others[0], folder))
        warnings.warn(message, stacklevel=3)
    return files


def describe_sources(sources: Sequence[Source]) -> str:
    """Describe what a text is: a line, a whole file or another unit."""
    counts: Counter[str] = Counter()
    for source in sources:
        counts[_UNITS.get(source.kind, "a text per file")] += len(source.files)
    return ", ".join(f"{unit}" + f" ({count} files)" * (count > 1) for unit, count in counts.items())


def read_records(path: Union[str, Path], log: TextLog) -> Iterator[Record]:
    """Read the canonical records of a corpus, of JSON lines, or of texts, of which blank ones are left out.

    RAISES (ValueError): If there is nothing to read, or a record is malformed.
    """
    path = Path(path)
    if path.suffix == SUFFIX or (path.is_dir() and next(path.rglob(f"*{SUFFIX}"), None)):
        yield from map(doc_to_record, iter_docs(path, Vocab()))
    elif path.suffix.lower() in (*JSONL_SUFFIXES, ".json") and path.is_file():
        yield from read_jsonl(path)
    else:
        for raw in chain.from_iterable(source.read(log) for source in list_sources(path)):
            if raw.text.strip():
                yield check_record({**raw.extra, "text": raw.text})


@contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file, which may be .gz or .zst, or standard input, which stays open; text in other encodings is UTF-8.

    RAISES (ValueError): If compressed data that is read in the block is damaged.
    """
    suffix = Path(path).suffix.lower()
    if path == STDIN:
        yield open_utf8(sys.stdin.buffer)
    elif suffix not in COMPRESSED:
        with Path(path).open("rb") as stream:
            yield open_utf8(stream)
    else:
        try:
            with _open_compressed(path, suffix) as stream:
                yield open_utf8(stream)
        except (EOFError, OSError, zlib.error) as error:
            reason = f"damaged {suffix} data ({str(error).splitlines()[0]})"
            raise ValueError(Errors.R801.format(path=path, found=reason, expected="a whole file")) from None


def _open_compressed(path: str, suffix: str) -> BinaryIO:
    if suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    pyarrow = require("pyarrow", purpose=".zst files", extra="export")
    return cast(BinaryIO, io.BufferedReader(pyarrow.CompressedInputStream(path, "zstd"), 1 << 20))


def _make_source(path: Path, name: str, input_format: Optional[str]) -> Source:
    """Make the source of a file or of standard input; for a binary file, its suffix decides the format."""
    kind = "text" if str(path) == STDIN else _kind(path)
    markup = input_format if input_format in MARKUP else ""
    if kind == "parquet":
        return ParquetSource(path, name, kind, markup)
    if kind == "spacy":
        return CorpusSource(path, name, kind, markup)
    if kind == "jsonl" and (markup or input_format is None):
        return LineSource(path, name, kind, markup)
    if input_format is None:
        input_format = kind
    if kind == "text" and input_format not in ("jsonl", *DOCUMENTS) and str(path) != STDIN:
        check_prose(path)
    if input_format in ("file", *DOCUMENTS):
        for each in {kind, input_format}.intersection(DOCUMENTS):
            check_library(each)
        return FileSource(path, name, input_format, whole=[path])
    return LineSource(path, name, input_format)


def check_prose(path: Path) -> None:
    """RAISES (ValueError): If a file is no text to read, but XML, JSON, a table or a zip; what it looks like."""
    with open_binary(str(path)) as stream:
        found = recognize_bytes(stream.read(HEAD))
    if found not in ("", *READ_AS_TEXT):
        raise ValueError(Errors.R234.format(path=path, found=found))


def _kind(path: Path) -> str:
    """Return the kind of a file by its name."""
    kinds = {SUFFIX: "spacy", PARQUET: "parquet", **dict.fromkeys(JSONL_SUFFIXES, "jsonl"), **DOCUMENT_SUFFIXES}
    return kinds.get(_bare_suffix(path), "text")


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _bare_suffix(path: Path) -> str:
    """Return the suffix of a file's name in lower case, ignoring the suffix of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _join_paragraphs(lines: Iterable[Tuple[int, bytes]]) -> Iterator[Tuple[int, bytes]]:
    """Join lines up to a blank one; the number is the first line's."""
    for is_blank, group in groupby(lines, key=lambda line: not line[1].strip()):
        if not is_blank:
            numbers, texts = zip(*group)
            yield numbers[0], b"".join(texts)


def _parse_line(line: str, where: str, log: TextLog) -> Optional[Record]:
    """Parse a JSON object that has a text; None if it is skipped."""
    try:
        record = parse_json(line)
    except ValueError as error:
        problem = f"not JSON ({error})"
    else:
        if isinstance(record, dict) and isinstance(record.get("text"), str):
            return record
        problem = f"an object with the keys {sorted(record)}" if isinstance(record, dict) else f"{record!r:.60}"
    log.skip(Errors.R204.format(where=where, found=problem))
    return None


def _parse_records(source: Source, units: Iterable[Unit], log: TextLog, *, unit: str) -> Iterator[RawText]:
    for number, record in units:
        where, text = f"{source.path}, {unit} {number}", record.pop("text", None)
        if isinstance(text, str):
            yield RawText(text, where, record, str(source.path), number, f"{source.name}:{number}")
        else:
            log.skip(Errors.R811.format(where=where, found=repr(text)[:40]))
