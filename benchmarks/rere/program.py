"""The benchmarks of RERE on real data: `python -m benchmarks rere`.

    python -m benchmarks rere nyt24 --peer
    python -m benchmarks rere ablations --only loss,pairing

benchmarks/README.md says what each experiment is.
"""

from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from benchmarks.harness.datasets import Maker
from benchmarks.harness.program import Experiment, choose_names, make_main, make_option, read_numbers
from benchmarks.harness.runs import DEFAULT_CONFIG
from benchmarks.rere import missing_labels
from benchmarks.rere.experiments import ablations, duie, nyt24, webnlg
from benchmarks.rere.fair import CORPORA, OWN, PEERS, fair
from benchmarks.rere.fast import PASSES, SPEED, fast
from benchmarks.rere.priors import priors
from benchmarks.rere.speed import speed

EXPERIMENTS = {
    "nyt24": Experiment(nyt24, ("ours", "peer")),
    "webnlg": Experiment(webnlg, ("ours", "peer")),
    "fair": Experiment(fair, (*OWN, *PEERS), passes=20),
    "ablations": Experiment(
        ablations,
        ("loss", "pairing", "absent-rows", "marked", "recurrent", "case", "precision"),
        seeds="0",
        limit_train=1500,
    ),
    "missing-labels": Experiment(
        missing_labels.missing_labels,
        (*missing_labels.LOSSES, *missing_labels.PEERS),
        seeds="0,1,2,3,4",
        limit_train=1500,
        limit_test=1000,
    ),
    "fast": Experiment(fast, (*PASSES, SPEED), seeds="0"),
    "priors": Experiment(priors, (), seeds="0", passes=0),
    "duie": Experiment(duie, ("casrel", "postag"), seeds="0", passes=15),
    "speed": Experiment(
        speed, ("training", "extraction", "memory", "relations"), passes=3, limit_train=1000, limit_test=300
    ),
}
OWN = {
    "config": make_option(Path, DEFAULT_CONFIG, "Config of the headline system."),
    "peer": make_option(bool, False, "Train CasRel beside each training (nyt24, webnlg)."),
    "rates": make_option(str, "0,0.3,0.5", "Rates of dropped triples (missing-labels)."),
    "corpora": make_option(str, ",".join(CORPORA), "Corpora (fair)."),
    "learning_rates": make_option(
        str, "1e-5,3e-5,1e-4,3e-4", "Of the baselines' encoder; the best on the tuning sentences is kept (fair)."
    ),
    "patience": make_option(
        int, 4, "Epochs without improvement that end a baseline's training; 0: never (fair).", min=0
    ),
}


def read_own(given: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Read the options of this program alone; see `make_main`."""
    return {}, {
        "config": given["config"],
        "rates": read_numbers("--rates", given["rates"], float),
        "corpora": choose_names("--corpora", given["corpora"], CORPORA),
        "learning_rates": read_numbers("--learning-rates", given["learning_rates"], float),
        "patience": given["patience"],
    }


main = make_main(
    "rere",
    EXPERIMENTS,
    Maker,
    summary="Train, tune and score on NYT24, WebNLG and DuIE, and write the rows.",
    options=("models", "encoder", "precision", "gpu_id", "passes", "limit_train", "limit_test", "figures"),
    own=OWN,
    prepare=read_own,
)
