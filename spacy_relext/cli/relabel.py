"""`spacy relext relabel`: complete a corpus whose annotation misses triples."""

from itertools import count
from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from ..errors import Errors
from ..pipeline.relabeling import RelabelReport, relabel
from . import options
from .pipeline import fail, input_errors, number_table, open_pipeline, use_gold_ents, with_progress


def relabel_cli(
    folds: Annotated[Path, typer.Argument(metavar="FOLDS", help="Folder that `spacy relext folds` wrote")],
    output: Annotated[Path, typer.Argument(metavar="OUT.spacy", help="The whole corpus with further triples")],
    pipelines: Annotated[
        str, typer.Option(help="Pipeline trained on trainN.spacy; {} is N")
    ] = "training/fold{}/model-best",
    dev: Annotated[
        Optional[Path], typer.Option(help="Completely annotated corpus for precision and recall; default: the folds")
    ] = None,
    beta: Annotated[float, typer.Option(min=0, max=100, help="Exponent of the shares; 0 adds all")] = 1.0,
    seed: options.Seed = 0,
    batch_size: options.BatchSize = 64,
    gpu_id: options.Gpu = -1,
    gold_ents: options.GoldEnts = None,
) -> None:
    """Add triples that pipelines of other folds find: a share (P x (1 - R)) ** beta of each relation's."""
    options.check_suffix(output, ".spacy")
    if "{}" not in pipelines:
        fail(Errors.R107.format(option="--pipelines", found=pipelines, expected="a path with {} for the fold's number"))
    with input_errors():
        report = relabel(
            folds,
            (open_pipeline(pipelines.replace("{}", str(fold)), gpu_id) for fold in count()),
            output,
            dev=dev,
            beta=beta,
            gold_ents=lambda nlp: use_gold_ents(nlp, gold_ents),
            seed=seed,
            batch_size=batch_size,
            progress=with_progress,
        )
    typer.echo(_table(report))
    if report.not_annotated:
        typer.echo(f"Left as they are: {report.not_annotated} documents that are not annotated with triples")
    msg.good(f"Wrote {report.docs} documents with {report.added.total()} new triples to {output}")


def _table(report: RelabelReport) -> str:
    """Format what is known of each relation in percent, and its counts."""
    relations = sorted({*report.gold, *report.candidates}, key=lambda each: (-report.added[each], each))
    percents = (report.precision, report.recall, report.share)
    rows = [
        (
            each,
            *(f"{100 * value(each):.1f}" for value in percents),
            f"{report.candidates[each]:,}",
            f"{report.added[each]:,}",
        )
        for each in relations
    ]
    return number_table(rows, ("Relation", "P", "R", "Share", "New found", "Added"))
