"""`spacy relext drop-triples`: a corpus with fewer triples, to study incomplete annotation."""

from pathlib import Path

import typer
from wasabi import msg

from ..corpora.drop import drop_triples, format_drop_report
from .app import relext
from .pipeline import input_errors, with_progress


@relext.command("drop-triples")
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
