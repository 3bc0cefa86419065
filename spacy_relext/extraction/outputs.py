"""Output formats of extraction: how a shard is written, and how shards are joined into one file."""

import gzip
import io
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, NamedTuple, Sequence

from ..annotations.triple import Record
from ..corpora.whole import whole_file
from ..errors import require
from ..export.columns import CsvWriter, ParquetWriter
from ..export.records import JsonlWriter, RecordWriter
from .manifest import ERRORS


class Format(NamedTuple):
    """An output format.

    open (Callable): Takes a binary stream and options; returns a context manager that yields a writer of records.
    join (Callable): Joins the contents of files, and writes them to a binary stream.
    """

    open: Callable[[IO[bytes], Record], Any]
    join: Callable[[Sequence[Path], IO[bytes]], None]


@contextmanager
def _open_jsonl(stream: IO[bytes], options: Record) -> Iterator[RecordWriter]:
    text = io.TextIOWrapper(stream, encoding="utf8", newline="")
    yield JsonlWriter(text)
    text.flush()
    text.detach()


@contextmanager
def _open_jsonl_gz(stream: IO[bytes], options: Record) -> Iterator[RecordWriter]:
    # no name or time in the header, so that the same records give the same bytes
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
        with _open_jsonl(packed, options) as writer:  # type: ignore[arg-type]
            yield writer


@contextmanager
def _open_csv(stream: IO[bytes], options: Record, *, encoding: str = "utf8") -> Iterator[RecordWriter]:
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    yield CsvWriter(text, **options)
    text.flush()
    text.detach()


@contextmanager
def _open_parquet(stream: IO[bytes], options: Record) -> Iterator[RecordWriter]:
    writer = ParquetWriter(stream)
    yield writer
    writer.close()


def _join_bytes(files: Sequence[Path], target: IO[bytes]) -> None:
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                target.write(block)


def _join_csv(files: Sequence[Path], target: IO[bytes]) -> None:
    """Copy files one after the other, with the header of the first."""
    for number, path in enumerate(files):
        with path.open("rb") as stream:
            header = stream.readline()
            if not number:
                target.write(header)
            while block := stream.read(1 << 20):
                target.write(block)


def _join_parquet(files: Sequence[Path], target: IO[bytes]) -> None:
    """Copy tables one after the other."""
    parquet = require("pyarrow.parquet", purpose="Parquet", extra="export")
    writer = None
    for path in files:
        with parquet.ParquetFile(path) as file:
            writer = writer or parquet.ParquetWriter(target, file.schema_arrow, compression="zstd")
            for batch in file.iter_batches(batch_size=1_000):
                writer.write_batch(batch)
    if writer is not None:
        writer.close()


FORMATS: Dict[str, Format] = {
    "jsonl": Format(_open_jsonl, _join_bytes),
    "jsonl.gz": Format(_open_jsonl_gz, _join_bytes),
    "csv": Format(_open_csv, _join_csv),
    "excel.csv": Format(partial(_open_csv, encoding="utf-8-sig"), _join_csv),  # Excel takes others for cp1252
    "parquet": Format(_open_parquet, _join_parquet),
}


def write_records(records: Iterable[Record], path: Path, *, format: str, options: Record) -> None:
    """Write a file, whole or not at all.

    options (Record): Options of the writer; only CSV has any.
    """
    with whole_file(path) as stream, FORMATS[format].open(stream, options) as writer:
        for record in records:
            writer.write(record)


def join_files(files: Sequence[Path], path: Path, *, format: str, options: Record) -> None:
    """Join files into one, whole or not at all; without files, write one without records."""
    if not files:
        write_records((), path, format=format, options=options)
        return
    with whole_file(path) as stream:
        FORMATS[format].join(files, stream)


def keep_errors(folder: Path, output: Path) -> None:
    """Move the rows of texts without a result beside the output, or remove those of an earlier run."""
    errors, target = folder / ERRORS, output.with_name(f"{output.name}.{ERRORS}")
    if errors.exists():
        os.replace(errors, target)
    else:
        target.unlink(missing_ok=True)
