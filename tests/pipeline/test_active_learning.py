"""Which texts are annotated next."""

from typing import Any, List

import pytest
import spacy
from spacy.tokens import Doc

from spacy_relext import set_triples
from spacy_relext.annotations.near_miss import NearMiss
from spacy_relext.annotations.store import get_records
from spacy_relext.pipeline import active_learning
from spacy_relext.pipeline.active_learning import (
    Informativeness,
    Selection,
    count_relations,
    disagreement_of_sources,
    measure,
    measure_disagreement,
    measure_uncertainty,
    text_shingles,
    weight_relations,
)

NLP = spacy.blank("en")
TEXT = "Ada Holm met Bo Lund in Bergen"


def make_doc(*triples: Any, source: str = "rere", text: str = TEXT) -> Doc:
    doc = NLP.make_doc(text)
    set_triples(doc, triples, source=source)
    return doc


def triple(doc: Doc, relation: str, score: float, subject: str = "Ada Holm", obj: str = "Bo Lund") -> dict:
    start, at = doc.text.index(subject), doc.text.index(obj)
    return {
        "subject": (start, start + len(subject)),
        "relation": relation,
        "object": (at, at + len(obj)),
        "score": score,
    }


@pytest.fixture
def misses(monkeypatch: pytest.MonkeyPatch) -> List[NearMiss]:
    """Near misses of every Doc; each threshold is 0.4."""
    listed: List[NearMiss] = []
    monkeypatch.setattr(active_learning, "list_near_misses", lambda nlp, doc: listed)
    monkeypatch.setattr(active_learning, "threshold_of", lambda nlp, source, relation: 0.4)
    return listed


def test_uncertainty_is_nearness_to_the_threshold(misses: List[NearMiss]) -> None:
    doc = NLP.make_doc(TEXT)
    set_triples(doc, [triple(doc, "met", 0.7)], source="rere")
    misses.append(NearMiss("spouse", 0.1, 0.4, "threshold", "", "rere"))
    misses.append(NearMiss("author", 0.9, 0.9, "constraints", "", "rere"))
    score, relation, reason = measure_uncertainty(NLP, doc, weights={})
    assert score == pytest.approx(0.3 / 0.6 + 0.1 / 0.4)
    assert (relation, reason) == ("met", "states it with 0.700, threshold 0.400")
    score, relation, reason = measure_uncertainty(NLP, doc, weights={"spouse": 3.0})
    assert score == pytest.approx(0.5 + 0.75)
    assert (relation, reason) == ("spouse", "nearly states it: 0.100, threshold 0.400")


def test_a_sure_pipeline_teaches_nothing(misses: List[NearMiss]) -> None:
    assert measure_uncertainty(NLP, NLP.make_doc(TEXT), weights={}) == Informativeness(0.0)
    doc = NLP.make_doc(TEXT)
    set_triples(doc, [triple(doc, "met", 1.0)], source="rere")
    assert measure_uncertainty(NLP, doc, weights={}).score == 0.0


def test_disagreement_counts_what_one_pipeline_states_alone() -> None:
    doc = NLP.make_doc(TEXT)
    first = [triple(doc, "met", 0.9), triple(doc, "lives_in", 0.6, obj="Bergen")]
    # the same triple with a shorter argument
    second = [triple(doc, "met", 0.8, subject="Holm"), triple(doc, "spouse", 0.7)]
    score, relation, reason = measure_disagreement(first, second)
    assert score == pytest.approx(0.6 + 0.7)
    assert (relation, reason) == ("spouse", "only the second states it, with 0.700")
    assert measure_disagreement(first, first).score == 0.0


def test_components_of_one_pipeline_are_compared_without_a_second() -> None:
    doc = NLP.make_doc(TEXT)
    assert disagreement_of_sources(doc).score == 0.0
    set_triples(doc, [triple(doc, "met", 0.9)], source="rere")
    set_triples(doc, [triple(doc, "met", 1.0), triple(doc, "spouse", 1.0)], source="nero")
    expected = ("spouse", "only the second states it, with 1.000")
    assert measure(NLP, doc, by="disagreement", weights={})[1:] == expected
    other = NLP.make_doc(TEXT)
    set_triples(other, get_records(doc) or (), source="rere")
    assert measure(NLP, doc, by="disagreement", weights={}, other=other).score == 0.0


def test_rare_relations_weigh_more() -> None:
    doc = NLP.make_doc(TEXT)
    set_triples(doc, [triple(doc, "met", 1.0), triple(doc, "spouse", 1.0)])
    assert count_relations([doc, doc]) == {"met": 2, "spouse": 2}
    weights = weight_relations({"met": 7, "spouse": 1}, ["met", "spouse", "author"])
    mean = 8 / 3
    assert weights["met"] == pytest.approx(((1 + mean) / 8) ** 0.5)
    assert weights["author"] == pytest.approx((1 + mean) ** 0.5)
    assert weight_relations({"met": 1000}, ["author"])["author"] == 3.0


def pool(*rows: Any) -> list:
    return [(Informativeness(score, relation), text_shingles(NLP.make_doc(text))) for score, relation, text in rows]


def test_the_most_informative_come_first_and_none_is_like_another() -> None:
    selection = Selection(limit=3)
    texts = pool(
        (0.1, "a", "Rain fell all day"),
        (0.9, "a", "Ada Holm met Bo Lund in the harbour of Bergen."),
        (0.8, "a", "Ada Holm met Bo Lund in the harbour of Bergen!"),
        (0.5, "b", "Someone wrote a book about ships"),
        (0.4, "b", "Someone else owns the company"),
    )
    assert selection.choose(texts) == [1, 3, 4] and selection.duplicates == 1


def test_nothing_like_annotated_texts_is_chosen() -> None:
    selection = Selection(limit=3)
    selection.add_annotated(NLP.make_doc("Rain fell all day"))
    assert selection.choose(pool((1.0, "a", "rain fell all day."), (0.5, "a", "Snow fell all night"))) == [1]


def test_a_quota_for_each_relation() -> None:
    rows = pool(*((1 - number / 10, "ab"[number == 3], f"text number {number} {number}") for number in range(5)))
    selection = Selection(limit=5, quota=2)
    assert selection.choose(rows) == [0, 1, 3] and selection.over_quota == 2


def test_equal_texts_come_in_the_order_of_the_seed() -> None:
    rows = pool(*((0.0, "", f"text number {number} {number}") for number in range(20)))
    first, again, other = (Selection(limit=5, seed=seed).choose(rows) for seed in (1, 1, 2))
    assert first == again != other
