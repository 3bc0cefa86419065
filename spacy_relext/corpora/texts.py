"""Texts of files, folders and standard input, read one at a time: a source for each kind of input, chosen once."""

import gzip
import io
import json
import sys
import zlib
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterable, Iterator, List, Optional, Sequence, Tuple, Union, cast

from spacy.vocab import Vocab

from ..annotations.encoding import describe_bytes, number_lines, open_utf8
from ..annotations.triple import Record
from ..errors import Errors, require
from .canonical import KNOWN_KEYS, check_record
from .formats.sources import parse_json
from .records import doc_to_record, read_jsonl
from .shards import SUFFIX, iter_docs, load_shard, make_docs

STDIN = "-"
JSONL_SUFFIXES = (".jsonl", ".ndjson")
COMPRESSED = (".gz", ".zst")
PARQUET = ".parquet"

TEXT_FORMATS = ("text", "jsonl", "paragraph", "file")

# Suffixes that folders are searched for.
SUFFIXES = (".txt", PARQUET, *JSONL_SUFFIXES, SUFFIX)

# A number within the source, and a line, a paragraph, a row, a Doc or the path of a file: not parsed yet.
Unit = Tuple[int, Any]


@dataclass(frozen=True)
class RawText:
    """A text, its file and line, and other keys of its JSON record or the name of its file in a folder.

    number (Union[int, str]): Its id if it has no other: the name of the source and the number of the unit, or only the
        number of the text in standard input.
    """

    text: str
    where: str
    extra: Record = field(default_factory=dict)
    path: str = ""
    line: int = 1
    number: Union[int, str] = 1


@dataclass
class TextLog:
    """Counts and reports the texts that cannot be read, which are skipped.

    strict (bool): Raise ValueError instead.
    max_length (Optional[int]): Maximum length of a text, in characters.
    report (Optional[Callable[[str], None]]): Gets a message for each text that is skipped.
    skipped, blank (int): Texts skipped so far, and blank lines of text files.
    """

    strict: bool = False
    max_length: Optional[int] = None
    report: Optional[Callable[[str], None]] = None
    skipped: int = 0
    blank: int = 0

    def skip(self, message: str) -> None:
        """Count and report a text; ValueError if strict."""
        if self.strict:
            raise ValueError(message)
        self.skipped += 1
        if self.report is not None:
            self.report(message)

    def accept(self, raw: RawText) -> bool:
        """Return True if a pipeline can process a text, which is skipped otherwise."""
        if self.max_length is not None and len(raw.text) > self.max_length:
            self.skip(Errors.R205.format(where=raw.where, length=len(raw.text), limit=self.max_length))
            return False
        try:
            raw.text.encode("utf-8")
        except UnicodeEncodeError:
            self.skip(Errors.R219.format(where=raw.where))
            return False
        return True

    def decode(self, raw: bytes, *, name: str, line: int = 1) -> Optional[str]:
        """Decode UTF-8; None if that fails and the text is skipped."""
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line, what = describe_bytes(error, first=line)
            self.skip(Errors.R203.format(path=name, line=line, what=what))
            return None


@dataclass(frozen=True)
class Source(ABC):
    """A file, or the .txt files of a folder, as units that are counted and cut into shards before they are parsed.

    path (Path): What is read.
    name (str): Its name in ids of documents: the path relative to the input folder, or the bare name of the input.
    kind (str): "text", "jsonl", "paragraph", "file", "parquet" or "spacy".
    """

    path: Path
    name: str
    kind: str

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
        return filter(log.accept, self.parse(self.units() if units is None else units, log))


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
    """Whole files, each a text; those of a folder also have the key `file`."""

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
            extra = {} if path == self.path else {"file": path.relative_to(self.path).as_posix()}
            with open_binary(str(path)) as stream:
                text = log.decode(stream.read(), name=str(path))
            if text is not None:
                yield RawText(text.replace("\r\n", "\n"), str(path), extra, str(path), number=f"{self.name}:{number}")


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

    The .txt files of a folder that are read whole are one source, before all others.

    input_format (Optional[str]): "text", "jsonl", "paragraph" or "file", for files other than Parquet and .spacy; None,
        or "file" for a folder: by the suffix, with .txt files of a folder read whole.
    suffixes (Sequence[str]): Suffixes of the files of a folder that are read, whether compressed or not.
    RAISES (ValueError): If there is nothing to read.
    """
    path = Path(path)
    if input_format not in (None, *TEXT_FORMATS):
        expected = ", ".join(TEXT_FORMATS)
        raise ValueError(Errors.R206.format(option="--input-format", found=input_format, expected=expected))
    if str(path) == STDIN:
        return [LineSource(path, STDIN, input_format or "text")]
    if path.is_file():
        return [_make_source(path, path.name, input_format)]
    if not path.exists():
        raise ValueError(Errors.R202.format(path=str(path)))
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and _is_input(each.relative_to(path), suffixes)]
    if not files:
        raise ValueError(Errors.R812.format(path=str(path), expected=", ".join(suffixes)))
    by_suffix = input_format in (None, "file")
    whole = {each: None for each in files if by_suffix and _kind(each) == "text"}
    sources: List[Source] = [FileSource(path, path.name, "file", list(whole))] if whole else []
    format = None if by_suffix else input_format
    rest = (each for each in files if each not in whole)
    return sources + [_make_source(each, each.relative_to(path).as_posix(), format) for each in rest]


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
    """Make the source of a file; for a binary file, its suffix decides the format."""
    kind = _kind(path)
    if kind == "parquet":
        return ParquetSource(path, name, kind)
    if kind == "spacy":
        return CorpusSource(path, name, kind)
    if input_format == "file":
        return FileSource(path, name, input_format, [path])
    return LineSource(path, name, input_format or kind)


def _kind(path: Path) -> str:
    """Return the kind of a file by its name."""
    kinds = {SUFFIX: "spacy", PARQUET: "parquet", **dict.fromkeys(JSONL_SUFFIXES, "jsonl")}
    return kinds.get(_bare_suffix(path), "text")


def _is_input(name: Path, suffixes: Sequence[str]) -> bool:
    """Return True if a file of a folder is read: names that begin with "." or "_" are not."""
    return _bare_suffix(name) in suffixes and not any(part.startswith((".", "_")) for part in name.parts)


def _bare_suffix(path: Path) -> str:
    """Return the suffix of a file's name in lower case, ignoring that of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _join_paragraphs(lines: Iterable[Tuple[int, bytes]]) -> Iterator[Tuple[int, bytes]]:
    """Join lines up to a blank one; the number is that of the first."""
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
