"""Whether a text states a triple as a fact, according to the attributes of the triple."""

import json
from typing import Dict, Iterable, Mapping, Sequence, Set, Tuple

from spacy.training import Example

from .store import TokenTriple, align_records, get_records

# The attribute that a component writes, and its value for triples without it.
ASSERTION, STATED = "assertion", "stated"

# Assertions of triples that a text does not state as facts; a "reported" triple counts as a fact.
NOT_FACTS = frozenset({"denied", "hypothetical"})

# Boolean attributes of annotation tools, in lower case, and the assertion that each stands for.
_FLAGS: Dict[str, str] = {
    **dict.fromkeys(("denied", "negated", "negation"), "denied"),
    **dict.fromkeys(("hypothetical", "speculated", "speculation"), "hypothetical"),
}


def assertion_of(attributes: Mapping[str, object]) -> str:
    """Return the assertion of a triple with some attributes: "stated", "denied", "hypothetical", "reported" or another.

    That is the attribute `assertion`, where flags such as "negated" are read as "denied"; else what a true attribute
    such as `negated` stands for; else "stated".
    """
    stated = attributes.get(ASSERTION)
    if isinstance(stated, str) and stated.strip():
        return _FLAGS.get(stated.lower(), stated)
    flags = (_FLAGS[key.lower()] for key, value in attributes.items() if key.lower() in _FLAGS and _is_true(value))
    return next(flags, STATED)


def list_assertions(examples: Iterable[Example]) -> Set[str]:
    """List the assertions of gold triples."""
    records = (record for example in examples for record in get_records(example.reference, source="") or ())
    return {assertion_of(record.get("attributes", {})) for record in records}


def gold_assertions(examples: Sequence[Example]) -> Dict[Tuple[int, TokenTriple], str]:
    """Map each gold triple, as (number of the example, tokens in its predicted Doc), to its assertion."""
    found = {}
    for number, example in enumerate(examples):
        for record in get_records(example.reference, source="") or ():
            for triple in align_records(example.predicted, [record]):
                found[number, triple] = assertion_of(record.get("attributes", {}))
    return found


def is_fact(attributes: Mapping[str, object]) -> bool:
    """Return True if a triple with some attributes is neither denied nor hypothetical."""
    return assertion_of(attributes) not in NOT_FACTS


def _is_true(value: object) -> bool:
    """Return True unless a value means false, also as a string such as "no"."""
    return str(value).strip().lower() not in ("", "0", "false", "no", "none")


def describe_relation(relation: str, attributes: Mapping[str, object]) -> str:
    """Write a relation with the attributes of its triple in brackets, "founder (denied)"; "stated" is left out."""
    parts = []
    for key, value in attributes.items():
        if (key, value) == (ASSERTION, STATED):
            continue
        if key == ASSERTION and isinstance(value, str) or value is True:
            parts.append(str(value) if key == ASSERTION else key)
        else:
            parts.append(f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    return f"{relation} ({', '.join(parts)})" if parts else relation
