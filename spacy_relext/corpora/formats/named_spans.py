"""Spans with the strings that they hold: documents of DocRED, and OpenNRE's pairs (NYT10, NYT10m, Wiki80), whose places
count tokens or characters.

DocRED has no ids of a knowledge base: an entity's id is `title#number`, the same for all its mentions.
"""

from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .annotation import LOSSES, Losses, SpanReader
from .checks import (
    check_keys,
    check_object,
    check_offsets,
    check_tokens,
    check_unicode,
    describe,
    iter_objects,
    join_sentences,
    make_entity,
    require,
    require_label,
    require_text,
    same_words,
    sort_entities,
    span_chars,
)
from .evidence import OffsetConvention, decide_by_name, iter_evidence
from .locate import ENTITY, NO_RELATIONS, Mention

# Keys of DocRED's labels on the Hub.
_HUB = {"head": "h", "tail": "t", "relation_id": "r"}

# How `pos` is read, the usual way first.
_POSITIONS = {
    "sentence": OffsetConvention({}),
    "document": OffsetConvention(
        {"of_document": True}, "pos counts the tokens of the document (the names of mentions)"
    ),
    "last": OffsetConvention({"last": 1}, "ends are inclusive (the names of mentions)"),
}


def decide_docred(values: Iterable[object]) -> OffsetConvention:
    """Decide by the names of mentions whether `pos` counts tokens of the sentence, as usual, or of the document."""

    def list_names(record: Record) -> Iterator[Tuple[str, Dict[str, str]]]:
        tokens = [token for sentence in record["sents"] for token in sentence]
        for mention in (mention for vertex in record["vertexSet"] for mention in vertex):
            (start, end), sentence = mention["pos"], record["sents"][mention["sent_id"]]
            spans = {"sentence": sentence[start:end], "last": sentence[start : end + 1], "document": tokens[start:end]}
            yield mention["name"], {name: " ".join(words) for name, words in spans.items()}

    return decide_by_name(iter_evidence(values, list_names), conventions=_POSITIONS)


def parse_docred(value: object, *, of_document: bool = False, last: int = 0) -> Record:
    """Parse a document, whose `facts` are still to be located by `locate_facts`.

    of_document (bool): Whether `pos` counts tokens of the document, not of the sentence.
    last (int): Is added to ends, which become exclusive.
    """
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
    losses = Losses()
    vertices: List[List[Mention]] = []
    # A vertex may list a mention twice.
    entities: Dict[Tuple[int, int, str, str], None] = {}
    for number, vertex in enumerate(require(record, "vertexSet", list)):
        name = f"vertexSet[{number}]"
        if not isinstance(vertex, list) or not vertex:
            raise ValueError(f"{name} is {describe(vertex)}, not a list of mentions")
        mentions = [_parse_mention(each, sentences, f"a mention of {name}", of_document, last) for each in vertex]
        losses["mentions whose name is not the text at their place"] += sum(
            isinstance(raw.get("name"), str) and not same_words(raw["name"], text[start:end])
            for raw, ((start, end, _), _) in zip(vertex, mentions)
        )
        vertices.append(list(dict.fromkeys(mention for mention, _ in mentions)))
        entities.update({(start, end, label, f"{title}#{number}"): None for (start, end, _), label in mentions})
    parsed: Record = {
        LOSSES: losses,
        "text": text,
        "sents": [[offsets[0][0], offsets[-1][1]] for offsets in sentences if offsets[0][0] < offsets[-1][1]],
        "entities": sort_entities(entities),
        "title": title,
    }
    if "labels" in record:
        listed = iter_objects(record, "labels")
        labels = [(name, {_HUB.get(key, key): each for key, each in label.items()}) for name, label in listed]
        parsed["facts"] = [_parse_fact(label, vertices, len(sentences), name) for name, label in labels]
    return parsed


def _parse_mention(
    value: object, sentences: Sequence[Sequence[CharSpan]], name: str, of_document: bool, last: int
) -> Tuple[Mention, str]:
    """Parse one mention; return it and its entity label. See `parse_docred`."""
    mention = check_object(value, name)
    sentence = require(mention, "sent_id", int, name=name)
    if not 0 <= sentence < len(sentences):
        raise ValueError(Errors.R706.format(name=name, found=sentence, count=len(sentences)))
    position = require(mention, "pos", list, name=name)
    before = sum(map(len, sentences[:sentence])) if of_document else 0
    position = _move(position, -before, last - before)
    start, end = check_offsets(position, length=len(sentences[sentence]), name=f"'pos' of {name}")
    label = require_text(mention, "type", name=name)
    start, end = span_chars(sentences[sentence], start, end)
    return (start, end, sentence), label


def _move(position: List[object], start: int, end: int) -> List[object]:
    """Add to the start and the end of a span, if it is one."""
    moved = [each + by if type(each) is int else each for each, by in zip(position, (start, end))]
    return moved if len(position) == 2 else position


def _parse_fact(label: Record, vertices: Sequence[List[Mention]], n_sentences: int, name: str) -> Record:
    for role in ("h", "t"):
        number = require(label, role, int, name=name)
        if not 0 <= number < len(vertices):
            raise ValueError(Errors.R707.format(name=name, role=role, found=number, count=len(vertices)))
    relation = require_label(label, "r", name=name)
    evidence = label.get("evidence", [])
    if not isinstance(evidence, list) or not all(type(n) is int and 0 <= n < n_sentences for n in evidence):
        raise ValueError(Errors.R706.format(name=f"'evidence' of {name}", found=describe(evidence), count=n_sentences))
    subject, obj = vertices[label["h"]], vertices[label["t"]]
    # A fact that relates an entity to itself is left out: both arguments get the same single mention.
    last = 1 if label["h"] == label["t"] else None
    return {"subject": subject[:last], "relation": relation, "object": obj[:last], "evidence": sorted(set(evidence))}


_OPENNRE = {
    "usual": OffsetConvention({}),
    "last": OffsetConvention({"last": 1}, "ends are inclusive (the names of arguments)"),
}


def decide_opennre(values: Iterable[object]) -> OffsetConvention:
    """Decide by the names of arguments whether ends are exclusive, as usual, or inclusive."""

    def list_names(record: Record) -> Iterator[Tuple[str, Dict[str, str]]]:
        units, joint = (record["token"], " ") if "token" in record else (record["text"], "")
        for role in ("h", "t"):
            (start, end), name = record[role]["pos"], record[role]["name"]
            yield name, {"usual": joint.join(units[start:end]), "last": joint.join(units[start : end + 1])}

    return decide_by_name(iter_evidence(values, list_names), conventions=_OPENNRE)


def parse_opennre(value: object, *, last: int = 0, offsets: Optional[str] = None) -> Record:
    """Parse a record; `pairs` has the label as the file has it.

    last (int): Is added to ends, which become exclusive.
    offsets (Optional[str]): What `pos` counts in a record without tokens; see `SpanReader`.
    """
    record = check_object(value)
    check_keys(record, "text or token", "h", "t")
    tokens: List[CharSpan] = []
    if "token" in record:
        text, (tokens,) = join_sentences([check_tokens(require(record, "token", list), allow_blank=True)])
    else:
        text = require_text(record, "text")
    arguments = {role: _read_argument(record, role, last) for role in ("h", "t")}
    reader = SpanReader(text, "codepoint" if tokens else offsets)
    names = ((position, value.get("name")) for value, position in arguments.values())
    reader.fit_offsets([([position], name) for position, name in names if name])  # type: ignore[list-item]
    subject, obj = (_parse_place(*arguments[role], role, reader, tokens) for role in ("h", "t"))
    spans = {"subject": [subject["start"], subject["end"]], "object": [obj["start"], obj["end"]]}
    if spans["subject"] == spans["object"]:
        raise ValueError(Errors.R705.format(string=describe(text[slice(*spans["subject"])])))
    label = require_label(record, "relation") if "relation" in record else None
    reader.count_doubtful()
    parsed: Record = {
        LOSSES: reader.losses,
        "text": text,
        "entities": [subject, obj],
        "pairs": [{**spans, "label": label}],
    }
    if label is not None:
        parsed["triples"] = [] if label in NO_RELATIONS else [{**spans, "relation": label}]
    return parsed


def _read_argument(record: Record, role: str, last: int) -> Tuple[Record, List[object]]:
    """Read one argument and its position, to whose end `last` is added."""
    value = require(record, role, dict)
    for key in ("id", "name", "type"):
        if value.get(key) is not None:
            check_unicode(require(value, key, str, name=role), f"{key} of {role}")
    return value, _move(require(value, "pos", list, name=role), 0, last)


def _parse_place(
    value: Record, position: List[object], role: str, reader: SpanReader, tokens: Sequence[CharSpan]
) -> Record:
    """Make the entity of an argument; without tokens, its position counts characters."""
    name = f"'pos' of {role}"
    if tokens:
        start, end = span_chars(tokens, *check_offsets(position, length=len(tokens), name=name))
    else:
        start, end = reader.places.to_codepoints(position, name)
    reader.spans[role] = (start, end)
    stated, text_there = value.get("name"), reader.text[start:end]
    if stated and not same_words(stated, text_there):
        raise ValueError(Errors.R704.format(role=role, name=describe(stated), found=describe(text_there)))
    label = (value.get("type") or "").strip() or ENTITY
    return make_entity(start, end, label, (value.get("id") or "").strip())
