"""The benchmarks of SelfORE on real data.

    python benchmarks/selfore.py fewrel --only central,baselines

Rows go to benchmarks/results/selfore.json after every training; `benchmarks/render.py` makes tables of them. What was
finished is found again in benchmarks/runs/ and not repeated. benchmarks/selfore.md says what each experiment is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from program import HERE, Experiment, find_experiment, make_call
from selfore_corpora import DATA, ClusterMaker
from selfore_experiments import PARTS, experiment
from selfore_scale import PARTS as SCALE_PARTS
from selfore_scale import scale

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in DATA}
EXPERIMENTS["scale"] = Experiment(scale, SCALE_PARTS, seeds="0", passes=0)
app = typer.Typer(add_completion=False)


@app.command(help="Cluster real data and write the rows.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    models: Annotated[Path, typer.Option(help="Folder with the entity recogniser.")] = Path("../shared/models"),
    encoder: Annotated[Path, typer.Option(help="Folder of the encoder, for all systems.")] = Path(
        "assets/encoder/all-MiniLM-L6-v2"
    ),
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and the tokenizer.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="Most pairs, drawn; 0 for all.")] = None,
    only: Annotated[
        Optional[str],
        typer.Option(help=f"Of {', '.join(PARTS)}, comma-separated; of `scale` {', '.join(SCALE_PARTS)}."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "selfore.json",
) -> None:
    options = {**locals(), "passes": 0, "peer": False, "limit_test": None}
    try:
        for found in [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]:
            found.run(make_call(found, options, partial(ClusterMaker, models=models), program="selfore.py"))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
