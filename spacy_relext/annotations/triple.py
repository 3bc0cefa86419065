"""The public value of the package: a relation between two spans of a Doc."""

from dataclasses import dataclass, field
from typing import Any, Dict, Tuple

from spacy.tokens import Span

CharSpan = Tuple[int, int]

# Plain values, as JSON has them.
Record = Dict[str, Any]


@dataclass(frozen=True, eq=False)
class Triple:
    """One relation between two spans of the same Doc; equality and hash depend on offsets and label alone.

    score (float): The component's confidence, 0 to 1; 1 for gold triples.
    source (str): Name of the component that wrote the triple; "" for gold triples.
    evidence (Record): What the component based it on: plain values only.
    """

    subject: Span
    relation: str
    object: Span
    score: float = 1.0
    source: str = ""
    evidence: Record = field(default_factory=dict)

    @property
    def key(self) -> Tuple[int, int, str, int, int]:
        """Character offsets and label, which equality compares."""
        subject, obj = self.subject, self.object
        return subject.start_char, subject.end_char, self.relation, obj.start_char, obj.end_char

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Triple) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Triple({self.subject.text!r}, {self.relation!r}, {self.object.text!r}, score={self.score:.3f})"
