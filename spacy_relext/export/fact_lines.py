"""The facts of a graph as JSON lines, each with its two entities and everything that supports it."""

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator, List, Tuple

from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..corpora.whole import whole_file
from .tables import GraphTables, table_rows

if TYPE_CHECKING:
    import pyarrow

_ENTITY = ("entity_id", "name", "label", "kb_id", "aliases", "n_mentions", "n_documents")
_FACT = ("fact_id", "relation", "probability", "best_score", "n_sentences", "n_documents")
_SUPPORT = ("fact_id", "doc_id", "sent", "sent_start", "sent_end", "sentence", "score", "source", "attributes")


def write_fact_lines(tables: GraphTables, path: Path) -> int:
    """Write one JSON object per fact.

    Its keys are those of the table of facts; `subject` and `object` are entities; `support` lists the sentences, with
    `subject` and `object` as [start, end] in characters of the document. Keys without a value are left out.

    RETURNS (int): 0: no character is replaced.
    """
    with whole_file(path) as stream:
        for fact in _facts(tables):
            stream.write(f"{to_json(fact)}\n".encode())
    return 0


def _facts(tables: GraphTables) -> Iterator[Record]:
    """Yield the objects; both tables, facts and support, are sorted by fact."""
    entities: Dict[int, Record] = {
        row[0]: {key: value for key, value in zip(_ENTITY, row) if value is not None}
        for row in table_rows(tables.entities, _ENTITY)
    }
    groups = groupby(table_rows(_located_support(tables), (*_SUPPORT, *_PLACES)), key=itemgetter(0))
    following = next(groups, None)
    for subject, obj, *row in table_rows(tables.facts, ("subject", "object", *_FACT)):
        fact = dict(zip(_FACT, row))
        support: List[Record] = []
        if following is not None and following[0] == fact["fact_id"]:
            support = [_support(each) for each in following[1]]
            following = next(groups, None)
        yield {"subject": entities[subject], "object": entities[obj], **fact, "support": support}


_PLACES = ("subject_start", "subject_end", "object_start", "object_end")


def _support(row: Tuple[object, ...]) -> Record:
    """Make an object of a row."""
    record = dict(zip(_SUPPORT[1:], row[1:]))
    attributes = record.pop("attributes")
    if attributes:
        record["attributes"] = json.loads(str(attributes))
    subject_start, subject_end, object_start, object_end = row[len(_SUPPORT) :]
    return {**record, "subject": [subject_start, subject_end], "object": [object_start, object_end]}


def _located_support(tables: GraphTables) -> "pyarrow.Table":
    """Add the character offsets of both mentions to the table of support."""
    from pyarrow import compute

    table, mentions = tables.support, tables.mentions
    for role in ("subject", "object"):
        rows = compute.index_in(table[f"{role}_mention"], value_set=mentions["mention_id"])
        for side in ("start", "end"):
            table = table.append_column(f"{role}_{side}", mentions[side].take(rows))
    return table
