"""The benchmarks of HRERE on real data.

    python benchmarks/hrere.py given --only central

Rows go to benchmarks/results/hrere.json after every training; `benchmarks/render.py` makes tables of them. Curves of
seed 0 go to docs/images/ at the end of a part. What was finished is found again in benchmarks/runs/ and not repeated.
benchmarks/hrere.md says what each experiment is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from hrere_corpora import HrereMaker
from hrere_experiments import PARTS, experiment
from program import HERE, Experiment, find_experiment, make_call
from runs import ROOT

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in ("given", "pairs")}
app = typer.Typer(add_completion=False)


@app.command(help="Train on NYT10 and write the rows.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    models: Annotated[Path, typer.Option(help="Folder with the word vectors.")] = Path("../shared/models"),
    encoder: Annotated[Path, typer.Option(help="Folder of the encoder, for all systems.")] = Path(
        "assets/encoder/all-MiniLM-L6-v2"
    ),
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and the tokenizer.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    only: Annotated[Optional[str], typer.Option(help=f"Of {', '.join(PARTS)}, comma-separated.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "hrere.json",
    figures: Annotated[Path, typer.Option(help="Folder that gets the drawings.")] = ROOT / "docs" / "images",
) -> None:
    options = {**locals(), "passes": 0, "peer": False, "limit_train": None, "limit_test": None}
    try:
        for found in [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]:
            found.run(make_call(found, options, partial(HrereMaker, models=models), program="hrere.py"))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
