"""`relext_constraints`: removes triples of a text that contradict a schema or each other."""

import warnings
from typing import Optional, Sequence

import numpy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.assertion import is_fact
from ..annotations.constraints import (
    REMOVED_KEY,
    Claim,
    Violation,
    find_violations,
    get_removed,
    make_claims,
)
from ..annotations.entities import has_entity_annotation
from ..annotations.schema import Schema
from ..annotations.store import get_records, set_triples
from ..annotations.triple import Record
from ..errors import Warnings, check_range
from ..scoring.probabilities import logit
from .schema_pipe import SchemaPipe

# Score with weight 0: the weight of a triple is its log-odds minus this score's. A triple with a lower score has
# almost no weight, but stays unless it contradicts another one.
BASE_SCORE = 0.2

# Minimum weight: above 0, so that a triple that contradicts no other one stays, whatever its score.
_LEAST = 1e-6


class RelextConstraints(SchemaPipe):
    """Keeps the consistent subset of the predicted triples of a Doc with the largest sum of log-odds.

    Removed triples stay on the Doc with the reason, and `get_removed` of `annotations/constraints.py` reads them. Gold
    triples, and those that are denied or hypothetical, are not touched.
    """

    def __init__(self, name: str, *, type_penalty: Optional[float]) -> None:
        if type_penalty is not None:
            check_range("type_penalty", type_penalty, 0.0, 100.0)
        super().__init__(name)
        self.type_penalty = type_penalty
        self._has_warned = False

    def __call__(self, doc: Doc) -> Doc:
        """Remove the triples that contradict the schema.

        RAISES (ValueError): If the component is not initialized.
        """
        schema = self.require_schema()
        predicted = [record for record in get_records(doc) or [] if record["source"]]
        # what is denied contradicts nothing that is stated
        records = [record for record in predicted if is_fact(record.get("attributes", {}))]
        if records:
            self._warn_untyped(doc, schema)
        scores = numpy.asarray([record["score"] for record in records], dtype="float64")
        odds = logit(scores) - logit(numpy.asarray([BASE_SCORE]))
        claims = make_claims(doc, records, numpy.maximum(odds, _LEAST).tolist())
        violations = find_violations(claims, schema, type_penalty=self.type_penalty)
        self._write(doc, predicted, records, violations, claims)
        return doc

    def _write(
        self,
        doc: Doc,
        predicted: Sequence[Record],
        records: Sequence[Record],
        violations: Sequence[Violation],
        claims: Sequence[Claim],
    ) -> None:
        removed = [each for each in get_removed(doc) if each["removed"]["by"] != self.name]
        text = doc.text if violations else ""
        for constraint, position, other in violations:
            reason = _describe(text, constraint, claims[position], None if other is None else records[other])
            removed.append(
                {**records[position], "removed": {"by": self.name, "constraint": constraint, "reason": reason}}
            )
        if removed or REMOVED_KEY in doc.user_data:
            doc.user_data[REMOVED_KEY] = [
                {**each, "subject": list(each["subject"]), "object": list(each["object"])} for each in removed
            ]
        gone = [records[each.position] for each in violations]
        for source in {record["source"] for record in gone}:
            rest = [each for each in predicted if each["source"] == source and not any(each is other for other in gone)]
            set_triples(doc, rest, source=source)

    def _warn_untyped(self, doc: Doc, schema: Schema) -> None:
        """Warn once if entity types are checked, but nothing has set entities."""
        if not self._has_warned and len(schema.type_rules):
            if not has_entity_annotation(doc):
                self._has_warned = True
                warnings.warn(Warnings.W009.format(name=self.name), UserWarning, stacklevel=3)


def _describe(text: str, constraint: str, claim: Claim, other: Optional[Record]) -> str:
    if other is None:
        return f"the schema does not allow the types {claim.subject.kind or '?'} → {claim.object.kind or '?'}"
    subject, obj = (" ".join(text[slice(*other[role])].split()) for role in ("subject", "object"))
    triple = f"{subject} → {other['relation']} → {obj}"
    if constraint == "symmetric":
        return f"the other direction of {triple}"
    return f"{triple} excludes it ({constraint})"


@Language.factory(
    "relext_constraints",
    requires=["doc._.triples"],
    default_config={"type_penalty": 0.5},
)
def make_relext_constraints(nlp: Language, name: str, type_penalty: Optional[float]) -> RelextConstraints:
    """Create a component that removes triples which contradict a schema.

    type_penalty (Optional[float]): Log-odds that a triple loses if the schema does not allow the types of its
        arguments, since predicted entities are not always right. It is removed if none are left. None: it is removed in
        any case, which suits texts whose entities are right.
    """
    return RelextConstraints(name, type_penalty=type_penalty)
