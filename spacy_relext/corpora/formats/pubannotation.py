"""PubAnnotation's JSON: `denotations` are spans, and `relations` join them by id; each of `tracks` has its own.

Offsets count characters; the end is exclusive.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from ...annotations.triple import Record
from ...errors import Errors
from .annotation import SpanReader
from .checks import check_object, check_unicode, describe, iter_objects, require, require_text
from .sources import Item, read_folder, read_json

_ANNOTATION = ("denotations", "blocks", "relations", "attributes", "modifications")
_OWN_KEYS = (*_ANNOTATION, "tracks", "entities", "triples")

# Attributes of triples by the names of modifications.
_MODIFICATIONS = {"Negation": "negated", "Speculation": "speculation"}


def read_pubannotation(path: Path) -> Iterator[Item]:
    """Read the documents of a file, or of a folder of them."""
    return read_folder(path, (".json", ".jsonl"), read_json)


def parse_pubannotation(value: object, *, offsets: Optional[str] = None, discontinuous: Optional[str] = None) -> Record:
    """Parse a document; it is annotated only with what it, or one of its tracks, has a key for.

    offsets, discontinuous (Optional[str]): See `SpanReader`.
    """
    record = check_object(value)
    reader = SpanReader(require_text(record, "text"), offsets, discontinuous)
    tracks = list(iter_objects(record, "tracks")) if "tracks" in record else [("", record)]
    for name, track in tracks:
        _read_track(track, f"{name}." if name else "", reader)
    keys = {"entities": "denotations", "triples": "relations"}
    annotated = [key for key, of_format in keys.items() if any(of_format in track for _, track in tracks)]
    return reader.record(record, known=_OWN_KEYS, annotated=annotated)


def _read_track(track: Record, prefix: str, reader: SpanReader) -> None:
    """Read the annotation of a project; ids are its own.

    prefix (str): Put before its ids, and before names in messages.
    """
    objects = {key: list(iter_objects(track, key)) if key in track else [] for key in _ANNOTATION}
    for name, denotation in objects["denotations"]:
        _read_denotation(denotation, prefix + name, prefix, reader)
    ids = [prefix + _read_id(relation, "id", prefix + name) for name, relation in objects["relations"]]
    reader.spans.update(dict.fromkeys(ids))  # relations that others join have no place
    attributes = _read_attributes(objects, prefix)
    for key, (name, relation) in zip(ids, objects["relations"]):
        name = prefix + name
        subject, obj = (prefix + _read_id(relation, role, name) for role in ("subj", "obj"))
        labels = [require_text(relation, "pred", name=name)]
        reader.add_relation(subject, labels, obj, name=name, attributes=attributes.pop(key, {}))
    reader.losses["attributes of spans"] += sum(map(len, attributes.values()))
    reader.losses["blocks"] += len(objects["blocks"])


def _read_denotation(denotation: Record, name: str, prefix: str, reader: SpanReader) -> None:
    """Read a span, of one part or a list of them."""
    parts = denotation.get("span")
    fragments = []
    for part in parts if isinstance(parts, list) and parts else [parts]:
        span = check_object(part, f"'span' of {name}")
        start, end = (require(span, side, int, name=f"'span' of {name}") for side in ("begin", "end"))
        fragments.append((start, end))
    labels = [require_text(denotation, "obj", name=name)]
    reader.add_fragments(prefix + _read_id(denotation, "id", name), fragments, labels, name=name)


def _read_attributes(objects: Dict[str, List[Tuple[str, Record]]], prefix: str) -> Dict[str, Record]:
    """Read attributes and modifications by the ids of the spans and relations that have them."""
    attributes: Dict[str, Record] = {}
    for name, each in objects["attributes"]:
        key, label = _read_id(each, "subj", prefix + name), require_text(each, "pred", name=prefix + name)
        attributes.setdefault(prefix + key, {})[label] = each.get("obj")
    for name, each in objects["modifications"]:
        key, label = _read_id(each, "obj", prefix + name), require_text(each, "pred", name=prefix + name)
        attributes.setdefault(prefix + key, {})[_MODIFICATIONS.get(label, label)] = True
    return attributes


def _read_id(record: Record, key: str, name: str) -> str:
    """Read an id, which is a string or a number."""
    value = record.get(key)
    if not isinstance(value, (str, int)):
        raise ValueError(Errors.R750.format(name=f"{key!r} of {name}", found=describe(value), expected="an id"))
    return check_unicode(str(value), f"{key!r} of {name}")
