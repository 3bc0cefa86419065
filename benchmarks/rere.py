"""The benchmarks of RERE on real data.

    python benchmarks/rere.py nyt24 --peer
    python benchmarks/rere.py ablations --only loss,pairing

Rows go to benchmarks/results/rere.json after every training; `benchmarks/render.py` makes the tables of them. What
was finished is found again in benchmarks/runs/ and not repeated. benchmarks/README.md says what each experiment is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from corpora import Maker
from experiments import LOSSES, ablations, duie, false_negatives, headline, nyt24, webnlg
from program import HERE, Experiment, choose_names, find_experiment, make_call, read_numbers
from runs import DEFAULT_CONFIG
from speed import speed

from spacy_relext.corpora.drop import MODES

EXPERIMENTS = {
    "headline": Experiment(headline, ("ours",), passes=0),
    "nyt24": Experiment(nyt24, ("ours", "peer")),
    "webnlg": Experiment(webnlg, ("ours", "peer")),
    "ablations": Experiment(
        ablations,
        ("loss", "pairing", "absent-rows", "marked", "recurrent", "case", "precision"),
        seeds="0",
        limit_train=1500,
    ),
    "false-negatives": Experiment(false_negatives, MODES, seeds="0", limit_train=1500),
    "duie": Experiment(duie, ("casrel", "postag"), seeds="0", passes=15),
    "speed": Experiment(
        speed, ("training", "extraction", "memory", "relations"), passes=3, limit_train=1000, limit_test=300
    ),
}
_DEFAULTS = "; ".join(
    f"{name}: seeds {e.seeds}, passes {e.passes or 'as configured'}, sentences {e.limit_train or 'all'}, parts "
    + ", ".join(e.parts)
    for name, e in EXPERIMENTS.items()
)
app = typer.Typer(add_completion=False)


@app.command(help="Run experiments on real data and write their rows.", epilog=f"Unless told otherwise: {_DEFAULTS}.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    encoder: Annotated[Path, typer.Option(help="Folder of the encoder, for all systems.")] = Path(
        "assets/encoder/all-MiniLM-L6-v2"
    ),
    config: Annotated[Path, typer.Option(help="Config of the headline system.")] = DEFAULT_CONFIG,
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated; for speed also the number of rounds.")] = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Passes over the training data.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and the tokenizer.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, for all systems.")] = "auto",
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="First training sentences; 0 for all.")] = None,
    limit_test: Annotated[Optional[int], typer.Option(min=0, help="First tuning and test sentences.")] = None,
    peer: Annotated[bool, typer.Option("--peer", help="Train CasRel beside each training (nyt24, webnlg).")] = False,
    only: Annotated[Optional[str], typer.Option(help="Parts of the experiment, comma-separated.")] = None,
    rates: Annotated[str, typer.Option(help="Rates of dropped triples (false-negatives).")] = "0,0.1,0.3,0.5",
    losses: Annotated[str, typer.Option(help="Losses (false-negatives).")] = ",".join(LOSSES),
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "rere.json",
    figures: Annotated[Path, typer.Option(help="Folder for drawings.")] = HERE / "figures",
) -> None:
    options = dict(locals())
    try:
        options["chosen"] = [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]
        for experiment in options["chosen"]:
            more = {
                "config": config,
                "rates": read_numbers("--rates", rates, float),
                "losses": choose_names("--losses", losses, LOSSES),
            }
            experiment.run(make_call(experiment, options, Maker, program="rere.py", **more))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
