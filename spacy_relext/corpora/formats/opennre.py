"""The form of OpenNRE: `{"text" or "token", "h", "t", "relation"}`: NYT10, NYT10m, Wiki80 and others.

`h` and `t`, the subject and the object, have `pos`, and mostly `id` and `name`: `pos` counts characters of `text`, or
tokens where there is `token`, its end exclusive. A record without `relation` is not annotated.
"""

import re
from typing import Any, Dict, List, Tuple

from ...errors import Errors
from .checks import check_object, check_offsets, check_unicode, describe, require, require_text
from .linked import ENTITY, NO_RELATION
from .tokens import check_tokens, join_tokens, span_chars

# What the sets of OpenNRE call it where no relation is stated: NYT10 and Wiki20m, SemEval-2010, TACRED.
NO_RELATIONS = (NO_RELATION, "Other", "no_relation")

_JOINTS = re.compile(r"[\s_]+")


def parse_opennre(value: Any) -> Dict[str, Any]:
    """Turn one record into a canonical one.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text`, two `entities` with the `kb_id` that the record has, `triples` (none where there
        is no relation, absent without a label), and `pairs` with the label as the file has it.
    RAISES (ValueError): Where it is malformed, or the offsets of an entity do not hold its name.
    """
    record = check_object(value)
    offsets: List[Tuple[int, int]] = []
    if "token" in record:
        text, offsets = join_tokens(check_tokens(require(record, "token", list), allow_blank=True))
    else:
        text = require_text(record, "text")
    subject, obj = (_entity(record, role, text, offsets) for role in ("h", "t"))
    spans = {"subject": [subject["start"], subject["end"]], "object": [obj["start"], obj["end"]]}
    if spans["subject"] == spans["object"]:
        raise ValueError(Errors.R705.format(string=describe(text[slice(*spans["subject"])])))
    label = None
    if "relation" in record:
        label = require(record, "relation", str)
        if not label.strip():
            raise ValueError("'relation' is empty")
        check_unicode(label, "relation")
    parsed: Dict[str, Any] = {"text": text, "entities": [subject, obj], "pairs": [{**spans, "label": label}]}
    if label is not None:
        parsed["triples"] = [] if label in NO_RELATIONS else [{**spans, "relation": label}]
    return parsed


def _entity(record: Dict[str, Any], role: str, text: str, offsets: List[Tuple[int, int]]) -> Dict[str, Any]:
    """Read one argument; `offsets` is empty where it has characters."""
    value = check_object(require(record, role, dict), role)
    for key in ("id", "name", "type"):
        if value.get(key) is not None:
            check_unicode(require(value, key, str, name=role), f"{key} of {role}")
    length = len(offsets) or len(text)
    start, end = check_offsets(require(value, "pos", list, name=role), length=length, name=f"'pos' of {role}")
    if offsets:
        start, end = span_chars(offsets, start, end)
    name, there = value.get("name"), text[start:end]
    if name and _JOINTS.sub("", name).casefold() != _JOINTS.sub("", there).casefold():
        raise ValueError(Errors.R704.format(role=role, name=describe(name), found=describe(there)))
    label = (value.get("type") or "").strip() or ENTITY
    entity = {"start": start, "end": end, "label": label}
    kb_id = (value.get("id") or "").strip()
    return {**entity, "kb_id": kb_id} if kb_id else entity
