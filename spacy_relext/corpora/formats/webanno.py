"""WebAnno TSV 3, as WebAnno and INCEpTION export it: a header with the layers, then a row for each token of a sentence.

A cell has the values of a feature, stacked with `|`. `[3]` after a value is an id of the annotation, for one of several
units or one that is stacked. A relation stands in the row of its target, the object: its last cell has the unit of its
source, and `[1_3]` the ids of source and target. Offsets count UTF-16 units; tokens are compared with the text.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .annotation import SpanReader
from .cas import LABELS, NO_RELATIONS, OF_USERS, SYNTAX
from .checks import check_text, describe
from .sources import Item, read_blocks, read_folder

_FORMAT, _TEXT = "#FORMAT=WebAnno TSV 3", "#Text="
# Beginnings of features: the layer that a relation joins, and the role of a slot, before the type of its target.
_BASE, _SLOT = "BT_", "ROLE_"
_KINDS = {"#T_SP=": "span", "#T_CH=": "chain", "#T_RL=": "relation"}
_KB_ID = "identifier"

_ROW = re.compile(r"(\d+-\d+(?:\.\d+)?)\t(\d+)-(\d+)\t([^\t]*)\t?(.*)")
# One value of a stack with its id, and the source of a relation with the ids of source and target.
_VALUE = re.compile(r"((?:\\.|[^\\[])*)(?:\[(\d+)\])?")
_SOURCE = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)_(\d+)\])?")
_STACK = re.compile(r"((?:\\.|[^\\|])*)(?:\||$)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b"}

_EXPECTED = "1-1<tab>0-3<tab>Ada<tab> and a cell for each feature of the header"


@dataclass
class _Layer:
    """A layer of the header: its features, of which a relation's last is its source, and their columns."""

    kind: str
    name: str
    features: List[str]
    columns: slice

    @property
    def base(self) -> str:
        """The layer that a relation joins; "" for other kinds."""
        return self.features[-1].removeprefix(_BASE) if self.kind == "relation" else ""

    @property
    def read(self) -> List[int]:
        """The numbers of the features that are read: all but slots, a role and the type of its target each."""
        slots = [number for number, name in enumerate(self.features) if name.startswith(_SLOT)]
        others = set(range(len(self.features))) - {number + each for number in slots for each in (0, 1)}
        return sorted(others) or [0]

    @property
    def label(self) -> str:
        """The feature with the label; "" if the name of the layer is the label."""
        names = [self.features[each] for each in self.read]
        names = [each for each in names if each not in ("", _KB_ID) and not each.startswith((_BASE, _SLOT))]
        return next((each for each in LABELS if each in names), names[0] if len(names) == 1 else "")

    def read_labels(self, annotation: "_Annotation") -> List[str]:
        """List the label of an annotation, removed from its values; none if it is null."""
        if not self.label:
            return [self.name.rpartition(".")[2]]
        return [annotation.values.pop(self.label)] if self.label in annotation.values else []


class _Row(NamedTuple):
    """A token or a part of one, with its place in the record."""

    name: str
    unit: str
    place: CharSpan
    cells: List[str]


class _Annotation(NamedTuple):
    """One annotation of a row: its key, its values by feature, without those that are null, and a relation's source."""

    key: str
    values: Dict[str, str]
    source: str


@dataclass
class _Sentence:
    """The lines of text of a sentence, and the numbered rows."""

    texts: List[str] = field(default_factory=list)
    rows: List[Tuple[int, "re.Match[str]"]] = field(default_factory=list)


def read_webanno(path: Path) -> Iterator[Item]:
    """Read the documents of a file, or of a folder of them; the value is the numbered lines."""
    return read_folder(path, (".tsv",), lambda file: read_blocks(file, lambda line: line.startswith(_FORMAT)))


def parse_webanno(lines: Sequence[Tuple[int, str]]) -> Record:
    """Parse a document. Entities are the annotations of layers that relations join, or else of annotators' layers."""
    if not lines[0][1].startswith(_FORMAT):
        expected = f"{_FORMAT}.3"
        raise ValueError(Errors.R750.format(name="the first line", found=describe(lines[0][1]), expected=expected))
    layers = _read_layers(lines)
    width = layers[-1].columns.stop if layers else 0
    text, sents, rows = _join(_split(lines), width)
    reader = SpanReader(check_text(text, "the text"))
    relations = [each for each in layers if each.kind == "relation" and not each.name.startswith(SYNTAX)]
    spans = [each for each in layers if each.kind == "span"]
    bases = {each.base for each in relations}
    joined = [each for each in spans if (each.name in bases if relations else each.name.startswith(OF_USERS))]
    reader.losses[NO_RELATIONS] += not relations
    for layer in joined:
        _read_spans(layer, rows, reader)
    for layer in relations:
        for row in rows:
            _read_relations(layer, row, reader)
    _count_others([each for each in layers if each not in joined and each not in relations], rows, reader)
    return reader.record({"sents": sents})


def _read_layers(lines: Sequence[Tuple[int, str]]) -> List[_Layer]:
    """Read the layers of the header, with the columns of their features."""
    layers, start = [], 0
    for _, line in lines[1:]:
        kind = _KINDS.get(line[:6])
        if kind is None:
            break
        name, *features = line[6:].strip().split("|")
        layers.append(_Layer(kind, name, features or [""], slice(start, start + max(len(features), 1))))
        start = layers[-1].columns.stop
        if kind == "relation" and not layers[-1].features[-1].startswith(_BASE):
            raise ValueError(
                Errors.R750.format(name=f"the layer {name}", found="no BT_", expected="the layer it joins")
            )
    return layers


def _split(lines: Sequence[Tuple[int, str]]) -> List[_Sentence]:
    """Split the body into sentences."""
    sentences: List[_Sentence] = []
    for number, line in lines:
        if line.startswith(_TEXT):
            if not sentences or sentences[-1].rows:
                sentences.append(_Sentence())
            sentences[-1].texts.append(_unescape(line.removeprefix(_TEXT)))
        elif line.strip() and not line.startswith("#"):
            match = _ROW.fullmatch(line)
            if match is None or not sentences:
                raise ValueError(Errors.R750.format(name=f"line {number}", found=describe(line), expected=_EXPECTED))
            sentences[-1].rows.append((number, match))
    return sentences


def _join(sentences: Sequence[_Sentence], width: int) -> Tuple[str, List[List[int]], List[_Row]]:
    """Join the sentences and place their rows; a space stands for whatever was between two sentences."""
    text, sents, rows = "", [], []
    previous = -1
    for sentence in sentences:
        content = "\n".join(sentence.texts)
        if not sentence.rows or not content.strip():
            raise ValueError(Errors.R750.format(name="a sentence", found="no token or no text", expected="both"))
        first = int(sentence.rows[0][1].group(2))
        text += " " if text and first != previous else ""
        places = _place(sentence, content, first)
        for (number, match), (start, end) in zip(sentence.rows, places):
            cells = match.group(5).split("\t")
            if len(cells) not in (width, width + 1) or (len(cells) > width and cells[-1]):
                found = describe(match.group())
                raise ValueError(Errors.R750.format(name=f"line {number}", found=found, expected=_EXPECTED))
            rows.append(_Row(f"line {number}", match.group(1), (len(text) + start, len(text) + end), cells[:width]))
        sents.append([len(text), len(text) + len(content)])
        text += content
        previous = first + len(content.encode("utf-16-le")) // 2
    return text, sents, rows


def _place(sentence: _Sentence, content: str, first: int) -> List[CharSpan]:
    """Find the units of a sentence in its text: offsets count UTF-16 units or, in files of other tools, characters."""
    widths = [1 + (char > "\uffff") for char in content]
    positions = [0]
    for width in widths:
        positions.append(positions[-1] + width)
    wanted = [(int(match.group(2)) - first, int(match.group(3)) - first, match.group(4)) for _, match in sentence.rows]
    attempts = []
    for index in ({unit: at for at, unit in enumerate(positions)}, {at: at for at in range(len(positions))}):
        places = [(index.get(start, 0), index.get(end, 0)) for start, end, _ in wanted]
        texts = [content[start:end] for start, end in places]
        wrong = [
            at for at, (text, (*_, token)) in enumerate(zip(texts, wanted)) if text not in (token, _unescape(token))
        ]
        attempts.append((len(wrong), places, [(at, texts[at]) for at in wrong]))
    count, places, differences = min(attempts, key=lambda attempt: attempt[0])
    if count:
        at, text = differences[0]
        name = f"line {sentence.rows[at][0]}"
        raise ValueError(Errors.R713.format(name=name, found=describe(text), text=describe(wanted[at][2])))
    return places


def _list_annotations(layer: _Layer, row: _Row) -> List[_Annotation]:
    """List the annotations of a layer in a row: a stack of each feature has a value of each."""
    cells = [row.cells[layer.columns][each] for each in layer.read]
    features = [layer.features[each] for each in layer.read]
    stacks = [[match.group(1) for match in _STACK.finditer(cell) if match.group()] for cell in cells if cell != "_"]
    if stacks and ([*map(len, stacks)] != [len(stacks[0])] * len(cells)):
        found = describe("\t".join(cells))
        raise ValueError(Errors.R750.format(name=row.name, found=found, expected="as many values of each feature"))
    annotations = []
    for number, stack in enumerate(zip(*stacks)):
        source = stack[-1] if layer.base else ""
        matches = list(map(_VALUE.fullmatch, stack[:-1] if layer.base else stack))
        pairs = [("*", "") if match is None else (match.group(1), match.group(2) or "") for match in matches]
        key = next((each for _, each in pairs if each), "")
        values = {name: _unescape(value) for name, (value, _) in zip(features, pairs) if value != "*"}
        annotations.append(_Annotation(_make_key(layer.name, row.unit, key, number), values, source))
    return annotations


def _make_key(layer: str, unit: str, key: str, number: int = 0) -> str:
    """Make the key of an annotation: its id or, without one, its unit and its number in the stack."""
    return f"{layer}[{key}]" if key.strip("0") else f"{layer} in {unit}" + (f" ({number})" if number else "")


def _read_spans(layer: _Layer, rows: Sequence[_Row], reader: SpanReader) -> None:
    """Read the annotations of a span layer, each from its first to its last unit."""
    places: Dict[str, CharSpan] = {}
    annotations: Dict[str, Tuple[str, _Annotation]] = {}
    slots = [number for number, name in enumerate(layer.features) if name.startswith(_SLOT)]
    for row in rows:
        cells = [row.cells[layer.columns][each] for each in slots]
        reader.lose("slots of spans", sum(1 + cell.count(";") for cell in cells if not cell.startswith("_")))
        for annotation in _list_annotations(layer, row):
            start, end = places.get(annotation.key, row.place)
            places[annotation.key] = (min(start, row.place[0]), max(end, row.place[1]))
            annotations.setdefault(annotation.key, (row.name, annotation))
    for key, (name, annotation) in annotations.items():
        if places[key][0] == places[key][1]:
            reader.losses["spans without a character"] += 1
            reader.spans[key] = None
            continue
        labels, kb_id = layer.read_labels(annotation), annotation.values.pop(_KB_ID, "")
        reader.add_span(key, *places[key], labels, name=f"the span of {name}", kb_id=kb_id)
        for feature in annotation.values:
            reader.losses[f"features of spans: {feature}"] += 1


def _read_relations(layer: _Layer, row: _Row, reader: SpanReader) -> None:
    """Read the relations whose target is in a row; features other than the label are attributes."""
    for annotation in _list_annotations(layer, row):
        match = _SOURCE.fullmatch(annotation.source)
        if match is None:
            found = describe(annotation.source)
            raise ValueError(
                Errors.R750.format(name=row.name, found=found, expected="a source such as 1-1 or 1-1[1_3]")
            )
        unit, source, target = match.groups(default="")
        keys = [_make_key(layer.base, *each) for each in ((unit, source), (row.unit, target))]
        labels = layer.read_labels(annotation)
        name = f"the relation of {row.name}"
        reader.add_relation(keys[0], labels, keys[1], name=name, attributes=dict(annotation.values))


def _count_others(layers: Sequence[_Layer], rows: Sequence[_Row], reader: SpanReader) -> None:
    """Count the annotations of layers that are not read, unless preprocessing makes them."""
    for layer in layers:
        if layer.kind == "chain":
            reader.losses["mentions in coreference chains"] += sum(row.cells[layer.columns][0] != "_" for row in rows)
        elif layer.name.startswith(OF_USERS):
            found = {annotation.key for row in rows for annotation in _list_annotations(layer, row)}
            reader.losses[f"annotations of the layer {layer.name}"] += len(found)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match.group(1), match.group(1)), text)
