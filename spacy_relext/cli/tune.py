"""`spacy relext tune`: fit thresholds and calibration of a trained pipeline on held-out data."""

from pathlib import Path
from typing import Annotated, Iterator, Optional

import srsly
import typer

from ..corpora.whole import save_pipeline, write_json
from ..errors import Errors
from ..pipeline.settings import Settings
from ..pipeline.tuning import tune_pipeline
from . import options
from .evaluate import read_corpus, warn_nothing_shared
from .pipeline import fail, input_errors, open_pipeline

KINDS = {"triples": "exact F", "relations": "F of relations"}

BIASED = (
    "The detector was trained with a collective loss: its probabilities repeat the missing rates that it was given, "
    'and say nothing new. For an estimate, train with loss = "bce" and tune that.'
)


def tune_cli(
    pipeline: options.Pipeline,
    dev: Annotated[Path, typer.Argument(metavar="DEV", help="A .spacy file with gold triples, not trained on")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the tuned pipeline")],
    min_positives: Annotated[
        int, typer.Option(min=1, help="Right predictions that a relation needs for its own threshold")
    ] = 10,
    per_label: Annotated[bool, typer.Option("--per-label/--single", help="A threshold per relation, or one")] = True,
    gold_sents: options.GoldSents = True,
    gold_ents: options.GoldEnts = None,
    missing_rates: Annotated[
        Optional[Path], typer.Option(help="JSON file for the detector's estimate of how many labels are missing")
    ] = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Fit thresholds and calibration on DEV and save the pipeline as OUT."""
    with input_errors():
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        examples = read_corpus(nlp, dev, gold_sents=gold_sents, gold_ents=gold_ents)
        if not examples:
            fail(Errors.R011.format(count=0))
        warn_nothing_shared(nlp, examples)
        results = tune_pipeline(nlp, examples, min_positives=min_positives, per_label=per_label)
        estimates = [result for result in results.values() if result["writes"] == "relations"]
        if missing_rates is not None and not estimates:
            fail(Errors.R363.format(found=", ".join(nlp.pipe_names)))
        save_pipeline(nlp, output)
        if missing_rates is not None:
            write_json(missing_rates, estimates[-1]["missing_rates"])
            if not estimates[-1]["unbiased"]:
                typer.echo(BIASED)
    for name, result in results.items():
        for line in _lines(name, result):
            typer.echo(line)
    typer.echo(f"Saved the tuned pipeline to {output}")


def _as_text(value: object) -> str:
    """Format a fitted setting as in a config, numbers with few digits."""
    return f"{value:g}" if isinstance(value, float) else srsly.json_dumps(value)


def _lines(name: str, result: Settings) -> Iterator[str]:
    """Format the fit of a component."""
    yield (
        f"{name}: {KINDS[result['writes']]} {100 * result['before']:.2f} -> "
        f"{100 * result['after']:.2f} on "
        f"{result['documents']} documents, threshold {result['threshold']:.3f} and {len(result['thresholds'])} of "
        f"relations' own, calibration error {result['ece_before'] or 0:.3f} -> {result['ece_after'] or 0:.3f}"
    )
    if result.get("fitted"):
        yield "  " + ", ".join(f"{key} = {_as_text(value)}" for key, value in result["fitted"].items())
