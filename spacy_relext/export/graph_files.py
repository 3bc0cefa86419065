"""The tables of a graph as files for other tools: one function for all forms; and facts as JSON lines."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, Iterator, Optional

from ..annotations.schema import Schema
from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..corpora.whole import whole_file
from ..errors import Errors
from .neo4j import write_neo4j_folder
from .rdf import DEFAULT_BASE, check_base, graph_statements, write_rdf
from .tables import PERIOD, GraphTables, facts_with_support, table_rows, write_tables
from .xml_graphs import write_gexf, write_graphml

if TYPE_CHECKING:
    import pyarrow

# Forms that are a folder, and the forms of single files by their suffix.
FOLDER_FORMS = ("parquet", "neo4j")
SUFFIXES = {f".{form}": form for form in ("jsonl", "graphml", "gexf", "ttl", "nt", "nq")}
FORMS = (*FOLDER_FORMS, *SUFFIXES.values())
# What people give for a table.
_TABLES = ("csv", "tsv", "xlsx")

# Columns of a fact, of its entities and of its support in JSON lines.
_FACT = ("subject", "object", "relation", "probability", "best_score", "n_sentences", "n_documents")
_ENTITY = ("entity_id", "name", "label", "kb_id", "aliases", "n_mentions", "n_documents")
_SUPPORT = ("doc_id", "sent", "sent_start", "sent_end", "sentence", "score", "source", "attributes")
_PLACES = ("subject_start", "subject_end", "object_start", "object_end")


def write_fact_lines(tables: GraphTables, path: Path) -> int:
    """Write one JSON object per fact.

    Its keys are the columns of facts; `subject` and `object` are entities; `support` lists the sentences, with
    `subject` and `object` as [start, end] in characters of the document. Keys without a value are left out.

    RETURNS (int): 0: no character is replaced.
    """
    with whole_file(path) as stream:
        for fact in _facts(tables):
            stream.write(f"{to_json(fact)}\n".encode())
    return 0


def _facts(tables: GraphTables) -> Iterator[Record]:
    entities = {
        row[0]: {key: value for key, value in zip(_ENTITY, row) if value is not None}
        for row in table_rows(tables.entities, _ENTITY)
    }
    located = replace(tables, support=_located_support(tables))
    for fact, support in facts_with_support(located, (*_FACT, *PERIOD), (*_SUPPORT, *_PLACES)):
        fact = {key: value for key, value in fact.items() if key not in PERIOD or value is not None}
        for each in support:
            each["attributes"] = json.loads(each["attributes"] or "{}")
            for role in ("subject", "object"):
                each[role] = [each.pop(f"{role}_start"), each.pop(f"{role}_end")]
        rows = [{key: value for key, value in each.items() if key != "attributes" or value} for each in support]
        yield {**fact, "subject": entities[fact["subject"]], "object": entities[fact["object"]], "support": rows}


def _located_support(tables: GraphTables) -> "pyarrow.Table":
    """Add the character offsets of both mentions to the table of support."""
    from pyarrow import compute

    table, mentions = tables.support, tables.mentions
    for role in ("subject", "object"):
        rows = compute.index_in(table[f"{role}_mention"], value_set=mentions["mention_id"])
        for side in ("start", "end"):
            table = table.append_column(f"{role}_{side}", mentions[side].take(rows))
    return table


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
    if (form or out.suffix[1:]).lower() in _TABLES:
        table = (form or out.suffix[1:]).upper()
        raise ValueError(Errors.R840.format(form=table, folder=out.with_suffix(""), expected=", ".join(FORMS)))
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
) -> int:
    """Write a graph in one form, whole or not at all; the same tables give the same bytes.

    out (Path): A file, or a folder for `parquet` and `neo4j`.
    form (Optional[str]): One of FORMS; None: by the suffix of a file.
    base (Optional[str]): IRI prefix of names in RDF; None: the `base` of `tables.info`, or else DEFAULT_BASE.
    schema (Optional[Schema]): RDF gets its declarations.
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
    base = check_base(base or tables.info.get("base") or DEFAULT_BASE)
    write_rdf(graph_statements(tables, base=base, schema=schema), out, form=form, base=base)
    return 0
