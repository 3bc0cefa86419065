"""Damaged .spacy files are refused with one line that names file and document."""

import zlib
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import spacy
import srsly
from spacy.attrs import ENT_IOB, ENT_KB_ID
from spacy.vocab import Vocab

from spacy_relext.annotations.entities import ENTITIES_KEY, PAIRS_KEY
from spacy_relext.annotations.store import (
    COREF_KEY,
    LENGTH_KEY,
    REJECTED_KEY,
    RELATIONS_KEY,
    SOFT_LABELS_KEY,
    TRIPLES_KEY,
)
from spacy_relext.corpora.blocks import iter_blocks
from spacy_relext.corpora.canonical import META_KEY, find_damage
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import ShardWriter, iter_docs

TRIPLE = {"subject": (0, 3), "relation": "left", "object": (9, 13), "score": 1.0, "source": "", "evidence": {}}
PLACES = {"subject": (0, 3), "object": (9, 13)}
LABELS = {"classes": [["r", False]], "pairs": ()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    entities = [{"start": 0, "end": 3, "label": "PERSON", "kb_id": "Q1"}]
    with ShardWriter(tmp_path / "a.spacy") as writer:
        for text in ("Bob left Oslo.", "Ada left Oslo."):
            triples = [{"subject": [0, 3], "relation": "left", "object": [9, 13]}]
            writer.add(record_to_doc(nlp.make_doc, {"text": text, "entities": entities, "triples": triples}))
    return tmp_path / "a.spacy"


def change(path: Path, edit: Callable[[Dict[str, Any]], None]) -> None:
    """Change what a file holds; its compression is whole."""
    content = srsly.msgpack_loads(zlib.decompress(path.read_bytes()))
    edit(content)
    path.write_bytes(zlib.compress(srsly.msgpack_dumps(content)))


@pytest.mark.parametrize(
    "changed",
    [
        {"attrs": []},
        {"strings": [5]},
        {"strings": []},
        {"lengths": b"\x01\x00\x00"},
        {"lengths": b"\xff\xff\xff\xff"},
        {"tokens": b""},
        {"spaces": b"\x01"},
        {"cats": [{}]},
        {"cats": [5, 5]},
        {"flags": {}},
        {"span_groups": [None, None]},
        {"user_data": 5},
        {"user_data": [b"\x80"]},
        {"user_data": ["text", "text"]},
    ],
)
def test_other_content(path: Path, changed: Dict[str, Any]) -> None:
    change(path, lambda content: content.update(changed))
    for read in (iter_docs, iter_blocks):
        with pytest.raises(ValueError, match=r"\[R112\] '.*a.spacy'"):
            list(read(path, Vocab()))


@pytest.mark.parametrize("user_data", [b"", b"\xc1", b"\x80\x80", b"\xc0", srsly.msgpack_dumps({TRIPLES_KEY: 5})])
def test_user_data_names_the_document(path: Path, user_data: bytes) -> None:
    change(path, lambda content: content["user_data"].__setitem__(1, user_data))
    for read in (iter_docs, iter_blocks):
        with pytest.raises(ValueError, match=r"\[R112\] '.*a.spacy' .*document 2: "):
            list(read(path, Vocab()))


@pytest.mark.parametrize(("attr", "value"), [(ENT_IOB, 1), (ENT_KB_ID, 12345)])
def test_tokens(path: Path, attr: int, value: int) -> None:
    def edit(content: Dict[str, Any]) -> None:
        column, width = content["attrs"].index(attr), len(content["attrs"])
        last = len(content["tokens"]) - 8 * (width - column)
        content["tokens"] = content["tokens"][:last] + value.to_bytes(8, "little") + content["tokens"][last + 8 :]

    change(path, edit)
    with pytest.raises(ValueError, match=r"\[R112\] '.*a.spacy'"):
        list(iter_docs(path, Vocab()))


@pytest.mark.parametrize(
    ("user_data", "found"),
    [
        (None, "user data is a NoneType"),
        ({LENGTH_KEY: -1}, f"{LENGTH_KEY} is -1"),
        ({META_KEY: []}, rf"{META_KEY} is \[\], not an object"),
        ({TRIPLES_KEY: "text"}, f"{TRIPLES_KEY} is 'text', not a list"),
        ({TRIPLES_KEY: [{**TRIPLE, "subject": [3, 0]}]}, r"triples\[0\].subject is \[3, 0\]"),
        ({TRIPLES_KEY: [{**TRIPLE, "subject": [0, 2**40]}]}, TRIPLES_KEY),
        ({TRIPLES_KEY: [{**TRIPLE, "relation": None}]}, TRIPLES_KEY),
        ({TRIPLES_KEY: [{**TRIPLE, "score": "high"}]}, TRIPLES_KEY),
        ({TRIPLES_KEY: [{**TRIPLE, "attributes": []}]}, TRIPLES_KEY),
        ({REJECTED_KEY: [TRIPLE, 5]}, rf"{REJECTED_KEY}\[1\] is 5, not an object"),
        ({COREF_KEY: [[[0, 1], [2]]]}, COREF_KEY),
        ({RELATIONS_KEY: [{"start": 0, "end": 5, "relations": {"r": "x"}}]}, RELATIONS_KEY),
        ({ENTITIES_KEY: None}, f"{ENTITIES_KEY} is None, not a list"),
        ({ENTITIES_KEY: [{"start": 0, "end": 5, "label": "\ud800"}]}, ENTITIES_KEY),
        ({PAIRS_KEY: [{"subject": (0, 1)}]}, PAIRS_KEY),
        ({SOFT_LABELS_KEY: []}, SOFT_LABELS_KEY),
        ({SOFT_LABELS_KEY: {"classes": [["r"]], "pairs": []}}, SOFT_LABELS_KEY),
        ({SOFT_LABELS_KEY: {**LABELS, "pairs": [{**PLACES, "teacher": [0.5]}]}}, SOFT_LABELS_KEY),
        ({SOFT_LABELS_KEY: {**LABELS, "pairs": [{**PLACES, "teacher": [0.5, "x"]}]}}, SOFT_LABELS_KEY),
    ],
)
def test_values(user_data: Any, found: str) -> None:
    with pytest.raises(ValueError, match=found):
        raise ValueError(find_damage(user_data))


def test_valid_values() -> None:
    labels = {**LABELS, "pairs": [{**PLACES, "teacher": (0.5, 1)}]}
    valid = {
        LENGTH_KEY: 14,
        SOFT_LABELS_KEY: labels,
        TRIPLES_KEY: (TRIPLE,),
        REJECTED_KEY: [],
        COREF_KEY: [[(0, 3)]],
        "other": object(),
    }
    assert find_damage(valid) == find_damage({}) == ""
