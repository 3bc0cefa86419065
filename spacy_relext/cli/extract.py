"""`spacy relext extract`: triples of running text as JSON lines, CSV or Parquet."""

import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Iterator, List, Optional

import typer
from spacy.language import Language

from ..corpora.texts import STDIN, TextReader
from ..errors import Errors, Warnings, check_range
from ..export.parquet import ParquetWriter
from ..export.records import CsvWriter, JsonlWriter, RecordWriter, extract, write_extractions
from . import options
from .pipeline import fail, input_errors, open_pipeline, with_progress

FORMATS = ("jsonl", "csv", "parquet")


def extract_cli(
    pipeline: options.Pipeline,
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="Text file (a text per line), .jsonl, .spacy, folder of .txt, - for stdin"
        ),
    ],
    output: Annotated[str, typer.Argument(help="File for the triples, .jsonl, .csv or .parquet; - for stdout")],
    output_format: Annotated[
        Optional[str], typer.Option("--format", "-f", help="jsonl, csv or parquet; default: the suffix, jsonl for -")
    ] = None,
    input_format: Annotated[
        Optional[str], typer.Option(help="text, jsonl or file (a document a file); default: the input's suffix")
    ] = None,
    min_score: Annotated[float, typer.Option(help="Leave out triples with a lower score")] = 0.0,
    relations: Annotated[Optional[str], typer.Option(help="Keep these relations only, with commas")] = None,
    batch_size: options.BatchSize = 64,
    n_process: Annotated[int, typer.Option(min=1, help="Number of processes")] = 1,
    gpu_id: options.Gpu = -1,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first text that cannot be read")] = False,
    raw_csv: options.RawCsv = False,
) -> None:
    """Extract the triples of running text."""
    with input_errors():
        check_range("--min-score", min_score, 0.0, 1.0)
        chosen = _format(output, output_format)
        reader = TextReader(source, input_format=input_format, strict=strict, report=_report)
        if STDIN not in (source, output) and Path(source).resolve() == Path(output).resolve():
            fail(Errors.R217.format(path=output))
        if n_process > 1 and gpu_id >= 0:
            fail(Errors.R218.format(n_process=n_process, gpu_id=gpu_id))
        nlp = open_pipeline(pipeline, gpu_id)
        reader.max_length = nlp.max_length
        wanted = options.split_list(relations)
        _warn_of_unknown(nlp, wanted)
        with _open_output(output, binary=chosen == "parquet") as stream:
            writer: RecordWriter = ParquetWriter(stream) if chosen == "parquet" else JsonlWriter(stream)
            if chosen == "csv":
                writer = CsvWriter(stream, raw=raw_csv)
            done = with_progress(extract(nlp, reader, batch_size=batch_size, n_process=n_process))
            documents, triples = write_extractions(done, writer, min_score=min_score, relations=wanted)
        _report(
            f"{documents} documents, {triples} triples ({reader.skipped} texts skipped, {reader.blank} blank lines)"
        )


def _format(output: str, chosen: Optional[str]) -> str:
    """Return the format of the option, or else that of the output's suffix."""
    if chosen is None:
        chosen = "jsonl" if output == STDIN else Path(output).suffix.lower().lstrip(".")
    if chosen not in FORMATS:
        fail(Errors.R206.format(option="the format of OUTPUT", found=chosen, expected=", ".join(FORMATS)))
    if chosen == "parquet" and output == STDIN:
        fail(Errors.R209.format(what="OUTPUT", found="- with --format parquet", expected="a file"))
    return chosen


@contextmanager
def _open_output(output: str, *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open the output, texts as UTF-8; it is no error if the reader of stdout closes it."""
    if output != STDIN:
        path = Path(output)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") if binary else path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield stream
        stream.detach()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again at exit
        raise typer.Exit(0) from None


def _warn_of_unknown(nlp: Language, wanted: Optional[List[str]]) -> None:
    """Warn of wanted relations that no component knows."""
    known = sorted({label for labels in nlp.pipe_labels.values() for label in labels})
    unknown = [label for label in wanted or [] if label not in known]
    if unknown and known:
        _report(Warnings.W200.format(unknown=", ".join(unknown), known=", ".join(known)))


def _report(message: str) -> None:
    """Print to stderr, since stdout may carry the triples."""
    typer.echo(message, err=True)
