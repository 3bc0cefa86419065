"""The tables of a graph as the CSV files that the bulk import of Neo4j reads."""

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, List, Sequence, Tuple

from ..corpora.whole import whole_folder
from ..errors import require
from .tables import GraphTables, own_values

if TYPE_CHECKING:
    import pyarrow

# Separator of list elements in files for Neo4j: the unit separator, which is replaced inside names.
NEO4J_SEPARATOR = "\x1f"
NEO4J_ARGUMENTS = "import.args"
# A character that ends a file for the importer of Neo4j, one that its texts may not have, and the separator.
_NOT_IN_NEO4J = "[\x00\x1f\uffff]"
_REPLACEMENT = "\ufffd"

# The files for Neo4j: the table, the columns with their types, and where those without a name come from: a column of
# the table, or "=" and a constant text.
_FILES: Dict[str, Tuple[str, str, Dict[str, str]]] = {
    "entities.csv": (
        "entities",
        "entity_id:ID(Entity),name:string,kb_id:string,aliases:string[],n_mentions:long,n_documents:long,date:string,"
        "number:double,unit:string,:LABEL",
        {":LABEL": "labels"},
    ),
    "documents.csv": ("documents", "doc_id:ID(Document),meta:string,:LABEL", {":LABEL": "=Document"}),
    "fact_nodes.csv": ("facts", "fact_id:ID(Fact),relation:string,probability:double,:LABEL", {":LABEL": "=Fact"}),
    "facts.csv": (
        "facts",
        ":START_ID(Entity),:END_ID(Entity),fact_id:string,probability:double,best_score:double,n_sentences:long,"
        "n_documents:long,best_sentence:string,start:string,end:string,at:string,:TYPE",
        {":START_ID(Entity)": "subject", ":END_ID(Entity)": "object", ":TYPE": "relation"},
    ),
    "mentions.csv": (
        "mentions",
        ":START_ID(Entity),:END_ID(Document),mention_id:string,sent:long,start:long,end:long,text:string,:TYPE",
        {":START_ID(Entity)": "entity_id", ":END_ID(Document)": "doc_id", ":TYPE": "=MENTIONED_IN"},
    ),
    "support.csv": (
        "support",
        ":START_ID(Fact),:END_ID(Document),sent:long,sent_start:long,sent_end:long,sentence:string,score:double,"
        "source:string,attributes:string,subject_mention:string,object_mention:string,:TYPE",
        {":START_ID(Fact)": "fact_id", ":END_ID(Document)": "doc_id", ":TYPE": "=STATED_IN"},
    ),
}
_NODES = ("entities.csv", "documents.csv", "fact_nodes.csv")


def write_neo4j_folder(tables: GraphTables, folder: Path) -> int:
    """Write the files that `neo4j-admin database import full @import.args` reads from their folder.

    Nodes are entities (labels `Entity` and the type), documents, and facts (`Fact`). Relationships are the facts from
    subject to object, whose type is the relation; MENTIONED_IN from entities to documents; STATED_IN from facts to
    documents, with sentence and score. Each date and amount is a node of its fact alone, see `own_values`.

    RETURNS (int): Number of replaced characters that the importer cannot read; separators in lists are not counted.
    """
    pyarrow = require("pyarrow", purpose="a graph", extra="export")
    tables, replaced = own_values(tables), 0
    with whole_folder(folder) as new:
        for name, (table, header, sources) in _FILES.items():
            cleaned = []
            for each in header.split(","):
                source = sources.get(each, each.split(":")[0])
                column, count = _neo4j_column(pyarrow, tables.named()[table], source)
                replaced += count
                cleaned.append(column)
            with (new / name).open("wb") as stream:
                _write_rows(stream, header, cleaned)
        (new / NEO4J_ARGUMENTS).write_text(_arguments(), encoding="utf8", newline="\n")
    return replaced


def _arguments() -> str:
    """Return the options of the import: names of files, and how texts are written in them."""
    options = ["--multiline-fields=true", "--array-delimiter=U+001F"]
    options += [f"--{'nodes' if name in _NODES else 'relationships'}={name}" for name in _FILES]
    return "".join(f"{option}\n" for option in options)


def _neo4j_column(pyarrow: Any, table: "pyarrow.Table", source: str) -> Tuple["pyarrow.ChunkedArray", int]:
    """Make a column, and count the characters that are replaced in it."""
    if source.startswith("="):
        return pyarrow.chunked_array([pyarrow.repeat(source[1:], table.num_rows)]), 0
    if source in ("labels", "aliases"):
        lists = _labels(table) if source == "labels" else table["aliases"].to_pylist()
        return _without_controls(_joined(pyarrow, lists), is_list=True)
    return _without_controls(table[source], is_list=False)


def _labels(entities: "pyarrow.Table") -> List[List[str]]:
    return [["Entity", *([label] if label and label.strip() else [])] for label in entities["label"].to_pylist()]


def _joined(pyarrow: Any, lists: Sequence[Sequence[str]]) -> "pyarrow.ChunkedArray":
    """Join lists by the separator, which is replaced inside their elements."""
    parts = ([each.replace(NEO4J_SEPARATOR, _REPLACEMENT) for each in elements] for elements in lists)
    joined = [NEO4J_SEPARATOR.join(elements) if elements else None for elements in parts]
    return pyarrow.chunked_array([joined], pyarrow.large_string())


def _without_controls(values: "pyarrow.ChunkedArray", *, is_list: bool) -> Tuple["pyarrow.ChunkedArray", int]:
    """Replace the characters in a column that the importer of Neo4j cannot read, and count them."""
    import pyarrow
    from pyarrow import compute

    if not (pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type)):
        return values, 0
    pattern = _NOT_IN_NEO4J.replace(NEO4J_SEPARATOR, "") if is_list else _NOT_IN_NEO4J
    count = compute.sum(compute.count_substring_regex(values, pattern)).as_py() or 0
    return (compute.replace_substring_regex(values, pattern, _REPLACEMENT) if count else values), count


def _write_rows(stream: IO[bytes], header: str, columns: Sequence["pyarrow.ChunkedArray"]) -> None:
    """Write a header and rows: all texts in quotes, those in them doubled; cells without a value empty."""
    import pyarrow
    import pyarrow.csv

    stream.write(f"{header}\n".encode())
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    table = pyarrow.Table.from_arrays(list(columns), names=[str(number) for number in range(len(columns))])
    pyarrow.csv.write_csv(table, stream, options)
