"""CoType's NYT: `{"sentText", "relationMentions": [{"label", "em1Text", "em2Text"}]}`."""

from typing import Any, Dict, List

from .checks import check_object, check_unicode, require, require_text
from .nyt import string_triple

NO_RELATION = ("None", "NA")


def parse_cotype(value: Any) -> Dict[str, Any]:
    """Turn one record of the CoType form into a record with string triples; em1 is the subject.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text` without white space around it, `string_triples`, and `string_entities` where the
        record lists typed `entityMentions`. The labels `None` and `NA` say that there is no triple.
    RAISES (ValueError): Where it is malformed.
    """
    record = check_object(value)
    parsed: Dict[str, Any] = {"text": require_text(record, "sentText").strip(), "string_triples": []}
    for number, mention in enumerate(require(record, "relationMentions", list)):
        name = f"relationMentions[{number}]"
        check_object(mention, name)
        label, subject, obj = (require(mention, key, str, name=name) for key in ("label", "em1Text", "em2Text"))
        if label not in NO_RELATION:
            parsed["string_triples"].append(string_triple(subject, label, obj, name=name))
    if "entityMentions" in record:
        parsed["string_entities"] = _parse_entities(require(record, "entityMentions", list))
    return parsed


def _parse_entities(mentions: List[Any]) -> List[Dict[str, str]]:
    """Read typed strings; their `start` counts mentions, not characters, and says nothing."""
    entities = []
    for number, mention in enumerate(mentions):
        name = f"entityMentions[{number}]"
        check_object(mention, name)
        entity = {key: require(mention, key, str, name=name) for key in ("text", "label")}
        for part in entity.values():
            check_unicode(part, name)
        if entity["label"].strip():
            entities.append(entity)
    return entities
