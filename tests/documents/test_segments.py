"""What is read of a document at a time, and which entities make pairs."""

from typing import List, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_relext.documents.segments import DocumentInstances, pair_arrays, segment_bounds, suggest_pairs

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")


def make_doc(text: str, *names: Tuple[str, str]) -> Doc:
    doc = NLP(text)
    spans = []
    for name, label in names:
        start = text.index(name)
        spans.append(doc.char_span(start, start + len(name), label=label))
    doc.set_ents(spans)
    return doc


def suggest(*docs: Doc, length: int = 50) -> DocumentInstances:
    return suggest_pairs(docs, length=length, allows=lambda one, other: (one, other) != ("ORG", "ORG"))


def test_pairs_of_types_between_which_a_relation_may_hold() -> None:
    doc = make_doc("Ada left. She joined Nordlys and Skog.", ("Ada", "PERSON"), ("Nordlys", "ORG"), ("Skog", "ORG"))
    (segment,) = suggest(make_doc(""), doc).segments
    assert segment.doc == 1 and segment.pairs == [(0, 1), (0, 2), (1, 0), (2, 0)]
    arrays = pair_arrays(suggest(make_doc("Hm."), doc), ["ORG", "PERSON"])
    assert arrays["types"].tolist() == [2, 1, 1] and arrays["pairs"].tolist() == [[0, 1], [0, 2], [1, 0], [2, 0]]
    assert arrays["mentions"].tolist() == [[[0, 0]], [[5, 5]], [[7, 7]]]
    assert arrays["index"].tolist() == [list(range(2, 2 + len(doc)))], "tokens are counted through all Docs"


def test_a_long_text_is_read_in_segments() -> None:
    doc = make_doc("Ada ran. " * 40 + "Bo ran. Eva met Bo.", ("Bo", "PERSON"), ("Eva", "PERSON"))
    first, *_ = doc.ents
    doc.set_ents([*doc.ents, doc.char_span(0, 3, label="PERSON")])
    instances = suggest(doc, length=30)
    assert [segment.pairs for segment in instances.segments] == [[(0, 1), (1, 0)]], "Ada and Bo are far apart"
    assert first.start >= instances.segments[0].start


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(16, 60))
def test_segments_cover_all_and_overlap(lengths: List[int], length: int) -> None:
    doc = Doc(NLP.vocab, ["x"] * sum(lengths), sent_starts=[i == 0 for n in lengths for i in range(n)])
    bounds = segment_bounds(doc, length)
    assert sorted({i for start, end in bounds for i in range(start, end)}) == list(range(len(doc)))
    assert all(0 < end - start <= length for start, end in bounds)
    assert all(one[0] < two[0] < one[1] < two[1] for one, two in zip(bounds, bounds[1:]))
    assert len(bounds) <= 1 + 8 * len(doc) / length


def test_parts_hold_all_pairs() -> None:
    docs = [make_doc("Ada met Bo.", ("Ada", "PERSON"), ("Bo", "PERSON")) for _ in range(5)]
    instances = suggest(*docs)
    parts = list(instances.parts(cells=20))
    assert [len(part) for part in parts] == [4, 4, 2] and len(instances) == 10
    assert [[segment.doc for segment in part.segments] for part in parts] == [[0, 1], [0, 1], [0]]
    assert parts[1].docs[0] is docs[2] and list(suggest().parts()) == []


@pytest.mark.parametrize("text", ["", " ", "\u00a0\n", "Hm"])
def test_nothing_to_pair(text: str) -> None:
    instances = suggest(make_doc(text))
    assert len(instances) == 0 and pair_arrays(instances, [])["pairs"].shape == (0, 2)
