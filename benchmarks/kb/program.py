"""The benchmarks of knowledge bases, link prediction, reading, and alignment: `python -m benchmarks kb`.

    python -m benchmarks kb wn18rr --only same --peer-python PYTHON

benchmarks/kb/README.md says what each experiment is.
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
from benchmarks.kb.align import align
from benchmarks.kb.data import LinkMaker
from benchmarks.kb.links import PARTS, links
from benchmarks.kb.load import load

EXPERIMENTS = {
    "wn18rr": Experiment(partial(links, name="wn18rr"), PARTS, passes=4),
    "fb15k237": Experiment(partial(links, name="fb15k237"), PARTS, passes=4),
    "load": Experiment(load, (), seeds="0", passes=0),
    "align": Experiment(align, (), seeds="0", passes=0),
}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    peer_python: Annotated[Optional[Path], typer.Option(help="Interpreter that has PyKEEN; without: no peer.")] = None,
    seeds: program.SeedsOption = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Passes of the recipe that the peer has, too.")] = None,
    threads: program.ThreadsOption = 1,
    gpu_id: program.GpuOption = -1,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "kb.json",
) -> None:
    """Train embeddings, measure reading and alignment, and write the rows."""
    options = {**locals(), "peer": peer_python is not None}
    with report_errors():
        run_experiments(EXPERIMENTS, options, partial(LinkMaker, peer_python=peer_python))
