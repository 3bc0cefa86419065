"""Formats with strings as arguments, which `locate` finds: NYT of CasRel and of CoType, NYT10, WebNLG, DuIE."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import check_keys, check_object, check_text, check_unicode, describe, iter_objects, require, require_text
from .sources import Item, read_lines

_NO_RELATION = ("None", "NA")
_MAIN_ROLE = "@value"
MENTION = ("label", "em1Text", "em2Text")

# End of a line of NYT10.
END = "###END###"
_COLUMNS = ("head id", "tail id", "head", "tail", "relation", "sentence")
_TOKEN = re.compile(r"\S+")


def parse_nyt(value: object) -> Record:
    """Parse a record of the CasRel form: `{"text", "triple_list": [[subject, relation, object], ...]}`."""
    record = check_object(value)
    check_keys(record, "text", "triple_list")
    text = require_text(record, "text").strip()
    triples: List[Dict[str, str]] = []
    for number, triple in enumerate(require(record, "triple_list", list)):
        if not isinstance(triple, list) or len(triple) != 3 or not all(isinstance(part, str) for part in triple):
            raise ValueError(f"triple_list[{number}] is {describe(triple)}, not [subject, relation, object] (strings)")
        triples.append(_string_triple(*triple, name=f"triple_list[{number}]"))
    return {"text": text, "string_triples": triples}


def parse_cotype(value: object) -> Record:
    """Parse a record of the CoType form: `{"sentText", "relationMentions": [{"label", "em1Text", "em2Text"}]}`."""
    record = check_object(value)
    check_keys(record, "sentText", "relationMentions")
    parsed: Record = {"text": require_text(record, "sentText").strip(), "string_triples": []}
    for name, mention in iter_objects(record, "relationMentions"):
        label, subject, obj = (require(mention, key, str, name=name) for key in MENTION)
        if label not in _NO_RELATION:
            parsed["string_triples"].append(_string_triple(subject, label, obj, name=name))
    if "entityMentions" in record:
        # their `start` counts mentions, not characters
        entities = [
            {key: check_unicode(require(mention, key, str, name=name), name) for key in ("text", "label")}
            for name, mention in iter_objects(record, "entityMentions")
        ]
        parsed["string_entities"] = [entity for entity in entities if entity["label"].strip()]
    return parsed


def parse_duie(value: object) -> Record:
    """Parse a record of DuIE 1 and 2 or SKE2019, `{"text", "spo_list": [{"subject", "predicate", "object", ...}]}`.

    DuIE 2 has one object per role: for the role "@value" the label is the predicate, for any other role `r` it is
    `predicate.r`. The same data in the CasRel form is read too.
    """
    record = check_object(value)
    if "triple_list" in record and "spo_list" not in record:
        return parse_nyt(record)
    check_keys(record, "text", "spo_list")
    parsed: Record = {"text": require_text(record, "text").strip(), "string_triples": []}
    for name, spo in iter_objects(record, "spo_list"):
        subject, predicate = (require(spo, key, str, name=name) for key in ("subject", "predicate"))
        subject_label = _check_type(spo.get("subject_type", ""), f"subject_type of {name}")
        for role, obj, object_label in _roles(spo, name):
            relation = predicate if role == _MAIN_ROLE else f"{predicate}.{role}"
            triple = _string_triple(subject, relation, obj, name=name)
            parsed["string_triples"].append({**triple, "subject_label": subject_label, "object_label": object_label})
    return parsed


def _roles(spo: Record, name: str) -> Iterator[Tuple[str, str, str]]:
    """List role, string and entity label of each object."""
    objects, types = spo.get("object"), spo.get("object_type", "")
    if isinstance(objects, str):
        objects, types = {_MAIN_ROLE: objects}, {_MAIN_ROLE: types}
    if not isinstance(objects, dict) or not objects:
        raise ValueError(f"'object' of {name} is {describe(objects)}, not a string or an object with '{_MAIN_ROLE}'")
    types = check_object(types or {}, f"'object_type' of {name}")
    for role in objects:
        obj = require(objects, role, str, name=f"'object' of {name}")
        yield role, obj, _check_type(types.get(role, ""), f"object_type of {name}")


def _check_type(value: object, name: str) -> str:
    """Check an entity label, which may be blank."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {describe(value)}, not a string")
    return check_unicode(value, name) if value.strip() else ""


def _string_triple(subject: str, relation: str, obj: str, *, name: str) -> Dict[str, str]:
    """Make a triple of strings, and check them."""
    check_text(relation, f"the relation of {name}")
    return {"subject": check_unicode(subject, name), "relation": relation, "object": check_unicode(obj, name)}


def read_nyt10(path: Path) -> Iterator[Item]:
    """Read the lines of NYT10 (Riedel et al., ECML 2010) except blank ones: a sentence with one pair and its label."""
    for item in read_lines(path):
        if item.error or item.value.strip():
            yield item


def parse_nyt10(line: str) -> Record:
    """Parse a line, whose `string_pair` is still to be located by `locate_pair`.

    Words of the two strings are joined by `_`, in the sentence too, where spaces replace it; a token that equals a
    string is preferred to occurrences within other tokens.
    """
    columns = [column.strip() for column in line.split("\t")]
    if len(columns) != 6 and (len(columns) != 7 or columns[6] != END):
        raise ValueError(Errors.R700.format(found=len(columns), expected=", ".join(_COLUMNS), end=END))
    if len(columns) == 6:
        if not columns[5].endswith(END):
            raise ValueError(Errors.R701.format(end=END, found=columns[5][-30:]))
        columns[5] = columns[5][: -len(END)].strip()
    for name, value in zip(_COLUMNS, columns):
        if not value.strip("_"):
            raise ValueError(Errors.R702.format(column=name))
        check_unicode(value, repr(name))
    head_id, tail_id, head, tail, relation, sentence = columns[:6]
    text = sentence
    for string in sorted((head, tail), key=len, reverse=True):  # "new_york" may be part of the other one
        text = text.replace(string, _words(string))
    places: Dict[str, List[CharSpan]] = {}
    for token in _TOKEN.finditer(sentence):
        if token.group() in (head, tail):
            places.setdefault(_words(token.group()), []).append(token.span())
    pair = {"subject": _words(head), "object": _words(tail), "subject_id": head_id, "object_id": tail_id}
    return {"text": text, "string_pair": {**pair, "label": relation}, "places": places}


def _words(string: str) -> str:
    """Replace each `_` by a space, which keeps the length and so all offsets."""
    return string.replace("_", " ")
