"""Gold triples that contradict a schema: how many must be removed, by constraint and relation."""

from collections import Counter
from typing import Dict, Tuple

from spacy.tokens import Doc

from ..annotations.constraints import find_violations, make_claims
from ..annotations.schema import Schema
from ..annotations.store import get_records
from ..annotations.triple import Record

# Constraint and relation.
Kind = Tuple[str, str]


class ViolationCounts:
    """Counts of the fewest gold triples whose removal makes each document consistent with a schema.

    schema (Schema): What is known about relations. Types count if arguments are entities.
    counts (Counter[Kind]): Triples by constraint and relation.
    examples (Dict[Kind, str]): The first example of each kind.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.counts: Counter[Kind] = Counter()
        self.examples: Dict[Kind, str] = {}

    def add(self, doc: Doc) -> None:
        """Count the violations of a document."""
        records = get_records(doc, source="") or []
        claims = make_claims(doc, records, [1.0] * len(records))
        for constraint, position, other in find_violations(claims, self.schema):
            kind = constraint, records[position]["relation"]
            self.counts[kind] += 1
            if kind not in self.examples:
                shown = [_write(doc, records[each]) for each in (position, other) if each is not None]
                types = f"{claims[position].subject.kind or '?'} → {claims[position].object.kind or '?'}"
                self.examples[kind] = f"{shown[0]} ({types})" if constraint == "types" else " / ".join(shown)


def _write(doc: Doc, record: Record) -> str:
    """Write the arguments of a triple."""
    return " → ".join(" ".join(doc.text[slice(*record[role])].split()) for role in ("subject", "object"))
