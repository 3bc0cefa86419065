"""DuIE 1 and 2, SKE2019: `{"text", "spo_list": [{"subject", "predicate", "object", "subject_type", "object_type"}]}`.

DuIE 2 has an object as one value per role: role "@value" keeps the predicate as label, any other role `r` becomes the
label `predicate.r`. The CasRel form of the same data (`triple_list`) is read too.
"""

from typing import Any, Dict, Iterator, Tuple

from .checks import check_object, check_unicode, describe, require, require_text
from .nyt import parse_nyt, string_triple

MAIN_ROLE = "@value"


def parse_duie(value: Any) -> Dict[str, Any]:
    """Turn one record of DuIE into a record with string triples.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text` without white space around it, and `string_triples` with entity labels where the
        record has `subject_type` and `object_type`.
    RAISES (ValueError): Where it is malformed.
    """
    record = check_object(value)
    if "triple_list" in record and "spo_list" not in record:
        return parse_nyt(record)
    parsed: Dict[str, Any] = {"text": require_text(record, "text").strip(), "string_triples": []}
    for number, spo in enumerate(require(record, "spo_list", list)):
        name = f"spo_list[{number}]"
        check_object(spo, name)
        subject, predicate = (require(spo, key, str, name=name) for key in ("subject", "predicate"))
        for role, obj, object_label in _roles(spo, name):
            relation = predicate if role == MAIN_ROLE else f"{predicate}.{role}"
            triple = string_triple(subject, relation, obj, name=name)
            labels = {"subject_label": spo.get("subject_type", ""), "object_label": object_label}
            parsed["string_triples"].append({**triple, **_checked_labels(labels, name)})
    return parsed


def _roles(spo: Dict[str, Any], name: str) -> Iterator[Tuple[str, str, Any]]:
    """List role, string and type of each object."""
    objects, types = spo.get("object"), spo.get("object_type", "")
    if isinstance(objects, str):
        objects, types = {MAIN_ROLE: objects}, {MAIN_ROLE: types}
    if not isinstance(objects, dict) or not objects:
        raise ValueError(f"'object' of {name} is {describe(objects)}, not a string or an object with '{MAIN_ROLE}'")
    types = check_object(types or {}, f"'object_type' of {name}")
    for role in objects:
        yield role, require(objects, role, str, name=f"'object' of {name}"), types.get(role, "")


def _checked_labels(labels: Dict[str, Any], name: str) -> Dict[str, str]:
    """Keep the entity labels that say something."""
    for key, label in labels.items():
        if not isinstance(label, str):
            raise ValueError(f"{key.replace('label', 'type')} of {name} is {describe(label)}, not a string")
        check_unicode(label, name)
    return {key: label for key, label in labels.items() if label.strip()}
