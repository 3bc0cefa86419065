"""Token spans: SpERT's sentences (CoNLL04, ADE, SciERC by sentence) and the documents of DyGIE (SciERC).

A sentence has `tokens`, `relations` with `head`, `tail`, `type`, and `entities` with `type`, `start`, `end` (exclusive)
or, as CoNLL04 is also passed on, BILOU `tags`. A document has `sentences`, `ner` and `relations`, whose token numbers
run through the document and include the last token. The text is the tokens with one space between.
"""

from typing import Any, Dict, List, Sequence, Tuple

from .checks import check_object, check_offsets, check_unicode, describe, require
from .tokens import check_tokens, join_tokens, span_chars

TokenSpan = Tuple[int, int, str]


def parse_spert(value: Any) -> Dict[str, Any]:
    """Turn one sentence or one document with token spans into a canonical record.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text`, `entities`, `triples`, and `sents` for a document.
    RAISES (ValueError): Where it is malformed.
    """
    record = check_object(value)
    return _parse_document(record) if "sentences" in record else _parse_sentence(record)


def _parse_sentence(record: Dict[str, Any]) -> Dict[str, Any]:
    """Read the form of SpERT."""
    tokens = check_tokens(require(record, "tokens", list))
    text, offsets = join_tokens(tokens)
    if "entities" in record:
        values = enumerate(require(record, "entities", list))
        spans = [_spert_entity(value, f"entities[{number}]", len(tokens)) for number, value in values]
    else:
        spans = _decode_bilou(require(record, "tags", list), length=len(tokens))
    triples = []
    for number, relation in enumerate(require(record, "relations", list)):
        name = f"relations[{number}]"
        check_object(relation, name)
        label = _label(require(relation, "type", str, name=name), name)
        subject, obj = (_entity_at(spans, require(relation, role, int, name=name), name) for role in ("head", "tail"))
        triples.append(_triple(offsets, subject[:2], label, obj[:2], name))
    return {"text": text, "entities": [_entity(offsets, span) for span in spans], "triples": triples}


def _spert_entity(value: Any, name: str, length: int) -> TokenSpan:
    """Read one entity of SpERT; its end is exclusive."""
    entity = check_object(value, name)
    start, end = (require(entity, key, int, name=name) for key in ("start", "end"))
    check_offsets([start, end], length=length, name=f"start and end of {name}")
    return start, end, _label(require(entity, "type", str, name=name), name)


def _entity_at(spans: Sequence[TokenSpan], number: int, name: str) -> TokenSpan:
    """Find the entity that a relation names by its number."""
    if not 0 <= number < len(spans):
        raise ValueError(f"{name} names entity {number}; the sentence has {len(spans)}")
    return spans[number]


def _decode_bilou(tags: Sequence[Any], *, length: int) -> List[TokenSpan]:
    """Read entities from BILOU or BIO tags, in the order of the text."""
    if len(tags) != length:
        raise ValueError(f"{len(tags)} tags for {length} tokens")
    spans: List[List[Any]] = []
    open_label = ""
    for position, tag in enumerate(tags):
        prefix, _, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
        if prefix not in ("O", "B", "I", "L", "U") or bool(label) == (prefix == "O"):
            raise ValueError(f"tags[{position}] is {describe(tag)}; expected O, or B-, I-, L- or U- and a label")
        if prefix in ("B", "U"):
            spans.append([position, position + 1, label])
        elif prefix in ("I", "L"):
            if open_label != label:
                raise ValueError(f"tags[{position}] is {tag!r}, which continues no entity")
            spans[-1][1] = position + 1
        open_label = label if prefix in ("B", "I") else ""
    return [(start, end, label) for start, end, label in spans]


def _parse_document(record: Dict[str, Any]) -> Dict[str, Any]:
    """Read the form of DyGIE."""
    sentences = [check_tokens(_check_list(s, f"sentences[{n}]")) for n, s in enumerate(_lists(record, "sentences"))]
    if not sentences:
        raise ValueError("'sentences' is empty")
    text, offsets = join_tokens([token for sentence in sentences for token in sentence])
    sents, first = [], 0
    for sentence in sentences:
        sents.append([offsets[first][0], offsets[first + len(sentence) - 1][1]])
        first += len(sentence)
    entities, triples = [], []
    for number, ner in enumerate(_lists(record, "ner")):
        name = f"ner[{number}]"
        for value in _check_list(ner, name):
            start, end, label = _numbers_and_label(value, 2, name)
            entities.append(_entity(offsets, (*_inclusive(start, end, len(offsets), name), label)))
    for number, relations in enumerate(_lists(record, "relations")):
        name = f"relations[{number}]"
        for value in _check_list(relations, name):
            *ends, label = _numbers_and_label(value, 4, name)
            subject, obj = (_inclusive(ends[at], ends[at + 1], len(offsets), name) for at in (0, 2))
            triples.append(_triple(offsets, subject, label, obj, name))
    return {"text": text, "entities": entities, "triples": triples, "sents": sents}


def _lists(record: Dict[str, Any], key: str) -> List[Any]:
    """Take the list of a document that has one element per sentence."""
    values: List[Any] = require(record, key, list)
    if len(values) != len(record["sentences"]):
        raise ValueError(f"{key!r} has {len(values)} elements for {len(record['sentences'])} sentences")
    return values


def _check_list(value: Any, name: str) -> List[Any]:
    """Make sure that a value is a list."""
    if not isinstance(value, list):
        raise ValueError(f"{name} is {describe(value)}, not a list")
    return value


def _numbers_and_label(value: Any, count: int, name: str) -> List[Any]:
    """Make sure that a value is token numbers and a label."""
    whole = isinstance(value, list) and len(value) == count + 1 and all(type(part) is int for part in value[:count])
    if not whole or not isinstance(value[count], str):
        raise ValueError(f"{name} holds {describe(value)}; expected {count} token numbers and a label")
    return [*value[:count], _label(value[count], name)]


def _inclusive(start: int, end: int, length: int, name: str) -> Tuple[int, int]:
    """Turn the number of the last token into an exclusive end."""
    check_offsets([start, end + 1], length=length, name=f"a token span of {name}")
    return start, end + 1


def _label(label: str, name: str) -> str:
    """Make sure that a label says something."""
    if not label.strip():
        raise ValueError(f"the label of {name} is empty")
    check_unicode(label, name)
    return label


def _entity(offsets: Sequence[Tuple[int, int]], span: TokenSpan) -> Dict[str, Any]:
    """Make a canonical entity."""
    start, end = span_chars(offsets, span[0], span[1])
    return {"start": start, "end": end, "label": span[2]}


def _triple(
    offsets: Sequence[Tuple[int, int]], subject: Tuple[int, int], relation: str, obj: Tuple[int, int], name: str
) -> Dict[str, Any]:
    """Make a canonical triple."""
    if subject == obj:
        raise ValueError(f"subject and object of {name} are the same span")
    return {"subject": span_chars(offsets, *subject), "relation": relation, "object": span_chars(offsets, *obj)}
