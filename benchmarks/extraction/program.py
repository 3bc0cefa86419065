"""The benchmarks of whole corpora: `python -m benchmarks extraction`.

    python -m benchmarks extraction kill
    python -m benchmarks extraction speed memory crowded long service

benchmarks/extraction/README.md says what each experiment is.
"""

from typing import Annotated, Optional

import typer

from benchmarks.extraction.kill import PARTS, kill
from benchmarks.extraction.large import PIPELINES, WIDTHS, crowded, long
from benchmarks.extraction.service import service
from benchmarks.extraction.speed import memory, speed
from benchmarks.harness import program
from benchmarks.harness.datasets import Maker
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)

EXPERIMENTS = {
    "kill": Experiment(kill, tuple(PARTS), seeds="0", passes=50),
    "speed": Experiment(speed, (), seeds="0", passes=3),
    "memory": Experiment(memory, (), seeds="0", passes=1),
    "crowded": Experiment(crowded, tuple(PIPELINES), seeds="0", passes=1),
    "long": Experiment(long, tuple(f"two CNNs of width {width}" for width in WIDTHS), seeds="0", passes=1),
    "service": Experiment(service, (), seeds="0", passes=1),
}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    seeds: program.SeedsOption = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Kills (kill), or repetitions (speed).")] = None,
    threads: program.ThreadsOption = 1,
    limit_train: Annotated[Optional[int], typer.Option(min=1, help="Documents, requests or characters.")] = None,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "extraction.json",
) -> None:
    """Measure the extraction of whole corpora, and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, locals(), Maker)
