"""`spacy relext research …`: soft labels of a teacher, folds, simulated missing labels."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpora.drop import drop_triples, format_drop_report
from ..corpora.shards import split_folds
from ..kd.soft_label_writer import write_soft_labels
from . import options
from .pipeline import input_errors, open_pipeline, unannotated_texts, with_progress


def teach_cli(
    teacher: options.Pipeline,
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="The same corpus with soft labels")],
    held_out: Annotated[
        bool, typer.Option("--held-out", help="The teacher was not trained on this corpus (`folds`): fit a temperature")
    ] = False,
    limit: options.Limit = 0,
    batch_size: options.BatchSize = 64,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Write the soft labels of a trained kd_teacher into a corpus, for a kd_classifier to learn from."""
    with input_errors(), unannotated_texts():
        written = write_soft_labels(
            open_pipeline(teacher, gpu_id, code=code),
            corpus,
            output,
            batch_size=batch_size,
            progress=with_progress,
            held_out=held_out,
            limit=limit,
        )
    if held_out:
        typer.echo(f"Temperature: {written.temperature:.2f}")
    msg.good(f"Wrote {written.docs} documents with soft labels for {written.pairs} pairs to {output}")


def drop_triples_cli(
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="Corpus to write")],
    rate: Annotated[float, typer.Option(help="Probability of being dropped, 0 to 1")],
    mode: Annotated[str, typer.Option(help="keep_empty, drop_empty or relation")] = "keep_empty",
    seed: options.Seed = 0,
) -> None:
    """Drop triples at random: one by one, keeping or deleting documents that become empty, or by relation."""
    with input_errors():
        report = drop_triples(corpus, output, rate=rate, mode=mode, seed=seed, progress=with_progress)
    typer.echo(format_drop_report(report))
    msg.good(f"Wrote {report.docs - report.docs_deleted} documents to {output}")


def folds_cli(
    corpus: options.GoldCorpus,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for train0.spacy, held0.spacy, train1.spacy ...")
    ],
    folds: Annotated[int, typer.Option("--folds", "-k", min=2, help="Number of folds")] = 3,
) -> None:
    """Split a corpus into folds: train a teacher on each trainN; it labels heldN with `spacy relext research teach`."""
    with input_errors():
        report = split_folds(corpus, folder, folds=folds, progress=with_progress)
    msg.good(f"Wrote {len(report)} folds of {report[-1].docs} to {report[0].docs} documents to {folder}")
