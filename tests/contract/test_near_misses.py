"""Near misses of every component: what it states is none, and all that a threshold stops is one."""

import copy
from typing import Any, Set, Tuple

import pytest
from spacy.tokens import Doc

from spacy_relext import get_records
from spacy_relext.annotations.near_miss import STAGES
from tests.contract.cases import MethodCase
from tests.contract.conftest import NAME, Trained

Keys = Set[Tuple[Any, str, Any]]


def stated(doc: Doc) -> Keys:
    return {(r["subject"], r["relation"], r["object"]) for r in get_records(doc) or [] if r["source"] == NAME}


def test_what_is_stated_is_no_near_miss(case: MethodCase, trained: Trained) -> None:
    for doc in trained.nlp.pipe(trained.texts):
        before = copy.deepcopy(doc.user_data)
        misses = trained.pipe.near_misses(doc)
        assert doc.user_data == before
        assert not {(m.subject, m.relation, m.object) for m in misses} & stated(doc)
        for miss in misses:
            assert miss.stopped_by in STAGES and miss.source == NAME and miss.text
            assert 0.0 <= miss.score <= 1.0 and miss.relation in trained.pipe.labels


def test_what_a_threshold_stops_is_a_near_miss(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    pipe: Any = nlp.get_pipe(NAME)
    expected = [stated(doc) for doc in trained.nlp.pipe(trained.texts)]
    case.silence(pipe.cfg)
    for doc, triples in zip(nlp.pipe(trained.texts), expected):
        misses = pipe.near_misses(doc)
        assert [m.score for m in misses] == sorted((m.score for m in misses), reverse=True)
        if case.silences_queries:
            asked = {miss.relation for miss in misses if miss.stopped_by == "relation" and miss.subject is None}
            assert {relation for _, relation, _ in triples} <= asked
        else:
            limited = {(m.subject, m.relation, m.object) for m in misses if m.stopped_by == "threshold"}
            assert triples <= limited and all(miss.score < miss.threshold for miss in misses)


def test_vectors_that_are_gone(case: MethodCase, trained: Trained) -> None:
    doc = trained.nlp(trained.texts[0])
    doc.tensor = None
    if any(name in ("tok2vec", "transformer") for name, _ in trained.nlp.pipeline):
        with pytest.raises(ValueError, match=r"\[R365\]"):
            trained.pipe.near_misses(doc)
    else:
        trained.pipe.near_misses(doc)
