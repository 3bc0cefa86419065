"""`spacy relext teach`: a trained teacher's soft labels, written into the corpus that a student learns from."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from ..errors import Errors
from ..kd.soft_label_writer import write_soft_labels
from .pipeline import GPU, PIPELINE_HELP, input_errors, open_pipeline, split_list, with_progress


def teach_cli(
    teacher: str = typer.Argument(..., metavar="TEACHER", help=PIPELINE_HELP),
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Annotated corpus: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.spacy", help="The same corpus with soft labels"),
    also: List[str] = typer.Option(
        [],
        "--also",
        metavar="TEACHER",
        help="A further teacher, such as one of another seed; repeat it for more. "
        "The student learns from the mean of their probabilities",
    ),
    weights: Optional[str] = typer.Option(
        None, "--weights", help="How much each teacher counts, in their order, such as 0.7,0.3; else all count the same"
    ),
    held_out: bool = typer.Option(
        False,
        "--held-out",
        help="The teachers were not trained on this corpus (see `folds`): fit a temperature to its gold labels first",
    ),
    limit: int = typer.Option(0, "--limit", min=0, help="Only the first documents are read and written; 0 for all"),
    batch_size: int = typer.Option(64, "--batch-size", min=1, help="Documents a batch"),
    gpu_id: int = GPU,
) -> None:
    """Let a trained kd_teacher write what it thinks of each pair into a corpus, for a kd_classifier to learn from."""
    with input_errors():
        pipelines = [open_pipeline(path, gpu_id) for path in (teacher, *also)]
        written = write_soft_labels(
            pipelines,
            corpus,
            output,
            batch_size=batch_size,
            progress=with_progress,
            held_out=held_out,
            weights=_numbers(weights),
            limit=limit,
        )
    if held_out:
        typer.echo("Temperature: " + ", ".join(f"{temperature:.2f}" for temperature in written.temperatures))
    of = f" of {len(pipelines)} teachers" if also else ""
    msg.good(f"Wrote {written.docs} documents with soft labels{of} for {written.pairs} pairs to {output}")


def _numbers(option: Optional[str]) -> Optional[List[float]]:
    """Parse the option."""
    parts = split_list(option)
    try:
        return None if parts is None else [float(part) for part in parts]
    except ValueError:
        raise ValueError(Errors.R107.format(option="--weights", found=option, expected="numbers with commas")) from None
