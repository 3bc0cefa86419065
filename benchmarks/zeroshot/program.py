"""The benchmarks of relations by description: `python -m benchmarks zeroshot`.

python -m benchmarks zeroshot wiki80 --only fewrel
"""

from functools import partial
from pathlib import Path
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
from benchmarks.zeroshot.corpora import PARTS, HeldOutMaker
from benchmarks.zeroshot.experiments import CONFIG, sources, wiki80

EXPERIMENTS = {
    name: Experiment(run, PARTS, seeds="0", passes=3) for name, run in (("wiki80", wiki80), ("sources", sources))
}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    models: program.ModelsOption = program.MODELS,
    encoder: program.EncoderOption = program.ENCODER,
    config: Annotated[Path, typer.Option(help="Config of the system.")] = CONFIG,
    seeds: program.SeedsOption = None,
    passes: program.PassesOption = None,
    threads: program.ThreadsOption = 1,
    precision: program.PrecisionOption = "auto",
    gpu_id: program.GpuOption = -1,
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="Most pairs of a relation; 0 for all.")] = None,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "zeroshot.json",
) -> None:
    """Train on some relations, test on others, and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, dict(locals()), partial(HeldOutMaker, models=models), config=config)
