"""`spacy relext graph export`: a graph as files of other tools."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from ..annotations.schema import read_schema
from ..errors import Errors
from ..export.graph_files import FOLDER_FORMS, FORMS, SUFFIXES, export_graph, find_form
from ..export.tables import read_tables
from . import options
from .pipeline import fail, input_errors


def graph_export_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help=f"File ({', '.join(SUFFIXES)}) or folder ({', '.join(FOLDER_FORMS)})")
    ],
    to: Annotated[
        Optional[str], typer.Option("--to", "-t", help=f"{', '.join(FORMS)}; default: the suffix of OUT")
    ] = None,
    schema: Annotated[
        Optional[Path], typer.Option(help="Schema of the relations (YAML or JSON), for RDF and SHACL")
    ] = None,
    base: Annotated[
        Optional[str], typer.Option(help="Prefix of IRIs in RDF, such as http://example.org/graph/")
    ] = None,
    raw_csv: options.RawCsv = False,
) -> None:
    """Write a graph in the format of another tool."""
    with input_errors():
        form = find_form(output, to)
        known = read_schema(schema) if schema is not None else None
        if output.resolve() == folder.resolve():
            fail(Errors.R217.format(path=str(output)))
        tables = read_tables(folder)
        replaced = export_graph(tables, output, form=form, base=base, schema=known, raw_csv=raw_csv)
    if replaced:
        msg.warn(f"{replaced:,} characters that {form} does not have are replaced by U+FFFD")
    facts, entities = tables.facts.num_rows, tables.entities.num_rows
    what = "the shapes of the schema" if form == "shacl" else f"{facts:,} facts of {entities:,} entities"
    msg.good(f"Wrote {what} to {output}")
