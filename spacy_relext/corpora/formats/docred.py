"""DocRED's documents: `{"title", "sents", "vertexSet", "labels"}`, facts between entities with several mentions.

`sents` are tokens, joined by one space. Each vertex is an entity and lists its mentions (`name`, `sent_id`, `pos` in
tokens of that sentence with exclusive end, `type`). `labels` name vertices by number, `h`, `t`, a relation `r` and
mostly the sentences that are its `evidence`; a document without `labels` is not annotated. There are no ids of a
knowledge base: an entity's id is `title#number`, which is the same for all its mentions and for no entity of others.
"""

from typing import Any, Dict, List, Sequence, Tuple

from ...errors import Errors
from .checks import check_object, check_offsets, check_unicode, describe, require
from .linked import Mention
from .tokens import check_tokens, join_tokens, span_chars

CharOffsets = List[Tuple[int, int]]


def parse_docred(value: Any) -> Dict[str, Any]:
    """Turn one document into a record whose facts are still to be located.

    value (Any): A parsed JSON value.
    RETURNS (Dict[str, Any]): `text`, `sents`, `entities` (each mention, with the id of its vertex), `title`, and
        `facts` where there are labels; see `linked.locate_facts`.
    RAISES (ValueError): Where it is malformed.
    """
    record = check_object(value)
    title: str = require(record, "title", str)
    check_unicode(title, "title")
    text, sentences = _join_sentences(require(record, "sents", list))
    vertices: List[List[Mention]] = []
    # A vertex may list a mention twice.
    entities: Dict[Tuple[int, int, str, str], None] = {}
    for number, vertex in enumerate(require(record, "vertexSet", list)):
        name = f"vertexSet[{number}]"
        if not isinstance(vertex, list) or not vertex:
            raise ValueError(f"{name} is {describe(vertex)}, not a list of mentions")
        read = [_mention(mention, sentences, name) for mention in vertex]
        vertices.append(list(dict.fromkeys(mention for mention, _ in read)))
        entities.update({(start, end, label, f"{title}#{number}"): None for (start, end, _), label in read})
    parsed: Dict[str, Any] = {
        "text": text,
        "sents": [[offsets[0][0], offsets[-1][1]] for offsets in sentences if offsets[0][0] < offsets[-1][1]],
        "entities": [
            {"start": start, "end": end, "label": label, "kb_id": kb_id}
            for start, end, label, kb_id in sorted(entities, key=lambda entity: (entity[0], -entity[1], entity[3]))
        ],
        "title": title,
    }
    if "labels" in record:
        labels = enumerate(require(record, "labels", list))
        parsed["facts"] = [_fact(label, vertices, len(sentences), f"labels[{number}]") for number, label in labels]
    return parsed


def _join_sentences(sents: Sequence[Any]) -> Tuple[str, List[CharOffsets]]:
    """Join all tokens; RETURNS also the characters of each sentence's tokens."""
    if not sents:
        raise ValueError("'sents' is empty")
    tokens: List[List[str]] = []
    for number, sentence in enumerate(sents):
        if not isinstance(sentence, list):
            raise ValueError(f"sents[{number}] is {describe(sentence)}, not a list of tokens")
        tokens.append(check_tokens(sentence, allow_blank=True))
    text, offsets = join_tokens([token for sentence in tokens for token in sentence])
    if not text:
        raise ValueError("'sents' hold nothing but white space")
    parts, first = [], 0
    for sentence in tokens:
        parts.append(offsets[first : first + len(sentence)])
        first += len(sentence)
    return text, parts


def _mention(value: Any, sentences: Sequence[CharOffsets], name: str) -> Tuple[Mention, str]:
    """Read one mention and its type."""
    mention = check_object(value, f"a mention of {name}")
    sentence: int = require(mention, "sent_id", int, name=f"a mention of {name}")
    if not 0 <= sentence < len(sentences):
        raise ValueError(Errors.R706.format(name=f"a mention of {name}", found=sentence, count=len(sentences)))
    position = require(mention, "pos", list, name=f"a mention of {name}")
    start, end = check_offsets(position, length=len(sentences[sentence]), name=f"'pos' of a mention of {name}")
    label: str = require(mention, "type", str, name=f"a mention of {name}")
    if not label.strip():
        raise ValueError(f"'type' of a mention of {name} is empty")
    check_unicode(label, f"type of {name}")
    start, end = span_chars(sentences[sentence], start, end)
    return (start, end, sentence), label


def _fact(value: Any, vertices: Sequence[List[Mention]], n_sentences: int, name: str) -> Dict[str, Any]:
    """Read one label."""
    label = check_object(value, name)
    ends = []
    for role in ("h", "t"):
        number: int = require(label, role, int, name=name)
        if not 0 <= number < len(vertices):
            raise ValueError(Errors.R707.format(name=name, role=role, found=number, count=len(vertices)))
        ends.append(number)
    relation: str = require(label, "r", str, name=name)
    if not relation.strip():
        raise ValueError(f"'r' of {name} is empty")
    check_unicode(relation, name)
    evidence = label.get("evidence", [])
    if not isinstance(evidence, list) or not all(type(n) is int and 0 <= n < n_sentences for n in evidence):
        raise ValueError(Errors.R706.format(name=f"'evidence' of {name}", found=describe(evidence), count=n_sentences))
    # A fact of an entity with itself has no two arguments: both get one place, and it is counted and left out.
    subject, obj = vertices[ends[0]], vertices[ends[1]]
    same = ends[0] == ends[1]
    return {
        "subject": subject[:1] if same else subject,
        "relation": relation,
        "object": obj[:1] if same else obj,
        "evidence": sorted(set(evidence)),
    }
