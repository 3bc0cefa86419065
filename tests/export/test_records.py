import io
import json

import spacy
from spacy.tokens import Span

from spacy_relext.annotations.store import set_triples
from spacy_relext.corpora.texts import RawText
from spacy_relext.export.records import COLUMNS, CsvWriter, JsonlWriter, extract, extraction_record, write_extractions
from tests.cli.fake_pipeline import make_pipeline

NLP = spacy.blank("en")


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
    assert extraction_record(NLP("Ada left"), extra={"id": 1}) == {"text": "Ada left", "triples": [], "id": 1}


def test_entities_of_the_pipeline_are_written():
    doc = NLP("Ada met Bo")
    doc.set_ents([Span(doc, 0, 1, "PERSON")])
    record = extraction_record(doc, extra={"entities": "other"})
    assert record["entities"] == [{"start": 0, "end": 3, "label": "PERSON"}]
    assert record["input_entities"] == "other"


def test_stream_is_read_batch_by_batch():
    read = []

    def texts():
        for number in range(100):
            read.append(number)
            yield RawText(f"Ada{number} met Bo", "here", {"n": number})

    stream = extract(make_pipeline(), texts(), batch_size=4)
    doc, raw = next(stream)
    assert raw.extra == {"n": 0} and doc.text == "Ada0 met Bo"
    assert len(read) <= 12


def test_writers_write_at_once():
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed = len(self.getvalue())

    for writer_type in (JsonlWriter, CsvWriter):
        stream = Stream()
        pairs = extract(make_pipeline(), [RawText("Zoë met Bo", "here")])
        assert write_extractions(pairs, writer_type(stream)) == (1, 1)
        assert stream.flushed == len(stream.getvalue()) > 0 and "Zoë" in stream.getvalue()


def test_csv_has_a_header_even_without_triples():
    stream = io.StringIO()
    CsvWriter(stream).write({"text": "x", "triples": []})
    assert stream.getvalue() == ",".join(COLUMNS) + "\n"


def test_jsonl_is_one_line_per_record():
    stream = io.StringIO()
    JsonlWriter(stream).write({"text": "a\nb\u2028", "triples": []})
    assert stream.getvalue().count("\n") == 1 and json.loads(stream.getvalue())["text"] == "a\nb\u2028"
