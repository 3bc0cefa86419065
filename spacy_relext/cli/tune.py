"""`spacy relext tune`: fit thresholds and calibration of a trained pipeline on held-out data."""

from pathlib import Path
from typing import Annotated, Iterator, Optional

import srsly
import typer

from ..corpora.whole import save_pipeline, write_json
from ..errors import Errors
from ..pipeline.settings import Settings
from ..pipeline.tuning import Goal, tune_pipeline
from . import options
from .evaluate import read_corpus, warn_nothing_shared
from .pipeline import fail, input_errors, open_pipeline

KINDS = {
    "triples": "exact {score}",
    "relations": "{score} of relations",
    "coref": "mean of pronouns and B³",
    "facts": "{score} of facts",
}

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
    beta: Annotated[
        float, typer.Option(help="Weight of recall against precision in F, such as 0.5 or 2; 1 weighs both alike")
    ] = 1.0,
    precision: Annotated[
        Optional[float], typer.Option(help="Highest recall at this precision instead of the best F, such as 0.9")
    ] = None,
    components: Annotated[
        Optional[str], typer.Option(metavar="NAMES", help="Fit only these components, comma-separated")
    ] = None,
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
        goal = _read_goal(beta, precision)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        examples = read_corpus(nlp, dev, gold_sents=gold_sents, gold_ents=gold_ents)
        if not examples:
            fail(Errors.R011.format(count=0))
        warn_nothing_shared(nlp, examples)
        names = options.split_list(components)
        results = tune_pipeline(
            nlp, examples, min_positives=min_positives, per_label=per_label, goal=goal, components=names
        )
        estimates = [result for result in results.values() if result["writes"] == "relations"]
        if missing_rates is not None and not estimates:
            fail(Errors.R363.format(found=", ".join(nlp.pipe_names)))
        save_pipeline(nlp, output)
        if missing_rates is not None:
            write_json(missing_rates, estimates[-1]["missing_rates"])
            if not estimates[-1]["unbiased"]:
                typer.echo(BIASED)
    for name, result in results.items():
        for line in _lines(name, result, goal):
            typer.echo(line)
    typer.echo(f"Saved the tuned pipeline to {output}")


def _read_goal(beta: float, precision: Optional[float]) -> Goal:
    """Make the goal of the options, which exclude each other."""
    if precision is not None and beta != 1.0:
        fail(Errors.R223.format(beta=beta, precision=precision))
    return Goal(beta=beta, precision=precision)


def _lines(name: str, result: Settings, goal: Goal) -> Iterator[str]:
    """Format the fit of a component."""
    has_goal = result["goal"] == goal and goal != Goal()
    score = "F" if goal.beta == 1.0 or not has_goal else f"F{goal.beta:g}"
    fitted = {k: f"{v:g}" if isinstance(v, float) else srsly.json_dumps(v) for k, v in result.get("fitted", {}).items()}
    if "threshold" not in result:
        scores = f"{100 * result['before']:.2f} -> {100 * result['after']:.2f} on {result['documents']} documents"
        yield f"{name}: {KINDS[result['writes']].format(score=score)} {scores}"
        yield "  " + ", ".join(f"{key} = {value}" for key, value in fitted.items())
        return
    yield (
        f"{name}: {KINDS[result['writes']].format(score=score)} {100 * result['before']:.2f} -> "
        f"{100 * result['after']:.2f} on "
        f"{result['documents']} documents, threshold {result['threshold']:.3f} and {len(result['thresholds'])} of "
        f"relations' own, calibration error {result['ece_before'] or 0:.3f} -> {result['ece_after'] or 0:.3f}"
    )
    if has_goal:
        wanted = "" if goal.precision is None else f" (at least {100 * goal.precision:.2f} wanted)"
        yield f"  precision {100 * result['precision']:.2f}{wanted}, recall {100 * result['recall']:.2f}"
        refused = [label for label, threshold in result["thresholds"].items() if threshold >= 1.0]
        if result["threshold"] >= 1.0:
            refused.append("all other relations" if refused or result["thresholds"] else "all relations")
        if goal.precision is not None and refused:
            yield f"  no threshold reaches that precision, so there will be no triples: {', '.join(refused)}"
    if fitted:
        yield "  " + ", ".join(f"{key} = {value}" for key, value in fitted.items())
