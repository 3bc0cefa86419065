import csv
import io
import json

import hypothesis
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span

from spacy_relext.annotations.store import set_triples
from spacy_relext.corpora.canonical import KNOWN_KEYS, check_record
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.export.columns import (
    PARQUET,
    Column,
    CsvWriter,
    ParquetWriter,
    read_parquet_records,
    read_row,
    safe_cell,
)
from spacy_relext.export.records import JsonlWriter, extraction_record
from tests.cli.fake_pipeline import make_pipeline

NLP = spacy.blank("en")
CSV_COLUMNS = (
    *("subject", "relation", "object", "score", "source", "subject_start", "subject_end", "object_start", "object_end"),
    *("doc_id", "sent", "sent_start", "sent_end", "sentence", "meta", "attributes"),
)


def test_record_says_texts_scores_and_sources():
    doc = NLP("Ada met Bo")
    set_triples(doc, [((0, 3), "met", (8, 10), 0.25)], source="one")
    set_triples(doc, [((0, 3), "saw", (8, 10))], source="two")
    record = extraction_record(doc)
    assert [(t["subject_text"], t["score"], t["source"]) for t in record["triples"]] == [
        ("Ada", 0.25, "one"),
        ("Ada", 1.0, "two"),
    ]
    assert [t["relation"] for t in extraction_record(doc, min_score=0.25)["triples"]] == ["met", "saw"]
    assert [t["relation"] for t in extraction_record(doc, min_score=0.26)["triples"]] == ["saw"]
    assert extraction_record(doc, relations=[])["triples"] == []


def test_unannotated_doc_has_an_empty_list():
    assert extraction_record(NLP("Ada left"), extra={"id": 1}) == {
        "text": "Ada left",
        "triples": [],
        "doc_id": "1",
        "id": 1,
    }


def test_entities_of_the_pipeline_are_written():
    doc = NLP("Ada met Bo")
    doc.set_ents([Span(doc, 0, 1, "PERSON")])
    record = extraction_record(doc, extra={"entities": "other"})
    assert record["entities"] == [{"start": 0, "end": 3, "label": "PERSON"}]
    assert record["input_entities"] == "other"


def test_writers_write_at_once():
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed = len(self.getvalue())

    for writer_type in (JsonlWriter, CsvWriter):
        stream = Stream()
        writer_type(stream).write(extraction_record(make_pipeline()("Zoë met Bo")))
        assert stream.flushed == len(stream.getvalue()) > 0 and "Zoë" in stream.getvalue()


def test_csv_has_a_header_even_without_triples():
    stream = io.StringIO()
    CsvWriter(stream).write({"text": "x", "triples": []})
    assert stream.getvalue() == ",".join(CSV_COLUMNS) + "\n"


def test_jsonl_is_one_line_per_record():
    stream = io.StringIO()
    JsonlWriter(stream).write({"text": "a\nb\u2028", "triples": []})
    assert stream.getvalue().count("\n") == 1 and json.loads(stream.getvalue())["text"] == "a\nb\u2028"


SENTENCES = {"text": "Ada met Bo. Cy ran. He saw Ada.", "sents": [[0, 11], [12, 19], [20, 31]]}


def example(**keys):
    triples = [([0, 3], "met", [8, 10]), ([12, 14], "saw", [27, 30]), ([27, 30], "met", [8, 10])]
    records = [dict(zip(("subject", "relation", "object"), triple)) for triple in triples]
    return record_to_doc(NLP.make_doc, {**SENTENCES, "triples": records, **keys})


def test_triples_have_their_sentences():
    record = extraction_record(example())
    places = [[triple[key] for key in ("sent", "sent_start", "sent_end")] for triple in record["triples"]]
    assert places == [[0, 0, 11], [1, 12, 31], [0, 0, 31]]  # in one sentence, or from the first to the last
    assert record["sents"] == SENTENCES["sents"]
    without = extraction_record(
        record_to_doc(NLP.make_doc, {**SENTENCES, "triples": record["triples"], "sents": [[5, 6]]})
    )
    assert [t["sent_start"] for t in without["triples"]] == [0, 5, 5]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, "4"),
        ({"id": 7}, "7"),
        ({"id": 7, "doc_id": "a"}, "a"),
        ({"file": "b.txt"}, "b.txt"),
        ({"id": None}, "4"),
        ({"id": " "}, "4"),
        ({"id": [1]}, "4"),
        ({"id": True}, "4"),
        ({"doc_id": "a\ud800"}, "a?"),
    ],
)
def test_doc_id(extra, expected):
    assert extraction_record(NLP("Ada left"), number=4, extra=extra)["doc_id"] == expected
    record = extraction_record(example(**extra), number=4)
    assert record["doc_id"] == expected


@pytest.mark.parametrize("blank", ["  ", "\u00a0", "\n"])
def test_given_triples_are_trimmed(blank):
    doc, size = NLP(f"Ada{blank}left{blank}Oslo"), len(blank)
    ends = [7 + size, 11 + 2 * size], [3, 3 + size]
    triples = [{"subject": [0, 3 + size], "relation": "left", "object": end} for end in ends]
    set_triples(doc, [], source="model")
    with pytest.warns(UserWarning, match=r"\[W010\] 1 triples"):
        record = extraction_record(doc, extra={"triples": triples})
    (given,) = record["input_triples"]
    assert [doc.text[slice(*given[role])] for role in ("subject", "object")] == ["Ada", "Oslo"]


def test_an_id_that_is_none_is_kept():
    record = extraction_record(NLP("Ada left"), extra={"doc_id": [1]})
    assert (record["doc_id"], record["input_doc_id"]) == ("1", [1])
    assert "input_doc_id" not in extraction_record(NLP("Ada left"), extra={"doc_id": "a"})


def test_records_are_read_again():
    record = extraction_record(example(entities=[{"start": 0, "end": 3, "label": "P", "kb_id": "Q1"}]), extra={"n": 1})
    again = extraction_record(record_to_doc(NLP.make_doc, check_record(json.loads(json.dumps(record)))))
    assert again == record
    for key, value in (("sent", -1), ("sent_end", 99), ("sent_start", "a")):
        with pytest.raises(ValueError, match=key):
            check_record({**record, "triples": [{**record["triples"][0], key: value}]})


def test_parquet_holds_the_records(tmp_path):
    records = [extraction_record(example(pairs=[]), number=n, extra={"n": {"a": n}}) for n in range(2100)]
    records.append(extraction_record(NLP("")))
    doc = NLP("Ada met Bo")
    doc.set_ents([Span(doc, 0, 1, "PERSON"), Span(doc, 2, 3, "PERSON", kb_id="Q1")])
    set_triples(doc, [((0, 3), "met", (8, 10), 0.25, {"a": [1, 2.5]})], source="one")
    records.append(extraction_record(doc, extra={"k": "\ud800"}))
    with (tmp_path / "r.parquet").open("wb") as stream:
        writer = ParquetWriter(stream)
        for record in records:
            writer.write(record)
        writer.close()
    assert list(read_parquet_records(tmp_path / "r.parquet")) == records


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = [*KNOWN_KEYS[1:], "doc_id", "id", "meta", "passages", "input_triples", "score"]
KEYS = st.sampled_from(NAMES) | st.text(max_size=3)
ENTITIES = st.just([{"start": 0, "end": 3, "label": "PERSON"}])


@settings(deadline=None)
@hypothesis.example([{"entities": float("inf")}])
@hypothesis.example([{"triples": 2**64, "entities": [{"start": 0, "end": 3, "label": "PERSON"}]}])
@given(st.lists(st.dictionaries(KEYS, JSON | ENTITIES, max_size=5), min_size=1, max_size=5))
def test_other_keys_of_any_type_reach_parquet(extras):
    """Their type may change from record to record; those that a record has or has otherwise get another name."""
    doc = NLP("Ada met Bo")
    set_triples(doc, [((0, 3), "met", (8, 10))])
    records, stream = [extraction_record(doc, extra=extra) for extra in extras], io.BytesIO()
    writer = ParquetWriter(stream)
    for record, extra in zip(records, extras):
        kept = {key: value for key, value in extra.items() if key != "doc_id" or value != record["doc_id"]}
        assert len(check_record(record)) == len(kept) + 3
        writer.write(record)
    writer.close()
    assert list(read_parquet_records(io.BytesIO(stream.getvalue()))) == records
    assert csv_rows(records[0])[0]["subject"] == "Ada"


def test_a_csv_has_the_passage_of_the_subject():
    doc = NLP("Ada met Bo")
    set_triples(doc, [((0, 3), "met", (8, 10))])
    places = [{"start": 0, "end": 7, "page": 1}, {"start": 8, "end": 10, "page": 2}]
    for given_places, expected in ((places, places[:1]), ("none", "none"), ([5], [5])):
        (row,) = csv_rows(extraction_record(doc, extra={"passages": given_places}))
        assert json.loads(row["meta"]) == {"passages": expected}


def test_a_computed_column_is_no_key_of_a_triple():
    columns = [Column((PARQUET,), name, "string", lambda record, triple: "") for name in ("relation", "sentence")]
    assert read_row(columns, {"relation": "met", "sentence": "Ada met Bo"}) == {"relation": "met"}
    assert read_row(columns, {"sentence": "Ada met Bo"}) == {}


def test_parquet_of_something_else(tmp_path):
    (tmp_path / "r.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match="R801.*Parquet of `extract`"):
        list(read_parquet_records(tmp_path / "r.parquet"))
    import pandas

    pandas.DataFrame({"a": [1]}).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(ValueError, match="found the columns a; expected Parquet of `extract`, with the columns doc_id"):
        list(read_parquet_records(tmp_path / "r.parquet"))


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("meta", "{", "meta is no JSON"),
        ("meta", "[" * 100_000, "meta is no JSON: nested more than 100 deep"),
        ("meta", "[1]", r"meta is \[1\], not an object"),
        ("meta", 5, "meta is 5, not JSON"),
        ("triples", [{"evidence": "{"}], "evidence is no JSON"),
        ("triples", [{"evidence": [1]}], r"evidence is \[1\], not JSON"),
    ],
)
def test_parquet_with_damaged_cells(tmp_path, name, value, message):
    import pandas

    row = {"doc_id": "a", "text": "Ada", "sents": None, "entities": None, "triples": [], "meta": None}
    pandas.DataFrame([{**row, name: value}]).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(ValueError, match=f"R801.*r.parquet, document 1: found {message}"):
        list(read_parquet_records(tmp_path / "r.parquet"))


def csv_rows(record, **options):
    stream = io.StringIO()
    CsvWriter(stream, **options).write(record)
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def test_csv_has_document_sentence_and_text():
    rows = csv_rows(extraction_record(example(), extra={"id": "d"}), with_text=True)
    assert [(row["doc_id"], row["sent"], row["sentence"], row["text"]) for row in rows[:2]] == [
        ("d", "0", "Ada met Bo.", SENTENCES["text"]),
        ("d", "1", "Cy ran. He saw Ada.", SENTENCES["text"]),
    ]
    assert (rows[0]["sent_start"], rows[0]["sent_end"]) == ("0", "11")


def test_csv_runs_no_formula():
    doc = NLP("=cmd() met @b -1")
    set_triples(doc, [((0, 6), "+met", (11, 13))])
    record = extraction_record(doc, extra={"doc_id": "-1"})
    (row,) = csv_rows(record)
    assert {key: row[key] for key in ("subject", "relation", "object", "doc_id", "sentence")} == {
        "subject": "'=cmd()",
        "relation": "'+met",
        "object": "'@b",
        "doc_id": "'-1",
        "sentence": "'=cmd() met @b -1",
    }
    (row,) = csv_rows(record, raw=True)
    assert (row["subject"], row["doc_id"]) == ("=cmd()", "-1")


@given(st.text())
def test_safe_cells(text):
    assert safe_cell(text) in (text, "'" + text)
    assert not str(safe_cell(text)).startswith(tuple("=+-@\t\r\n"))
    assert safe_cell(-1) == -1


def test_jsonl_escapes_what_utf8_lacks():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf8")
    JsonlWriter(stream).write({"text": "é", "triples": [], "k": "\ud800"})
    assert json.loads(stream.buffer.getvalue())["k"] == "\ud800"
