"""`spacy relext graph view`: a graph as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpora.whole import whole_file
from ..errors import Errors
from ..export.tables import read_tables
from ..graph.page import MOST_FACTS, draw_graph
from .pipeline import fail, input_errors

SUFFIXES = (".html", ".htm")


def graph_view_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    output: Annotated[Path, typer.Argument(metavar="OUT.html", help="Page to write")],
    title: Annotated[str, typer.Option(help="Heading of the page")] = "Graph",
    most_facts: Annotated[
        int, typer.Option(min=1, help="Number of facts to show, the most probable ones")
    ] = MOST_FACTS,
) -> None:
    """Write one page, which needs no network: search, facts with sentences and conflicts, merges, neighbours."""
    with input_errors():
        if output.suffix.lower() not in SUFFIXES:
            fail(Errors.R206.format(option="The suffix of OUT.html", found=output.suffix, expected=", ".join(SUFFIXES)))
        tables = read_tables(folder)
        page = draw_graph(tables, title=title, most_facts=most_facts)
        with whole_file(output) as stream:
            stream.write(page.html.encode("utf8", "replace"))
    if page.facts < tables.facts.num_rows:
        msg.info(f"The {page.facts:,} most probable of {tables.facts.num_rows:,} facts; --most-facts shows more")
    msg.good(f"Wrote {page.facts:,} facts to {output}")
