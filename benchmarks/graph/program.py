"""The benchmarks of graphs, grouping of mentions, probabilities of facts, size, the page: `python -m benchmarks graph`.

    python -m benchmarks graph grouping
    python -m benchmarks graph facts --pipeline default

benchmarks/graph/README.md says what each experiment is.
"""

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
        "pipeline": make_option(str, "default", "Pipeline with relations of assets/schema.yaml, for facts."),
        "skip": make_option(int, 440, "First documents of Re-DocRED that are left out, since it is trained on them."),
    },
    prepare=lambda given: ({key: given[key] for key in ("pipeline", "skip")}, {}),
)
