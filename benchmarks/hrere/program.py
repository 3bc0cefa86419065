"""The benchmarks of HRERE on real data: `python -m benchmarks hrere`.

    python -m benchmarks hrere given --only central

Curves of seed 0 go to docs/images/ at the end of a part. benchmarks/hrere/README.md says what each experiment is.
"""

from pathlib import Path

from benchmarks.harness.program import ROOT, Experiment, make_main, make_option
from benchmarks.hrere.corpora import HrereMaker
from benchmarks.hrere.experiments import PARTS, experiment

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in ("given", "pairs")}
main = make_main(
    "hrere",
    EXPERIMENTS,
    HrereMaker,
    summary="Train on NYT10, draw the curves of seed 0 at the end of a part, and write the rows.",
    options=("models", "encoder", "precision", "gpu_id"),
    own={"figures": make_option(Path, ROOT / "docs" / "images", "Folder for drawings.")},
)
