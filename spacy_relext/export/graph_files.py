"""The tables of a graph as files for other tools: one function for all forms."""

from pathlib import Path
from typing import Callable, Dict, Optional

from ..annotations.schema import Schema
from ..errors import Errors
from .csv_tables import write_csv_folder, write_neo4j_folder
from .fact_lines import write_fact_lines
from .network import write_gexf, write_graphml
from .rdf import graph_statements
from .rdf_files import DEFAULT_BASE, check_base, write_rdf
from .tables import GraphTables, write_tables

# Forms that are a folder, and the forms of single files by their suffix.
FOLDER_FORMS = ("parquet", "csv", "neo4j")
SUFFIXES = {f".{form}": form for form in ("jsonl", "graphml", "gexf", "ttl", "nt", "nq")}
FORMS = (*FOLDER_FORMS, *SUFFIXES.values())

_PLAIN: Dict[str, Callable[[GraphTables, Path], int]] = {
    "neo4j": write_neo4j_folder,
    "jsonl": write_fact_lines,
    "graphml": write_graphml,
    "gexf": write_gexf,
}


def find_form(out: Path, form: Optional[str] = None) -> str:
    """Return the form of an output: the chosen one, or else that of the suffix.

    RAISES (ValueError): If there is no such form.
    """
    found = SUFFIXES.get(out.suffix.lower()) if form is None else form
    if found not in FORMS:
        expected = ", ".join(FORMS)
        raise ValueError(Errors.R206.format(option="--to", found=form or out.suffix, expected=expected))
    return str(found)


def export_graph(
    tables: GraphTables,
    out: Path,
    *,
    form: Optional[str] = None,
    base: Optional[str] = None,
    schema: Optional[Schema] = None,
    raw_csv: bool = False,
) -> int:
    """Write a graph in one form, whole or not at all; the same tables give the same bytes.

    out (Path): A file, or a folder for `parquet`, `csv` and `neo4j`.
    form (Optional[str]): One of FORMS; None: by the suffix of a file.
    base (Optional[str]): IRI prefix of names in RDF; None: the `base` of `tables.info`, or else DEFAULT_BASE.
    schema (Optional[Schema]): RDF gets its declarations.
    raw_csv (bool): Write CSV without apostrophes before texts that a spreadsheet would read as formulas.
    RETURNS (int): Number of characters replaced because the form cannot represent them.
    RAISES (ValueError): If the form is unknown, `out` is a folder instead of a file, or the base is no absolute IRI.
    """
    form = find_form(out, form)
    if form not in FOLDER_FORMS and out.is_dir():
        raise ValueError(Errors.R801.format(path=out, found="a folder", expected="a file"))
    if form in _PLAIN:
        return _PLAIN[form](tables, out)
    if form == "parquet":
        write_tables(tables, out)
        return 0
    if form == "csv":
        return write_csv_folder(tables, out, raw=raw_csv)
    base = check_base(base or tables.info.get("base") or DEFAULT_BASE)
    write_rdf(graph_statements(tables, base=base, schema=schema), out, form=form, base=base)
    return 0
