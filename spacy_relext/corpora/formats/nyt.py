"""CasRel's form of NYT, WebNLG and DuIE: `{"text", "triple_list": [[subject, relation, object], ...]}`, all strings."""

from typing import Any, Dict, List

from .checks import check_object, check_unicode, describe, require, require_text


def parse_nyt(value: Any) -> Dict[str, Any]:
    """Turn one record of the CasRel form into a record with string triples.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text` without white space around it, and `string_triples`; see `locate.locate_record`.
    RAISES (ValueError): Where it is malformed.
    """
    record = check_object(value)
    text = require_text(record, "text").strip()
    triples: List[Dict[str, str]] = []
    for number, triple in enumerate(require(record, "triple_list", list)):
        if not isinstance(triple, list) or len(triple) != 3 or not all(isinstance(part, str) for part in triple):
            raise ValueError(f"triple_list[{number}] is {describe(triple)}, not [subject, relation, object] (strings)")
        triples.append(string_triple(*triple, name=f"triple_list[{number}]"))
    return {"text": text, "string_triples": triples}


def string_triple(subject: str, relation: str, obj: str, *, name: str) -> Dict[str, str]:
    """Make a triple of strings, checked.

    subject (str): The subject's string.
    relation (str): The label.
    obj (str): The object's string.
    name (str): What the triple is, for the message.
    RETURNS (Dict[str, str]): `subject`, `relation`, `object`.
    RAISES (ValueError): Where the label is empty or a string is no valid Unicode.
    """
    if not relation.strip():
        raise ValueError(f"the relation of {name} is empty")
    for part in (subject, relation, obj):
        check_unicode(part, name)
    return {"subject": subject, "relation": relation, "object": obj}
