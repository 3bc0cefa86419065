"""The benchmarks of SelfORE on real data: `python -m benchmarks selfore`.

    python -m benchmarks selfore fewrel --only central,baselines

benchmarks/selfore/README.md says what each experiment is.
"""

from typing import Optional

from benchmarks.harness.program import Experiment, make_main, make_option
from benchmarks.selfore.corpora import DATA, ClusterMaker
from benchmarks.selfore.experiments import PARTS, experiment
from benchmarks.selfore.scale import PARTS as SCALE_PARTS
from benchmarks.selfore.scale import scale

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in DATA}
EXPERIMENTS["scale"] = Experiment(scale, SCALE_PARTS, seeds="0", passes=0)
main = make_main(
    "selfore",
    EXPERIMENTS,
    ClusterMaker,
    summary="Cluster real data and write the rows.",
    options=("encoder", "precision", "gpu_id"),
    own={"limit_train": make_option(Optional[int], None, "Maximum number of pairs, drawn; 0 for all.", min=0)},
)
