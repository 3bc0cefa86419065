"""Relations that a reader leaves out may be true: the document is not annotated, and keeps its triples."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from typer.testing import CliRunner

from spacy_relext.annotations.parts import merge_docs, span_to_doc
from spacy_relext.annotations.store import can_teach, get_records, has_triples, is_incomplete, set_triples
from spacy_relext.cli.main import relext
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.corpora.report import format_report
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.pairs.gold import gold_pairs
from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.scoring.triples import gold_records

from .tool_records import Record, parse, write

TEXT = "Scans showed hand and left foot burns after Tamol. Upper and lower samples were kept."
SPANS = [
    "T1\tFinding 13 17;32 37\thand burns",
    "T2\tFinding 22 37\tleft foot burns",
    "T3\tDrug 44 49\tTamol",
    "T4\tSample 67 74;51 56\tsamples Upper",
    "R1\tcaused_by Arg1:T1 Arg2:T3",
    "R2\tcaused_by Arg1:T2 Arg2:T3",
]
TAMOL = [44, 49]
KEPT = {"subject": [22, 37], "relation": "caused_by", "object": TAMOL}
RECORD: Record = {
    "text": TEXT,
    "entities": [{"start": 22, "end": 37, "label": "Finding"}, {"start": 44, "end": 49, "label": "Drug"}],
    "triples": [KEPT],
    "incomplete": True,
}


def brat(*lines: str, **options: Any) -> Any:
    return parse("brat", (TEXT, "\n".join(lines)), **options)


def texts(record: Record) -> List[str]:
    return [TEXT[each["start"] : each["end"]] for each in record["entities"]]


def test_discontinuous_spans_are_left_out() -> None:
    record, losses = brat(*SPANS)
    assert record == RECORD
    assert losses == {"discontinuous spans": 2, "relations of spans that are left out": 1}


@pytest.mark.parametrize(
    ("chosen", "first", "last", "kind"),
    [
        (
            "cover",
            "hand and left foot burns",
            "Upper and lower samples",
            "read from their first to their last fragment",
        ),
        ("longest", "burns", "samples", "of which the longest fragment is read"),
    ],
)
def test_discontinuous_spans_that_are_kept(chosen: str, first: str, last: str, kind: str) -> None:
    record, losses = brat(*SPANS, discontinuous=chosen)
    assert texts(record) == [first, "left foot burns", "Tamol", last] and len(record["triples"]) == 2
    assert losses == {f"discontinuous spans, {kind}": 2} and "incomplete" not in record
    with pytest.raises(ValueError, match="R206.*--discontinuous is 'all'; expected one of: cover, longest, drop"):
        brat(*SPANS, discontinuous="all")


LOST: Dict[str, List[str]] = {
    "events": ["T1\tPerson 0 5\tScans", "E1\tMove:T1"],
    "discontinuous spans": SPANS[:1],
    "relations with more than two arguments": [*SPANS[1:3], "R1\tr A:T2 B:T3 C:T3"],
}


@pytest.mark.parametrize("kind", LOST)
def test_a_document_without_its_relations_is_no_negative(kind: str) -> None:
    record, losses = brat(*LOST[kind])
    assert record["triples"] == [] and record["incomplete"] and losses == {kind: 1}


def test_a_relation_of_a_span_with_itself_is_none_that_is_missing() -> None:
    record, losses = brat(*SPANS[1:3], "R1\tr A:T2 B:T2")
    assert "incomplete" not in record and losses == {"relations of a span with itself": 1}


def test_a_relation_without_a_label() -> None:
    task = {"text": "Ada ran.", "answer": "accept", "relations": [{"head_span": {"start": 0, "end": 3}}]}
    task["relations"][0].update({"child_span": {"start": 4, "end": 7}, "label": None})  # type: ignore[index]
    assert parse("prodigy", task)[0]["incomplete"]


def test_strings_that_are_not_found(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    given = [{"em1Text": "Ada", "em2Text": name, "label": "in"} for name in ("Oslo", "Rom")]
    path.write_text(json.dumps({"sentText": "Ada lives in Oslo.", "relationMentions": given}))
    report = convert("cotype", [path], tmp_path / "a.spacy")
    assert (report.triples, report.not_annotated, report.incomplete) == (1, 1, 1)


def test_what_is_learned_and_scored() -> None:
    nlp = spacy.blank("en")
    doc = record_to_doc(nlp.make_doc, RECORD, one_sentence=True)
    assert doc_to_record(Doc(nlp.vocab).from_bytes(doc.to_bytes()))["incomplete"]
    assert is_incomplete(doc) and not has_triples(doc) and get_records(doc) and len(doc._.triples) == 1
    entities = [*RECORD["entities"], {"start": 67, "end": 74, "label": "Sample"}]
    example = Example(record_to_doc(nlp.make_doc, {"text": TEXT, "entities": entities}, one_sentence=True), doc)
    assert gold_records(example) is None
    # pairs of its triples are learned, all others are unknown
    found = gold_pairs(EntityPairs(), [example])
    assert [[each.relation for each in classes] for classes in found.gold] == [["caused_by"]]
    part = span_to_doc(doc[:8])
    assert is_incomplete(part) and is_incomplete(merge_docs([part, nlp.make_doc("Ada slept.")]))
    set_triples(doc, [KEPT])
    assert has_triples(doc) and can_teach(doc)


def test_the_report_and_the_warning(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text(TEXT)
    (tmp_path / "data" / "a.ann").write_text("\n".join(SPANS))
    out = tmp_path / "a.spacy"
    report = convert("brat", [tmp_path / "data"], out)
    assert (report.not_annotated, report.incomplete, report.triples, report.sentences_without_triples) == (1, 1, 1, 0)
    assert "with relations that could not be read" in format_report(report)
    (doc,) = iter_docs(out, spacy.blank("en").vocab)
    assert doc_to_record(doc) == RECORD
    result = CliRunner().invoke(relext, ["convert", "brat", str(tmp_path / "data"), str(out)])
    assert "1 documents have relations that could not be read" in " ".join(result.output.split())
    _, lost = write("doccano", tmp_path, [RECORD])
    assert lost == {"documents of incomplete annotation, written as annotated": 1}
