"""Facts that follow from others by a schema."""

from typing import Any, Dict

import pytest

from spacy_relext.annotations.doc_entities import FactKey
from spacy_relext.annotations.inference import derive_facts
from spacy_relext.annotations.schema import Schema, schema_from_dict

RELATIONS: Dict[str, Any] = {
    "capital_of": {"implies": ["located_in"], "inverse": "capital"},
    "located_in": {"transitive": True},
    "parent": {"inverse": "child"},
    "mother": {"implies": ["parent", "-daughter"]},
}


@pytest.fixture
def schema() -> Schema:
    return schema_from_dict({"relations": RELATIONS})


def anything(key: FactKey) -> bool:
    return True


def test_rules_follow_each_other(schema: Schema) -> None:
    stated = {(0, "capital_of", 1): 0.9, (1, "located_in", 2): 0.8, (3, "mother", 4): 0.5}
    found = derive_facts(stated, schema, allows=anything)
    assert {key: (round(each.score, 6), each.rule) for key, each in found.items()} == {
        (1, "capital", 0): (0.9, "inverse"),
        (0, "located_in", 1): (0.9, "implies"),
        (0, "located_in", 2): (0.72, "transitive"),
        (3, "parent", 4): (0.5, "implies"),
        (4, "child", 3): (0.5, "inverse"),
        (4, "daughter", 3): (0.5, "implies"),
    }
    assert found[0, "located_in", 2].sources == ((0, "capital_of", 1), (1, "located_in", 2))
    assert found[4, "child", 3].sources == ((3, "mother", 4),)


def test_an_inverse_is_read_in_both_directions(schema: Schema) -> None:
    assert list(derive_facts({(0, "child", 1): 1.0}, schema, allows=anything)) == [(1, "parent", 0)]


def test_the_best_derivation_counts(schema: Schema) -> None:
    stated = {
        (0, "located_in", 1): 0.9,
        (1, "located_in", 2): 0.9,
        (2, "located_in", 3): 0.9,
        (1, "located_in", 3): 0.5,
    }
    found = derive_facts(stated, schema, allows=anything)
    assert round(found[0, "located_in", 3].score, 6) == 0.729
    assert (1, "located_in", 3) not in found, "a stated fact keeps its score"


def test_a_cycle_ends(schema: Schema) -> None:
    stated = {(0, "located_in", 1): 0.9, (1, "located_in", 0): 0.9}
    assert derive_facts(stated, schema, allows=anything) == {}


@pytest.mark.parametrize(
    "options",
    [{"rules": ("inverse",)}, {"least": 0.95}, {"allows": lambda key: key[1] != "located_in"}],
    ids=["rules", "least", "types"],
)
def test_what_is_left_out(schema: Schema, options: Dict[str, Any]) -> None:
    stated = {(0, "located_in", 1): 0.9, (1, "located_in", 2): 0.9}
    assert derive_facts(stated, schema, **{"allows": anything, **options}) == {}


def test_a_long_chain_takes_little_time(schema: Schema) -> None:
    found = derive_facts({(i, "located_in", i + 1): 1.0 for i in range(150)}, schema, allows=anything, least=0.5)
    assert len(found) == 151 * 150 // 2 - 150
