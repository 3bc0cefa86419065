"""Which triples are facts."""

import pytest

from spacy_relext.annotations.assertion import assertion_of, describe_relation, is_fact
from spacy_relext.annotations.triple import Record

CASES = [
    ({}, "stated"),
    ({"assertion": "stated"}, "stated"),
    ({"assertion": "denied"}, "denied"),
    ({"assertion": "negated"}, "denied"),
    ({"assertion": "hypothetical"}, "hypothetical"),
    ({"assertion": "reported", "negated": True}, "reported"),
    ({"assertion": "planned"}, "planned"),
    ({"assertion": None, "certainty": 1}, "stated"),
    ({"negated": True}, "denied"),
    ({"Negation": "yes"}, "denied"),
    ({"negated": False, "Speculation": True}, "hypothetical"),
    ({"negated": "False", "speculated": 0, "denied": None, "hypothetical": ""}, "stated"),
]


@pytest.mark.parametrize(("attributes", "expected"), CASES)
def test_assertions(attributes: Record, expected: str) -> None:
    assert assertion_of(attributes) == expected
    assert is_fact(attributes) == (expected not in ("denied", "hypothetical"))


def test_relations_with_attributes() -> None:
    assert describe_relation("met", {}) == "met"
    assert describe_relation("met", {"assertion": "denied", "sure": True}) == "met (denied, sure)"
    assert (
        describe_relation("met", {"year": 1815, "who": "Zoë", "sure": False})
        == "met (year: 1815, who: Zoë, sure: false)"
    )
