"""The benchmarks of annotation: `python -m benchmarks annotation`.

    python -m benchmarks annotation curve

benchmarks/annotation/README.md says what it measures.
"""

from benchmarks.annotation.active_learning import curve
from benchmarks.harness import program
from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)
from spacy_relext.pipeline.active_learning import ORDERS

EXPERIMENTS = {"curve": Experiment(curve, tuple(ORDERS), passes=0)}
DEFAULTS = describe_defaults(EXPERIMENTS)


def main(
    experiments: experiments_argument(EXPERIMENTS),  # type: ignore[valid-type]
    data: program.DataOption = program.DATA,
    encoder: program.EncoderOption = program.ENCODER,
    seeds: program.SeedsOption = None,
    threads: program.ThreadsOption = 1,
    precision: program.PrecisionOption = "auto",
    limit_train: program.LimitTrainOption = None,
    limit_test: program.LimitTestOption = None,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "annotation.json",
    figures: program.FiguresOption = program.HERE / "figures",
) -> None:
    """Simulate annotation with the gold, and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, locals(), PairMaker)
