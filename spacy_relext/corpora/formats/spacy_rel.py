"""Corpora of spaCy's tutorial on relations: the extension `rel` of each Doc, `{(start, start): {label: value}}`.

A key has the first tokens of two entities in `doc.ents`. A value of 0.5 or more is a triple; others are negatives.
"""

from pathlib import Path
from typing import Any, Iterator

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ...annotations.triple import Record
from ...errors import Errors
from ..shards import iter_docs
from .annotation import SpanReader
from .checks import check_text, describe
from .sources import Item

# Where spaCy stores `doc._.rel`; its stubs say that keys of `user_data` are strings.
REL_KEY: Any = ("._.", "rel", None, None)

_THRESHOLD = 0.5


def read_spacy_rel(path: Path) -> Iterator[Item]:
    """Read the Docs of a corpus; their numbers stand for lines."""
    for number, doc in enumerate(iter_docs(path, Vocab()), start=1):
        yield Item(str(path), number, doc)


def parse_spacy_rel(doc: Doc) -> Record:
    """Parse a Doc; without `rel` it is not annotated with triples."""
    reader = SpanReader(check_text(doc.text, "the text"))
    for ent in doc.ents:
        labels = [ent.label_] if ent.label_ else []
        name = f"the entity at token {ent.start}"
        reader.add_span(ent.start, ent.start_char, ent.end_char, labels, name=name, kb_id=ent.kb_id_)
    for key in doc.user_data.keys() - {REL_KEY}:
        reader.losses[f"custom attribute: {key[1] if isinstance(key, tuple) and len(key) > 1 else key}"] += 1
    others = {"sents": [[s.start_char, s.end_char] for s in doc.sents]} if doc.has_annotation("SENT_START") else {}
    if REL_KEY not in doc.user_data:
        return reader.record(others, annotated=("entities",))
    relations = doc.user_data[REL_KEY]
    if not isinstance(relations, dict):
        raise ValueError(Errors.R750.format(name="doc._.rel", found=describe(relations), expected="a dictionary"))
    for pair, values in relations.items():
        _read_pair(pair, values, reader)
    return reader.record(others)


def _read_pair(pair: object, values: object, reader: SpanReader) -> None:
    """Read the values of a pair of entities."""
    name = f"doc._.rel[{describe(pair)}]"
    if not isinstance(pair, tuple) or len(pair) != 2 or any(type(start) is not int for start in pair):
        raise ValueError(Errors.R750.format(name=name, found=describe(pair), expected="the starts of two entities"))
    if not isinstance(values, dict) or not all(isinstance(value, (int, float)) for value in values.values()):
        raise ValueError(Errors.R750.format(name=name, found=describe(values), expected="a number for each label"))
    labels = [str(label) for label, value in values.items() if value >= _THRESHOLD]
    if labels or any(start not in reader.spans for start in pair):
        reader.add_relation(pair[0], labels, pair[1], name=name)
