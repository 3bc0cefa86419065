"""The one program of the benchmarks: a sub-command for each method, and `render` for the tables of their results.

python -m benchmarks kd semeval --only grid
python -m benchmarks render --check
"""

from importlib import import_module
from typing import Optional

import typer
from typer.core import TyperCommand, TyperGroup

PROGRAMS = {
    name: f"benchmarks.{name}.program"
    for name in ("rere", "kd", "nero", "selfore", "hrere", "kb", "graph", "extraction", "zeroshot")
}
PROGRAMS |= {name: f"benchmarks.harness.{name}" for name in ("render", "table")}
PROGRAMS |= {"few-labels": "benchmarks.few_labels", "distilled": "benchmarks.distilled"}
PROGRAMS |= {"documents": "benchmarks.documents", "missing-facts": "benchmarks.missing_facts"}
PROGRAMS |= {"noise": "benchmarks.noise", "shared": "benchmarks.shared"}


class LazyPrograms(TyperGroup):
    """Imports a program only if it is called: most of them import torch."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(PROGRAMS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Optional[TyperCommand]:
        if cmd_name not in PROGRAMS:
            return None
        program = import_module(PROGRAMS[cmd_name])
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(program.main)
        return typer.main.get_command(single)


app = typer.Typer(cls=LazyPrograms, add_completion=False, no_args_is_help=True)


@app.callback()
def benchmarks() -> None:
    """Run benchmarks on real data, or render their results.

    Rows go to benchmarks/results/METHOD.json after every training. A finished training is kept in benchmarks/runs/ and
    not repeated.
    """


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
