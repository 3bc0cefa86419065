"""BRAT's standoff format: a text `DOC.txt`, and beside it `DOC.ann` with a line for each span, relation and id.

In BioNLP's shared tasks, given spans are in `DOC.a1`, and events and relations in `DOC.a2`, which test data lack.

Offsets count code points, and in texts with Windows line ends often CR LF as one; the end is exclusive. A span over a
line break has a fragment on each line.
"""

import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ...annotations.encoding import describe_bytes
from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from ..whole import whole_folder
from .annotation import ANNOTATED, Losses, SpanReader, count_suggestions, keep_others, list_spans
from .checks import check_text, describe
from .sources import Item

# Text and lines of the .ann file, or of the two files of BioNLP; None if there is none.
_Document = Tuple[Optional[str], ...]

# Files of annotation in BioNLP's shared tasks.
BIONLP = (".a1", ".a2")

_SPAN = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_RELATION = re.compile(r"(\S+)((?: +\S+:\S+){2,})(?: \[.*\])?")
_REFERENCE = re.compile(r"\S+ (?:Annotation:)?(\S+) (?:Referent:)?(.+)")
# Characters at which programs may break a line.
_BREAK = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
# What BRAT replaces in names of types.
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")

# Name of the knowledge base for ids that name none.
_BASE = "KB"

# What a record has no place for, by the first character of its lines.
_KINDS = {"A": "attributes", "M": "attributes", "*": "groups of spans", "#": "notes"}


def read_brat(path: Path, *, suffixes: Sequence[str] = (".ann",)) -> Iterator[Item]:
    """Read the documents of a folder and its sub-folders, or the one of a file of annotation.

    suffixes (Sequence[str]): Of the files of annotation: `BIONLP` for the shared tasks.
    RAISES (ValueError): If there is none.
    """
    stems = {path.with_suffix("")} if path.suffix in suffixes else set()
    if path.is_dir():
        searched = suffixes if suffixes == BIONLP else (*suffixes, ".txt")
        stems = {each.with_suffix("") for suffix in searched for each in path.rglob(f"*{suffix}")}
    if not stems:
        names = " or ".join(suffixes)
        raise ValueError(
            Errors.R209.format(what=path, found=f"no {names} file", expected="such a file, or a folder of them")
        )
    for stem in sorted(stems):
        yield read_texts(stem, suffixes)


def read_texts(stem: Path, suffixes: Sequence[str]) -> Item:
    """Read the text of a document and its files of annotation; line ends are kept, since offsets count them.

    suffixes (Sequence[str]): Of the files of annotation, which may be missing: their content is None.
    """
    text, *files = (stem.with_name(stem.name + suffix) for suffix in (".txt", *suffixes))
    if not text.is_file():
        return Item(str(files[0]), 1, error=Errors.R715.format(path=text.name))
    content: List[Optional[str]] = []
    for path in (text, *files):
        try:
            content.append(path.read_bytes().decode("utf8") if path.is_file() else None)
        except UnicodeDecodeError as error:
            line, what = describe_bytes(error)
            return Item(str(path), line, error=what)
    return Item(str(next((path for path in files if path.is_file()), text)), 1, tuple(content))


def parse_brat(document: _Document, *, offsets: Optional[str] = None, discontinuous: Optional[str] = None) -> Record:
    """Parse a document; without an .ann file it is not annotated.

    offsets, discontinuous (Optional[str]): See `SpanReader`.
    """
    text, *annotations = document
    reader = SpanReader(check_text(text or "", "the text"), offsets, discontinuous)
    if annotations == [None]:
        return reader.record({}, annotated=())
    names = ["line"] if len(annotations) == 1 else [".a1 line", ".a2 line"]
    lines = [
        (f"{name} {number}", line.strip("\r"))
        for name, annotation in zip(names, annotations)
        for number, line in enumerate((annotation or "").split("\n"), start=1)
        if line.strip()
    ]
    entities: Dict[str, Record] = {}
    spans = [_parse_span(line, name) for name, line in lines if line[0] == "T"]
    reader.fit_offsets((span.fragments, span.text) for span in spans)
    for span in spans:
        reader.add_fragments(span.key, span.fragments, [span.label], name=span.name, text=span.text or None)
        if reader.spans[span.key] is not None:
            entities[span.key] = reader.entities[-1]
    reader.spans.update({line.partition("\t")[0]: None for _, line in lines if line[0] == "E"})
    for name, line in lines:
        rest = line.partition("\t")[2]
        kind = line[0] if rest else ""
        if kind == "R":
            _read_relation(rest, name, reader)
        elif kind == "N":
            _read_reference(rest, name, reader, entities)
        elif kind == "E":
            reader.lose("events")
        elif kind in _KINDS:
            reader.losses[_KINDS[kind]] += 1
        elif kind != "T":
            raise ValueError(Errors.R716.format(name=name, found=describe(line)))
    return reader.record({}, annotated=("entities",) if annotations[-1] is None else ANNOTATED)


class _Span(NamedTuple):
    """A line of a span; the name is the line's."""

    name: str
    key: str
    label: str
    fragments: List[CharSpan]
    text: str


def _parse_span(line: str, name: str) -> _Span:
    key, place, text = [*line.split("\t", 2), "", ""][:3]
    match = _SPAN.fullmatch(place.strip())
    if not match:
        raise ValueError(Errors.R716.format(name=name, found=describe(line)))
    numbers = [int(number) for number in re.findall(r"\d+", match.group(2))]
    return _Span(name, key, match.group(1), list(zip(numbers[::2], numbers[1::2])), text)


def _read_relation(rest: str, name: str, reader: SpanReader) -> None:
    """Read a relation, whose roles may have any names: the first is the subject."""
    match = _RELATION.fullmatch(rest.strip())
    if not match:
        raise ValueError(Errors.R716.format(name=name, found=describe(rest)))
    keys = [argument.rpartition(":")[2] for argument in match.group(2).split()]
    if len(keys) > 2:
        reader.lose("relations with more than two arguments")
    else:
        reader.add_relation(keys[0], [match.group(1)], keys[1], name=name)


def _read_reference(rest: str, name: str, reader: SpanReader, entities: Dict[str, Record]) -> None:
    """Read an id of a knowledge base; a span keeps only its first."""
    match = _REFERENCE.fullmatch(rest.partition("\t")[0])
    if not match:
        raise ValueError(Errors.R716.format(name=name, found=describe(rest)))
    key, kb_id = match.groups()
    if key not in reader.spans:
        raise ValueError(Errors.R708.format(name=name, found=describe(key)))
    entity = entities.get(key, {"kb_id": ""})
    reader.losses["further ids of a knowledge base"] += "kb_id" in entity
    entity.setdefault("kb_id", kb_id.removeprefix(f"{_BASE}:"))


def write_brat(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write a folder of documents with the `annotation.conf` of their labels.

    losses (Losses): Counts what the tool has no place for.
    RETURNS (List[Path]): The folder.
    RAISES (ValueError): If the folder is not empty.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ValueError(Errors.R121.format(path=str(path)))
    types = _Types(losses)
    with whole_folder(path) as folder:
        for number, record in enumerate(records):
            name = f"doc{number:06d}"
            _write(folder / f"{name}.txt", record["text"])
            _write(folder / f"{name}.ann", "".join(f"{line}\n" for line in _list_lines(record, losses, types)))
        _write(folder / "annotation.conf", "".join(f"{line}\n" for line in types.list_config()))
    return [path]


def _write(path: Path, content: str) -> None:
    """Write a file without translating its line ends."""
    path.write_bytes(content.encode("utf8"))


@dataclass
class _Types:
    """The names of labels in BRAT's files, and which labels each relation joins."""

    losses: Losses
    # By label.
    names: Dict[str, str] = field(default_factory=dict)
    entities: Set[str] = field(default_factory=set)
    # Types of the subjects and of the objects of each relation.
    relations: Dict[str, Tuple[Set[str], Set[str]]] = field(default_factory=dict)

    def name(self, label: str) -> str:
        """Make a name of ASCII letters, digits, `_` and `-`, different for each label."""
        if label not in self.names:
            name = base = _NO_NAME.sub("_", label).strip("-") or "_"
            others = set(self.names.values())
            for number in count(2):
                if name not in others:
                    break
                name = f"{base}-{number}"
            self.names[label] = name
        if self.names[label] != label:
            self.losses[f"label {label!r}, written as {self.names[label]}"] += 1
        return self.names[label]

    def list_config(self) -> List[str]:
        """List the lines of `annotation.conf`; spans may overlap."""
        lines = ["[entities]", *sorted(self.entities), "", "[relations]"]
        for relation, (subjects, objects) in sorted(self.relations.items()):
            lines.append(f"{relation}\tArg1:{'|'.join(sorted(subjects))}, Arg2:{'|'.join(sorted(objects))}")
        return [*lines, "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>", "", "[events]", "", "[attributes]"]


def _list_lines(record: Record, losses: Losses, types: _Types) -> Iterator[str]:
    """List the lines of a document, and collect its types."""
    text = record["text"]
    entities, links = list_spans(record, losses)
    losses["attributes of triples"] += sum(bool(link.attributes) for link in links)
    losses["documents not annotated with triples, written as annotated"] += "triples" not in record
    count_suggestions(links, losses)
    for key in keep_others(record):
        losses[f"other key: {key}"] += 1
    # The type of each span; "" for one that BRAT cannot represent.
    names: List[str] = []
    ids = count(1)
    for number, entity in enumerate(entities, start=1):
        fragments = _split_lines(text, entity["start"], entity["end"])
        names.append(types.name(entity["label"]) if fragments else "")
        ends = [end for fragment in fragments for end in fragment]
        losses["line breaks at the ends of spans"] += ends[:1] + ends[-1:] != [entity["start"], entity["end"]]
        if not fragments:
            continue
        types.entities.add(names[-1])
        words = " ".join(text[start:end] for start, end in fragments)
        yield f"T{number}\t{names[-1]} {';'.join(f'{start} {end}' for start, end in fragments)}\t{words}"
        kb_id = entity.get("kb_id", "")
        if re.search(r"\s", kb_id):
            losses["ids of a knowledge base"] += 1
        elif kb_id:
            yield f"N{next(ids)}\tReference T{number} {_name_base(kb_id)}\t{words}"
    for number, link in enumerate(links, start=1):
        subject, obj = names[link.subject], names[link.object]
        if not subject or not obj:
            losses["relations of spans that are left out"] += 1
            continue
        relation = types.name(link.triple["relation"])
        subjects, objects = types.relations.setdefault(relation, (set(), set()))
        subjects.add(subject)
        objects.add(obj)
        yield f"R{number}\t{relation} Arg1:T{link.subject + 1} Arg2:T{link.object + 1}"


def _name_base(kb_id: str) -> str:
    """Prefix an id with the name of a knowledge base unless it has one."""
    base, _, rest = kb_id.partition(":")
    return kb_id if base and rest and base != _BASE else f"{_BASE}:{kb_id}"


def _split_lines(text: str, start: int, end: int) -> List[CharSpan]:
    """Split a span at line breaks; blank fragments are left out."""
    fragments, position = [], start
    for match in _BREAK.finditer(text, start, end):
        fragments.append((position, match.start()))
        position = match.end()
    return [fragment for fragment in [*fragments, (position, end)] if text[slice(*fragment)].strip()]
