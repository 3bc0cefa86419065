"""Small documents for graphs, written as text with triples of names."""

from typing import Dict, List, Optional, Sequence, Tuple

from spacy_relext.annotations.grouping import Mention
from spacy_relext.annotations.triple import Record
from spacy_relext.graph.documents import Document, parse_document

# Subject, relation, object, score.
Named = Tuple[str, str, str, float]


def record(
    text: str, triples: Sequence[Named], labels: Optional[Dict[str, str]] = None, *, doc_id: Optional[str] = None
) -> Record:
    """Make a record of `extract`: names stand for their first place in the text; each full stop ends a sentence."""
    ends = [at + 1 for at, char in enumerate(text) if char == "."] or [len(text)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    entities = [
        {"start": at, "end": at + len(name), "label": label}
        for name, label in (labels or {}).items()
        for at in places(text, name)
    ]
    written = [
        {"subject": span(text, one), "relation": relation, "object": span(text, two), "score": score, "source": "m"}
        for one, relation, two, score in triples
    ]
    made: Record = {
        "text": text,
        "triples": written,
        "entities": entities,
        "sents": [list(s) for s in zip(starts, ends)],
    }
    return made if doc_id is None else {**made, "doc_id": doc_id}


def document(
    text: str, triples: Sequence[Named], labels: Optional[Dict[str, str]] = None, *, doc_id: str = "1"
) -> Document:
    """Make a document of `record`."""
    return parse_document(record(text, triples, labels, doc_id=doc_id))


def mentions(*names: str, label: Optional[str] = None) -> List[Mention]:
    """Make mentions in the order of a text."""
    return [Mention(20 * at, 20 * at + len(name), name, label) for at, name in enumerate(names)]


def span(text: str, name: str) -> List[int]:
    start = text.index(name)
    return [start, start + len(name)]


def places(text: str, name: str) -> List[int]:
    found, start = [], text.find(name)
    while start >= 0:
        found.append(start)
        start = text.find(name, start + len(name))
    return found
