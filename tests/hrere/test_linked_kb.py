"""Facts like a pair, found among those of a relation."""

from typing import Any, List, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.hrere import linked_kb as near_facts
from spacy_relext.hrere.linked_kb import LinkedKb


def make_kb(vectors: Any, facts: Any, *, relations: int) -> LinkedKb:
    arrays = {
        "entities": numpy.asarray(vectors, dtype="float32"),
        "relations": numpy.zeros((relations, numpy.shape(vectors)[1]), dtype="float32"),
        "facts": numpy.asarray(facts, dtype="int32").reshape(-1, 3),
    }
    return LinkedKb([f"Q{n}" for n in range(len(vectors))], [f"r{n}" for n in range(relations)], arrays)


def scan(kb: LinkedKb, subject: int, obj: int, relation: int) -> List[Tuple[str, str, float]]:
    """Compare all facts of a relation one by one with a pair."""
    table = kb.arrays["entities"]
    unit = table / numpy.maximum(numpy.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    facts = kb.arrays["facts"][kb.arrays["facts"][:, 1] == relation]
    near = [float((unit[one] @ unit[subject] + unit[two] @ unit[obj]) / 2) for one, _, two in facts]
    order = sorted(range(len(facts)), key=lambda row: -near[row])
    return [(f"Q{facts[row][0]}", f"Q{facts[row][2]}", near[row]) for row in order]


@pytest.mark.parametrize(("entities", "rows", "kept"), [(50, 2048, 8_000_000), (400, 2048, 0), (400, 7, 300)])
def test_as_in_a_plain_scan(entities: int, rows: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_facts, "ROWS", rows)
    monkeypatch.setattr(near_facts, "CACHE_SIZE", kept)
    dice = numpy.random.default_rng(entities + rows)
    facts = [dice.integers(most, size=600) for most in (entities, 5, entities)]
    kb = make_kb(dice.standard_normal((entities, 24)), numpy.stack(facts, 1), relations=6)
    for _ in range(2):  # the second time from what is kept
        for subject, obj, relation in zip(range(0, 30), range(30, 0, -1), [*range(6)] * 5):
            expected = scan(kb, subject, obj, relation)
            for top in (1, 4, 1000):
                found = kb.nearest(subject, obj, f"r{relation}", top=top)
                assert [each[:3] for each in found] == [(a, f"r{relation}", b) for a, b, _ in expected[:top]]
                assert [each.similarity for each in found] == pytest.approx([n for *_, n in expected[:top]], abs=1e-6)
    assert kb.nearest(0, 1, "r9", top=3) == kb.nearest(-1, 1, "r0", top=3) == kb.nearest(0, 1, "r0", top=0) == []


# -1, 0 and 1 in two places have exact cosines, so that many facts are equally near
vectors = st.lists(st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, 0)]), min_size=2, max_size=8)


@given(vectors, st.data())
def test_of_equally_near_facts_the_first_come_first(vectors: Any, data: Any) -> None:
    row = st.integers(0, len(vectors) - 1)
    facts = data.draw(st.lists(st.tuples(row, st.integers(0, 1), row), max_size=20))
    kb = make_kb(vectors, facts, relations=2)
    subject, obj, relation, top = (data.draw(each) for each in (row, row, st.integers(0, 1), st.integers(1, 21)))
    found = [(each.subject, each.object, each.similarity) for each in kb.nearest(subject, obj, f"r{relation}", top=top)]
    assert found == scan(kb, subject, obj, relation)[:top]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_facts, "CACHE_SIZE", 100)
    dice = numpy.random.default_rng(0)
    facts = numpy.stack([dice.integers(most, size=200) for most in (40, 1, 40)], 1).astype("int32")
    found = near_facts.NearFacts(dice.standard_normal((40, 4)).astype("float32"), facts, n_relations=1)
    for number in range(30):
        found.of_pair(number, 0, 39 - number, top=2)
        assert sum(map(len, found.cache.values())) == found.cache_size <= 100


def test_vectors_that_are_no_numbers() -> None:
    kb = make_kb([(1, 0), (numpy.nan, 0), (0, 1)], [(1, 0, 2), (0, 0, 2), (2, 0, 1)], relations=1)
    found = kb.nearest(0, 2, "r0", top=2)
    assert [each[:3] for each in found] == [("Q0", "r0", "Q2"), ("Q1", "r0", "Q2")]
