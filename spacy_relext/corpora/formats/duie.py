"""DuIE 1 and 2, SKE2019: `{"text", "spo_list": [{"subject", "predicate", "object", "subject_type", "object_type"}]}`.

DuIE 2 has an object as one value per role: role "@value" keeps the predicate as label, any other role `r` becomes the
label `predicate.r`. The CasRel form of the same data (`triple_list`) is read too.
"""

from typing import Iterator, Tuple

from ...annotations.triple import Record
from .checks import check_object, check_unicode, describe, iter_objects, require, require_text
from .nyt import parse_nyt, string_triple

_MAIN_ROLE = "@value"


def parse_duie(value: object) -> Record:
    """Parse a record of DuIE.

    value (object): A parsed JSON value.
    RETURNS (Record): `text` without white space around it, and `string_triples` with the labels of their entities.
    RAISES (ValueError): If it is malformed.
    """
    record = check_object(value)
    if "triple_list" in record and "spo_list" not in record:
        return parse_nyt(record)
    parsed: Record = {"text": require_text(record, "text").strip(), "string_triples": []}
    for name, spo in iter_objects(record, "spo_list"):
        subject, predicate = (require(spo, key, str, name=name) for key in ("subject", "predicate"))
        subject_label = _check_type(spo.get("subject_type", ""), f"subject_type of {name}")
        for role, obj, object_label in _roles(spo, name):
            relation = predicate if role == _MAIN_ROLE else f"{predicate}.{role}"
            triple = string_triple(subject, relation, obj, name=name)
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
