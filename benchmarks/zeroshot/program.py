"""The benchmarks of relations by description: `python -m benchmarks zeroshot`.

python -m benchmarks zeroshot wiki80 --only fewrel
"""

from pathlib import Path
from typing import Optional

from benchmarks.harness.program import Experiment, make_main, make_option
from benchmarks.zeroshot.corpora import PARTS, HeldOutMaker
from benchmarks.zeroshot.experiments import CONFIG, sources, wiki80

EXPERIMENTS = {
    name: Experiment(run, PARTS, seeds="0", passes=3) for name, run in (("wiki80", wiki80), ("sources", sources))
}
main = make_main(
    "zeroshot",
    EXPERIMENTS,
    HeldOutMaker,
    summary="Train on some relations, test on others, and write the rows.",
    options=("encoder", "precision", "gpu_id", "passes"),
    own={
        "config": make_option(Path, CONFIG, "Config of the system."),
        "limit_train": make_option(Optional[int], None, "Maximum number of pairs of a relation; 0 for all.", min=0),
    },
    prepare=lambda given: ({}, {"config": given["config"]}),
)
