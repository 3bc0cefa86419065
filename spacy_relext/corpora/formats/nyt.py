"""NYT with strings for arguments, in the forms of CasRel and of CoType.

CasRel (also WebNLG and DuIE): `{"text", "triple_list": [[subject, relation, object], ...]}`.
CoType: `{"sentText", "relationMentions": [{"label", "em1Text", "em2Text"}]}`, and perhaps typed `entityMentions`.
"""

from typing import Dict, List

from ...annotations.triple import Record
from .checks import check_object, check_text, check_unicode, describe, iter_objects, require, require_text

_NO_RELATION = ("None", "NA")


def parse_nyt(value: object) -> Record:
    """Parse a record of the CasRel form.

    value (object): A parsed JSON value.
    RETURNS (Record): `text` without white space around it, and `string_triples`; see `locate.locate_record`.
    RAISES (ValueError): If it is malformed.
    """
    record = check_object(value)
    text = require_text(record, "text").strip()
    triples: List[Dict[str, str]] = []
    for number, triple in enumerate(require(record, "triple_list", list)):
        if not isinstance(triple, list) or len(triple) != 3 or not all(isinstance(part, str) for part in triple):
            raise ValueError(f"triple_list[{number}] is {describe(triple)}, not [subject, relation, object] (strings)")
        triples.append(string_triple(*triple, name=f"triple_list[{number}]"))
    return {"text": text, "string_triples": triples}


def parse_cotype(value: object) -> Record:
    """Parse a record of the CoType form; em1 is the subject.

    value (object): A parsed JSON value.
    RETURNS (Record): `text` without white space around it, `string_triples` (none for the labels `None` and `NA`), and
        `string_entities` if the record lists entities.
    RAISES (ValueError): If it is malformed.
    """
    record = check_object(value)
    parsed: Record = {"text": require_text(record, "sentText").strip(), "string_triples": []}
    for name, mention in iter_objects(record, "relationMentions"):
        label, subject, obj = (require(mention, key, str, name=name) for key in ("label", "em1Text", "em2Text"))
        if label not in _NO_RELATION:
            parsed["string_triples"].append(string_triple(subject, label, obj, name=name))
    if "entityMentions" in record:
        # their `start` counts mentions, not characters
        entities = [
            {key: check_unicode(require(mention, key, str, name=name), name) for key in ("text", "label")}
            for name, mention in iter_objects(record, "entityMentions")
        ]
        parsed["string_entities"] = [entity for entity in entities if entity["label"].strip()]
    return parsed


def string_triple(subject: str, relation: str, obj: str, *, name: str) -> Dict[str, str]:
    """Make a triple of strings.

    subject (str): The subject's string.
    relation (str): The label.
    obj (str): The object's string.
    name (str): What the message calls the triple.
    RETURNS (Dict[str, str]): `subject`, `relation`, `object`.
    RAISES (ValueError): If the label is blank or a string holds half of a surrogate pair.
    """
    check_text(relation, f"the relation of {name}")
    return {"subject": check_unicode(subject, name), "relation": relation, "object": check_unicode(obj, name)}
