"""The benchmarks of SelfORE on real data: `python -m benchmarks selfore`.

    python -m benchmarks selfore fewrel --only central,baselines

benchmarks/selfore/README.md says what each experiment is.
"""

from functools import partial
from typing import Annotated, Optional

import typer

from benchmarks.harness import program
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)
from benchmarks.selfore.corpora import DATA, ClusterMaker
from benchmarks.selfore.experiments import PARTS, experiment
from benchmarks.selfore.scale import PARTS as SCALE_PARTS
from benchmarks.selfore.scale import scale

EXPERIMENTS = {name: Experiment(experiment(name), tuple(PARTS), passes=0) for name in DATA}
EXPERIMENTS["scale"] = Experiment(scale, SCALE_PARTS, seeds="0", passes=0)
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
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="Most pairs, drawn; 0 for all.")] = None,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "selfore.json",
) -> None:
    """Cluster real data and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, dict(locals()), partial(ClusterMaker, models=models))
