"""`relext_constraints`: removes triples of a text that contradict a schema or each other."""

import warnings
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional, Sequence, Union

import numpy
import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example

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
from ..annotations.schema import Schema, read_schema, schema_from_dict, schema_to_dict
from ..annotations.store import get_records, set_triples
from ..annotations.triple import Record
from ..corpora.damage import check_file_list, refuse_damage, write_file_list
from ..errors import Errors, Warnings, check_range
from ..scoring.probabilities import logit
from .pipe import KNOWLEDGE, RelationPipe
from .requirements import late_components

SCHEMA = "schema.json"

# Score with weight 0: the weight of a triple is its log-odds minus this score's. A triple with a lower score has
# almost no weight, but stays unless it contradicts another one.
BASE_SCORE = 0.2

# Minimum weight: above 0, so that a triple that contradicts no other one stays, whatever its score.
_LEAST = 1e-6


class RelextConstraints(Pipe):
    """Keeps the consistent subset of the predicted triples of a Doc with the largest sum of log-odds.

    Removed triples stay on the Doc with the reason, and `get_removed` of `annotations/constraints.py` reads them. Gold
    triples, and those that are denied or hypothetical, are not touched.
    """

    def __init__(self, name: str, *, type_penalty: Optional[float]) -> None:
        if type_penalty is not None:
            check_range("type_penalty", type_penalty, 0.0, 100.0)
        self.name, self.type_penalty = name, type_penalty
        self.schema: Optional[Schema] = None
        self._has_warned = False

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        schema_path: Optional[Path] = None,
    ) -> None:
        """Read the schema, which is saved with the component.

        get_examples (Callable[[], Iterable[Example]]): Not read.
        nlp (Optional[Language]): The pipeline, whose labels the relations of the schema are compared with.
        schema_path (Optional[Path]): YAML or JSON file; see `annotations/schema.py`.
        RAISES (ValueError): If it is not set, missing or malformed.
        """
        if schema_path is None:
            raise ValueError(Errors.R032.format(name=self.name))
        self.schema = read_schema(schema_path)
        for attribute, names in late_components(nlp, self.name).items() if nlp is not None else ():
            message = Warnings.W006.format(name=self.name, attribute=attribute, others=", ".join(names))
            warnings.warn(message, UserWarning, stacklevel=2)
        pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe)] if nlp is not None else []
        known = {label for pipe in pipes for label in pipe.labels}
        unknown = sorted(set(self.schema.relations) - known)
        if known and unknown:
            message = Warnings.W008.format(
                name=self.name, path=schema_path, unknown=", ".join(unknown), known=", ".join(sorted(known))
            )
            warnings.warn(message, UserWarning, stacklevel=2)

    def __call__(self, doc: Doc) -> Doc:
        """Remove the triples that contradict the schema.

        RAISES (ValueError): If the component is not initialized.
        """
        if self.schema is None:
            raise ValueError(Errors.R004.format(name=self.name))
        predicted = [record for record in get_records(doc) or [] if record["source"]]
        # what is denied contradicts nothing that is stated
        records = [record for record in predicted if is_fact(record.get("attributes", {}))]
        if records:
            self._warn_untyped(doc, self.schema)
        scores = numpy.asarray([record["score"] for record in records], dtype="float64")
        odds = logit(scores) - logit(numpy.asarray([BASE_SCORE]))
        claims = make_claims(doc, records, numpy.maximum(odds, _LEAST).tolist())
        violations = find_violations(claims, self.schema, type_penalty=self.type_penalty)
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
        for constraint, position, other in violations:
            reason = _describe(doc, constraint, claims[position], None if other is None else records[other])
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
        if not self._has_warned and schema.type_rows():
            if not has_entity_annotation(doc):
                self._has_warned = True
                warnings.warn(Warnings.W009.format(name=self.name), UserWarning, stacklevel=3)

    # Serialization

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the schema into a folder, unless `exclude` has "knowledge"."""
        folder = Path(path) / KNOWLEDGE
        if KNOWLEDGE not in exclude:
            folder.mkdir(parents=True, exist_ok=True)
            srsly.write_json(folder / SCHEMA, self._data())
            write_file_list(Path(path))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "RelextConstraints":
        """Read what `to_disk` wrote.

        RAISES (ValueError): If the file is missing or malformed.
        """
        file = Path(path) / KNOWLEDGE / SCHEMA
        if KNOWLEDGE not in exclude:
            if not file.is_file():
                raise ValueError(Errors.R012.format(name=self.name, where=file.parent, files=SCHEMA))
            check_file_list(Path(path), name=self.name)
            with refuse_damage(file, message=Errors.R021, name=self.name):
                self._load(srsly.read_json(file))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the schema, unless `exclude` has "knowledge"."""
        parts: Dict[str, object] = {} if KNOWLEDGE in exclude else {SCHEMA: self._data()}
        return bytes(srsly.msgpack_dumps(parts))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RelextConstraints":
        """Deserialize what `to_bytes` returned.

        RAISES (ValueError): If the schema is missing.
        """
        if KNOWLEDGE not in exclude:
            with refuse_damage("the bytes", message=Errors.R021, name=self.name):
                parts = srsly.msgpack_loads(bytes_data)
                if SCHEMA not in parts:
                    raise ValueError(Errors.R012.format(name=self.name, where="the bytes", files=SCHEMA))
                self._load(parts[SCHEMA])
        return self

    def _data(self) -> Optional[Record]:
        return None if self.schema is None else schema_to_dict(self.schema)

    def _load(self, data: Optional[Record]) -> None:
        self.schema = None if data is None else schema_from_dict(data)


def _describe(doc: Doc, constraint: str, claim: Claim, other: Optional[Record]) -> str:
    if other is None:
        return f"the schema does not allow the types {claim.subject.kind or '?'} → {claim.object.kind or '?'}"
    subject, obj = (" ".join(doc.text[slice(*other[role])].split()) for role in ("subject", "object"))
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
