"""Links to a knowledge base pass from lines to Docs, to the Docs that training predicts on, and back."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
from spacy.tokens import Span

from spacy_relext import set_triples
from spacy_relext.annotations.entities import ENTITIES_KEY
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.records import doc_to_record, read_jsonl, record_to_doc, write_jsonl
from spacy_relext.corpora.shards import ShardWriter

NLP = spacy.blank("en")


@pytest.mark.parametrize("aside", [False, True])
def test_links_go_from_lines_to_predicted_docs_and_back(tmp_path: Path, aside: bool) -> None:
    record: Dict[str, Any] = {
        "text": "Ada saw University of Oslo.",
        "entities": [
            {"start": 0, "end": 3, "label": "PER", "kb_id": "Q1"},
            {"start": 8, "end": 26, "label": "ORG", "kb_id": "m.0x"},
            {"start": 22, "end": 26, "label": "PLACE", "kb_id": "Q585"},  # overlaps: only beside doc.ents
        ],
        "triples": [],
    }
    write_jsonl(tmp_path / "a.jsonl", [record])
    report = convert("jsonl", [tmp_path / "a.jsonl"], tmp_path / "a.spacy")
    assert report.entities_linked == 3
    (example,) = TripleCorpus(tmp_path / "a.spacy", gold_ents=True, gold_ents_aside=aside)(NLP)
    predicted = [] if aside else [("Ada", "Q1"), ("University of Oslo", "m.0x")]
    assert [(ent.text, ent.kb_id_) for ent in example.reference.ents] == [("Ada", "Q1"), ("University of Oslo", "m.0x")]
    assert [(ent.text, ent.kb_id_) for ent in example.predicted.ents] == predicted
    assert example.predicted.user_data[ENTITIES_KEY] == record["entities"], "each once, with its link"
    write_jsonl(tmp_path / "b.jsonl", [example.reference])
    assert list(read_jsonl(tmp_path / "b.jsonl")) == [record]


def test_links_of_a_corpus_without_records_are_copied_aside(tmp_path: Path) -> None:
    reference = NLP.make_doc("Ada slept.")
    reference.set_ents([Span(reference, 0, 1, "PER", kb_id="Q1")])
    set_triples(reference, [])
    with ShardWriter(tmp_path / "a.spacy") as writer:
        writer.add(reference)
    (example,) = TripleCorpus(tmp_path / "a.spacy", gold_ents_aside=True)(NLP)
    assert example.predicted.user_data[ENTITIES_KEY] == [{"start": 0, "end": 3, "label": "PER", "kb_id": "Q1"}]


def test_links_of_a_pipeline_are_added_to_annotated_entities() -> None:
    entities = [{"start": 0, "end": 2, "label": "PER"}, {"start": 7, "end": 9, "label": "PER", "kb_id": "Q3"}]
    doc = record_to_doc(NLP.make_doc, {"text": "Al met Bo", "entities": entities})
    doc.set_ents([Span(doc, 0, 1, "PER", kb_id="Q7"), Span(doc, 2, 3, "PER", kb_id="Q8")])
    assert doc_to_record(doc)["entities"] == [{**entities[0], "kb_id": "Q7"}, entities[1]], "annotation stays"
