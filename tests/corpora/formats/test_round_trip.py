"""What `spacy relext annotate export` writes, `convert` reads: the same records, and nothing is lost."""

import json
import tempfile
from pathlib import Path
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_relext.corpora.formats.registry import WRITABLE

from .tool_records import Kind, Record, read, records, write

OTHERS: List[Record] = [
    {},
    {"id": 7, "source": {"a": [1]}, "annotator": "ada"},
    {"sents": [[0, 1]], "coref": [[[0, 1]]]},
]

KINDS = {
    "brat": Kind(
        labels=["PERSON", "LOC", "a-1"],
        relations=["born_in", "knows", "R2"],
        kb_ids=["Q1", "Wikipedia:64488", "KB:Q1", ":x"],
    ),
    "doccano": Kind(others=OTHERS, states=("gold", "none", "entities")),
    "jsonl": Kind(others=OTHERS, coref=True, kb_ids=["Q1"], attributes=["negated"], states=("gold", "both", "none")),
    "label-studio": Kind(
        attributes=["negated", "assertion", "a b"],
        values=["a|b c", [1, "x"], {"a": None}, *Kind().values],
        others=OTHERS,
        states=("gold", "none"),
    ),
    "prodigy": Kind(
        attributes=["negated", "assertion"],
        values=["a|b c", [1, "x"], {"a": None}, *Kind().values],
        others=OTHERS,
        states=("gold", "rejected", "none"),
    ),
}

# Neither tool has a place for entities of documents without triples but suggestions.
EXPECTED = "entities of documents without annotated triples, written as suggestions"


def check_tokens(tasks: List[Record]) -> None:
    """Tokens are the text, and spans begin and end with one."""
    for task in tasks:
        assert "".join(token["text"] + " " * token["ws"] for token in task["tokens"]) == task["text"]
        for span in task["spans"]:
            first, last = (task["tokens"][span[side]] for side in ("token_start", "token_end"))
            assert (first["start"], last["end"]) == (span["start"], span["end"])


def check_ids(lines: List[Record]) -> None:
    """Ids are unique in the file."""
    ids = [entity["id"] for record in lines for entity in record.get("entities", ())]
    assert ids == list(range(len(ids)))


FILES = {"doccano": check_ids, "prodigy": check_tokens}


@pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", WRITABLE)
def test_what_is_written_is_read(name: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.lists(records(KINDS[name]), min_size=1, max_size=3))
    def check(written: List[Record]) -> None:
        last = [] if name == "brat" else [FULL, {"text": "Not annotated."}]
        with tempfile.TemporaryDirectory() as folder:
            paths, lost = write(name, Path(folder), [*written, *last])
            found, losses = read(name, paths[0])
            if name in FILES:
                FILES[name]([json.loads(line) for line in paths[0].read_text(encoding="utf8").split("\n") if line])
        assert list(map(as_json, found)) == list(map(as_json, [*written, *last]))
        assert not {kind for kind in losses if not kind.startswith("documents whose offsets")}
        assert not {kind for kind in lost if kind != EXPECTED}

    check()


# doccano refuses a file that has entities and not one relation.
FULL: Record = {
    "text": "Ada saw Bo.",
    "entities": [{"start": 0, "end": 3, "label": "PERSON"}, {"start": 8, "end": 10, "label": "PERSON"}],
    "triples": [{"subject": [0, 3], "relation": "saw", "object": [8, 10]}],
}


def as_json(record: Record) -> str:
    """In Python, true is 1."""
    return json.dumps(record, sort_keys=True)
