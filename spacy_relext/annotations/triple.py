"""The data type of the public API, a relation between two spans of a Doc, and the other forms that it may have."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span

from ..errors import Errors, Warnings

CharSpan = Tuple[int, int]

# Plain values, as JSON has them.
Record = Dict[str, Any]


@dataclass(frozen=True, eq=False)
class Triple:
    """One relation between two spans of the same Doc; equality and hash depend on offsets and label alone.

    `subject, relation, object = triple` unpacks it. Copies are the triple itself. spaCy refuses to copy and to pickle
    spans: use `to_dict` instead of `dataclasses.asdict` and pickle.

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

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Triple) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        attributes = f", attributes={self.attributes}" if self.attributes else ""
        arguments = f"{self.subject.text!r}, {self.relation!r}, {self.object.text!r}"
        return f"Triple({arguments}, score={self.score:.3f}{attributes})"


Argument = Union[Span, Sequence[int]]

TripleLike = Union[Triple, Record, Sequence[object]]

_KEYS = ("subject", "relation", "object", "score", "evidence")


def read_triples(doc: Doc, triples: Iterable[TripleLike], *, source: Optional[str] = None) -> List[Record]:
    """Read triples in any accepted form, see `set_triples`, as records with character offsets.

    Arguments are trimmed of white space. Triples with an argument of white space alone are left out, with a warning.

    source (Optional[str]): Their source; None: each triple's own, "" if it has none.
    RAISES (ValueError): If one is malformed.
    """
    if isinstance(triples, (str, bytes, Mapping, Triple)) or not isinstance(triples, Iterable):
        raise ValueError(Errors.R016.format(what=f"the triples are {_describe(triples)}, not a list"))
    given = list(triples)
    text = doc.text if given else ""
    read = [_read_triple(doc, each, source, text, number) for number, each in enumerate(given, start=1)]
    kept = [record for record in read if record is not None]
    warn_of_blank(len(read) - len(kept))
    return kept


def trim_span(text: str, start: int, end: int) -> CharSpan:
    """Leave out white space at both ends of a span of characters; of a blank span nothing is left: start is end."""
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return start, end


def warn_of_blank(count: int) -> None:
    """Warn of what is left out, since it is white space or has such an argument."""
    if count:
        warnings.warn(Warnings.W010.format(count=count), UserWarning, stacklevel=4)


def read_clusters(doc: Doc, clusters: Iterable[Iterable[Argument]]) -> List[List[CharSpan]]:
    """Read clusters of coreferent mentions, spans or character offsets, as offsets.

    RAISES (ValueError): If one is malformed.
    """
    length, read = text_length(doc), []
    for number, cluster in enumerate(clusters, start=1):
        what = f"a mention of coreference cluster {number}"
        offsets = (_offsets(doc, mention, length, what) for mention in cluster)
        read.append([(start, end) for start, end in offsets])
    return read


def text_length(doc: Doc) -> int:
    """Return the number of characters of a Doc, without making its text."""
    return doc[-1].idx + len(doc[-1].text_with_ws) if len(doc) else 0


def _read_triple(doc: Doc, triple: object, source: Optional[str], text: str, number: int) -> Optional[Record]:
    """Convert any accepted form of a triple to plain values; None if trimming leaves no two spans."""
    values = _values(triple, number)
    subject, obj = [
        _offsets(doc, values[role], len(text), f"the {role} of triple {number}") for role in ("subject", "object")
    ]
    relation, score = values["relation"], values.get("score", 1.0)
    if not isinstance(relation, str):
        raise ValueError(Errors.R016.format(what=f"the relation of triple {number} is {_describe(relation)}"))
    if not hasattr(score, "__float__"):
        raise ValueError(Errors.R016.format(what=f"the score of triple {number} is {_describe(score)}"))
    evidence, attributes = values.get("evidence") or {}, values.get("attributes") or {}
    for name, value in (("evidence", evidence), ("attributes", attributes)):
        if not isinstance(value, Mapping):
            what = f"the {name} of triple {number} {'is' if name == 'evidence' else 'are'} {_describe(value)}"
            raise ValueError(Errors.R016.format(what=what))
    given = subject, obj
    subject, obj = (list(trim_span(text, *place)) for place in given)
    if subject[0] == subject[1] or obj[0] == obj[1] or (subject == obj and given[0] != given[1]):
        return None
    if subject == obj:
        raise ValueError(Errors.R001.format(relation=relation, text=text[slice(*subject)]))
    return {
        "subject": subject,
        "relation": str(relation),
        "object": obj,
        "score": float(score),
        "source": str(values.get("source", "")) if source is None else source,
        "evidence": dict(evidence),
        **({"attributes": dict(attributes)} if attributes else {}),
    }


def _values(triple: object, number: int) -> Record:
    if isinstance(triple, Triple):
        return dict(vars(triple))
    if isinstance(triple, dict):
        if missing := [key for key in _KEYS[:3] if key not in triple]:
            raise ValueError(Errors.R016.format(what=f"triple {number} has no {' and no '.join(missing)}"))
        return triple
    is_sequence = isinstance(triple, Sequence) and not isinstance(triple, (str, bytes, Span))
    if not is_sequence or not 3 <= len(triple) <= len(_KEYS):  # type: ignore[arg-type]
        raise ValueError(Errors.R016.format(what=f"triple {number} is {_describe(triple)}"))
    return dict(zip(_KEYS, triple))  # type: ignore[call-overload]


def _offsets(doc: Doc, argument: object, length: int, what: str) -> List[int]:
    """Read the character offsets of a span or of a pair of numbers, and check them against the text's length."""
    if isinstance(argument, Span):
        if argument.doc is not doc and argument.doc.text != doc.text:
            raise ValueError(Errors.R016.format(what=f"{what} is {argument.text!r}, a span of another text"))
        start, end = argument.start_char, argument.end_char
    else:
        is_pair = isinstance(argument, Sequence) and not isinstance(argument, (str, bytes)) and len(argument) == 2
        if not is_pair or not all(hasattr(each, "__index__") for each in argument):  # type: ignore[attr-defined]
            raise ValueError(Errors.R016.format(what=f"{what} is {_describe(argument)}"))
        start, end = map(int, argument)  # type: ignore[call-overload]
    if not 0 <= start < end <= length:
        raise ValueError(Errors.R002.format(start=start, end=end, length=length))
    return [start, end]


def _describe(value: object) -> str:
    """Name a value and its type in a few words."""
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 60 else text[:59] + '…'} ({type(value).__name__})"
