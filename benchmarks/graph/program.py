"""The benchmarks of graphs, grouping of mentions, probabilities of facts, size, the page: `python -m benchmarks graph`.

    python -m benchmarks graph grouping
    python -m benchmarks graph facts --nyt24 PIPELINE --redocred PIPELINE

benchmarks/graph/README.md says what each experiment is.
"""

from pathlib import Path
from typing import Optional

from benchmarks.graph.data import GraphMaker
from benchmarks.graph.facts import facts
from benchmarks.graph.grouping import grouping
from benchmarks.graph.page import page
from benchmarks.graph.scale import scale
from benchmarks.harness.program import Experiment, make_main, make_option

EXPERIMENTS = {
    "grouping": Experiment(grouping, (), seeds="0", passes=0),
    "facts": Experiment(facts, ("nyt24", "redocred"), seeds="0", passes=0),
    "scale": Experiment(scale, (), seeds="0", passes=0),
    "page": Experiment(page, (), seeds="0", passes=0),
}
main = make_main(
    "graph",
    EXPERIMENTS,
    GraphMaker,
    summary="Measure graphs, and write the rows.",
    options=(),
    own={
        "nyt24": make_option(Optional[Path], None, "Pipeline trained by `rere nyt24`, for facts."),
        "redocred": make_option(Optional[Path], None, "Tuned default pipeline, for facts."),
    },
    prepare=lambda given: ({"pipelines": {key: given[key] for key in ("nyt24", "redocred") if given[key]}}, {}),
)
