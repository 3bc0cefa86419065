"""A corpus or texts become files of an annotation tool: gold triples as annotation, a pipeline's as suggestions."""

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional, Tuple, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..errors import Errors
from .formats.registry import WRITABLE, get_format
from .overlap import NearIndex, doc_shingles
from .raw_text import TextLog
from .records import doc_to_record, record_to_doc
from .report import format_table, list_losses
from .texts import read_records

# Keys that a pipeline may add to a record; its sentences and others are not written.
_ANNOTATION = ("entities", "triples")


@dataclass
class ExportReport:
    """Counts of one export."""

    docs: int = 0
    not_annotated: int = 0
    triples: int = 0
    # Those of the triples that a component predicted.
    suggestions: int = 0
    # Texts that are left out because they are near-duplicates of sampled ones.
    duplicates: int = 0
    losses: "Counter[str]" = field(default_factory=Counter)
    # Files written; the first is the one to import.
    files: List[Path] = field(default_factory=list)


def export(
    format: str,
    source: Union[str, Path],
    output: Union[str, Path],
    *,
    nlp: Optional[Language] = None,
    sample: int = 0,
    seed: int = 0,
    progress: Callable[[Iterable[Record]], Iterable[Record]] = iter,
) -> ExportReport:
    """Write a corpus or texts in the format of an annotation tool, and count what the tool has no place for.

    format (str): A name in `formats.registry.WRITABLE`.
    source (Union[str, Path]): A .spacy file or folder of them, canonical records as JSON lines, a file with a document
        on each line, or a folder of .txt files.
    output (Union[str, Path]): A file, or a folder if the format writes several files.
    nlp (Optional[Language]): A pipeline that adds entities and triples as suggestions.
    sample (int): Documents to draw at random, no two of which are near-duplicates; 0: all documents, in their order.
    seed (int): Seed of the draw.
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
    given = read_records(source, TextLog(strict=True))
    if sample:
        given = islice(_shuffle(given, report, seed=seed), sample)
    records = _count(progress(given if nlp is None else _suggest(given, nlp)), report)
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
        ("texts left out as near-duplicates", report.duplicates),
        *list_losses(report.losses),
    ]
    return format_table([(name, f"{count:,}") for name, count in rows if count])


def _shuffle(records: Iterable[Record], report: ExportReport, *, seed: int) -> Iterator[Record]:
    """Yield records in random order, without near-duplicates of earlier ones."""
    pool, tokenizer, index = list(records), spacy.blank("xx"), NearIndex()
    random.Random(seed).shuffle(pool)
    for record in pool:
        if index.add(doc_shingles(tokenizer.make_doc(record["text"]))):
            yield record
        else:
            report.duplicates += 1


def _suggest(records: Iterable[Record], nlp: Language) -> Iterator[Record]:
    """Add what a pipeline finds; a document that is not annotated stays so if no triple is found."""
    for doc, given in nlp.pipe(_make_docs(records, nlp), as_tuples=True):
        made = doc_to_record(doc)
        record = {key: value for key, value in made.items() if key in given or key in _ANNOTATION}
        if "triples" not in given and not record.get("triples"):
            record.pop("triples", None)
        yield record


def _make_docs(records: Iterable[Record], nlp: Language) -> Iterator[Tuple[Doc, Record]]:
    """Make Docs of records, each with its record. RAISES (ValueError): If a text is too long for the pipeline."""
    for number, record in enumerate(records, start=1):
        if len(record["text"]) > nlp.max_length:
            where, length = f"document {number}", len(record["text"])
            raise ValueError(Errors.R205.format(where=where, length=length, limit=nlp.max_length))
        yield record_to_doc(nlp.make_doc, record), record


def _count(records: Iterable[Record], report: ExportReport) -> Iterator[Record]:
    for record in records:
        report.docs += 1
        report.not_annotated += "triples" not in record
        triples = record.get("triples", ())
        report.triples += len(triples)
        report.suggestions += sum(bool(triple.get("source")) for triple in triples)
        yield record
