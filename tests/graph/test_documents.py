"""Reading documents and decisions: what a graph takes, and one line for what it does not."""

import json
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_relext.annotations.store import set_triples
from spacy_relext.graph.decisions import Decision, read_decisions
from spacy_relext.graph.documents import CHAINS_KEY, doc_to_document, parse_document, read_documents

from .texts import record

BORN = [("Ada Lovelace", "place_of_birth", "London", 0.9)]


def test_records_of_files(tmp_path: Path) -> None:
    made = record("She wrote. Ada Lovelace was born in London.", BORN, {"London": "GPE"})
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({**made, "date": "1815"}) + "\n\n" + json.dumps({**made, "doc_id": "x"}) + "\n")
    first, second = read_documents([path])
    assert (first.doc_id, first.file, json.loads(first.meta)) == ("1", "texts", {"date": "1815"})
    assert second.doc_id == "x" and first.statements == second.statements
    (stated,) = first.statements
    assert (stated.sent, stated.sentence, stated.score) == (1, (11, 43), 0.9)


def test_docs_of_corpora(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp("She wrote. Ada Lovelace was born in London.")
    doc.set_ents([Span(doc, 3, 5, "PERSON"), Span(doc, 8, 9, "GPE")])
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[3:5]]
    set_triples(doc, [(doc[3:5], "place_of_birth", doc[8:9], 0.7)], source="m")
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "a.spacy")
    (read,) = read_documents([tmp_path / "a.spacy"])
    assert read.chains == [[(0, 3), (11, 23)]] and [each.label for each in read.entities] == ["PERSON", "GPE"]
    assert read.statements[0].source == "m" and read.statements[0].sent == 1
    assert doc_to_document(doc).statements == read.statements


def test_chains_of_an_attribute() -> None:
    class Named:
        def __init__(self, *indexes: int) -> None:
            self.token_indexes = list(indexes)

    doc = spacy.blank("en")("Ada Lovelace wrote. She knew Babbage.")
    doc.set_ents([Span(doc, 0, 2, "PERSON")])
    Doc.set_extension("coref_chains", default=None)
    try:
        doc._.coref_chains = [[Named(1), Named(4)]]
        assert doc_to_document(doc).chains == [[(0, 12), (20, 23)]]
    finally:
        Doc.remove_extension("coref_chains")


@pytest.mark.parametrize(
    "value, problem",
    [
        ([], "not an object"),
        ({}, "no 'text'"),
        ({"text": 1}, "not a text"),
        ({"text": "ab", "triples": [{}]}, "no 'subject'"),
        (
            {"text": "ab", "triples": [{"subject": [0, 9], "object": [0, 1], "relation": "r"}]},
            "0:9, not in the text",
        ),
        (
            {"text": "ab", "triples": [{"subject": [0, 1], "object": [1, 2], "relation": 1}]},
            "of a triple is 1",
        ),
        ({"text": "ab", "triples": [{"subject": [0, 1], "object": [1, 2], "relation": "r", "score": 2}]}, "is 2.0"),
        ({"text": "ab", "entities": [{"start": 0}]}, "no 'end'"),
        ({"text": "ab", CHAINS_KEY: [[[0, 1], [1]]]}, "expected 2"),
    ],
)
def test_malformed_records(value: object, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_document(value, place="a.jsonl:3")
    assert str(caught.value).startswith("[R830] a.jsonl:3: ") and problem in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda each: (
            st.lists(each, max_size=3)
            | st.dictionaries(
                st.sampled_from(["text", "triples", "entities", "subject", "sents", "coref", "start"]), each
            )
        ),
        max_leaves=8,
    )
)
def test_junk_never_ends_in_another_error(value: object) -> None:
    try:
        parse_document(value)
    except ValueError as error:
        assert str(error).startswith("[R830]")


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    read = parse_document({"text": "a\ud800b", "triples": [{"subject": [0, 2], "relation": "r", "object": [2, 3]}]})
    assert read.text == "a\ufffdb" and read.statements[0].score == 1.0


def test_unknown_files(tmp_path: Path) -> None:
    for name in ("missing.jsonl", "a.txt"):
        if name == "a.txt":
            (tmp_path / name).write_text("x")
        with pytest.raises(ValueError, match="R831"):
            list(read_documents([tmp_path / name]))
    (tmp_path / "b.jsonl").write_text('{"text": "a"}\n{broken\n')
    with pytest.raises(ValueError, match=r"R830.*b\.jsonl:2: not JSON"):
        list(read_documents([tmp_path / "b.jsonl"]))


def test_decisions(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"same": ["A", "B"]}\n\n{"rename": [3, "C"]}\n{"different": [1, 2]}\n')
    same, rename, different = read_decisions(path)
    assert same == Decision("same", "A", "B", f"{path}:1") and str(rename) == '{"rename": [3, "C"]}'
    assert different.first == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"merge": ["a", "b"]}', '{"same": ["a"]}', '{"same": ["a", "a"]}', '{"same": ["a", 1.5]}',
     '{"rename": ["a", 3]}', '{"same": ["a", " "]}', '{"same": ["a", true]}'],
)  # fmt: skip
def test_malformed_decisions(tmp_path: Path, line: str) -> None:
    (tmp_path / "d.jsonl").write_text('{"same": ["x", "y"]}\n' + line + "\n")
    with pytest.raises(ValueError, match=r"R832.*d\.jsonl:2"):
        read_decisions(tmp_path / "d.jsonl")


def test_contradicting_decisions(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"same": ["x", "y"]}\n{"different": ["y", "x"]}\n')
    with pytest.raises(ValueError, match=r"R833.*d\.jsonl:2.*contradicts.*d\.jsonl:1"):
        read_decisions(tmp_path / "d.jsonl")
    with pytest.raises(ValueError, match="R832"):
        read_decisions(tmp_path / "missing.jsonl")
