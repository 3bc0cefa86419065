"""`spacy relext folds`: parts of a corpus for teachers that never label what they were trained on."""

from pathlib import Path

import typer
from wasabi import msg

from ..corpora.shards import split_folds
from .app import relext
from .pipeline import input_errors, with_progress


@relext.command("folds")
def folds_cli(
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Annotated corpus: a file, or a folder of them"),
    folder: Path = typer.Argument(..., metavar="FOLDER", help="Gets train0.spacy, held0.spacy, train1.spacy ..."),
    folds: int = typer.Option(3, "--folds", "-k", min=2, help="How many"),
) -> None:
    """Split a corpus into folds: train each teacher on trainN, and let it label heldN with `spacy relext teach`."""
    with input_errors():
        found = split_folds(corpus, folder, folds=folds, progress=with_progress)
    msg.good(f"Wrote {len(found)} folds of {found[-1].docs} to {found[0].docs} documents to {folder}")
