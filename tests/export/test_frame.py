"""Triples as a DataFrame."""

import sys

import pytest
import spacy

from spacy_relext import set_triples, to_frame

pandas = pytest.importorskip("pandas")

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "Ada Lovelace was born in London. Mary wrote Frankenstein in Geneva."


def make_doc(*triples, text=TEXT, source="finder"):
    doc = NLP(text)
    set_triples(doc, triples, source=source)
    return doc


BORN, WROTE = ((0, 12), "place_of_birth", (25, 31), 0.75), ((33, 37), "author", (44, 56), 0.5)


def test_one_row_a_triple():
    frame = to_frame([make_doc(WROTE, BORN), NLP("Nothing."), make_doc(WROTE, source="")])
    assert len(frame) == 3
    assert frame.iloc[0].to_dict() == {
        "doc": 0,
        "subject": "Ada Lovelace",
        "relation": "place_of_birth",
        "object": "London",
        "score": 0.75,
        "source": "finder",
        "subject_start": 0,
        "subject_end": 12,
        "object_start": 25,
        "object_end": 31,
        "sentence": "Ada Lovelace was born in London.",
        "sentence_start": 0,
        "sentence_end": 32,
        "attributes": "",
    }
    assert frame.doc.tolist() == [0, 0, 2] and frame.source.tolist() == ["finder", "finder", ""]
    assert frame.sentence[1] == "Mary wrote Frankenstein in Geneva." == TEXT[33:67]
    assert (frame.sentence_start[1], frame.sentence_end[1]) == (33, 67)


def test_a_doc_a_stream_and_nothing():
    doc = make_doc(BORN)
    assert to_frame(doc).equals(to_frame([doc])) and to_frame(each for each in [doc]).equals(to_frame(doc))
    empty = to_frame([])
    assert len(empty) == 0
    assert (empty.dtypes == to_frame(doc).dtypes).all() and len(empty[empty.score > 0.5]) == 0
    assert len(to_frame([NLP("")])) == 0


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError) as raised:
        to_frame([make_doc(BORN)])
    expected = "[R006] pandas is needed for to_frame and is not installed: pip install 'spacy-relext[frames]'."
    assert str(raised.value) == expected


def test_what_is_no_doc():
    with pytest.raises(ValueError, match=r"\[R007\] docs is 'a text'"):
        to_frame("a text")
