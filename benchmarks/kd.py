"""The benchmarks of KD4NRE on real data.

    python benchmarks/kd.py semeval --only grid,peer --peer
    python benchmarks/kd.py speed --only extraction

Rows go to benchmarks/results/kd.json after every training; `benchmarks/render.py` makes the tables of them. What was
finished is found again in benchmarks/runs/ and not repeated. benchmarks/kd.md says what each experiment is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from kd_corpora import PairMaker
from kd_experiments import PEER_PARTS, SHARES, conll04, labels, scierc, semeval
from kd_speed import speed
from kd_systems import CROWDED_PARTS, SEMEVAL_PARTS
from program import HERE, Experiment, find_experiment, make_call

EXPERIMENTS = {
    "semeval": Experiment(semeval, (*SEMEVAL_PARTS, *PEER_PARTS, "intervals"), passes=5),
    "conll04": Experiment(conll04, (*CROWDED_PARTS, *PEER_PARTS), passes=5),
    "scierc": Experiment(scierc, (*CROWDED_PARTS, *PEER_PARTS), passes=5),
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
        for experiment in [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]:
            experiment.run(make_call(experiment, options, partial(PairMaker, models=models), program="kd.py"))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
