"""DocRED's documents: `{"title", "sents", "vertexSet", "labels"}`, facts between entities with several mentions.

There are no ids of a knowledge base: an entity's id is `title#number`, the same for all its mentions.
"""

from typing import Dict, List, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .checks import (
    check_object,
    check_offsets,
    check_tokens,
    check_unicode,
    describe,
    iter_objects,
    join_sentences,
    require,
    require_text,
    sort_entities,
    span_chars,
)
from .locate import Mention


def parse_docred(value: object) -> Record:
    """Parse a document, whose `facts` are still to be located by `locate_facts`."""
    record = check_object(value)
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
    """Parse one of the `labels` into a fact."""
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
