"""The benchmarks of knowledge bases: link prediction, reading, and alignment.

    python benchmarks/kb.py wn18rr --only same --peer-python PYTHON

Rows go to benchmarks/results/kb.json after every training; `benchmarks/render.py` makes tables of them. What was
finished is found again in benchmarks/runs/ and not repeated. benchmarks/kb.md says what each experiment is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from kb_align import align
from kb_data import LinkMaker
from kb_links import PARTS, links
from kb_load import load
from program import HERE, Experiment, find_experiment, make_call

EXPERIMENTS = {
    "wn18rr": Experiment(partial(links, name="wn18rr"), PARTS, passes=4),
    "fb15k237": Experiment(partial(links, name="fb15k237"), PARTS, passes=4),
    "load": Experiment(load, (), seeds="0", passes=0),
    "align": Experiment(align, (), seeds="0", passes=0),
}
app = typer.Typer(add_completion=False)


@app.command(help="Measure and write the rows.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    peer_python: Annotated[Optional[Path], typer.Option(help="Interpreter that has PyKEEN; without: no peer.")] = None,
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated.")] = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Passes of the recipe that the peer has, too.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    only: Annotated[Optional[str], typer.Option(help=f"Of {', '.join(PARTS)}, comma-separated.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "kb.json",
) -> None:
    options = {**locals(), "peer": peer_python is not None, "limit_train": None, "limit_test": None}
    options.update(encoder=HERE, precision="fp32")
    try:
        for found in [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]:
            maker = partial(LinkMaker, peer_python=peer_python)
            found.run(make_call(found, options, maker, program="kb.py"))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
