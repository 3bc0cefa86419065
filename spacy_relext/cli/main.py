"""The command group `spacy relext`; importing it adds the group to spaCy's command line (entry point `spacy_cli`)."""

from importlib import import_module
from typing import Any, Dict, ItemsView, List, Mapping, Union

import typer
from spacy.cli._util import app as spacy_app
from typer.core import TyperGroup
from typer.main import get_command

from ..errors import Errors
from .pipeline import fail

Table = Mapping[str, Union[str, "Group"]]


class Group(Dict[str, str]):
    """Commands of a group, as `COMMANDS` has them; `help` says what they are for."""

    def __init__(self, help: str, **commands: str) -> None:
        super().__init__({name.replace("_", "-"): where for name, where in commands.items()})
        self.help = help


# Command → module and function; group → its commands. A module is imported if one of its commands is called.
COMMANDS: Table = {
    "init-config": "init_config:init_config_cli",
    "convert": "corpus:convert_cli",
    "debug-data": "debug_data:debug_data_cli",
    "tune": "tune:tune_cli",
    "evaluate": "evaluate:evaluate_cli",
    "compare": "compare:compare_cli",
    "explain": "explain:explain_cli",
    "view": "view:view_cli",
    "extract": "extract:extract_cli",
    "pack": "pack:pack_cli",
    "serve": "view:serve_cli",
    "annotate": Group(
        "Write texts for annotators, correct triples, measure agreement, train on corrections.",
        export="corpus:export_cli",
        correct="correct:correct_cli",
        agree="agree:agree_cli",
        retrain="retrain:retrain_cli",
    ),
    "rules": Group("Find and check labelling rules.", check="rules:check_cli", mine="rules:mine_cli"),
    "kb": Group(
        "Prepare and embed a knowledge base; label corpora with it.",
        align="corpus:align_cli",
        filter="kb:filter_cli",
        train="kb:train_cli",
    ),
    "graph": Group(
        "Make a graph of triples, query, draw and export it.",
        build="graph:build_cli",
        query="graph:query_cli",
        view="graph:view_cli",
        review="graph:review_cli",
        export="graph:export_cli",
    ),
    "clusters": Group(
        "Look at the clusters of a selfore_clusterer, and rename them.",
        view="clusters:view_cli",
        rename="clusters:rename_cli",
    ),
    "research": Group(
        "Soft labels of a teacher, folds, simulated missing labels.",
        teach="research:teach_cli",
        folds="research:folds_cli",
        drop_triples="research:drop_triples_cli",
    ),
}


class LazyCommands(Dict[str, Any]):
    """Name → command, which is made from its line of a table at the first use."""

    def __init__(self, table: Table) -> None:
        super().__init__(dict.fromkeys(table))
        self._table = table

    def __getitem__(self, name: str) -> Any:
        """Return a command. RAISES (KeyError): If there is none of this name."""
        if super().__getitem__(name) is None:
            self[name] = get_command(_make_app(name, self._table[name]))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a command, or a default if there is none of this name."""
        return self[name] if name in self else default

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Return all names and commands."""
        return {name: self[name] for name in self}.items()


class CommandGroup(TyperGroup):
    """The commands of `table`; arguments that are not UTF-8, which nothing could print or write, are refused."""

    table: Table = COMMANDS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": LazyCommands(self.table)})

    def list_commands(self, ctx: Any) -> List[str]:
        """List the names without making the commands."""
        return list(self.table)

    def parse_args(self, ctx: Any, args: List[str]) -> List[str]:
        """Parse the name of a command; its arguments, not parsed yet, come with it."""
        for argument in args:
            try:
                argument.encode("utf8")
            except UnicodeEncodeError:
                fail(Errors.R231.format(found=ascii(argument)))
        return super().parse_args(ctx, args)


def _make_app(name: str, entry: Union[str, Group]) -> typer.Typer:
    """Make the application of a command, or of a group."""
    if isinstance(entry, Group):
        group = type(name, (CommandGroup,), {"table": entry})
        app = typer.Typer(name=name, cls=group, help=entry.help, no_args_is_help=True, add_completion=False)
        app.callback()(_do_nothing)
        return app
    module, _, function = entry.partition(":")
    command = getattr(import_module(f".{module}", __package__), function)
    app = typer.Typer(add_completion=False)
    app.command(name, epilog=getattr(command, "epilog", None))(command)
    return app


def _do_nothing() -> None:
    """Without a callback, typer takes an application for a single command."""


HELP = "Relation extraction: convert, extract, evaluate, view."
relext = typer.Typer(name="relext", cls=CommandGroup, help=HELP, no_args_is_help=True)
relext.callback()(_do_nothing)
spacy_app.add_typer(relext)
