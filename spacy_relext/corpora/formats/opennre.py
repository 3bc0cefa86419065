"""OpenNRE's format: `{"text" or "token", "h", "t", "relation"}`: NYT10, NYT10m, Wiki80 and others."""

import re
from typing import List

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import (
    check_object,
    check_offsets,
    check_tokens,
    check_unicode,
    describe,
    join_sentences,
    make_entity,
    require,
    require_text,
    span_chars,
)
from .locate import ENTITY, NA_LABEL

# Labels for no relation: NYT10 and Wiki20m, SemEval-2010, TACRED.
_NO_RELATIONS = (NA_LABEL, "Other", "no_relation")

_JOINTS = re.compile(r"[\s_]+")


def parse_opennre(value: object) -> Record:
    """Parse a record; `pairs` has the label as the file has it."""
    record = check_object(value)
    offsets: List[CharSpan] = []
    if "token" in record:
        text, (offsets,) = join_sentences([check_tokens(require(record, "token", list), allow_blank=True)])
    else:
        text = require_text(record, "text")
    subject, obj = (_parse_entity(record, role, text, offsets) for role in ("h", "t"))
    spans = {"subject": [subject["start"], subject["end"]], "object": [obj["start"], obj["end"]]}
    if spans["subject"] == spans["object"]:
        raise ValueError(Errors.R705.format(string=describe(text[slice(*spans["subject"])])))
    label = require_text(record, "relation") if "relation" in record else None
    parsed: Record = {"text": text, "entities": [subject, obj], "pairs": [{**spans, "label": label}]}
    if label is not None:
        parsed["triples"] = [] if label in _NO_RELATIONS else [{**spans, "relation": label}]
    return parsed


def _parse_entity(record: Record, role: str, text: str, offsets: List[CharSpan]) -> Record:
    """Parse one argument; `offsets` are those of the tokens, empty if `pos` counts characters."""
    value = require(record, role, dict)
    for key in ("id", "name", "type"):
        if value.get(key) is not None:
            check_unicode(require(value, key, str, name=role), f"{key} of {role}")
    length = len(offsets) or len(text)
    start, end = check_offsets(require(value, "pos", list, name=role), length=length, name=f"'pos' of {role}")
    if offsets:
        start, end = span_chars(offsets, start, end)
    name, text_there = value.get("name"), text[start:end]
    if name and _JOINTS.sub("", name).casefold() != _JOINTS.sub("", text_there).casefold():
        raise ValueError(Errors.R704.format(role=role, name=describe(name), found=describe(text_there)))
    label = (value.get("type") or "").strip() or ENTITY
    return make_entity(start, end, label, (value.get("id") or "").strip())
