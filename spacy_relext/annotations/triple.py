"""The data type of the public API: a relation between two spans of a Doc."""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

CharSpan = Tuple[int, int]

# Plain values, as JSON has them.
Record = Dict[str, Any]


@dataclass(frozen=True, eq=False)
class Triple:
    """One relation between two spans of the same Doc; equality and hash depend on offsets and label alone.

    `subject, relation, object = triple` unpacks it. Spans cannot be pickled, so a pickled triple holds the words of its
    text instead: loaded again, its spans lie in a Doc with the same tokens and no other annotation. Copies are the
    triple itself. `dataclasses.asdict` would copy the spans, which spaCy refuses; use `to_dict`.

    score (float): The component's confidence, 0 to 1; 1 for gold triples.
    source (str): Name of the component that wrote the triple; "" for gold triples.
    evidence (Record): What the component based the triple on: plain values only.
    attributes (Record): What else is known about the statement, such as {"assertion": "denied"}: plain values only.
    """

    subject: Span
    relation: str
    object: Span
    score: float = 1.0
    source: str = ""
    evidence: Record = field(default_factory=dict)
    attributes: Record = field(default_factory=dict)

    @property
    def key(self) -> Tuple[int, int, str, int, int]:
        """Character offsets and label, which equality compares."""
        subject, obj = self.subject, self.object
        return subject.start_char, subject.end_char, self.relation, obj.start_char, obj.end_char

    def to_dict(self) -> Record:
        """Return the triple as plain values that JSON can hold, and that `set_triples` accepts.

        RETURNS (Record): `subject` and `object` as [start, end] in characters, `relation`, `score`, `source`,
            `subject_text`, `object_text`, `evidence`, and `attributes` if there are any.
        """
        subject, obj = self.subject, self.object
        return {
            "subject": [subject.start_char, subject.end_char],
            "relation": self.relation,
            "object": [obj.start_char, obj.end_char],
            "score": self.score,
            "source": self.source,
            "subject_text": subject.text,
            "object_text": obj.text,
            "evidence": self.evidence,
            **({"attributes": self.attributes} if self.attributes else {}),
        }

    # Any: the caller unpacks spans and a string, which have no more specific type in common.
    def __iter__(self) -> Iterator[Any]:
        return iter((self.subject, self.relation, self.object))

    def __copy__(self) -> "Triple":
        return self

    def __deepcopy__(self, memo: Record) -> "Triple":
        return self

    def __reduce__(self) -> Tuple[Callable[..., "Triple"], Tuple[Any, ...]]:
        doc, spans = self.subject.doc, (self.subject, self.object)
        words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
        bounds = [(span.start, span.end) for span in spans]
        values = (self.relation, self.score, self.source, self.evidence, self.attributes)
        return _rebuild, (words, spaces, bounds, *values)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Triple) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        attributes = f", attributes={self.attributes}" if self.attributes else ""
        arguments = f"{self.subject.text!r}, {self.relation!r}, {self.object.text!r}"
        return f"Triple({arguments}, score={self.score:.3f}{attributes})"


def _rebuild(
    words: List[str],
    spaces: List[bool],
    bounds: List[Tuple[int, int]],
    relation: str,
    score: float,
    source: str,
    evidence: Record,
    attributes: Record,
) -> Triple:
    """Rebuild a pickled triple, with spans of a Doc that has only its words."""
    doc = Doc(Vocab(), words=words, spaces=spaces)
    subject, obj = (doc[start:end] for start, end in bounds)
    return Triple(subject, relation, obj, score, source, evidence, attributes)
