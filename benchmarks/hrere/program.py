"""The benchmarks of HRERE on real data: `python -m benchmarks hrere`.

    python -m benchmarks hrere given --only central

Curves of seed 0 go to docs/images/ at the end of a part. benchmarks/hrere/README.md says what each experiment is.
"""

from functools import partial

from benchmarks.harness import program
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)
from benchmarks.hrere.corpora import HrereMaker
from benchmarks.hrere.experiments import PARTS, experiment

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in ("given", "pairs")}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    models: program.ModelsOption = program.MODELS,
    encoder: program.EncoderOption = program.ENCODER,
    seeds: program.SeedsOption = None,
    threads: program.ThreadsOption = 1,
    precision: program.PrecisionOption = "auto",
    gpu_id: program.GpuOption = -1,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "hrere.json",
    figures: program.FiguresOption = program.ROOT / "docs" / "images",
) -> None:
    """Train on NYT10 and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, dict(locals()), partial(HrereMaker, models=models))
