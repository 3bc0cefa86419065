"""`spacy relext convert`, `drop-triples` and `folds`: commands that write corpora."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from ..corpora.convert import convert, load_relation_map
from ..corpora.drop import drop_triples, format_drop_report
from ..corpora.formats.registry import FORMATS
from ..corpora.report import format_report
from ..corpora.shards import split_folds
from .pipeline import input_errors, with_progress

_NAMES = ", ".join(sorted(FORMATS))


def convert_cli(
    format: str = typer.Argument(..., metavar="FORMAT", help=f"One of: {_NAMES}"),
    inputs: List[Path] = typer.Argument(..., metavar="INPUT...", help="Files to read, in this order"),
    output: Path = typer.Argument(..., metavar="OUTPUT.spacy", help="Corpus to write; a folder with --shard"),
    lang: str = typer.Option("en", help="Language of the tokenizer; zh makes a token of each character"),
    occurrences: str = typer.Option("nearest", help="Strings that occur several times: nearest, first or all"),
    strict: bool = typer.Option(False, "--strict", help="Stop at the first malformed record instead of skipping it"),
    one_sentence: bool = typer.Option(
        True, "--one-sentence/--no-one-sentence", help="Mark records of single-sentence formats as one sentence"
    ),
    pipeline: Optional[str] = typer.Option(None, help="spaCy pipeline that adds entities, heads, tags ..."),
    relation_map: Optional[Path] = typer.Option(None, help="JSON object: old label to new label, or null to leave out"),
    skip: int = typer.Option(0, min=0, help="Records to pass over first"),
    limit: int = typer.Option(0, min=0, help="Records to read then; 0 for all"),
    shard: int = typer.Option(0, min=0, help="Write a folder of files of this many documents each; 0 for one file"),
) -> None:
    """Convert data files to a .spacy corpus with triples, and report what was found and left out."""
    with input_errors():
        report = convert(
            format,
            inputs,
            output,
            lang=lang,
            occurrences=occurrences,
            strict=strict,
            one_sentence=one_sentence,
            pipeline=pipeline,
            relation_map=None if relation_map is None else load_relation_map(relation_map),
            skip=skip,
            limit=limit,
            shard=shard,
            progress=with_progress,
        )
    typer.echo(format_report(report))
    if report.skipped:
        msg.warn(f"{report.skipped} of {report.records} records were malformed and are not in the corpus.")
    msg.good(f"Wrote {report.docs} documents to {output}")


def drop_triples_cli(
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Corpus to read: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.spacy", help="Corpus to write"),
    rate: float = typer.Option(..., help="Probability of being dropped, 0 to 1"),
    mode: str = typer.Option("keep_empty", help="keep_empty, drop_empty or relation"),
    seed: int = typer.Option(0, help="Seed of the choice"),
) -> None:
    """Drop triples at random: one by one, keeping or deleting documents that become empty, or by relation."""
    with input_errors():
        report = drop_triples(corpus, output, rate=rate, mode=mode, seed=seed, progress=with_progress)
    typer.echo(format_drop_report(report))
    msg.good(f"Wrote {report.docs - report.docs_deleted} documents to {output}")


def folds_cli(
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Annotated corpus: a file, or a folder of them"),
    folder: Path = typer.Argument(..., metavar="FOLDER", help="Gets train0.spacy, held0.spacy, train1.spacy ..."),
    folds: int = typer.Option(3, "--folds", "-k", min=2, help="How many"),
) -> None:
    """Split a corpus into folds: train each teacher on trainN, and let it label heldN with `spacy relext teach`."""
    with input_errors():
        report = split_folds(corpus, folder, folds=folds, progress=with_progress)
    msg.good(f"Wrote {len(report)} folds of {report[-1].docs} to {report[0].docs} documents to {folder}")
