"""The benchmarks of KD4NRE on real data.

    python benchmarks/kd.py semeval --only grid,peer --peer
    python benchmarks/kd.py speed --only extraction

Rows go to benchmarks/results/kd.json after every training; `benchmarks/render.py` makes the tables of them. What was
finished is found again in benchmarks/runs/ and not repeated. benchmarks/kd.md says what each experiment is.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any, Optional

import rere
import typer
from call import Call
from kd_corpora import PairMaker
from kd_experiments import PEER_PARTS, SHARES, conll04, labels, scierc, semeval
from kd_speed import speed
from kd_systems import PARTS, SEMEVAL_PARTS
from rere import HERE, PRECISIONS, Experiment
from runs import Settings, resolve_precision

EXPERIMENTS = {
    "semeval": Experiment(semeval, (*SEMEVAL_PARTS, *PEER_PARTS), passes=5),
    "conll04": Experiment(conll04, (*PARTS, *PEER_PARTS), passes=5),
    "scierc": Experiment(scierc, (*PARTS, *PEER_PARTS), passes=5),
    "labels": Experiment(labels, tuple(SHARES), passes=5),
    "speed": Experiment(speed, ("training", "extraction", "memory"), passes=2),
}
_DEFAULTS = "; ".join(
    f"{name}: seeds {e.seeds}, passes {e.passes}, sentences {e.limit_train or 'all'}, parts {', '.join(e.parts)}"
    for name, e in EXPERIMENTS.items()
)
app = typer.Typer(add_completion=False)


@app.command(help="Run experiments on real data and write their rows.", epilog=f"Unless told otherwise: {_DEFAULTS}.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    models: Annotated[Path, typer.Option(help="Folder with the tagger and parser, and the vectors.")] = Path(
        "../shared/models"
    ),
    encoder: Annotated[Path, typer.Option(help="Folder of the encoder, for all systems.")] = Path(
        "assets/encoder/all-MiniLM-L6-v2"
    ),
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated; for speed also the number of rounds.")] = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Passes over the training data.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and the tokenizer.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, for all systems with the encoder.")] = "auto",
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="First training sentences; 0 for all.")] = None,
    limit_test: Annotated[Optional[int], typer.Option(min=0, help="First tuning and test sentences.")] = None,
    peer: Annotated[bool, typer.Option("--peer", help="Train R-BERT too (speed always does).")] = False,
    only: Annotated[Optional[str], typer.Option(help="Parts of the experiment, comma-separated.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "kd.json",
) -> None:
    options = dict(locals())
    try:
        for experiment in [rere.find_experiment(name, EXPERIMENTS, only=only) for name in experiments]:
            experiment.run(_make_call(experiment, options))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


def _make_call(experiment: Experiment, options: dict[str, Any]) -> Call:
    """Fill what the command line leaves open with what the experiment does unless told otherwise."""
    started = time.perf_counter()
    if options["precision"] not in PRECISIONS:
        raise ValueError(f"--precision {options['precision']}: expected {', '.join(PRECISIONS)}")
    if not options["encoder"].is_dir():
        raise ValueError(f"--encoder {options['encoder']}: not found (python scripts/get_encoder.py gets the encoder)")
    settings = Settings(
        runs=options["runs"].resolve(),
        encoder=options["encoder"].resolve(),
        passes=options["passes"] or experiment.passes,
        threads=options["threads"],
        precision=resolve_precision(options["precision"]),
    )
    limits = {
        name: getattr(experiment, name) if options[name] is None else options[name]
        for name in ("limit_train", "limit_test")
    }
    return Call(
        settings=settings,
        maker=PairMaker(options["data"], settings.runs / "corpora", models=options["models"], **limits),
        seeds=rere._numbers("--seeds", options["seeds"] or experiment.seeds, int),
        results=options["results"],
        figures=HERE / "figures",
        command=rere.command_line(sys.argv[1:], program="kd.py"),
        only=frozenset(rere._split(options["only"])),
        peer=options["peer"],
        tell=lambda message: typer.echo(f"[{time.perf_counter() - started:7.0f} s] {message}", err=True),
    )


if __name__ == "__main__":
    app()
