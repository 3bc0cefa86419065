"""Token spans: SpERT's sentences (CoNLL04, ADE, SciERC by sentence), DyGIE's documents (SciERC), DocRED's documents,
and TACRED's and OpenNRE's pairs (NYT10, NYT10m, Wiki80), whose places may count characters.

The text is the tokens joined by single spaces, so brackets stay `-LRB-` and the like. TACRED's `stanford_*` columns
are not read: a canonical record has no place for them, and `convert --pipeline` adds tags and heads. DocRED has no ids
of a knowledge base: an entity's id is `title#number`, the same for all its mentions.
"""

import re
from typing import Dict, List, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import (
    check_keys,
    check_object,
    check_offsets,
    check_text,
    check_tokens,
    check_unicode,
    describe,
    iter_objects,
    join_sentences,
    make_entity,
    require,
    require_text,
    sort_entities,
    span_chars,
)
from .locate import ENTITY, NA_LABEL, Mention

# Labels for no relation: NYT10 and Wiki20m, SemEval-2010, TACRED.
_NO_RELATION = "no_relation"
NO_RELATIONS = (NA_LABEL, "Other", _NO_RELATION)

_JOINTS = re.compile(r"[\s_]+")

_PLACES = ("subj_start", "subj_end", "obj_start", "obj_end")

_TokenSpan = Tuple[int, int, str]


def parse_spert(value: object) -> Record:
    """Parse a sentence of SpERT or a document of DyGIE."""
    record = check_object(value)
    check_keys(record, "tokens or sentences", "entities or tags or ner", "relations")
    return _parse_document(record) if "sentences" in record else _parse_sentence(record)


def parse_tacred(value: object) -> Record:
    """Parse a record of TACRED; `pairs` has the label as the file has it."""
    record = check_object(value)
    check_keys(record, "token", "relation", *_PLACES, "subj_type", "obj_type")
    n_tokens = len(require(record, "token", list))
    if not n_tokens:
        raise ValueError("'token' is empty")
    relation = require_text(record, "relation")
    spans = [_parse_argument(record, role, n_tokens) for role in ("subj", "obj")]
    if (spans[0]["start"], spans[0]["end"]) == (spans[1]["start"], spans[1]["end"]):
        raise ValueError(f"subject and object are the same tokens, {record['subj_start']} to {record['subj_end']}")
    # Parsed as a sentence in SpERT's form with one relation.
    link = {"head": 0, "tail": 1, "type": relation}
    parsed = _parse_sentence({"tokens": record["token"], "entities": spans, "relations": [link]})
    (triple,) = parsed["triples"]
    pair = {"subject": triple["subject"], "object": triple["object"], "label": relation}
    return {**parsed, "triples": [] if relation == _NO_RELATION else [triple], "pairs": [pair]}


def _parse_argument(record: Record, role: str, n_tokens: int) -> Record:
    """Parse one argument of TACRED; its last token becomes an exclusive end."""
    start, end = (require(record, f"{role}_{side}", int) for side in ("start", "end"))
    if not 0 <= start <= end < n_tokens:
        raise ValueError(f"{role}_start is {start} and {role}_end {end}; expected 0 <= start <= end < {n_tokens}")
    return {"type": require_text(record, f"{role}_type"), "start": start, "end": end + 1}


def _parse_sentence(record: Record) -> Record:
    """Parse a sentence in SpERT's form: entities with an exclusive end, or BILOU tags."""
    tokens = check_tokens(require(record, "tokens", list))
    text, (offsets,) = join_sentences([tokens])
    if "entities" in record:
        spans = [_parse_entity(value, name, len(tokens)) for name, value in iter_objects(record, "entities")]
    else:
        spans = _decode_bilou(require(record, "tags", list), length=len(tokens))
    triples = []
    for name, relation in iter_objects(record, "relations"):
        arguments = []
        for role in ("head", "tail"):
            number = require(relation, role, int, name=name)
            if not 0 <= number < len(spans):
                raise ValueError(f"{name} names entity {number}; the sentence has {len(spans)}")
            arguments.append(spans[number][:2])
        triples.append(_triple(offsets, arguments, require_text(relation, "type", name=name), name))
    entities = [make_entity(*span_chars(offsets, start, end), label) for start, end, label in spans]
    return {"text": text, "entities": entities, "triples": triples}


def _parse_entity(entity: Record, name: str, length: int) -> _TokenSpan:
    """Parse one entity of SpERT; its end is exclusive."""
    start, end = (require(entity, key, int, name=name) for key in ("start", "end"))
    check_offsets([start, end], length=length, name=f"start and end of {name}")
    return start, end, require_text(entity, "type", name=name)


def _decode_bilou(tags: Sequence[object], *, length: int) -> List[_TokenSpan]:
    """Read entities from BILOU or BIO tags, in the order of the text."""
    if len(tags) != length:
        raise ValueError(f"{len(tags)} tags for {length} tokens")
    spans: List[_TokenSpan] = []
    open_label = ""
    for position, tag in enumerate(tags):
        prefix, _, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
        if prefix not in ("O", "B", "I", "L", "U") or bool(label) == (prefix == "O"):
            raise ValueError(f"tags[{position}] is {describe(tag)}; expected O, or B-, I-, L- or U- and a label")
        if prefix in ("B", "U"):
            spans.append((position, position + 1, label))
        elif prefix in ("I", "L"):
            if open_label != label:
                raise ValueError(f"tags[{position}] is {tag!r}, which continues no entity")
            spans[-1] = (spans[-1][0], position + 1, label)
        open_label = label if prefix in ("B", "I") else ""
    return spans


def _parse_document(record: Record) -> Record:
    """Parse a document in DyGIE's form: token numbers run through the document, and ends are inclusive."""
    sentences = [check_tokens(sentence) for _, sentence in _sentence_lists(record, "sentences")]
    if not sentences:
        raise ValueError("'sentences' is empty")
    text, sentence_offsets = join_sentences(sentences)
    offsets = [offset for sentence in sentence_offsets for offset in sentence]
    entities, triples = [], []
    for name, ner in _sentence_lists(record, "ner"):
        for value in ner:
            (span,), label = _parse_spans(value, 1, len(offsets), name)
            entities.append(make_entity(*span_chars(offsets, *span), label))
    for name, relations in _sentence_lists(record, "relations"):
        for value in relations:
            spans, label = _parse_spans(value, 2, len(offsets), name)
            triples.append(_triple(offsets, spans, label, name))
    sents = [[sentence[0][0], sentence[-1][1]] for sentence in sentence_offsets]
    return {"text": text, "entities": entities, "triples": triples, "sents": sents}


def _sentence_lists(record: Record, key: str) -> List[Tuple[str, List[object]]]:
    """Read the list that a document has for each sentence, with its name for messages."""
    values = require(record, key, list)
    if len(values) != len(record["sentences"]):
        raise ValueError(f"{key!r} has {len(values)} elements for {len(record['sentences'])} sentences")
    for number, value in enumerate(values):
        if not isinstance(value, list):
            raise ValueError(f"{key}[{number}] is {describe(value)}, not a list")
    return [(f"{key}[{number}]", value) for number, value in enumerate(values)]


def _parse_spans(value: object, count: int, length: int, name: str) -> Tuple[List[Tuple[int, int]], str]:
    """Parse the first and last token of each span, and a label."""
    values = value if isinstance(value, list) and len(value) == 2 * count + 1 else [None]
    *numbers, label = values
    if not isinstance(label, str) or any(type(number) is not int for number in numbers):
        raise ValueError(f"{name} holds {describe(value)}; expected {2 * count} token numbers and a label")
    spans = [(start, end + 1) for start, end in zip(numbers[::2], numbers[1::2])]
    for span in spans:
        check_offsets(list(span), length=length, name=f"a token span of {name}")
    return spans, check_text(label, f"the label of {name}")


def _triple(offsets: Sequence[CharSpan], arguments: Sequence[Tuple[int, int]], relation: str, name: str) -> Record:
    """Make a canonical triple from the token spans of subject and object."""
    if arguments[0] == arguments[1]:
        raise ValueError(f"subject and object of {name} are the same span")
    subject, obj = (list(span_chars(offsets, *tokens)) for tokens in arguments)
    return {"subject": subject, "relation": relation, "object": obj}


def parse_docred(value: object) -> Record:
    """Parse a document, whose `facts` are still to be located by `locate_facts`."""
    record = check_object(value)
    check_keys(record, "title", "sents", "vertexSet")
    title = check_unicode(require(record, "title", str), "'title'")
    tokens: List[List[str]] = []
    for number, sentence in enumerate(require(record, "sents", list)):
        if not isinstance(sentence, list):
            raise ValueError(f"sents[{number}] is {describe(sentence)}, not a list of tokens")
        tokens.append(check_tokens(sentence, allow_blank=True))
    text, sentences = join_sentences(tokens)
    if not text:
        raise ValueError("'sents' hold nothing but white space" if tokens else "'sents' is empty")
    vertices: List[List[Mention]] = []
    # A vertex may list a mention twice.
    entities: Dict[Tuple[int, int, str, str], None] = {}
    for number, vertex in enumerate(require(record, "vertexSet", list)):
        name = f"vertexSet[{number}]"
        if not isinstance(vertex, list) or not vertex:
            raise ValueError(f"{name} is {describe(vertex)}, not a list of mentions")
        mentions = [_parse_mention(mention, sentences, f"a mention of {name}") for mention in vertex]
        vertices.append(list(dict.fromkeys(mention for mention, _ in mentions)))
        entities.update({(start, end, label, f"{title}#{number}"): None for (start, end, _), label in mentions})
    parsed: Record = {
        "text": text,
        "sents": [[offsets[0][0], offsets[-1][1]] for offsets in sentences if offsets[0][0] < offsets[-1][1]],
        "entities": sort_entities(entities),
        "title": title,
    }
    if "labels" in record:
        labels = iter_objects(record, "labels")
        parsed["facts"] = [_parse_fact(label, vertices, len(sentences), name) for name, label in labels]
    return parsed


def _parse_mention(value: object, sentences: Sequence[Sequence[CharSpan]], name: str) -> Tuple[Mention, str]:
    """Parse one mention; return it and its entity label."""
    mention = check_object(value, name)
    sentence = require(mention, "sent_id", int, name=name)
    if not 0 <= sentence < len(sentences):
        raise ValueError(Errors.R706.format(name=name, found=sentence, count=len(sentences)))
    position = require(mention, "pos", list, name=name)
    start, end = check_offsets(position, length=len(sentences[sentence]), name=f"'pos' of {name}")
    label = require_text(mention, "type", name=name)
    start, end = span_chars(sentences[sentence], start, end)
    return (start, end, sentence), label


def _parse_fact(label: Record, vertices: Sequence[List[Mention]], n_sentences: int, name: str) -> Record:
    for role in ("h", "t"):
        number = require(label, role, int, name=name)
        if not 0 <= number < len(vertices):
            raise ValueError(Errors.R707.format(name=name, role=role, found=number, count=len(vertices)))
    relation = require_text(label, "r", name=name)
    evidence = label.get("evidence", [])
    if not isinstance(evidence, list) or not all(type(n) is int and 0 <= n < n_sentences for n in evidence):
        raise ValueError(Errors.R706.format(name=f"'evidence' of {name}", found=describe(evidence), count=n_sentences))
    subject, obj = vertices[label["h"]], vertices[label["t"]]
    # A fact that relates an entity to itself is left out: both arguments get the same single mention.
    last = 1 if label["h"] == label["t"] else None
    return {"subject": subject[:last], "relation": relation, "object": obj[:last], "evidence": sorted(set(evidence))}


def parse_opennre(value: object) -> Record:
    """Parse a record; `pairs` has the label as the file has it."""
    record = check_object(value)
    check_keys(record, "text or token", "h", "t")
    offsets: List[CharSpan] = []
    if "token" in record:
        text, (offsets,) = join_sentences([check_tokens(require(record, "token", list), allow_blank=True)])
    else:
        text = require_text(record, "text")
    subject, obj = (_parse_place(record, role, text, offsets) for role in ("h", "t"))
    spans = {"subject": [subject["start"], subject["end"]], "object": [obj["start"], obj["end"]]}
    if spans["subject"] == spans["object"]:
        raise ValueError(Errors.R705.format(string=describe(text[slice(*spans["subject"])])))
    label = require_text(record, "relation") if "relation" in record else None
    parsed: Record = {"text": text, "entities": [subject, obj], "pairs": [{**spans, "label": label}]}
    if label is not None:
        parsed["triples"] = [] if label in NO_RELATIONS else [{**spans, "relation": label}]
    return parsed


def _parse_place(record: Record, role: str, text: str, offsets: List[CharSpan]) -> Record:
    """Parse one argument; `offsets` of the tokens are empty if `pos` counts characters."""
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
