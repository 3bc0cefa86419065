"""The benchmarks of KD4NRE on real data: `python -m benchmarks kd`.

    python -m benchmarks kd semeval --only grid,peer --peer
    python -m benchmarks kd speed --only extraction

benchmarks/kd/README.md says what each experiment is.
"""

from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.program import Experiment, make_main, make_option
from benchmarks.kd.experiments import PEER_PARTS, SHARES, conll04, labels, scierc, semeval, unlabelled
from benchmarks.kd.fast import fast
from benchmarks.kd.speed import speed
from benchmarks.kd.systems import CROWDED_PARTS, FEW_PARTS, PRIVILEGED_PARTS, SEMEVAL_PARTS

INTERVALS = ("intervals", "table-4-intervals", "fast-intervals")
EXPERIMENTS = {
    "semeval": Experiment(semeval, (*SEMEVAL_PARTS, *PEER_PARTS, *INTERVALS), passes=5),
    "conll04": Experiment(conll04, (*CROWDED_PARTS, *PEER_PARTS), passes=5),
    "scierc": Experiment(scierc, (*CROWDED_PARTS, *PEER_PARTS), passes=5),
    "labels": Experiment(labels, tuple(SHARES), passes=5),
    "unlabelled": Experiment(unlabelled, (*FEW_PARTS, *PRIVILEGED_PARTS), passes=5),
    "fast": Experiment(fast, (), seeds="0", passes=2, limit_train=200),
    "speed": Experiment(speed, ("training", "extraction", "memory"), passes=2),
}
main = make_main(
    "kd",
    EXPERIMENTS,
    PairMaker,
    summary="Train teachers and students, and write the rows.",
    options=("models", "encoder", "precision", "gpu_id", "passes", "limit_train", "limit_test"),
    own={"peer": make_option(bool, False, "Train R-BERT too (speed always does).")},
)
