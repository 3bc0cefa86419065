"""The tables of a graph as CSV files: one file per table, or the files that the bulk import of Neo4j reads."""

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, List, Sequence, Tuple

from ..corpora.whole import whole_folder
from ..errors import require
from .tables import GraphTables

if TYPE_CHECKING:
    import pyarrow

# As in `safe_cell`, for the regular expressions of pyarrow.
_FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"

# Separator of list elements in files for Neo4j: the unit separator, which is replaced inside names.
NEO4J_SEPARATOR = "\x1f"
NEO4J_ARGUMENTS = "import.args"
# A character that ends a file for the importer of Neo4j, one that its texts may not have, and the separator.
_NOT_IN_NEO4J = "[\x00\x1f\uffff]"
_REPLACEMENT = "\ufffd"

_NODES = {
    "entities.csv": (
        "entity_id:ID(Entity),name:string,kb_id:string,aliases:string[],n_mentions:long,n_documents:long,:LABEL"
    ),
    "documents.csv": "doc_id:ID(Document),meta:string,:LABEL",
    "fact_nodes.csv": "fact_id:ID(Fact),relation:string,probability:double,:LABEL",
}
_RELATIONSHIPS = {
    "facts.csv": (
        ":START_ID(Entity),:END_ID(Entity),fact_id:string,probability:double,best_score:double,n_sentences:long,"
        "n_documents:long,best_sentence:string,:TYPE"
    ),
    "mentions.csv": (
        ":START_ID(Entity),:END_ID(Document),mention_id:string,sent:long,start:long,end:long,text:string,:TYPE"
    ),
    "support.csv": (
        ":START_ID(Fact),:END_ID(Document),sent:long,sent_start:long,sent_end:long,sentence:string,score:double,"
        "source:string,attributes:string,subject_mention:string,object_mention:string,:TYPE"
    ),
}


def write_csv_folder(tables: GraphTables, folder: Path, *, raw: bool = False) -> int:
    """Write each table as `NAME.csv`, lists as JSON.

    Texts are quoted, cells without a value are empty. A text that a spreadsheet would read as a formula is prefixed
    with an apostrophe (`safe_cell`).

    raw (bool): Write such texts as they are.
    RETURNS (int): 0: no character is replaced.
    """
    with whole_folder(folder) as new:
        for name, table in tables.named().items():
            columns = [_plain_column(column, raw=raw) for column in table.columns]
            with (new / f"{name}.csv").open("wb") as stream:
                _write_rows(stream, ",".join(table.column_names), columns)
    return 0


def write_neo4j_folder(tables: GraphTables, folder: Path) -> int:
    """Write the files that `neo4j-admin database import full @import.args` reads from their folder.

    Nodes are entities (labels `Entity` and the type), documents, and facts (`Fact`). Relationships are the facts from
    subject to object, whose type is the relation; MENTIONED_IN from entities to documents; STATED_IN from facts to
    documents, with sentence and score.

    RETURNS (int): Number of replaced characters that the importer cannot read; separators in lists are not counted.
    """
    pyarrow = require("pyarrow", purpose="a graph", extra="export")
    replaced = 0
    with whole_folder(folder) as new:
        for name, columns in _neo4j_columns(pyarrow, tables).items():
            cleaned = []
            for column in columns:
                column, count = _without_controls(column)
                replaced += count
                cleaned.append(column)
            with (new / name).open("wb") as stream:
                _write_rows(stream, (_NODES | _RELATIONSHIPS)[name], cleaned)
        (new / NEO4J_ARGUMENTS).write_text(_arguments(), encoding="utf8", newline="\n")
    return replaced


def _arguments() -> str:
    """Return the options of the import: names of files, and how texts are written in them."""
    options = ["--multiline-fields=true", "--array-delimiter=U+001F"]
    options += [f"--nodes={name}" for name in _NODES] + [f"--relationships={name}" for name in _RELATIONSHIPS]
    return "".join(f"{option}\n" for option in options)


# The columns of a file: values, and whether these are joined lists, whose separators must stay.
_Columns = List[Tuple["pyarrow.ChunkedArray", bool]]


def _neo4j_columns(pyarrow: Any, tables: GraphTables) -> Dict[str, _Columns]:
    """List the columns of each file."""

    def constant(value: str, table: "pyarrow.Table") -> Tuple["pyarrow.ChunkedArray", bool]:
        return pyarrow.chunked_array([pyarrow.repeat(value, table.num_rows)]), False

    def plain(table: "pyarrow.Table", *names: str) -> _Columns:
        return [(table[name], False) for name in names]

    entities, documents, facts = tables.entities, tables.documents, tables.facts
    mentions, support = tables.mentions, tables.support
    numbers = plain(entities, "n_mentions", "n_documents")
    aliases, labels = (_joined(pyarrow, lists) for lists in (entities["aliases"].to_pylist(), _labels(entities)))
    places = plain(support, "sent", "sent_start", "sent_end", "sentence", "score", "source", "attributes")
    of_facts = plain(facts, "probability", "best_score", "n_sentences", "n_documents", "best_sentence", "relation")
    return {
        "entities.csv": [*plain(entities, "entity_id", "name", "kb_id"), aliases, *numbers, labels],
        "documents.csv": [*plain(documents, "doc_id", "meta"), constant("Document", documents)],
        "fact_nodes.csv": [*plain(facts, "fact_id", "relation", "probability"), constant("Fact", facts)],
        "facts.csv": [*plain(facts, "subject", "object", "fact_id"), *of_facts],
        "mentions.csv": [
            *plain(mentions, "entity_id", "doc_id", "mention_id", "sent", "start", "end", "text"),
            constant("MENTIONED_IN", mentions),
        ],
        "support.csv": [
            *plain(support, "fact_id", "doc_id"),
            *places,
            *plain(support, "subject_mention", "object_mention"),
            constant("STATED_IN", support),
        ],
    }


def _labels(entities: "pyarrow.Table") -> List[List[str]]:
    """List the labels of each entity in Neo4j."""
    return [["Entity", *([label] if label and label.strip() else [])] for label in entities["label"].to_pylist()]


def _joined(pyarrow: Any, lists: Sequence[Sequence[str]]) -> Tuple["pyarrow.ChunkedArray", bool]:
    """Join lists by the separator, which is replaced inside their elements."""
    parts = ([each.replace(NEO4J_SEPARATOR, _REPLACEMENT) for each in elements] for elements in lists)
    joined = [NEO4J_SEPARATOR.join(elements) if elements else None for elements in parts]
    return pyarrow.chunked_array([joined], pyarrow.large_string()), True


def _without_controls(column: Tuple["pyarrow.ChunkedArray", bool]) -> Tuple["pyarrow.ChunkedArray", int]:
    """Replace the characters in a column that the importer of Neo4j cannot read, and count them."""
    import pyarrow
    from pyarrow import compute

    values, is_list = column
    if not (pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type)):
        return values, 0
    pattern = _NOT_IN_NEO4J.replace(NEO4J_SEPARATOR, "") if is_list else _NOT_IN_NEO4J
    count = compute.sum(compute.count_substring_regex(values, pattern)).as_py() or 0
    return (compute.replace_substring_regex(values, pattern, _REPLACEMENT) if count else values), count


def _plain_column(values: "pyarrow.ChunkedArray", *, raw: bool) -> "pyarrow.ChunkedArray":
    """Make a column of numbers or texts: lists as JSON, texts as in `safe_cell` unless raw."""
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_list(values.type):
        texts = [json.dumps(each, ensure_ascii=False) for each in values.to_pylist()]
        return pyarrow.chunked_array([texts], pyarrow.large_string())
    is_text = pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type)
    if raw or not is_text:
        return values
    marked = compute.match_substring_regex(values, _FORMULA)
    if not compute.any(marked).as_py():
        return values
    apostrophes = compute.if_else(marked, pyarrow.scalar("'", values.type), pyarrow.scalar("", values.type))
    return compute.binary_join_element_wise(apostrophes, values, pyarrow.scalar("", values.type))


def _write_rows(stream: IO[bytes], header: str, columns: Sequence["pyarrow.ChunkedArray"]) -> None:
    """Write a header and rows: all texts in quotes, those in them doubled; cells without a value empty."""
    import pyarrow
    import pyarrow.csv

    stream.write(f"{header}\n".encode())
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    table = pyarrow.Table.from_arrays(list(columns), names=[str(number) for number in range(len(columns))])
    pyarrow.csv.write_csv(table, stream, options)
