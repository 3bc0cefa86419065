"""The benchmarks of knowledge bases, link prediction, reading, and alignment: `python -m benchmarks kb`.

    python -m benchmarks kb wn18rr --only same

benchmarks/kb/README.md says what each experiment is.
"""

from functools import partial
from typing import Optional

from benchmarks.harness.program import Experiment, make_main, make_option
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
main = make_main(
    "kb",
    EXPERIMENTS,
    LinkMaker,
    summary="Train embeddings, measure reading and alignment, and write the rows.",
    options=("gpu_id",),
    own={"passes": make_option(Optional[int], None, "Epochs of `same`.", min=1)},
)
