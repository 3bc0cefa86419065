"""`spacy relext tune`: fit thresholds and calibration of a trained pipeline on held-out data."""

from pathlib import Path
from typing import Any, Dict

import typer

from ..components.tuning import tune_pipeline
from ..errors import Errors
from .app import relext
from .evaluate import read_corpus
from .pipeline import GPU_HELP, PIPELINE_HELP, fail, input_errors, load_pipeline


@relext.command("tune")
def tune_cli(
    pipeline: str = typer.Argument(..., help=PIPELINE_HELP),
    dev: Path = typer.Argument(..., metavar="DEV", help="A .spacy file with gold triples, not trained on."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the tuned pipeline."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
    min_positives: int = typer.Option(
        10, "--min-positives", min=1, help="Right predictions a relation needs for a threshold of its own."
    ),
    per_label: bool = typer.Option(True, "--per-label/--single", help="Fit a threshold per relation, or only one."),
    gold_sents: bool = typer.Option(
        True, "--gold-sents/--no-gold-sents", help="Give the pipeline the annotated sentences, where there are any."
    ),
) -> None:
    """Fit thresholds and calibration on DEV and save the pipeline as OUT."""
    with input_errors():
        nlp = load_pipeline(pipeline, gpu_id)
        examples = read_corpus(nlp, dev, gold_sents=gold_sents, gold_ents=False)
        if not examples:
            fail(Errors.R011.format(count=0))
        found = tune_pipeline(nlp, examples, min_positives=min_positives, per_label=per_label)
        nlp.to_disk(output)
    for name, result in found.items():
        typer.echo(_line(name, result))
    typer.echo(f"Saved the tuned pipeline to {output}")


def _line(name: str, result: Dict[str, Any]) -> str:
    """Summarise one component's fit."""
    return (
        f"{name}: exact F {100 * result['before']:.2f} -> {100 * result['after']:.2f} on {result['documents']} "
        f"documents, threshold {result['threshold']:.3f} and {len(result['thresholds'])} of relations' own, "
        f"calibration error {result['ece_before'] or 0:.3f} -> {result['ece_after'] or 0:.3f}"
    )
