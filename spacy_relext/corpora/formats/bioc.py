"""BioC, as XML and as JSON: documents of passages, with annotations and relations that join them by id.

Offsets count bytes or characters of the document, as its producer chose, while each passage has a text of its own;
passages are joined by line breaks. A relation without nodes joins two ids of a knowledge base, among its infons.
"""

from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ...annotations.encoding import number_lines
from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .annotation import ANNOTATED, SpanReader
from .bioc_xml import read_bioc_xml
from .checks import check_object, check_text, check_unicode, describe, iter_objects, require
from .concepts import Concepts, clean_id
from .offsets import CODE_POINTS, Counting, OffsetMap, Stated, fit_pieces
from .sources import Item, read_folder, read_json

# Keys of infons, in lower case.
_RELATION_LABELS = ("relation", "type", "relation type")
_IDS = ("identifier", "mesh", "ncbi gene", "ncbi_gene", "entrez", "cui", "kb_id", "normalized_id")

# Roles of a subject that stands second.
_SUBJECTS = ("arg1", "subject", "subj", "source", "head")


class BioCDocument(NamedTuple):
    """A document in the form of BioC's JSON, and whether its file has any relation."""

    value: object
    is_annotated: bool


class _Passage(NamedTuple):
    """A passage, or a sentence of it: where it starts in the document and in the record, and its text."""

    offset: int
    start: int
    text: str


class _Annotation(NamedTuple):
    """A span; its parts have offsets that count from the start of their passages."""

    name: str
    value: Record
    text: Optional[str]
    parts: List[Tuple[_Passage, CharSpan]]


def read_bioc(path: Path) -> Iterator[Item]:
    """Read the documents of a file, or of a folder of them. RAISES (ValueError): If a file is damaged."""
    return read_folder(path, (".xml", ".json", ".jsonl"), _read_file)


def _read_file(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        first = next(filter(None, (line.strip() for _, line in number_lines(file))), b"")
    with path.open("rb") as file:
        is_annotated = any(b"<relation" in line or b'"nodes"' in line for line in file)
    if first[:1] not in (b"{", b"["):
        for line, document in read_bioc_xml(path):
            yield Item(str(path), line, BioCDocument(document, is_annotated))
        return
    for item in read_json(path):
        value = item.value if isinstance(item.value, dict) else {}
        documents = value.get("documents", value.get("PubTator3"))
        for document in documents if isinstance(documents, list) else [item.value]:
            yield Item(item.path, item.line, BioCDocument(document, is_annotated), item.error, item.element)


def parse_bioc(document: BioCDocument, *, offsets: Optional[str] = None, discontinuous: Optional[str] = None) -> Record:
    """Parse a document; it is annotated with triples if any document of its file is.

    offsets, discontinuous (Optional[str]): See `SpanReader`.
    """
    record = check_object(document.value, "the document")
    holders = [("", record)]
    text = ""
    places: List[List[_Passage]] = [[]]
    for name, passage in iter_objects(record, "passages"):
        sentences = _list(passage, "sentences", f"{name}.")
        own: List[_Passage] = []
        for each, holder in [(name, passage)] if passage.get("text") else sentences:
            piece = check_unicode(require(holder, "text", str, name=each), f"'text' of {each}")
            text += "\n" if text else ""
            own.append(_Passage(_read_number(holder, "offset", each), len(text), piece))
            text += piece
        places[0] += own
        for each, holder in [(name, passage), *sentences]:
            holders.append((f"{each}.", holder))
            places.append(own)
    reader = SpanReader(check_text(text, "the text of the passages"), discontinuous=discontinuous)
    annotations = [
        _read_annotation(value, name, passages)
        for (prefix, holder), passages in zip(holders, places)
        for name, value in _list(holder, "annotations", prefix)
    ]
    maps = _fit_offsets(annotations, offsets, reader)
    for annotation in annotations:
        _add_annotation(annotation, maps, reader)
    relations = [each for prefix, holder in holders for each in _list(holder, "relations", prefix)]
    for _, relation in relations:
        reader.spans.setdefault(str(relation.get("id")), None)  # a relation that another joins has no place
    concepts = Concepts(reader)
    for name, relation in relations:
        _read_relation(relation, name, reader, concepts)
    others = {key: record[key] for key in ("id", "infons") if record.get(key)}
    is_annotated = bool(relations) or document.is_annotated
    return reader.record(others, annotated=ANNOTATED if is_annotated else ("entities",))


def _list(holder: Record, key: str, prefix: str) -> List[Tuple[str, Record]]:
    """List the objects under a key that may be absent, each with its name."""
    return [(prefix + name, each) for name, each in iter_objects(holder, key)] if key in holder else []


def _read_annotation(annotation: Record, name: str, passages: List[_Passage]) -> _Annotation:
    """Read a span, of one part or several, each in the last passage that starts before it."""
    parts = []
    for each, location in iter_objects(annotation, "locations"):
        start, length = (_read_number(location, side, f"{each} of {name}") for side in ("offset", "length"))
        before = [passage for passage in passages if passage.offset <= start]
        if not before:
            found, expected = f"the place [{start}, {start + length}]", "a place in its passage"
            raise ValueError(Errors.R750.format(name=name, found=found, expected=expected))
        passage = max(before, key=lambda each: (each.offset, len(each.text)))
        parts.append((passage, (start - passage.offset, start - passage.offset + length)))
    text = None if annotation.get("text") is None else require(annotation, "text", str, name=name)
    return _Annotation(name, annotation, text, parts)


def _fit_offsets(annotations: List[_Annotation], offsets: Optional[str], reader: SpanReader) -> Dict[int, OffsetMap]:
    """Find out what offsets count, by the texts of annotations; return the map of each passage by its start."""
    passages = {passage.start: passage for each in annotations for passage, _ in each.parts}
    stated: Dict[int, List[Stated]] = {start: [] for start in passages}
    for each in annotations:
        if each.text and each.text.strip() and len({passage.start for passage, _ in each.parts}) == 1:
            stated[each.parts[0][0].start].append(([span for _, span in each.parts], each.text))
    pieces = [(passages[start].text, spans) for start, spans in stated.items() if spans]
    fitting = Counting(offsets) if offsets else fit_pieces(pieces)
    reader.is_known = offsets is not None or bool(pieces and fitting)
    reader.count_by(counting := fitting or CODE_POINTS)
    return {start: OffsetMap(passage.text, counting) for start, passage in passages.items()}


def _add_annotation(annotation: _Annotation, maps: Dict[int, OffsetMap], reader: SpanReader) -> None:
    key, name = str(annotation.value.get("id")), annotation.name
    if not annotation.parts or any(start == end for _, (start, end) in annotation.parts):
        reader.losses["spans without a character"] += 1
        reader.spans[key] = None
        return
    infons = _read_infons(annotation.value, name)
    labels = [str(infons.pop("type"))] if infons.get("type") else []
    ids = [clean_id(str(infons.pop(each))) for each in _IDS if each in infons]
    for other in infons:
        reader.losses[f"infons of annotations: {other}"] += 1
    places = []
    for passage, span in annotation.parts:
        start, end = maps[passage.start].to_codepoints(span, f"the place of {name} in its passage")
        places.append((passage.start + start, passage.start + end))
    kb_id = next(filter(None, ids), "")
    reader.add_places(key, places, labels, name=name, text=annotation.text, kb_id=kb_id)


def _read_relation(relation: Record, name: str, reader: SpanReader, concepts: Concepts) -> None:
    """Read a relation of two nodes or, if it has none, of two ids among its infons."""
    infons = _read_infons(relation, name)
    labels = [str(infons.pop(each)) for each in _RELATION_LABELS if infons.get(each)][:1]
    nodes = _list(relation, "nodes", f"{name}.")
    keys = [str(node.get("refid")) for _, node in nodes]
    if len(keys) == 2:
        if str(nodes[1][1].get("role")).casefold() in _SUBJECTS:
            keys.reverse()
        reader.add_relation(keys[0], labels, keys[1], name=name, attributes=infons)
        return
    ids = [key for key, value in infons.items() if value in concepts.mentions] if not keys else []
    if len(ids) == 2 and labels:
        subject, obj = (infons.pop(key) for key in ids)
        concepts.add_relation(subject, labels[0], obj, attributes=infons)
    else:
        kind = "with more than two arguments" if len(keys) > 2 else "without a subject or an object"
        reader.lose(f"relations {kind}")


def _read_infons(holder: Record, name: str) -> Record:
    """Read the plain values of an object's infons, by keys in lower case."""
    infons = require(holder, "infons", dict, name=name) if "infons" in holder else {}
    return {key.casefold(): value for key, value in infons.items() if isinstance(value, (str, int, float))}


def _read_number(record: Record, key: str, name: str) -> int:
    """Read an offset or a length, a string in XML."""
    value = record.get(key)
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise ValueError(Errors.R750.format(name=f"{key!r} of {name}", found=describe(value), expected="a number"))
    return int(value)
