"""The command group `spacy relext`; importing it adds the group to spaCy's command line (entry point `spacy_cli`)."""

from typing import Any, Callable, Dict, List

import typer
from spacy.cli._util import app as spacy_app
from typer.core import TyperGroup

from ..errors import Errors
from .agree import agree_cli
from .clusters import clusters_cli
from .compare import compare_cli
from .corpus import align_cli, convert_cli, drop_triples_cli, export_cli, folds_cli, teach_cli
from .correct import correct_cli
from .debug_data import debug_data_cli
from .evaluate import evaluate_cli
from .explain import explain_cli
from .extract import extract_cli
from .graph import graph_app
from .init_config import init_config_cli
from .kb import kb_app
from .pipeline import fail
from .retrain import retrain_cli
from .rules import rules_app
from .serve import serve_cli
from .tune import tune_cli
from .type_patterns import type_patterns_cli
from .view import view_cli

COMMANDS: Dict[str, Callable[..., None]] = {
    "agree": agree_cli,
    "align": align_cli,
    "clusters": clusters_cli,
    "compare": compare_cli,
    "convert": convert_cli,
    "correct": correct_cli,
    "debug-data": debug_data_cli,
    "drop-triples": drop_triples_cli,
    "evaluate": evaluate_cli,
    "view": view_cli,
    "explain": explain_cli,
    "export": export_cli,
    "extract": extract_cli,
    "folds": folds_cli,
    "init-config": init_config_cli,
    "retrain": retrain_cli,
    "serve": serve_cli,
    "teach": teach_cli,
    "tune": tune_cli,
    "type-patterns": type_patterns_cli,
}


class CommandGroup(TyperGroup):
    """The commands; arguments that are not UTF-8, which nothing could print or write, are refused."""

    def parse_args(self, ctx: Any, args: List[str]) -> List[str]:
        """Parse the name of a command; its arguments, not parsed yet, come with it."""
        for argument in args:
            try:
                argument.encode("utf8")
            except UnicodeEncodeError:
                fail(Errors.R231.format(found=ascii(argument)))
        return super().parse_args(ctx, args)


HELP = "Relation extraction: convert, extract, evaluate, view."
relext = typer.Typer(name="relext", cls=CommandGroup, help=HELP, no_args_is_help=True)

for name, command in COMMANDS.items():
    relext.command(name)(command)
relext.add_typer(graph_app)
relext.add_typer(kb_app)
relext.add_typer(rules_app)
spacy_app.add_typer(relext)
