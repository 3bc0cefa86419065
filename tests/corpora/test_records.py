import json
import pickle
from typing import Any, Dict

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_relext import has_triples, merge_docs, span_to_doc
from spacy_relext.annotations.triple import trim_span
from spacy_relext.corpora.canonical import check_record
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.corpora.report import Report
from spacy_relext.corpora.shards import GOLD_ATTRS

NLP = spacy.blank("en")
LABELS = st.sampled_from(["author", "spouse", "/a/b", "出生地"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False) | st.text("ab é", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["assertion", "negated", "why"]), PLAIN, min_size=1)


@st.composite
def records(draw: st.DrawFn) -> Dict[str, Any]:
    text = draw(st.text("ab C.,'-\n é中\t1", min_size=2, max_size=60).filter(str.strip))
    starts = st.integers(0, len(text) - 1)
    spans = starts.flatmap(lambda s: st.integers(s + 1, len(text)).map(lambda e: [s, e]))
    spans = spans.filter(lambda span: text[slice(*span)].strip())
    record: Dict[str, Any] = {"text": text}
    if draw(st.booleans()):
        given_spans = draw(st.lists(spans, max_size=5))
        record["entities"] = [{"start": s, "end": e, "label": draw(LABELS)} for s, e in given_spans]
        for entity in record["entities"]:
            entity.update(draw(st.sampled_from([{}, {"kb_id": "Q1"}, {"kb_id": ""}])))
    pairs = st.tuples(spans, spans).filter(lambda pair: trim_span(text, *pair[0]) != trim_span(text, *pair[1]))
    if draw(st.booleans()):
        record["triples"] = [
            {"subject": s, "relation": draw(LABELS), "object": o, **draw(st.sampled_from([{}, {"score": 0.5}]))}
            for s, o in draw(st.lists(pairs, max_size=4))
        ]
        if draw(st.booleans()):
            evidence = {"source": "rere", "evidence": draw(st.dictionaries(st.just("why"), PLAIN, min_size=1))}
            record["triples"] += [{"subject": s, "relation": "r", "object": o, **evidence} for s, o in [draw(pairs)]]
        for triple in record["triples"]:
            triple.update(draw(st.just({}) | st.fixed_dictionaries({"attributes": ATTRIBUTES})))
    if draw(st.booleans()):
        refused = {"relation": draw(LABELS), "score": 0.25, "source": "rere", "attributes": draw(ATTRIBUTES)}
        record["rejected"] = [{"subject": s, "object": o, **refused} for s, o in draw(st.lists(pairs, max_size=2))]
    if draw(st.booleans()):
        record["coref"] = draw(st.lists(st.lists(spans, min_size=1, max_size=3), max_size=2))
    if draw(st.booleans()):
        record["pairs"] = [
            {"subject": s, "object": o, "label": draw(st.none() | LABELS)} for s, o in draw(st.lists(pairs, max_size=2))
        ]
    if draw(st.booleans()):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6)))
        record["sents"] = [[s, e] for s, e in zip(cuts[:-1], cuts[1:])]
    if draw(st.booleans()):
        record["id"] = draw(PLAIN)
    return record


def through_docbin(doc: Doc) -> Doc:
    data = DocBin(attrs=list(GOLD_ATTRS), docs=[doc], store_user_data=True).to_bytes()
    (restored,) = DocBin().from_bytes(data).get_docs(NLP.vocab)
    return restored


@given(records())
def test_nothing_is_lost_between_record_and_doc(record: Dict[str, Any]) -> None:
    record = check_record(record)  # without white space at the ends of spans
    doc = record_to_doc(NLP.make_doc, record)
    assert doc_to_record(doc) == record
    assert doc_to_record(through_docbin(doc)) == record
    assert doc_to_record(Doc(NLP.vocab).from_bytes(doc.to_bytes())) == record
    assert doc_to_record(pickle.loads(pickle.dumps(doc))) == doc_to_record(doc.copy()) == record
    if "triples" in record:
        again = NLP.make_doc(record["text"])
        again._.triple_records = json.loads(json.dumps(doc._.triple_records))
        assert again._.triple_records == doc._.triple_records


@given(records())
def test_nothing_is_lost_by_retokenization_and_merging(record: Dict[str, Any]) -> None:
    doc = record_to_doc(NLP.make_doc, {key: value for key, value in record.items() if key not in ("sents", "id")})
    expected = {key: value for key, value in doc_to_record(doc).items() if key in ("triples", "rejected", "coref")}
    merged = doc_to_record(merge_docs([doc, NLP.make_doc("Behind it.")]))
    assert {key: merged[key] for key in expected} == expected
    alone = doc_to_record(span_to_doc(merge_docs([NLP.make_doc("Before."), doc])[2:]))
    assert {key: alone[key] for key in expected} == expected
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[:])
    after = doc_to_record(doc)
    assert {key: after[key] for key in expected} == expected


def test_absent_is_not_empty() -> None:
    bare = record_to_doc(NLP.make_doc, {"text": "Ada slept."})
    empty = record_to_doc(NLP.make_doc, {"text": "Ada slept.", "triples": [], "entities": []})
    assert not has_triples(bare) and not bare.has_annotation("ENT_IOB") and not bare.has_annotation("SENT_START")
    assert has_triples(empty) and empty.has_annotation("ENT_IOB")
    assert doc_to_record(through_docbin(empty)) == {"text": "Ada slept.", "triples": [], "entities": []}


def test_overlapping_and_sub_token_entities() -> None:
    text = "The University of Oslo-based choir"
    entities = [
        {"start": 18, "end": 22, "label": "PLACE", "kb_id": "Q585"},
        {"start": 4, "end": 22, "label": "ORG"},
        {"start": 29, "end": 33, "label": "GROUP"},
    ]
    report = Report()
    doc = record_to_doc(NLP.make_doc, {"text": text, "entities": entities}, report=report)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("University of Oslo", "ORG"), ("choir", "GROUP")]
    assert (report.entities, report.entities_dropped, report.entities_widened) == (3, 1, 1)
    assert doc_to_record(doc)["entities"] == entities


def test_entities_of_a_pipeline_are_added() -> None:
    doc = record_to_doc(NLP.make_doc, {"text": "Ada met Bo", "entities": [{"start": 0, "end": 2, "label": "PER"}]})
    doc.set_ents([*doc.ents, Span(doc, 2, 3, "PER", kb_id="Q7")])
    assert doc_to_record(doc)["entities"] == [
        {"start": 0, "end": 2, "label": "PER"},
        {"start": 8, "end": 10, "label": "PER", "kb_id": "Q7"},
    ]


def test_sentences() -> None:
    text = "Ada slept. Bo woke. Cy ran."
    doc = record_to_doc(NLP.make_doc, {"text": text, "sents": [[0, 10], [11, 27]]}, one_sentence=True)
    assert [sent.text for sent in doc.sents] == ["Ada slept.", "Bo woke. Cy ran."]
    assert [sent.text for sent in record_to_doc(NLP.make_doc, {"text": text}, one_sentence=True).sents] == [text]
    report = Report()
    doc = record_to_doc(NLP.make_doc, {"text": "Ada slept.Bo woke.", "sents": [[0, 10], [10, 18]]}, report=report)
    assert report.sentences_moved == (0 if any(t.idx == 10 for t in doc) else 1)


def test_chinese_is_cut_into_characters_without_changing_the_text() -> None:
    nlp = spacy.blank("zh")
    text = "Ada  出生于 1815年，\n伦敦 "
    record = {"text": text, "triples": [{"subject": [0, 3], "relation": "出生地", "object": [16, 18]}]}
    doc = record_to_doc(nlp.make_doc, record)
    (triple,) = doc._.triples
    assert (triple.subject.text, triple.object.text) == ("Ada", "伦敦") and doc_to_record(doc) == record


def test_a_tokenizer_that_changes_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="R115"):
        record_to_doc(lambda text: NLP.make_doc(text.lower()), {"text": "Ada slept."})


def test_a_known_text_is_taken_if_it_is_as_long() -> None:
    doc = spacy.blank("en")("Ada was here.")
    assert doc_to_record(doc, text="Ada Was here.")["text"] == "Ada Was here."
    for text in ("Ada was here", "Ada was here. ", "", None):
        assert doc_to_record(doc, text=text)["text"] == "Ada was here."
