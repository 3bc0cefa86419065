"""The benchmarks of NERO on real data: `python -m benchmarks nero`.

    python -m benchmarks nero semeval --only central,unlearned
    python -m benchmarks nero matching

benchmarks/nero/README.md says what each experiment is.
"""

from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.program import Experiment, make_main
from benchmarks.nero.experiments import labels, rules, semeval, texts, zero_shot
from benchmarks.nero.speed import matching
from benchmarks.nero.stream import stream
from benchmarks.nero.systems import FEW_RULES, PARTS

EXPERIMENTS = {
    "semeval": Experiment(semeval, ("unlearned", *PARTS), passes=0),
    "rules": Experiment(rules, tuple(FEW_RULES), passes=0),
    "texts": Experiment(texts, tuple(FEW_RULES), passes=0),
    "labels": Experiment(labels, (), passes=0),
    "zero-shot": Experiment(zero_shot, (), passes=0),
    "matching": Experiment(matching, (), seeds="0", passes=0),
    "stream": Experiment(stream, (), seeds="0", passes=0),
}
main = make_main(
    "nero",
    EXPERIMENTS,
    PairMaker,
    summary="Ground pairs by rules, time matching, and write the rows.",
    options=("models", "encoder", "precision", "gpu_id", "limit_train", "limit_test"),
)
