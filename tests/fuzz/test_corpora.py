"""Damaged .spacy files: their bytes, what zlib and msgpack hold, and the values of this package in them."""

import random
import zlib
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.vocab import Vocab

from spacy_relext.annotations.constraints import get_removed
from spacy_relext.annotations.entities import doc_entities
from spacy_relext.annotations.parts import merge_docs
from spacy_relext.annotations.store import get_triples, relations_by_sentence, set_relations
from spacy_relext.corpora.blocks import iter_blocks
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.corpora.shards import ShardWriter, iter_docs
from tests.fuzz.mutators import mutate, mutate_value
from tests.fuzz.runner import fuzz
from tests.fuzz.samples import OTHER, RECORD

NLP = spacy.blank("en")


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("corpus") / "a.spacy"
    with ShardWriter(path) as writer:
        for record in (RECORD, OTHER, RECORD):
            doc = record_to_doc(NLP.make_doc, record)
            set_relations(doc, [((0, len(doc.text)), {"born_in": 0.5})])
            writer.add(doc)
    return path.read_bytes()


def read(path: Path) -> None:
    """Read a corpus in all ways, and its annotations."""
    for doc in iter_docs(path, Vocab()):
        doc_to_record(doc)
        get_triples(doc)
        get_removed(doc)
        doc_entities(doc)
        relations_by_sentence(doc, [(0, len(doc))])
        merge_docs([doc, doc])
    for example in TripleCorpus(path, gold_ents=True, gold_triples=True)(NLP):
        assert example.reference.text
    for block in iter_blocks(path, Vocab()):
        block.char_offsets(), block.linked_entities(), block.sentence_bounds()


def pack(value: Any) -> bytes:
    """Pack what msgpack can hold of a value: no huge numbers, no surrogates, no deep nesting."""
    try:
        return bytes(srsly.msgpack_dumps(value))
    except (ValueError, OverflowError, TypeError):
        return b"\xc0"


def test_bytes(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    path.write_bytes(content)
    read(path)

    def run(rng: random.Random) -> None:
        path.write_bytes(mutate(content, rng))
        read(path)

    fuzz(".spacy", run)


def test_msgpack(content: bytes, tmp_path: Path) -> None:
    path, inner = tmp_path / "a.spacy", zlib.decompress(content)

    def run(rng: random.Random) -> None:
        changed = mutate(inner, rng) if rng.random() < 0.5 else pack(mutate_value(srsly.msgpack_loads(inner), rng))
        path.write_bytes(zlib.compress(changed, 1))
        read(path)

    fuzz(".spacy msgpack", run)


def test_user_data(content: bytes, tmp_path: Path) -> None:
    path, value = tmp_path / "a.spacy", srsly.msgpack_loads(zlib.decompress(content))

    def run(rng: random.Random) -> None:
        number = rng.randrange(len(value["user_data"]))
        user_data = pack(mutate_value(srsly.msgpack_loads(value["user_data"][number]), rng))
        others = [user_data if at == number else each for at, each in enumerate(value["user_data"])]
        path.write_bytes(zlib.compress(pack({**value, "user_data": others}), 1))
        read(path)

    fuzz(".spacy user_data", run)
