"""The triples of documents, and the tables of a graph, as pandas DataFrames."""

from typing import TYPE_CHECKING, Dict, Iterable, List, Union

from spacy.tokens import Doc

from ..annotations.parts import each_doc
from ..errors import require
from .columns import FRAME, columns_of, make_row, pandas_types
from .records import extraction_record
from .tables import GraphTables

if TYPE_CHECKING:
    import pandas

_COLUMNS = columns_of(FRAME)

# Columns, and their types in pandas.
FRAME_COLUMNS = {"doc": "int64", **pandas_types(_COLUMNS)}


def to_frame(docs: Union[Doc, Iterable[Doc]]) -> "pandas.DataFrame":
    """List the triples of documents as a pandas DataFrame, one row per triple, in the order of the texts.

    docs (Union[Doc, Iterable[Doc]]): Processed Docs, also a stream such as `nlp.pipe(texts)`.
    RETURNS (pandas.DataFrame): `doc` (number of the document, from 0), texts `subject` and `object`, `relation`,
        `score` (0 to 1), `source`, `subject_start`, `subject_end`, `object_start`, `object_end` (characters of the
        document), `sentence`, `sentence_start`, `sentence_end`: the sentence, or those from one argument to the other;
        `attributes` as JSON, "" for none.
    RAISES (ImportError): If pandas is not installed.
    RAISES (ValueError): If something is not a Doc.
    """
    pandas = require("pandas", purpose="to_frame", extra="frames")
    columns: Dict[str, List[object]] = {name: [] for name in FRAME_COLUMNS}
    for number, doc in enumerate(each_doc(docs)):
        record = extraction_record(doc)
        for triple in sorted(record["triples"], key=lambda triple: (*triple["subject"], *triple["object"])):
            for name, value in {"doc": number, **make_row(_COLUMNS, record, triple)}.items():
                columns[name].append(value)
    return pandas.DataFrame({name: pandas.Series(columns[name], dtype=kind) for name, kind in FRAME_COLUMNS.items()})


def to_pandas(tables: GraphTables) -> Dict[str, "pandas.DataFrame"]:
    """Make a pandas DataFrame of each table of a graph.

    tables (GraphTables): As from `read_tables`.
    RETURNS (Dict[str, pandas.DataFrame]): By the names of the tables. Unknown values are missing; integer columns
        that may have missing values are of type Int64.
    RAISES (ImportError): If pandas is not installed.
    """
    pandas = require("pandas", purpose="to_pandas", extra="export")
    frames = {}
    for name, table in tables.named().items():
        frames[name] = table.to_pandas()
        for column in table.schema:
            if column.nullable and str(column.type) == "int64":
                frames[name][column.name] = pandas.array(table[column.name].to_pylist(), dtype="Int64")
    return frames
