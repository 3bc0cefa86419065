"""Reading documents: what a graph takes, and one line for what it does not."""

import json
from collections import Counter
from pathlib import Path
from typing import List, Optional

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_relext.annotations.mentions import EntitySpan, entity_of, read_kb_id
from spacy_relext.annotations.store import set_coref, set_triples
from spacy_relext.annotations.triple import CharSpan
from spacy_relext.export.columns import ParquetWriter
from spacy_relext.graph.documents import (
    Document,
    Statement,
    doc_to_document,
    parse_document,
    read_documents,
)

from .texts import record

BORN = [("Ada Lovelace", "place_of_birth", "London", 0.9)]


def test_records_of_files(tmp_path: Path) -> None:
    made = record("She wrote. Ada Lovelace was born in London.", BORN, {"London": "GPE"})
    path = tmp_path / "texts.jsonl"
    lines = [{**made, "date": "1815"}, {"text": " "}, {**made, "doc_id": "x"}]
    path.write_text("".join(json.dumps(line) + "\n\n" for line in lines))
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
    DocBin(docs=[doc, doc], store_user_data=True).to_disk(tmp_path / "b.spacy")
    (read,) = read_documents([tmp_path / "a.spacy"])
    assert read == Document(
        doc_id="1",
        text=doc.text,
        meta="",
        statements=[Statement((11, 23), "place_of_birth", (36, 42), 0.7, "m", 1, (11, 43))],
        entities=[EntitySpan(11, 23, "PERSON", None), EntitySpan(36, 42, "GPE", None)],
        chains=[[(0, 3), (11, 23)]],
        sentences=[(0, 10), (11, 43)],
        place=f"{tmp_path / 'a.spacy'}, document 1",
        file="a",
    )
    assert doc_to_document(doc) == read._replace(place="Doc 1", file="")
    assert doc_to_document(doc, number=4) == read._replace(doc_id="4", place="Doc 4", file="")
    folder = [(each.doc_id, each.file, each.place) for each in read_documents([tmp_path])]
    assert folder == [(str(at), tmp_path.name, f"{tmp_path}, document {at}") for at in (1, 2, 3)]


def test_documents_of_several_files(tmp_path: Path) -> None:
    gold = [{"subject": [0, 3], "relation": "met", "object": [8, 10], "score": 0.4, "source": "m"}]
    made = {**record("Ada met Bo.", [("Ada", "met", "Bo", 0.9)]), "input_triples": gold, "date": "1815"}
    lines = [json.dumps({**made, "doc_id": doc_id}) for doc_id in "xy"]
    for name in ("a.jsonl", "b.ndjson"):
        (tmp_path / name).write_text("\n".join(lines))
    (tmp_path / "c.json").write_text(f"[{', '.join(lines)}]")
    with (tmp_path / "d.parquet").open("wb") as stream:
        writer = ParquetWriter(stream)
        for doc_id in "xy":
            writer.write({**made, "doc_id": doc_id})
        writer.close()
    paths = sorted(tmp_path.iterdir())
    documents = list(read_documents(paths, gold=True))
    assert [each.doc_id for each in documents] == list("xyxyxyxy")
    assert [each.file for each in documents] == list("aabbccdd")
    assert [each.place for each in documents[-2:]] == [f"{paths[-1]}, document {at}" for at in (1, 2)]
    first = Statement((0, 3), "met", (8, 10), 0.9, "m", 0, (0, 11))
    for each in documents:
        assert each.statements == [first, first._replace(score=0.4, source="")] and each.meta == '{"date": "1815"}'
    assert [each.statements for each in read_documents(paths)] == [[first]] * 8


def test_coreference_of_a_doc() -> None:
    class Named:
        def __init__(self, *indexes: int) -> None:
            self.token_indexes = list(indexes)

    doc = spacy.blank("en")("Ada Lovelace wrote. She knew Charles Babbage.")
    doc.set_ents([Span(doc, 0, 2, "PERSON")])
    set_coref(doc, [[doc[0:1], doc[4:5]]])
    for key, first in (("coref_clusters_2", 2), ("COREF_CLUSTERS_1", 5), ("equiv", 6), ("sc", 3)):
        doc.spans[key] = [doc[first : first + 1]]
    stored = [[(0, 3), (20, 23)], [(24, 28)], [(13, 18)], [(29, 36)]]
    assert doc_to_document(doc).chains == stored
    Doc.set_extension("coref_chains", default=None)
    try:
        assert doc_to_document(doc).chains == stored
        doc._.coref_chains = [[Named(1), Named(4)], [Named(7, 6), Named(0, 1, 2)]]
        assert doc_to_document(doc).chains == [*stored, [(0, 12), (20, 23)], [(29, 44), (0, 18)]]
    finally:
        Doc.remove_extension("coref_chains")


@pytest.mark.parametrize(
    "span, places, expected",
    [
        ((0, 10), [(0, 10), (2, 12)], 0),
        ((0, 10), [(0, 5)], None),  # half of the longer one is too little
        ((0, 10), [(0, 6)], 0),
        ((0, 6), [(0, 12)], None),
        ((0, 7), [(0, 12)], 0),
        ((20, 30), [(0, 21), (22, 31)], 1),
        ((20, 30), [(15, 28), (22, 32)], 1),  # 8 of 13, 8 of 12
        ((20, 30), [(18, 28), (22, 32)], 0),  # of equal ones the first
        ((20, 30), [(20, 30), (40, 50)], 0),
        ((20, 30), [(30, 40)], None),
        ((20, 30), [(10, 20)], None),
        ((20, 30), [], None),
    ],
)
def test_the_entity_of_an_argument(span: CharSpan, places: List[CharSpan], expected: Optional[int]) -> None:
    entities = [EntitySpan(start, end, "", None) for start, end in places]
    starts, longest = [start for start, _ in places], max((end - start for start, end in places), default=0)
    found = entity_of(span, entities, starts, longest)
    assert found is (None if expected is None else entities[expected])


def test_a_text_without_sentences_is_split() -> None:
    made = record("Dr. Moe sings.  Eva met\nold Bo! Cy left.", [("Eva", "met", "Bo", 0.9)])
    del made["sents"]
    read = parse_document(made)
    assert read.sentences == [(0, 14), (16, 31), (32, 40)]
    assert (read.statements[0].sent, read.statements[0].sentence) == (1, (16, 31))
    assert parse_document({**made, "triples": []}).sentences == [], "only where it is needed"
    (only,) = parse_document({**made, "triples": [{"subject": [4, 7], "relation": "r", "object": [32, 34]}]}).statements
    assert only.sentence == (0, 40), "all that a triple spans"


@pytest.mark.parametrize(
    "kb_id, expected",
    [
        *((form, "Q42") for form in ("Q42", " Q42 ", "wd:Q42", "http://www.wikidata.org/entity/Q42")),
        ("https://www.wikidata.org/wiki/Q42", "Q42"),
        *((form, None) for form in ("", " ", "NIL", "None", "null", "nan", "Q-1", "-1")),
        *((form, form) for form in ("Q 42", "wd:P31", "http://example.org/Q42", "javascript:alert(1)", "nil7", "0")),
    ],
)
def test_ids_in_knowledge_bases(kb_id: str, expected: Optional[str]) -> None:
    made = record("Eva left.", [("Eva", "left", "left", 0.9)], {"Eva": "PERSON"})
    made["entities"][0]["kb_id"] = kb_id
    assert parse_document(made).entities[0].kb_id == expected == read_kb_id(kb_id)
    doc = spacy.blank("en")("Eva left.")
    doc.set_ents([Span(doc, 0, 1, "PERSON", kb_id=kb_id)])
    assert doc_to_document(doc).entities[0].kb_id == expected


@pytest.mark.parametrize("doc_id", ["", "  ", None, [1], {"a": 1}, True])
def test_what_is_no_id_gets_a_number(doc_id: object) -> None:
    made = record("Eva left.", [("Eva", "left", "left", 0.9)])
    assert parse_document({**made, "doc_id": doc_id}, number=3).doc_id == "3"


def test_documents_without_text_are_counted(tmp_path: Path) -> None:
    path, losses = tmp_path / "texts.jsonl", Counter()
    path.write_text('{"text": " "}\n{"text": "Eva"}\n{"text": ""}\n')
    assert [each.doc_id for each in read_documents([path], losses=losses)] == ["2"]
    assert losses == {"documents without text": 2}


def test_parts_of_a_record() -> None:
    triple = {"subject": [0, 3], "relation": "r", "object": [4, 6]}
    made = {
        "text": "Ada in X. Bo.",
        "triples": [triple, {**triple, "score": 0}],
        "entities": [{"start": 7, "end": 8, "label": "C", "kb_id": ""}, {"start": 0, "end": 3, "label": "B"},
                     {"start": 0, "end": 3, "label": "A", "kb_id": "Q2"},
                     {"start": 0, "end": 3, "label": "A", "kb_id": "Q1"}],
        "coref": [[[0, 3], [10, 12]]],
        "pairs": [], "rejected": [], "b": 1, "a": 2, "doc_id": 7,
    }  # fmt: skip
    read = parse_document(made, number=4, place="here")
    assert (read.doc_id, read.meta, read.place, read.file) == ("7", '{"a": 2, "b": 1}', "here", "")
    assert read.sentences == [(0, 13)]
    assert read.entities == [(0, 3, "A", "Q1"), (0, 3, "A", "Q2"), (0, 3, "B", None), (7, 8, "C", None)]
    assert read.chains == [[(0, 3), (10, 12)]]
    whole, other = read.statements
    assert (whole.score, whole.source, whole.sent, whole.sentence, whole.attributes) == (1.0, "", 0, (0, 13), {})
    assert other.score == 0.0
    assert parse_document({"text": "ab"}, number=4) == Document("4", "ab", "", [], [], [], [], "record")
    assert parse_document({"text": "ab"}, gold=True) == Document("1", "ab", "", [], [], [], [], "record")
    gold = {"text": "Ada in X.", "triples": [], "input_triples": [{**triple, "source": "m"}]}
    assert [each.source for each in parse_document(gold, gold=True).statements] == [""]
    assert parse_document(gold).statements == [] and parse_document(gold).meta == ""


@pytest.mark.parametrize(
    "value, problem",
    [
        ([], "not an object"),
        ({"text": "ab", "triples": [{"subject": [0, 1], "object": [0, 9], "relation": "r"}]}, "triples[0].object"),
        ({"text": "ab", "input_triples": [{"subject": [0, 1]}]}, "triples[0] has no key 'relation'"),
    ],
)
def test_malformed_records(value: object, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_document(value, place="a.jsonl:3", gold=True)
    assert str(caught.value).startswith("[R830] a.jsonl:3: ") and problem in str(caught.value)


def test_unknown_files(tmp_path: Path) -> None:
    for name in ("missing.jsonl", "a.txt"):
        if name == "a.txt":
            (tmp_path / name).write_text("x")
        with pytest.raises(ValueError, match="R831"):
            list(read_documents([tmp_path / name]))
    (tmp_path / "b.jsonl").write_text('{"text": "a"}\n{broken\n')
    with pytest.raises(ValueError, match=r"R830.*b\.jsonl:2: not JSON"):
        list(read_documents([tmp_path / "b.jsonl"]))
