"""Raw texts to extract from: lines, JSON lines, folders of .txt files, corpora and standard input, one at a time."""

import codecs
import gzip
import io
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Callable, Iterable, Iterator, List, Optional, Tuple, cast

from spacy.vocab import Vocab

from ..annotations.triple import Record
from ..errors import Errors, require
from .formats.sources import parse_json
from .records import doc_to_record
from .shards import SUFFIX, iter_docs

STDIN = "-"
JSONL_SUFFIXES = (".jsonl", ".ndjson")
COMPRESSED = (".gz", ".zst")

TEXT_FORMATS = ("text", "jsonl", "paragraph", "file")


@dataclass(frozen=True)
class RawText:
    """A text, its file and line, and other keys of its JSON record or the name of its file in a folder."""

    text: str
    where: str
    extra: Record = field(default_factory=dict)
    path: str = ""
    line: int = 1


@dataclass
class TextReader:
    """Reads texts in constant memory; those that cannot be read are reported, counted and skipped."""

    # A text file (a document per line), a .jsonl file, a folder of .txt files (a document per file), a .spacy corpus,
    # whose triples are read too, or "-" for standard input.
    path: str
    # "text" (a document per line), "jsonl", "paragraph" (up to a blank line), or "file" (a document per file); None:
    # "file" for a folder, "text" for standard input, else by the file's suffix.
    input_format: Optional[str] = None
    # Raise ValueError instead of skipping.
    strict: bool = False
    # Maximum length of a text, in characters.
    max_length: Optional[int] = None
    # Gets a message for each text that is skipped.
    report: Optional[Callable[[str], None]] = None
    # Texts skipped so far, and blank lines of a text file.
    skipped: int = 0
    blank: int = 0

    def __post_init__(self) -> None:
        if self.input_format not in (None, *TEXT_FORMATS):
            expected = ", ".join(TEXT_FORMATS)
            raise ValueError(Errors.R206.format(option="--input-format", found=self.input_format, expected=expected))
        if self.path == STDIN:
            return
        path = Path(self.path)
        if not path.exists():
            raise ValueError(Errors.R202.format(path=self.path))
        if path.is_dir() and next(path.rglob("*.txt"), None) is None:
            raise ValueError(Errors.R213.format(path=self.path))

    def __iter__(self) -> Iterator[RawText]:
        is_folder = self.path != STDIN and Path(self.path).is_dir()
        whole = self.input_format == "file" or (self.input_format is None and is_folder)
        is_corpus = self.input_format is None and Path(self.path).suffix == SUFFIX
        for raw in self._read_corpus() if is_corpus else self._read_files() if whole else self._read_parts():
            problem = self.problem(raw)
            if problem:
                self.skip(problem)
            else:
                yield raw

    def _read_parts(self) -> Iterator[RawText]:
        """Read lines of text or JSON, or paragraphs, of a file or of the files of a folder."""
        is_json = self.input_format == "jsonl"
        if self.input_format is None:
            is_json = bare_suffix(Path(self.path)) in JSONL_SUFFIXES
        for path, extra in [(self.path, {})] if self.path == STDIN else self._list_files():
            name = "standard input" if path == STDIN else path
            with open_binary(path) as stream:
                lines: Iterable[Tuple[int, bytes]] = enumerate(stream, start=1)
                lines = join_paragraphs(lines) if self.input_format == "paragraph" else lines
                yield from self.parse_lines(lines, name=name, path=path, is_json=is_json, extra=extra)

    def parse_lines(
        self, lines: Iterable[Tuple[int, bytes]], *, name: str, path: str, is_json: bool, extra: Record
    ) -> Iterator[RawText]:
        """Decode numbered lines, or paragraphs, and parse them if they are JSON; blank ones are counted.

        name (str): Name of the file in messages.
        extra (Record): Further keys of each text.
        """
        for number, line in lines:
            if number == 1 and _other_encoding(line):
                raise ValueError(Errors.R215.format(path=name, encoding=_other_encoding(line)))
            text = self.decode(line, name=name, line=number)
            where = f"{name}, line {number}"
            if text is None:
                continue
            text = text.rstrip("\r\n")
            if not text.strip():
                self.blank += 1
            elif not is_json:
                yield RawText(text.replace("\r\n", "\n"), where, extra, path, number)
            elif (record := self._parse(text, name, number)) is not None:
                yield RawText(record.pop("text"), where, {**extra, **record}, path, number)

    def _read_files(self) -> Iterator[RawText]:
        """Read whole files."""
        for path, extra in self._list_files():
            yield from self.parse_file(path, extra)

    def parse_file(self, path: str, extra: Record) -> Iterator[RawText]:
        """Read a whole file as one text, unless it cannot be decoded.

        extra (Record): Further keys of the text.
        """
        with open_binary(path) as stream:
            text = self.decode(stream.read(), name=path)
        if text is not None:
            yield RawText(text.replace("\r\n", "\n"), path, extra, path)

    def _list_files(self) -> List[Tuple[str, Record]]:
        """List the file, or those of a folder in the order of their names, each with its name as a further key."""
        folder = Path(self.path)
        if not folder.is_dir():
            return [(self.path, {})]
        return [(str(path), {"file": path.relative_to(folder).as_posix()}) for path in sorted(folder.rglob("*.txt"))]

    def _read_corpus(self) -> Iterator[RawText]:
        """Read the texts of a corpus, with triples, rejected triples and coreference if they are annotated."""
        for number, doc in enumerate(iter_docs(Path(self.path), Vocab()), start=1):
            record = doc_to_record(doc)
            gold: Record = {key: record[key] for key in ("triples", "rejected", "coref") if key in record}
            yield RawText(doc.text, f"{self.path}, document {number}", gold)

    def decode(self, raw: bytes, *, name: str, line: int = 1) -> Optional[str]:
        """Decode UTF-8, without a byte order mark; None if that fails and the text is skipped."""
        raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line += raw.count(b"\n", 0, error.start)
            byte = error.start - raw.rfind(b"\n", 0, error.start)
            message = Errors.R203.format(path=name, line=line, byte=byte, detail=error.reason)
            encoding = _other_encoding(raw)
            self.skip(Errors.R215.format(path=name, encoding=encoding) if encoding else message)
            return None

    def _parse(self, line: str, name: str, number: int) -> Optional[Record]:
        """Parse a JSON object that has a text; None if it is skipped."""
        try:
            record = parse_json(line)
        except ValueError as error:
            problem = f"not JSON ({error})"
        else:
            if isinstance(record, dict) and isinstance(record.get("text"), str):
                return record
            problem = f"an object with the keys {sorted(record)}" if isinstance(record, dict) else f"{record!r:.60}"
        self.skip(Errors.R204.format(path=name, line=number, found=problem))
        return None

    def problem(self, raw: RawText) -> Optional[str]:
        """Return why a pipeline cannot process a text; None if it can."""
        if self.max_length is not None and len(raw.text) > self.max_length:
            return Errors.R205.format(where=raw.where, length=len(raw.text), limit=self.max_length)
        try:
            raw.text.encode("utf-8")
        except UnicodeEncodeError:
            return Errors.R219.format(where=raw.where)
        return None

    def skip(self, message: str) -> None:
        """Raise an error for a text that cannot be read if strict, else count and report it."""
        if self.strict:
            raise ValueError(message)
        self.skipped += 1
        if self.report is not None:
            self.report(message)


def join_paragraphs(lines: Iterable[Tuple[int, bytes]]) -> Iterator[Tuple[int, bytes]]:
    """Join lines up to a blank one; the number is that of the first."""
    for is_blank, group in groupby(lines, key=lambda line: not line[1].strip()):
        if not is_blank:
            numbers, texts = zip(*group)
            yield numbers[0], b"".join(texts)


@contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file, which may be .gz or .zst, or standard input, which stays open.

    RAISES (ValueError): If compressed data that is read in the block is damaged.
    """
    suffix = Path(path).suffix.lower()
    if path == STDIN:
        yield sys.stdin.buffer
    elif suffix not in COMPRESSED:
        with Path(path).open("rb") as stream:
            yield stream
    else:
        try:
            with _open_compressed(path, suffix) as stream:
                yield stream
        except (EOFError, OSError, zlib.error) as error:
            found = f"damaged {suffix} data ({str(error).splitlines()[0]})"
            raise ValueError(Errors.R801.format(path=path, found=found, expected="a whole file")) from None


def _open_compressed(path: str, suffix: str) -> BinaryIO:
    """Open a compressed file."""
    if suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    pyarrow = require("pyarrow", purpose=".zst files", extra="export")
    return cast(BinaryIO, io.BufferedReader(pyarrow.CompressedInputStream(path, "zstd"), 1 << 20))


def bare_suffix(path: Path) -> str:
    """Return the suffix of a file's name in lower case, ignoring that of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _other_encoding(data: bytes) -> Optional[str]:
    """Return the encoding of a byte order mark other than UTF-8."""
    return "UTF-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None
