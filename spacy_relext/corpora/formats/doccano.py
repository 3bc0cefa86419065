"""doccano's JSON lines, of projects with relations: `{"text", "entities", "relations"}`; exports and imports alike.

Offsets count UTF-16 units, as JavaScript does, or graphemes if the project is set so; the end is exclusive.
"""

from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Iterable, Iterator, List, Optional
from zipfile import BadZipFile, ZipFile

from ...annotations.triple import Record
from ...errors import Errors
from ..whole import whole_text
from .annotation import Losses, SpanReader, count_suggestions, list_spans, pop_others
from .checks import check_object, iter_objects, require, require_text
from .offsets import Counting, OffsetMap
from .sources import Item, read_json, to_json

_COUNTING = Counting("utf16")

_OWN_KEYS = ("relations", "Comments")

# Files of an export that belong to no annotator.
_NOBODY = ("all", "unknown")


def read_doccano(path: Path) -> Iterator[Item]:
    """Read the records of a file, or of the zip of an export, which has a file for each annotator or one for all.

    RAISES (ValueError): At the end, if there are entities but no relation at all: older servers export no relations of
        documents that are not confirmed.
    """
    entities = relations = 0
    for item in _read_zip(path) if path.suffix.lower() == ".zip" else read_json(path):
        if isinstance(item.value, dict):
            entities += bool(item.value.get("entities"))
            relations += bool(item.value.get("relations"))
        yield item
    if entities and not relations:
        raise ValueError(Errors.R120.format(path=path, count=entities))


def _read_zip(path: Path) -> Iterator[Item]:
    """Read the files of a zip, each named after its annotator."""
    with TemporaryDirectory() as folder:
        try:
            with ZipFile(path) as archive:
                archive.extractall(folder)
        except BadZipFile as error:
            raise ValueError(Errors.R101.format(path=path, what=error, expected="a zip of JSON lines")) from None
        for file in sorted(Path(folder).rglob("*.json*")):
            annotator = {} if file.stem in _NOBODY else {"annotator": file.stem}
            for item in read_json(file):
                value = {**annotator, **item.value} if isinstance(item.value, dict) else item.value
                yield replace(item, path=f"{path}/{file.relative_to(folder).as_posix()}", value=value)


def parse_doccano(value: object, *, offsets: Optional[str] = None) -> Record:
    """Parse a record; it is annotated only with what it has a key for.

    offsets (Optional[str]): What offsets count, a key of `COUNTINGS`; None: UTF-16 units.
    """
    record = check_object(value)
    reader = SpanReader(require_text(record, "text"), offsets, default=_COUNTING)
    reader.losses["comments"] += len(record["Comments"]) if isinstance(record.get("Comments"), list) else 0
    annotated = [key for key, of_tool in (("entities", "entities"), ("triples", "relations")) if of_tool in record]
    if not annotated and ("label" in record or "labels" in record):
        raise ValueError(Errors.R714)
    for name, entity in iter_objects(record, "entities") if "entities" in record else ():
        key, start, end = (require(entity, each, int, name=name) for each in ("id", "start_offset", "end_offset"))
        reader.add_span(key, start, end, [require(entity, "label", str, name=name)], name=name)
    for name, relation in iter_objects(record, "relations") if "relations" in record else ():
        subject, obj = (require(relation, each, int, name=name) for each in ("from_id", "to_id"))
        label = relation.get("type")
        labels = [] if label is None else [require(relation, "type", str, name=name)]
        reader.add_relation(subject, labels, obj, name=name)
    return reader.record(record, known=[*_OWN_KEYS, "entities"], annotated=annotated)


def write_doccano(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write records for import; ids are unique in the file.

    losses (Losses): Counts what the tool has no place for.
    RETURNS (List[Path]): The file.
    """
    entity_ids, relation_ids = count(), count()
    with whole_text(path) as file:
        for record in records:
            entities, relations = list_spans(record, losses)
            losses["ids of a knowledge base"] += sum(bool(entity.get("kb_id")) for entity in entities)
            losses["attributes of triples"] += sum(bool(relation.attributes) for relation in relations)
            count_suggestions(relations, losses)
            ids = [next(entity_ids) for _ in entities]
            places = OffsetMap(record["text"], _COUNTING)
            made: Record = {"text": record["text"], **pop_others(record, _OWN_KEYS.__contains__, losses)}
            if "entities" in record or entities:
                made["entities"] = [
                    {
                        "id": key,
                        "start_offset": places.from_codepoints(each["start"]),
                        "end_offset": places.from_codepoints(each["end"]),
                        "label": each["label"],
                    }
                    for key, each in zip(ids, entities)
                ]
            if "triples" in record:
                made["relations"] = [
                    {
                        "id": next(relation_ids),
                        "from_id": ids[each.subject],
                        "to_id": ids[each.object],
                        "type": each.triple["relation"],
                    }
                    for each in relations
                ]
            file.write(to_json(made) + "\n")
    return [path]
