"""The tables of a graph, and their folder: documents, mentions, entities, facts, support, merges and conflicts."""

import json
from dataclasses import dataclass, field, fields, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Iterator, List, Mapping, Sequence, Tuple, Union

from ..annotations.names import VALUE_LABELS
from ..annotations.schema import schema_from_dict
from ..annotations.triple import Record
from ..annotations.values import Value, parse_value
from ..corpora.formats.checks import check_unicode, describe
from ..corpora.formats.sources import parse_json
from ..corpora.whole import whole_folder
from ..errors import Errors, require

if TYPE_CHECKING:
    import pyarrow

FORMAT_VERSION = 1
# Columns that say when a fact holds.
PERIOD = ("start", "end", "at")
INFO_FILE = "graph.json"
TABLE_NAMES = ("documents", "mentions", "entities", "facts", "support", "merges", "conflicts")

# Columns of each table with their types, in the order of the files and of sorting. "?" marks those that may be null.
_COLUMNS: Dict[str, Dict[str, str]] = {
    "documents": {"doc_id": "string", "text": "large_string?", "meta": "large_string"},
    "mentions": {
        "mention_id": "int64",
        "doc_id": "string",
        "sent": "int32",
        "start": "int64",
        "end": "int64",
        "text": "string",
        "label": "string?",
        "kb_id": "string?",
        "entity_id": "int64",
    },
    "entities": {
        "entity_id": "int64",
        "name": "string",
        "label": "string?",
        "kb_id": "string?",
        "aliases": "list",
        "n_mentions": "int64",
        "n_documents": "int64",
    },
    "facts": {
        "fact_id": "int64",
        "subject": "int64",
        "relation": "string",
        "object": "int64",
        "probability": "float64",
        "best_score": "float64",
        "n_sentences": "int64",
        "n_documents": "int64",
        "best_sentence": "large_string",
        "start": "string?",
        "end": "string?",
        "at": "string?",
    },
    "support": {
        "fact_id": "int64",
        "subject_mention": "int64",
        "object_mention": "int64",
        "doc_id": "string",
        "sent": "int32",
        "sent_start": "int64",
        "sent_end": "int64",
        "sentence": "large_string",
        "score": "float64",
        "source": "string",
        "attributes": "string?",
        "start": "string?",
        "end": "string?",
        "at": "string?",
    },
    "merges": {
        "entity_id": "int64",
        "name": "string",
        "merged": "string",
        "doc_id": "string?",
        "reason": "string",
        "score": "float64",
    },
    "conflicts": {
        "kind": "string",
        "relation": "string",
        "fact_id": "int64",
        "other_fact_id": "int64?",
        "detail": "large_string",
        "score": "float64?",
    },
}
# Columns that identify the rows of their table.
_IDS = {"documents": "doc_id", "mentions": "mention_id", "entities": "entity_id", "facts": "fact_id"}
# Ids and counts are exact in JSON and in floating point up to here.
_MOST = 2**53

# (table, column, table whose rows the column refers to).
_REFERENCES = (
    ("mentions", "doc_id", "documents"),
    ("mentions", "entity_id", "entities"),
    ("facts", "subject", "entities"),
    ("facts", "object", "entities"),
    ("support", "fact_id", "facts"),
    ("support", "subject_mention", "mentions"),
    ("support", "object_mention", "mentions"),
    ("support", "doc_id", "documents"),
    ("conflicts", "fact_id", "facts"),
    ("conflicts", "other_fact_id", "facts"),
)


@dataclass
class GraphTables:
    """A graph as tables of pyarrow with the schemas of `table_schemas`, each sorted by its columns, first to last.

    documents (pyarrow.Table): One row per document; `meta` has its other keys as JSON.
    mentions (pyarrow.Table): Where texts name entities; `sent` from 0, `start` and `end` in characters.
    entities (pyarrow.Table): One row per entity, with all its names.
    facts (pyarrow.Table): Subject and object (entities), relation, calibrated probability; `start`, `end` and `at` say
        when it holds, in ISO 8601.
    support (pyarrow.Table): The sentences that state a fact, with the two mentions; `attributes` is JSON; `start`,
        `end` and `at` are what the sentence says of that.
    merges (pyarrow.Table): Which names became one entity, and why.
    conflicts (pyarrow.Table): Facts that the schema does not allow together, or at all, and those that a text denies,
        with the score of the denial.
    info (Record): How the graph was made; the content of `graph.json` without the version of the format.
    """

    documents: "pyarrow.Table"
    mentions: "pyarrow.Table"
    entities: "pyarrow.Table"
    facts: "pyarrow.Table"
    support: "pyarrow.Table"
    merges: "pyarrow.Table"
    conflicts: "pyarrow.Table"
    info: Record = field(default_factory=dict)

    @property
    def value_labels(self) -> FrozenSet[str]:
        """RETURNS (FrozenSet[str]): The entity types of values, in upper case."""
        return VALUE_LABELS | {*self.info.get("values", ())}

    def named(self) -> Dict[str, "pyarrow.Table"]:
        """Return the tables by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "info"}


def table_schemas() -> Dict[str, "pyarrow.Schema"]:
    """Return the schemas of the tables by name. RAISES (ImportError): If pyarrow is not installed."""
    pyarrow = _pyarrow()
    schemas = {}
    for table, columns in _COLUMNS.items():
        described = []
        for name, kind in columns.items():
            plain = kind.removesuffix("?")
            type_ = pyarrow.list_(pyarrow.string()) if plain == "list" else getattr(pyarrow, plain)()
            described.append(pyarrow.field(name, type_, nullable=kind.endswith("?")))
        schemas[table] = pyarrow.schema(described)
    return schemas


def make_table(name: str, columns: Mapping[str, Sequence[object]]) -> "pyarrow.Table":
    """Make a sorted table from plain values.

    name (str): One of TABLE_NAMES.
    columns (Mapping[str, Sequence[object]]): One list per column, all of the same length.
    """
    return sorted_table(name, _pyarrow().Table.from_pydict(dict(columns), schema=table_schemas()[name]))


def sorted_table(name: str, table: "pyarrow.Table") -> "pyarrow.Table":
    """Sort a table by its columns, first to last, so that the same rows give the same file."""
    keys = [(column, "ascending") for column, kind in _COLUMNS[name].items() if kind != "list"]
    return table.sort_by(keys).combine_chunks() if table.num_rows else table


def empty_tables() -> GraphTables:
    """Make a graph without rows."""
    return GraphTables(**{name: schema.empty_table() for name, schema in table_schemas().items()})


def write_tables(tables: GraphTables, folder: Union[str, Path]) -> None:
    """Write a graph as one `NAME.parquet` per table and `graph.json`: the whole folder or, after an error, nothing.

    An existing graph is replaced; other files in its folder stay. The same tables give the same bytes.

    folder (Union[str, Path]): New, empty, or the folder of a graph.
    RAISES (ValueError): If it is a file, or has files but no graph.
    """
    folder = check_folder(folder)
    parquet = require("pyarrow.parquet", purpose="a graph", extra="export")
    with whole_folder(folder) as new:
        for name, table in tables.named().items():
            parquet.write_table(table, new / f"{name}.parquet", compression="zstd")
        text = json.dumps({"format": FORMAT_VERSION, **tables.info}, ensure_ascii=False, indent=2, sort_keys=True)
        (new / INFO_FILE).write_text(f"{text}\n", encoding="utf8", newline="\n")


def check_folder(folder: Union[str, Path]) -> Path:
    """Return the folder of a graph to write. RAISES (ValueError): If it is a file, or has files but no graph."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not is_graph(folder):
        expected = "a new or empty folder, or that of a graph"
        raise ValueError(Errors.R801.format(path=folder, found="something else", expected=expected))
    return folder


def is_graph(folder: Union[str, Path]) -> bool:
    """Return True if a folder has a graph."""
    return (Path(folder) / INFO_FILE).is_file()


def read_tables(folder: Union[str, Path]) -> GraphTables:
    """Read the graph that `write_tables` wrote.

    RAISES (ValueError): If there is none, a file is missing, damaged or of another version, a column is missing, cannot
        be converted to its type or has values that it may not have, or an id occurs twice or does not exist.
    """
    pyarrow, parquet = _pyarrow(), require("pyarrow.parquet", purpose="a graph", extra="export")
    folder = Path(folder)
    info = read_info(folder)
    tables = {}
    for name, schema in table_schemas().items():
        path = folder / f"{name}.parquet"
        try:
            with parquet.ParquetFile(path) as file:
                table = file.read().select(schema.names).cast(schema).combine_chunks()
            table.validate(full=True)
        except (OSError, ValueError, KeyError, OverflowError, NotImplementedError, pyarrow.ArrowException) as error:
            found = "no such file" if isinstance(error, FileNotFoundError) else str(error).split("\n")[0]
            expected = f"a table in Parquet with {', '.join(schema.names)}"
            raise ValueError(Errors.R800.format(place=path, found=found, expected=expected)) from None
        _check_values(path, table)
        tables[name] = table
    _check_ids(folder, tables)
    return GraphTables(info=info, **tables)


def table_rows(table: "pyarrow.Table", columns: Sequence[str], *, size: int = 10_000) -> Iterator[Tuple[Any, ...]]:
    """Yield rows of a table as tuples, with a batch of Python values in memory at a time."""
    for batch in table.select(columns).to_batches(max_chunksize=size):
        lists: List[List[object]] = [column.to_pylist() for column in batch.columns]
        yield from zip(*lists)


def facts_with_support(
    tables: GraphTables, fact: Sequence[str], support: Sequence[str]
) -> Iterator[Tuple[Record, List[Record]]]:
    """Yield each fact with its support, as some of their columns; both tables are sorted by fact."""
    rows = groupby(table_rows(tables.support, ("fact_id", *support)), key=itemgetter(0))
    following = next(rows, None)
    for number, *values in table_rows(tables.facts, ("fact_id", *fact)):
        own: List[Record] = []
        if following is not None and following[0] == number:
            own = [dict(zip(support, row[1:])) for row in following[1]]
            following = next(rows, None)
        yield {"fact_id": number, **dict(zip(fact, values))}, own


def literal_values(tables: GraphTables) -> Dict[int, Tuple[str, str]]:
    """Return the names and types of the entities that are values, such as dates and amounts, and no subjects of facts.

    In exports they are literals or nodes of single facts: what two facts have in common is no relation.
    """
    subjects = set(tables.facts["subject"].unique().to_pylist())
    rows = table_rows(tables.entities, ("entity_id", "name", "label"))
    types = tables.value_labels
    return {
        number: (name, label)
        for number, name, label in rows
        if (label or "").upper() in types and number not in subjects
    }


def own_values(tables: GraphTables) -> GraphTables:
    """Give each fact about a value a value of its own, for property graphs: no two facts meet in one.

    RETURNS (GraphTables): The value of a fact is an entity whose id is the negative id of the fact. Entities have three
        columns more, which values fill where their text leaves no doubt: `date` in ISO 8601, `number` and `unit`.
    """
    pyarrow, literals = _pyarrow(), literal_values(tables)
    from pyarrow import compute

    values = pyarrow.array(list(literals), pyarrow.int64())
    is_value = compute.is_in(tables.facts["object"], value_set=values)
    objects = compute.if_else(is_value, compute.negate(tables.facts["fact_id"]), tables.facts["object"])
    facts = tables.facts.set_column(tables.facts.schema.get_field_index("object"), "object", objects)
    about = tables.facts.filter(is_value)
    rows: List[Record] = []
    for number, value, documents in table_rows(about, ("fact_id", "object", "n_documents")):
        name, label = literals[value]
        read = parse_value(name, label) or Value()
        row = {"entity_id": -number, "name": name, "label": label, "aliases": []}
        row.update(n_mentions=documents, n_documents=documents, date=read.date or None, unit=read.unit or None)
        rows.append({**row, "number": None if read.number is None else float(read.number)})
    named = tables.entities.filter(compute.invert(compute.is_in(tables.entities["entity_id"], value_set=values)))
    types = {"date": pyarrow.string(), "number": pyarrow.float64(), "unit": pyarrow.string()}
    added = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema([*tables.entities.schema, *types.items()]))
    entities = pyarrow.concat_tables([named, added], promote_options="default").combine_chunks()
    of_names = compute.invert(compute.is_in(tables.mentions["entity_id"], value_set=values))
    return replace(tables, facts=facts, entities=entities, mentions=tables.mentions.filter(of_names))


def read_info(folder: Path) -> Record:
    """Read graph.json without its version, which it checks."""
    path = folder / INFO_FILE
    try:
        info = parse_json(path.read_text(encoding="utf8"))
        check_unicode(json.dumps(info, ensure_ascii=False), "the text")
        version = info.pop("format")
        schema_from_dict(info.get("schema") or {"relations": {}})
    except FileNotFoundError:
        raise ValueError(
            Errors.R801.format(path=folder, found="no graph.json", expected="the folder of a graph")
        ) from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(Errors.R800.format(place=path, found=f"{error!r:.80}", expected="JSON with format")) from None
    if version != FORMAT_VERSION:
        raise ValueError(Errors.R800.format(place=path, found=f"format {version!r}", expected=FORMAT_VERSION))
    for key in ("last_entity", "last_fact"):
        if type(value := info.get(key, 0)) is not int or not 0 <= value < _MOST:
            found = f"{key} {describe(value)}"
            raise ValueError(Errors.R800.format(place=path, found=found, expected="a whole number from 0"))
    values = info.get("values", [])
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        found = f"values {describe(values)}"
        raise ValueError(Errors.R800.format(place=path, found=found, expected="a list of entity types"))
    return dict(info)


def _check_values(path: Path, table: "pyarrow.Table") -> None:
    """Check that numbers are in their range, and that lists and relations have texts; ValueError if not."""
    pyarrow = _pyarrow()
    from pyarrow import compute

    for column in table.schema:
        values, expected = table[column.name], ""
        if pyarrow.types.is_integer(column.type):
            least, most = compute.min_max(values).as_py().values()
            expected = f"0 to {_MOST}" if least is not None and not 0 <= least <= most < _MOST else ""
        elif pyarrow.types.is_floating(column.type):
            numbers = values.drop_null().to_numpy()
            expected = "" if ((numbers >= 0) & (numbers <= 1)).all() else "0 to 1"
        elif pyarrow.types.is_list(column.type):
            expected = "a text in each list" if compute.list_flatten(values).null_count else ""
        elif column.name == "relation":
            blank = compute.any(compute.equal(compute.utf8_trim_whitespace(values), "")).as_py()
            expected = "a name that is not blank" if blank else ""
        if expected:
            place = f"{path}, column {column.name}"
            raise ValueError(Errors.R800.format(place=place, found="other values", expected=expected))


def _check_ids(folder: Path, tables: Mapping[str, "pyarrow.Table"]) -> None:
    """Check that ids are unique and that rows name those of other tables; ValueError if not."""
    from pyarrow import compute

    for name, column in _IDS.items():
        ids = tables[name].column(column)
        if len(ids) != compute.count_distinct(ids).as_py():
            place, found = folder / f"{name}.parquet", f"the same {column} in several rows"
            raise ValueError(Errors.R800.format(place=place, found=found, expected="different ones"))
    for name, column, other in _REFERENCES:
        values = tables[name].column(column).drop_null()
        unknown = values.filter(compute.invert(compute.is_in(values, value_set=tables[other].column(_IDS[other]))))
        if len(unknown):
            where, value = f"{folder / name}.parquet, column {column}", repr(unknown[0].as_py())
            raise ValueError(Errors.R800.format(place=where, found=value, expected=f"the id of a row of {other}"))


def _pyarrow() -> Any:
    return require("pyarrow", purpose="a graph", extra="export")
