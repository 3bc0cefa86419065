"""The canonical format: JSON lines with exact character offsets, as `canonical.schema.json` describes them."""

import json
import math
from pathlib import Path
from typing import Iterable, Iterator, List, Union

from spacy.tokens import Doc
from srsly.msgpack import Packer

from ..annotations.triple import Record
from ..errors import Errors
from .formats.answers import is_finished, read_answers
from .formats.checks import check_object, check_offsets, check_unicode, describe, iter_objects, require, require_text
from .records import KNOWN_KEYS, doc_to_record
from .whole import whole_text

SCHEMA_PATH = Path(__file__).parent / "canonical.schema.json"

ENTITY_KEYS = ("start", "end", "label", "kb_id")
# Keys that `extract` adds for human readers: argument texts, and number and offsets of the sentence.
_READER_KEYS = ("subject_text", "object_text", "sent", "sent_start", "sent_end")
TRIPLE_KEYS = ("subject", "relation", "object", "score", "source", "evidence", "attributes", *_READER_KEYS)
PAIR_KEYS = ("subject", "object", "label")

# Shared, since each call of `srsly.msgpack_dumps` searches all installed packages for encoders.
_PACKER = Packer(use_bin_type=True)


def read_jsonl(path: Union[str, Path]) -> Iterator[Record]:
    """Read canonical records from JSON lines or from one JSON array.

    Of answers given in `spacy relext correct`, only the last for each text and annotator is read, if it is finished.

    RAISES (ValueError): At the first malformed record.
    """
    for item in read_answers(Path(path)):
        try:
            if item.error:
                raise ValueError(item.error)
            record = check_record(item.value)
            if is_finished(record):
                yield record
        except ValueError as error:
            raise ValueError(Errors.R100.format(where=item.where, what=error)) from None


def write_jsonl(path: Union[str, Path], docs: Iterable[Union[Doc, Record]]) -> int:
    """Write Docs or canonical records, one per line, and return their number."""
    count = 0
    with whole_text(Path(path)) as file:
        for doc in docs:
            record = doc_to_record(doc) if isinstance(doc, Doc) else doc
            file.write(to_json(record) + "\n")
            count += 1
    return count


def to_json(value: object, *, sort_keys: bool = False) -> str:
    """Serialize a value as JSON that UTF-8 can encode: lone surrogates are escaped, NaN and infinity become null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    except ValueError:
        value = _finite(value)
        text = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys)
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=sort_keys)
    return text


def _finite(value: object) -> object:
    """Copy a plain value with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_record(value: object) -> Record:
    """Check that a parsed JSON value is a canonical record; ValueError if it is not."""
    record = check_object(value)
    text = require_text(record, "text")
    for key, check in _CHECKS.items():
        if key in record:
            for name, element in iter_objects(record, key):
                check(element, text=text, name=name)
    if "sents" in record:
        _check_sentences(require(record, "sents", list), length=len(text))
    if "coref" in record:
        _check_clusters(require(record, "coref", list), length=len(text))
    for key in record.keys() - set(KNOWN_KEYS):
        _check_plain(record[key], key)
        check_unicode(key, "a key")
    return record


def parse_jsonl(value: object, *, pseudo_labels: bool = False) -> Record:
    """Check a canonical record.

    pseudo_labels (bool): Make the triples of a pipeline gold, to train another pipeline on them.
    """
    record = check_record(value)
    if pseudo_labels and "triples" in record:
        record["triples"] = [{**triple, "source": ""} for triple in record["triples"]]
    return record


def _check_entity(entity: Record, *, text: str, name: str) -> None:
    """Check offsets, label and the optional id of an entity."""
    _check_keys(entity, ENTITY_KEYS, name)
    offsets = [require(entity, key, int, name=name) for key in ("start", "end")]
    check_offsets(offsets, length=len(text), name=f"start and end of {name}")
    require_text(entity, "label", name=name)
    if "kb_id" in entity:
        check_unicode(require(entity, "kb_id", str, name=name), f"kb_id of {name}")


def _check_triple(triple: Record, *, text: str, name: str) -> None:
    """Check the two spans, the relation and the optional values of a triple."""
    _check_keys(triple, TRIPLE_KEYS, name)
    require_text(triple, "relation", name=name)
    _check_arguments(triple, text, name)
    for role in ("subject", "object"):
        argument = text[slice(*triple[role])]
        if triple.get(f"{role}_text", argument) != argument:
            stated = describe(triple[f"{role}_text"])
            raise ValueError(f"'{role}_text' of {name} is {stated}, but its offsets hold {describe(argument)}")
    if "sent" in triple and require(triple, "sent", int, name=name) < 0:
        raise ValueError(f"'sent' of {name} is {triple['sent']}; expected 0 or more")
    if "sent_start" in triple or "sent_end" in triple:
        offsets = [require(triple, key, int, name=name) for key in ("sent_start", "sent_end")]
        check_offsets(offsets, length=len(text), name=f"sent_start and sent_end of {name}")
    if "score" in triple and not 0 <= require(triple, "score", float, name=name) <= 1:
        raise ValueError(f"'score' of {name} is {triple['score']}; expected 0 to 1")
    if "source" in triple:
        check_unicode(require(triple, "source", str, name=name), f"source of {name}")
    for key in ("evidence", "attributes"):
        if key in triple:
            _check_plain(require(triple, key, dict, name=name), f"{key} of {name}")


def _check_pair(pair: Record, *, text: str, name: str) -> None:
    """Check the two spans and the label of a marked pair; the label may be null."""
    _check_keys(pair, PAIR_KEYS, name)
    _check_arguments(pair, text, name)
    if pair.get("label") is not None:
        require_text(pair, "label", name=name)


def _check_arguments(value: Record, text: str, name: str) -> None:
    """Check that subject and object are two different spans of the text."""
    spans = []
    for role in ("subject", "object"):
        spans.append(check_offsets(require(value, role, list, name=name), length=len(text), name=f"{role} of {name}"))
    if spans[0] == spans[1]:
        raise ValueError(f"subject and object of {name} are the same span ({describe(text[slice(*spans[0])])})")


def _check_sentences(sents: List[object], *, length: int) -> None:
    """Check that sentences follow each other without overlap."""
    if not sents:
        raise ValueError("'sents' is empty; leave the key out if sentences are not annotated")
    before = 0
    for number, value in enumerate(sents):
        start, end = check_offsets(value, length=length, name=f"sents[{number}]")
        if start < before:
            raise ValueError(f"sents[{number}] starts at {start}, before the sentence ahead of it ends ({before})")
        before = end


def _check_clusters(clusters: List[object], *, length: int) -> None:
    """Check that each cluster has mentions in the text."""
    for number, cluster in enumerate(clusters):
        name = f"coref[{number}]"
        if not isinstance(cluster, list) or not cluster:
            raise ValueError(f"{name} is {describe(cluster)}, not a list of [start, end]")
        for position, mention in enumerate(cluster):
            check_offsets(mention, length=length, name=f"{name}[{position}]")


def _check_keys(value: Record, known: Iterable[str], name: str) -> None:
    """Check that an object has no unknown key, which would be lost."""
    unknown = sorted(value.keys() - set(known))
    if unknown:
        raise ValueError(f"{name} has the unknown key {unknown[0]!r} (known: {', '.join(known)})")


def _check_plain(value: object, name: str) -> None:
    """Check that msgpack can store a value: plain types, and integers of at most 64 bits."""
    try:
        _PACKER.pack(value)
    except (OverflowError, TypeError, ValueError, UnicodeEncodeError) as error:
        raise ValueError(f"{name!r} cannot be stored: {error}") from None


_CHECKS = {"entities": _check_entity, "triples": _check_triple, "pairs": _check_pair, "rejected": _check_triple}
