"""The `spacy relext` command group; each command decorates itself onto `relext`."""

import typer
from spacy.cli._util import app as spacy_app

relext = typer.Typer(name="relext", help="Relation extraction: convert, extract, evaluate, view.", no_args_is_help=True)

spacy_app.add_typer(relext)
