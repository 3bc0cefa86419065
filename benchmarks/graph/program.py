"""The benchmarks of graphs, grouping of mentions, probabilities of facts, size, the page: `python -m benchmarks graph`.

    python -m benchmarks graph grouping
    python -m benchmarks graph facts --nyt24 PIPELINE --redocred PIPELINE

benchmarks/graph/README.md says what each experiment is.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer

from benchmarks.graph.data import GraphMaker
from benchmarks.graph.facts import facts
from benchmarks.graph.grouping import grouping
from benchmarks.graph.page import page
from benchmarks.graph.scale import scale
from benchmarks.harness import program
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)

EXPERIMENTS = {
    "grouping": Experiment(grouping, (), seeds="0", passes=0),
    "facts": Experiment(facts, ("nyt24", "redocred"), seeds="0", passes=0),
    "scale": Experiment(scale, (), seeds="0", passes=0),
    "page": Experiment(page, (), seeds="0", passes=0),
}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    nyt24: Annotated[Optional[Path], typer.Option(help="Pipeline trained by `rere nyt24`, for facts.")] = None,
    redocred: Annotated[Optional[Path], typer.Option(help="Tuned default pipeline, for facts.")] = None,
    seeds: program.SeedsOption = None,
    threads: program.ThreadsOption = 1,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "graph.json",
) -> None:
    """Measure graphs, and write the rows."""
    pipelines = {name: path for name, path in (("nyt24", nyt24), ("redocred", redocred)) if path is not None}
    with report_errors():
        run_experiments(EXPERIMENTS, locals(), partial(GraphMaker, pipelines=pipelines))
