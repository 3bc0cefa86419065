"""The benchmarks of RERE on real data: `python -m benchmarks rere`.

    python -m benchmarks rere nyt24 --peer
    python -m benchmarks rere ablations --only loss,pairing

benchmarks/README.md says what each experiment is.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.harness import program
from benchmarks.harness.datasets import Maker
from benchmarks.harness.program import (
    Experiment,
    choose_names,
    describe_defaults,
    experiments_argument,
    read_numbers,
    report_errors,
    run_experiments,
)
from benchmarks.harness.runs import DEFAULT_CONFIG
from benchmarks.rere.experiments import (
    KNOWN,
    LOSSES,
    PEER,
    RATES,
    ablations,
    duie,
    false_negatives,
    headline,
    nyt24,
    webnlg,
)
from benchmarks.rere.fair import CORPORA, OWN, PEERS, fair
from benchmarks.rere.fast import PASSES, SPEED, fast
from benchmarks.rere.priors import priors
from benchmarks.rere.speed import speed
from spacy_relext.corpora.drop import MODES

EXPERIMENTS = {
    "headline": Experiment(headline, ("ours",), passes=0),
    "nyt24": Experiment(nyt24, ("ours", "peer")),
    "webnlg": Experiment(webnlg, ("ours", "peer")),
    "fair": Experiment(fair, (*OWN, *PEERS), passes=20),
    "ablations": Experiment(
        ablations,
        ("loss", "pairing", "absent-rows", "marked", "recurrent", "case", "precision"),
        seeds="0",
        limit_train=1500,
    ),
    "false-negatives": Experiment(false_negatives, MODES, seeds="0", limit_train=1500),
    "fast": Experiment(fast, (*PASSES, SPEED), seeds="0"),
    "priors": Experiment(priors, (), seeds="0", passes=0),
    "duie": Experiment(duie, ("casrel", "postag"), seeds="0", passes=15),
    "speed": Experiment(
        speed, ("training", "extraction", "memory", "relations"), passes=3, limit_train=1000, limit_test=300
    ),
}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    models: program.ModelsOption = program.MODELS,
    encoder: program.EncoderOption = program.ENCODER,
    config: Annotated[Path, typer.Option(help="Config of the headline system.")] = DEFAULT_CONFIG,
    seeds: program.SeedsOption = None,
    passes: program.PassesOption = None,
    threads: program.ThreadsOption = 1,
    precision: program.PrecisionOption = "auto",
    gpu_id: program.GpuOption = -1,
    limit_train: program.LimitTrainOption = None,
    limit_test: program.LimitTestOption = None,
    peer: Annotated[bool, typer.Option("--peer", help="Train CasRel beside each training (nyt24, webnlg).")] = False,
    only: program.OnlyOption = None,
    rates: Annotated[str, typer.Option(help="Rates of dropped triples (false-negatives).")] = "0,0.1,0.3,0.5",
    losses: Annotated[str, typer.Option(help=f"Losses, and {PEER} (false-negatives).")] = ",".join(LOSSES),
    missing_rates: Annotated[
        str, typer.Option(help="Shares of missing labels that losses are told: known, estimated (false-negatives).")
    ] = KNOWN,
    corpora: Annotated[str, typer.Option(help="Corpora (fair).")] = ",".join(CORPORA),
    learning_rates: Annotated[
        str, typer.Option(help="Of the peers' encoder; the best on the tuning sentences is kept (fair).")
    ] = "1e-5,3e-5,1e-4,3e-4",
    patience: Annotated[
        int, typer.Option(min=0, help="Passes after which a peer that no longer rises ends; 0: never (fair).")
    ] = 4,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "rere.json",
    figures: program.FiguresOption = program.HERE / "figures",
) -> None:
    """Train, tune and score on NYT24, WebNLG and DuIE, and write the rows."""
    options = dict(locals())
    with report_errors():
        more = {
            "rates": read_numbers("--rates", rates, float),
            "losses": choose_names("--losses", losses, [*LOSSES, PEER]),
            "missing_rates": choose_names("--missing-rates", missing_rates, RATES),
            "corpora": choose_names("--corpora", corpora, CORPORA),
            "learning_rates": read_numbers("--learning-rates", learning_rates, float),
            "patience": patience,
        }
        run_experiments(EXPERIMENTS, options, partial(Maker, models=models), config=config, **more)
