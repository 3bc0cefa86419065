"""Corpora as arrays: the same as by way of Docs."""

from pathlib import Path
from typing import List

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_relext.corpora.blocks import BlockWriter, TextBlock, WordLengths, block_of, iter_blocks
from spacy_relext.corpora.shards import GOLD_ATTRS, iter_docs

VOCAB = spacy.blank("en").vocab


def docs() -> List[Doc]:
    made = [
        Doc(VOCAB, words=["Una", "lives", ".", "Ole", "too"], spaces=[True, False, True, True, False]),
        Doc(VOCAB, words=[]),
        Doc(VOCAB, words=["Trysil"], user_data={"a": {"b": (1, 2)}}),
        Doc(VOCAB, words=["Kari", "Lund", "left", "Una", "Brekk"]),
    ]
    for token in made[0]:
        token.is_sent_start = token.i in (0, 3)
    made[3].ents = [Span(made[3], 0, 2, "PERSON", kb_id="Q1"), Span(made[3], 3, 5, "PERSON", kb_id="Q2")]
    made[3].cats["x"] = 0.5
    return made


def check(block: TextBlock, expected: List[Doc]) -> None:
    assert block.bounds == [0, 5, 5, 6, 11]
    assert block.sentence_bounds() == [0, 3, 5, 6, 11]
    assert block.linked_entities() == [(6, 8, "Q1"), (9, 11, "Q2")]
    starts, ends = block.char_offsets()
    assert starts == [token.idx for doc in expected for token in doc]
    assert ends == [token.idx + len(token) for doc in expected for token in doc]


def test_blocks_of_docs_and_of_files(tmp_path: Path) -> None:
    check(block_of(docs(), WordLengths(VOCAB.strings)), docs())
    DocBin(docs=docs(), attrs=list(GOLD_ATTRS), store_user_data=True).to_disk(tmp_path / "a.spacy")
    (block,) = iter_blocks(tmp_path / "a.spacy", spacy.blank("en").vocab)
    check(block, docs())


@pytest.mark.parametrize("parsed", [False, True])
def test_what_is_written_is_what_was_read(tmp_path: Path, parsed: bool) -> None:
    written = docs()
    if parsed:
        written[3] = Doc(
            VOCAB, words=["He", "left", "She", "came"], heads=[1, 1, 3, 3], deps=["x", "ROOT", "x", "ROOT"]
        )
        written[3].spans["sc"] = [Span(written[3], 0, 2, "GROUP")]
    DocBin(docs=written, store_user_data=True).to_disk(tmp_path / "in.spacy")
    with BlockWriter(tmp_path / "out", shard=3, attrs=GOLD_ATTRS) as writer:
        for block in iter_blocks(tmp_path / "in.spacy", spacy.blank("en").vocab):
            writer.add_block(block)
    assert len(list((tmp_path / "out").glob("*.spacy"))) == 2
    for doc, expected in zip(iter_docs(tmp_path / "out", spacy.blank("en").vocab), written, strict=True):
        assert doc.text == expected.text and doc.cats == expected.cats and doc.user_data == expected.user_data
        assert [(e.text, e.label_, e.kb_id_) for e in doc.ents] == [(e.text, e.label_, e.kb_id_) for e in expected.ents]
        if expected.has_annotation("SENT_START"):
            assert [sent.text for sent in doc.sents] == [sent.text for sent in expected.sents]
        assert [span.label_ for span in doc.spans.get("sc", ())] == ["GROUP"] * bool(expected.spans)


def test_entities_take_the_place_of_others() -> None:
    block, strings = block_of(docs(), WordLengths(VOCAB.strings)), VOCAB.strings
    block.set_entities([(0, 1, strings.add("PERSON"), strings.add("Q7")), (3, 5, strings.add("X"), strings.add("Q8"))])
    assert block.linked_entities() == [(0, 1, "Q7"), (3, 5, "Q8")]
    block.set_entities([])
    assert block.linked_entities() == [] and set(block.tokens[:, 1].tolist()) == {2}
