"""The benchmarks of whole corpora: `python -m benchmarks extraction`.

    python -m benchmarks extraction kill
    python -m benchmarks extraction speed memory crowded long service

benchmarks/extraction/README.md says what each experiment is.
"""

from typing import Optional

from benchmarks.extraction.kill import PARTS, kill
from benchmarks.extraction.large import PIPELINES, WIDTHS, crowded, long
from benchmarks.extraction.service import service
from benchmarks.extraction.speed import memory, speed
from benchmarks.harness.datasets import Maker
from benchmarks.harness.program import Experiment, make_main, make_option

EXPERIMENTS = {
    "kill": Experiment(kill, tuple(PARTS), seeds="0", passes=50),
    "speed": Experiment(speed, (), seeds="0", passes=3),
    "memory": Experiment(memory, (), seeds="0", passes=1),
    "crowded": Experiment(crowded, tuple(PIPELINES), seeds="0", passes=1),
    "long": Experiment(long, tuple(f"two CNNs of width {width}" for width in WIDTHS), seeds="0", passes=1),
    "service": Experiment(service, (), seeds="0", passes=1),
}
main = make_main(
    "extraction",
    EXPERIMENTS,
    Maker,
    summary="Measure the extraction of whole corpora, and write the rows.",
    options=(),
    own={
        "passes": make_option(Optional[int], None, "Kills (kill), or repetitions (speed).", min=1),
        "limit_train": make_option(Optional[int], None, "Documents, requests or characters.", min=1),
    },
)
