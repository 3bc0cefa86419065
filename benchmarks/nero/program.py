"""The benchmarks of NERO on real data: `python -m benchmarks nero`.

    python -m benchmarks nero semeval --only central,unlearned
    python -m benchmarks nero matching

benchmarks/nero/README.md says what each experiment is.
"""

from functools import partial

from benchmarks.harness import program
from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.program import (
    Experiment,
    describe_defaults,
    experiments_argument,
    report_errors,
    run_experiments,
)
from benchmarks.nero.experiments import labels, rules, semeval, texts, zero_shot
from benchmarks.nero.speed import matching
from benchmarks.nero.stream import stream
from benchmarks.nero.systems import FEW_RULES, PARTS

EXPERIMENTS = {
    "semeval": Experiment(semeval, ("unlearned", *PARTS), passes=0),
    "rules": Experiment(rules, tuple(FEW_RULES), passes=0),
    "texts": Experiment(texts, tuple(FEW_RULES), passes=0),
    "labels": Experiment(labels, (), passes=0),
    "zero-shot": Experiment(zero_shot, (), passes=0),
    "matching": Experiment(matching, (), seeds="0", passes=0),
    "stream": Experiment(stream, (), seeds="0", passes=0),
}
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
    limit_train: program.LimitTrainOption = None,
    limit_test: program.LimitTestOption = None,
    only: program.OnlyOption = None,
    runs: program.RunsOption = program.HERE / "runs",
    results: program.ResultsOption = program.RESULTS / "nero.json",
) -> None:
    """Ground pairs by rules, time matching, and write the rows."""
    with report_errors():
        run_experiments(EXPERIMENTS, dict(locals()), partial(PairMaker, models=models))
