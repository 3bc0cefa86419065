"""A corpus becomes files of an annotation tool: annotated triples as annotation, those of a pipeline as suggestions."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Union

from spacy.vocab import Vocab

from ..annotations.triple import Record
from ..errors import Errors
from .formats.registry import WRITABLE, get_format
from .jsonl import read_jsonl
from .records import doc_to_record
from .report import format_table, list_losses
from .shards import SUFFIX, iter_docs
from .texts import JSONL_SUFFIXES


@dataclass
class ExportReport:
    """Counts of one export."""

    docs: int = 0
    not_annotated: int = 0
    triples: int = 0
    # Triples among these that a component wrote.
    suggestions: int = 0
    losses: "Counter[str]" = field(default_factory=Counter)
    # Written, the one to import first.
    files: List[Path] = field(default_factory=list)


def export(
    format: str,
    source: Union[str, Path],
    output: Union[str, Path],
    *,
    progress: Callable[[Iterable[Record]], Iterable[Record]] = iter,
) -> ExportReport:
    """Write a corpus in the format of an annotation tool, and count what the tool has no place for.

    format (str): A name in `formats.registry.WRITABLE`.
    source (Union[str, Path]): A .spacy file or folder of them, or canonical records as JSON lines.
    output (Union[str, Path]): A file, or the folder of a format that has several files.
    progress (Callable[[Iterable[Record]], Iterable[Record]]): Wraps the stream of records.
    RAISES (ValueError): If the format, the input or the output cannot be used, or a record is malformed.
    """
    spec, source, output = get_format(format, names=WRITABLE), Path(source), Path(output)
    if output.suffix != spec.suffix and not spec.folder:
        expected = f"a name that ends in {spec.suffix}"
        raise ValueError(Errors.R209.format(what=output, found=f"the suffix {output.suffix!r}", expected=expected))
    if source.resolve() == output.resolve():
        raise ValueError(Errors.R105.format(path=str(source)))
    assert spec.write is not None  # WRITABLE
    report = ExportReport()
    records = _count(progress(_read(source)), report)
    first = next(records, None)
    if first is None:
        raise ValueError(Errors.R117.format(path=str(source)))
    report.files = spec.write(chain([first], records), output, report.losses)
    return report


def format_export_report(report: ExportReport) -> str:
    """Format a report as a table; zeros are left out."""
    rows = [
        ("documents", report.docs),
        ("documents not annotated with triples", report.not_annotated),
        ("triples", report.triples),
        ("triples of a component, not annotated", report.suggestions),
        *list_losses(report.losses),
    ]
    return format_table([(name, f"{count:,}") for name, count in rows if count])


def _read(source: Path) -> Iterator[Record]:
    """Read canonical records of a corpus or of JSON lines."""
    if source.suffix == SUFFIX or source.is_dir():
        yield from map(doc_to_record, iter_docs(source, Vocab()))
    elif source.suffix.lower() in (*JSONL_SUFFIXES, ".json") and source.is_file():
        yield from read_jsonl(source)
    else:
        raise ValueError(Errors.R118.format(path=str(source)))


def _count(records: Iterable[Record], report: ExportReport) -> Iterator[Record]:
    """Count records on their way."""
    for record in records:
        report.docs += 1
        report.not_annotated += "triples" not in record
        triples = record.get("triples", ())
        report.triples += len(triples)
        report.suggestions += sum(bool(triple.get("source")) for triple in triples)
        yield record
