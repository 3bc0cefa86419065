"""TACRED's JSON: a record has `token`, one marked pair with types, and its `relation`, which may be `no_relation`.

`subj_start`, `subj_end`, `obj_start`, `obj_end` number tokens, the last one included; `subj_type` and `obj_type` are
entity types. The text is the tokens with one space between, so that brackets stay `-LRB-` and the like.

The columns `stanford_pos`, `stanford_ner`, `stanford_head` and `stanford_deprel` are not read: a canonical record has
no place for the annotation of tokens. `convert --pipeline` adds tags and heads of a spaCy pipeline.
"""

from ...annotations.triple import Record
from .checks import check_object, require, require_text
from .spert import parse_spert

_NO_RELATION = "no_relation"


def parse_tacred(value: object) -> Record:
    """Parse a record.

    value (object): A parsed JSON value.
    RETURNS (Record): `text`, two `entities`, `triples` (none for `no_relation`), and `pairs` with the subject, the
        object and the label as the file has it.
    RAISES (ValueError): If it is malformed.
    """
    record = check_object(value)
    n_tokens = len(require(record, "token", list))
    if not n_tokens:
        raise ValueError("'token' is empty")
    relation = require_text(record, "relation")
    spans = [_parse_entity(record, role, n_tokens) for role in ("subj", "obj")]
    if (spans[0]["start"], spans[0]["end"]) == (spans[1]["start"], spans[1]["end"]):
        raise ValueError(f"subject and object are the same tokens, {record['subj_start']} to {record['subj_end']}")
    link = {"head": 0, "tail": 1, "type": relation}
    # This is a sentence of SpERT's form with one relation; reading it as such joins tokens and checks what is left.
    parsed = parse_spert({"tokens": record["token"], "entities": spans, "relations": [link]})
    (triple,) = parsed["triples"]
    pair = {"subject": triple["subject"], "object": triple["object"], "label": relation}
    return {**parsed, "triples": [] if relation == _NO_RELATION else [triple], "pairs": [pair]}


def _parse_entity(record: Record, role: str, n_tokens: int) -> Record:
    """Parse one argument; its last token becomes an exclusive end."""
    start, end = (require(record, f"{role}_{side}", int) for side in ("start", "end"))
    if not 0 <= start <= end < n_tokens:
        raise ValueError(f"{role}_start is {start} and {role}_end {end}; expected 0 <= start <= end < {n_tokens}")
    return {"type": require_text(record, f"{role}_type"), "start": start, "end": end + 1}
