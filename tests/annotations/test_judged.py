"""Annotation that covers some relations only: how it travels, and that others have no score and no negatives."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_relext import merge_docs, set_triples, span_to_doc
from spacy_relext.annotations.judged import get_judged, set_judged
from spacy_relext.annotations.store import set_relations
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.rere.component import estimate_priors
from spacy_relext.scoring.relations import collect_cells
from spacy_relext.scoring.triples import score_triples

NLP = spacy.blank("en")
RECORD = {
    "text": "Ada left Oslo. Bo sings.",
    "triples": [{"subject": [0, 3], "relation": "left", "object": [9, 13]}],
    "sents": [[0, 14], [15, 24]],
    "judged": ["left", "sings"],
}


def make(judged: object = ("left", "sings")) -> Doc:
    record = {**RECORD, "judged": judged}
    return record_to_doc(
        NLP.make_doc, record if judged is not None else {k: v for k, v in RECORD.items() if k != "judged"}
    )


def test_it_travels() -> None:
    doc = make()
    assert doc_to_record(doc) == RECORD
    (stored,) = DocBin(docs=[doc], store_user_data=True).get_docs(NLP.vocab)
    assert get_judged(stored) == {"left", "sings"} == get_judged(span_to_doc(next(stored.sents)))
    set_judged(doc, None)
    assert "judged" not in doc_to_record(doc) and get_judged(doc) is None


@pytest.mark.parametrize(
    ("parts", "joined"),
    [((None, None), None), ((["left"], None), {"left"}), ((["left", "sings"], ["left", "met"]), {"left"})],
)
def test_joined_docs_judge_what_all_of_them_judge(parts: object, joined: object) -> None:
    assert get_judged(merge_docs(map(make, parts))) == joined  # type: ignore[call-overload]


def test_predictions_of_other_relations_are_neither_right_nor_wrong() -> None:
    doc = make(["sings"])
    predicted = NLP.make_doc(doc.text)
    example = Example(predicted, doc)
    found = [((0, 3), "left", (9, 13)), ((0, 3), "met", (9, 13)), ((0, 3), "sings", (9, 13))]
    set_triples(predicted, found, source="a")
    scores = score_triples([example])
    # what is stated counts as right, whether or not its relation is covered
    assert scores["exact_p"] == 0.5 and scores["exact_r"] == 1.0
    set_relations(predicted, [((0, 14), {"left": 0.9, "met": 0.8, "sings": 0.7}), ((15, 24), {"left": 0.6})])
    cells = collect_cells([example])
    assert cells.labels == ["left", "sings"] and cells.correct.tolist() == [True, False]


def test_rates_are_over_the_sentences_that_are_judged() -> None:
    examples = [Example(NLP.make_doc(doc.text), doc) for doc in (make(["left"]), make(["met"]), make(None))]
    # six sentences, of which four cover `left`; of the others one states it, which does not make three of them
    assert estimate_priors(examples).rates == {"left": 3 / 4}
