"""What stopped the triples that an extractor came near to stating."""

from typing import Any, Dict, List, Tuple

import pytest
import spacy

from spacy_relext.annotations.near_miss import NearMiss, rank_misses
from spacy_relext.annotations.store import set_relations
from spacy_relext.rere.decode import Candidate, decode_pointers
from spacy_relext.rere.near_misses import missing_spans, rejected_candidates, unqueried_relations
from spacy_relext.rere.settings import RereDecoding
from tests.rere.test_candidates import FOUNDERS, rows_and_output

NLP = spacy.blank("en")
TEXT = "Ada Holm met Bo ."
HOLM, ADA_HOLM, BO, MET = (4, 8), (0, 8), (13, 15), (9, 12)


def candidate(subject: Any, obj: Any, score: float, **parts: float) -> Candidate:
    figures = {"relation": 0.9, "subject": 0.9, "object": 0.9, "pair": 0.9, **parts}
    return Candidate(subject, "met", obj, score, figures)


def reject(candidates: List[Candidate]) -> List[NearMiss]:
    return rejected_candidates(
        candidates, NLP(TEXT), limits={"met": 0.5}, calibrated=lambda scores: scores, name="extractor"
    )


@pytest.mark.parametrize(
    "parts, stage",
    [
        ({"pair": 0.01}, "pair"),
        ({"object": 0.0001}, "span"),
        ({"relation": 0.02}, "relation"),
        ({"relation": 0.1, "pair": 0.1}, "threshold"),
    ],
)
def test_the_part_that_alone_keeps_a_score_low(parts: Dict[str, float], stage: str) -> None:
    (miss,) = reject([candidate(ADA_HOLM, BO, 0.2, **parts)])
    assert (miss.stopped_by, miss.score, miss.threshold, miss.source) == (stage, 0.2, 0.5, "extractor")
    for key, value in parts.items():
        assert f"{key} {value:.3f}" in miss.text
    assert ("more than one part" in miss.text) == (stage == "threshold")


def test_a_better_candidate_with_overlapping_arguments() -> None:
    (miss,) = reject([candidate(ADA_HOLM, BO, 0.9), candidate(HOLM, BO, 0.6)])
    assert miss.stopped_by == "pair" and miss.subject == HOLM
    assert "overlaps Ada Holm → met → Bo, which has 0.900, in both arguments" in miss.text
    assert reject([candidate(ADA_HOLM, BO, 0.9), candidate(HOLM, BO, 0.4)]) == [], "a variant of a triple"
    variants = reject([candidate(ADA_HOLM, BO, 0.4), candidate(HOLM, BO, 0.3)])
    assert [miss.subject for miss in variants] == [ADA_HOLM]


def test_relations_that_are_not_queried() -> None:
    doc = NLP(f"{TEXT} {'So long . ' * 20}")
    doc[0].is_sent_start = True
    for token in doc[1:]:
        token.is_sent_start = token.i == 5
    set_relations(doc, [((0, 17), {"met": 0.04, "saw": 0.6, "left": 0.01}), ((18, len(TEXT) + 200), {"met": 0.03})])
    misses = unqueried_relations(doc, labels=["met", "saw"], threshold=0.05, name="extractor")
    assert [(m.relation, m.score, m.threshold, m.stopped_by) for m in misses] == [
        ("met", 0.04, 0.05, "relation"),
        ("met", 0.03, 0.05, "relation"),
    ]
    assert misses[0].subject is misses[0].object is None and f'"{TEXT}"' in misses[0].text
    assert len(misses[1].text) < 200 and len(rank_misses(misses)) == 2
    assert unqueried_relations(NLP(TEXT), labels=["met"], threshold=0.05, name="extractor") == []


def spans_missing(*probs: Dict[int, float], **options: Any) -> Tuple[str, List[NearMiss]]:
    rows, output = rows_and_output(FOUNDERS, *probs)
    table = decode_pointers(rows, output, RereDecoding(span_threshold=0.5))
    options = {"limits": {"founded": 0.5}, "max_length": 15, **options}
    return rows.windows.docs[0].text, missing_spans(
        rows, output, table, calibrated=lambda scores: scores, name="extractor", **options
    )


def test_queries_without_spans() -> None:
    text, (miss,) = spans_missing({0: 0.9}, {1: 0.8}, {6: 0.01}, {6: 0.9})
    assert miss.subject and miss.object and miss.stopped_by == "span"
    assert text[slice(*miss.subject)] == "Bill Gates" and text[slice(*miss.object)] == "Microsoft"
    assert miss.score == pytest.approx((0.72 * 0.009) ** (1 / 6), rel=1e-4)
    assert '"Bill Gates" as subject with 0.720 and "Microsoft" as object with 0.009' in miss.text
    _, (nothing,) = spans_missing({0: 0.9}, {1: 0.8}, {}, {})
    assert nothing.subject and nothing.object is None and "nothing as object" in nothing.text
    _, (short,) = spans_missing({0: 0.9}, {1: 0.8}, {}, {}, max_length=1)
    assert short.subject is None
    assert spans_missing({0: 0.9}, {1: 0.8}, {6: 0.9}, {6: 0.9})[1] == []
