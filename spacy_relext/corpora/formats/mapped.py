"""Reads JSON records that a mapping describes: see `mapping.py`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Type, TypeVar, Union

from ...annotations.triple import CharSpan, Record, trim_span
from ...errors import Errors
from ..canonical import KNOWN_KEYS
from ..report import Report
from .annotation import SpanReader, count_losses
from .checks import (
    BLANK_SPANS,
    TRIMMED,
    align_tokens,
    check_object,
    check_offsets,
    check_text,
    check_tokens,
    check_unicode,
    describe,
    join_sentences,
    make_entity,
    read_label,
    require,
    span_chars,
)
from .locate import ENTITY, choose_pair, find_inner, find_string
from .mapping import KEY, VALUE, Argument, ListedSpan, Mapping, Relations, Span
from .offsets import CODE_POINTS, Stated
from .other_keys import rows_of_columns
from .sources import Item, read_json

# Strings that stand for no id, and the mark of a literal, such as a date, in place of an id.
_NO_IDS = ("", "None", "none", "null", "NIL", "Q-1")
_LITERAL = "^^"

_RECORD = "the record"

_Key = Union[int, str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Element:
    """A record, or an element of one of its lists."""

    value: object
    # In messages.
    name: str = _RECORD
    # The key of an object that was gone through last.
    key: object = None

    def get(self, path: Optional[str]) -> object:
        """Return the value at a path; None if there is none."""
        if path is None or path in (KEY, VALUE):
            return {None: None, KEY: self.key, VALUE: self.value}[path]
        value = self.value
        for part in path.split("."):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return None
        return value

    def require(self, path: str, kind: Type[_T]) -> _T:
        """Return the value at a path. RAISES (ValueError): If it is not of a kind, such as a list."""
        value = {} if (found := self.get(path)) is None else {path: found}
        return require(value, path, kind, name=self.name)

    def list_elements(
        self, path: str, fields: Collection[str], markers: Optional[Sequence[str]] = None
    ) -> Optional[List["Element"]]:
        """List the elements at a path, in which `*` goes through a list or an object; None if there is no such path.

        fields (Collection[str]): Keys that the elements have: an object that has all of them holds columns.
        markers (Optional[Sequence[str]]): Markers of a string that lists triples.
        RAISES (ValueError): If it is something else than a list or an object.
        """
        before, star, after = path.partition(".*")
        value = self.get(before)
        name = self.name if before == VALUE else before if self.name == _RECORD else f"{self.name}.{before}"
        if value is None:
            return None
        if markers is not None and isinstance(value, str):
            return [Element(triple, f"{name}[{n}]") for n, triple in enumerate(split_markers(value, markers))]
        if isinstance(value, dict) and fields and value.keys() >= set(fields):
            value = rows_of_columns(value)
        if not isinstance(value, (list, dict)):
            raise ValueError(f"{name} is {describe(value)}, not a list or an object")
        if isinstance(value, dict):
            elements = [Element(each, f"{name}[{describe(key)}]", key) for key, each in value.items()]
        else:
            elements = [Element(each, f"{name}[{n}]", self.key) for n, each in enumerate(value)]
        if not star:
            return elements
        inner = (each.list_elements(after.removeprefix(".") or VALUE, fields) for each in elements)
        return [element for several in inner for element in several or ()]


def split_markers(text: str, markers: Sequence[str]) -> List[List[str]]:
    """Split a string of triples, such as `<triplet> Ada <subj> Oslo <obj> lives in <subj> Bo <obj> knows`.

    markers (Sequence[str]): What precedes a subject, an object and a label; a subject may have several objects.
    RETURNS (List[List[str]]): Subject, object and label of each triple.
    RAISES (ValueError): If a marker or what follows it is missing.
    """
    before, *blocks = text.split(markers[0])
    triples: List[List[str]] = []
    for subject, *parts in (block.split(markers[1]) for block in blocks):
        triples += [[string.strip() for string in (subject, *part.split(markers[2]))] for part in parts]
    if before.strip() or len(triples) < len(blocks) or not all(len(triple) == 3 and all(triple) for triple in triples):
        expected = f"triples, each with the markers {', '.join(markers)} before subject, object and label"
        raise ValueError(Errors.R750.format(name="the string", found=describe(text), expected=expected))
    return triples


def find_unread(value: object, paths: Sequence[Sequence[str]], name: str) -> Iterator[str]:
    """Yield the names of keys, at any depth of objects, that no path leads to and whose values are not empty.

    paths (Sequence[Sequence[str]]): The parts of each path.
    """
    if isinstance(value, dict) and all(paths) and not any(path[0] == "*" for path in paths):
        for key, each in value.items():
            inner, where = [path[1:] for path in paths if path[0] == key], f"{name}.{key}".removeprefix(".")
            if inner:
                yield from find_unread(each, inner, where)
            elif each not in (None, "", [], {}):
                yield where


def read_mapped(path: Path, *, mappings: Sequence[Mapping]) -> Iterator[Item]:
    """Read records; with `records`, from the lists of an object."""
    paths = [mapping.records for mapping in mappings if mapping.records is not None]
    for item in read_json(path):
        records = next(filter(None, (_list_records(item.value, each) for each in paths)), None)
        if records is None:
            yield item
        for number, record in enumerate(records or (), start=1):
            yield replace(item, value=record, element=number)


def _list_records(whole: object, path: str) -> List[object]:
    """List the records of a file, each with its key; empty if the file is not of this form."""
    found = list(whole.items()) if path == KEY and isinstance(whole, dict) else [(None, Element(whole).get(path))]
    lists = [(key, records) for key, records in found if isinstance(records, list)]
    if len(lists) < len(found) or not all(isinstance(record, dict) for _, records in lists for record in records):
        return []
    return [{**record, KEY: key} for key, records in lists for record in records]


def parse_mapped(value: object, *, mappings: Sequence[Mapping], **options: Optional[str]) -> Record:
    """Choose the mapping of a record: the first whose paths it has.

    options (Optional[str]): `offsets` and `discontinuous` of `SpanReader`.
    """
    record = check_object(value)
    missing = []
    for mapping in mappings:
        lacking = [path for path in mapping.required if Element(record).get(path) is None]
        if not lacking:
            return {"mapping": mapping, "record": record, "options": options}
        missing.append(" and ".join(map(repr, lacking)))
    raise ValueError(Errors.R761.format(expected=", or ".join(missing), found=describe(sorted(record))))


def locate_mapped(parsed: Record, report: Report) -> Optional[Record]:
    """Make a canonical record and count what it has no place for."""
    return count_losses(_RecordReader(parsed["mapping"], parsed["record"], parsed["options"], report).read(), report)


class _RecordReader:
    """Reads one record."""

    def __init__(self, mapping: Mapping, record: Record, options: Record, report: Report) -> None:
        self.mapping, self.report = mapping, report
        self.record = Element(record, key=record.get(KEY))
        # Characters of each token, and sentences.
        self.tokens: List[CharSpan] = []
        self.sents: List[List[int]] = []
        own = {} if mapping.counts_characters else {"offsets": CODE_POINTS.unit}
        self.reader = SpanReader(self._read_text(), **{**options, **own})
        # Listed spans by id, or by number: several if a string occurs more than once, none if it has no place.
        self.spans: Dict[_Key, List[CharSpan]] = {}
        self.strings: Dict[str, List[CharSpan]] = {}
        self.pairs: List[Record] = []

    def read(self) -> Record:
        """Make a canonical record with its losses."""
        mapping, reader, annotated = self.mapping, self.reader, []
        reader.fit_offsets(self._list_stated())
        if mapping.spans is not None and (spans := self._list(mapping.spans)) is not None:
            self._add_spans(mapping.spans, spans)
            annotated.append("entities")
        relations = self._list(mapping.relations)
        for element in relations or ():
            self._add_relation(mapping.relations, element)
        self.report.count_strings(self.strings)
        is_pair = mapping.relations.each is None
        if any(pair["label"] is not None for pair in self.pairs) if is_pair else relations is not None:
            annotated.append("triples")
        reader.entities = list({tuple(entity.values()): entity for entity in reader.entities}.values())
        annotated += ["entities"] * bool(reader.entities and "entities" not in annotated)
        return reader.record(self._list_others(), annotated=annotated)

    def _list(self, block: Union[ListedSpan, Relations]) -> Optional[List[Element]]:
        """List the elements that a block describes; None if the record has no such list."""
        if block.each is None:
            return [self.record]
        fields = {path.partition(".")[0] for path in block.paths()} - {KEY, VALUE}
        return self.record.list_elements(block.each, fields, block.markers if isinstance(block, Relations) else None)

    def _read_text(self) -> str:
        """Read the text; with tokens, also their characters and the sentences."""
        mapping, text = self.mapping, ""
        if mapping.text is not None:
            text = check_text(self.record.require(mapping.text, str), repr(mapping.text))
        if mapping.tokens is not None:
            value = self.record.require(mapping.tokens, list)
            is_nested = any(isinstance(each, list) for each in value)
            lists = [Element(each).require(VALUE, list) for each in value] if is_nested else [value]
            sentences = [check_tokens(tokens, allow_blank=True) for tokens in lists]
            joined, offsets = align_tokens(text, sentences) if text else join_sentences(sentences, joint=mapping.join)
            text = check_text(joined, repr(mapping.tokens))
            self.tokens = [offset for sentence in offsets for offset in sentence]
            filled = [(each[0][0], each[-1][1]) for each in offsets if each[0][0] < each[-1][1]]
            self.sents = [list(sentence) for sentence in filled] if is_nested else []
        if mapping.one_sentence and not self.sents:
            self.sents = [list(trim_span(text, 0, len(text)))]
        return text

    def _add_spans(self, block: ListedSpan, elements: Sequence[Element]) -> None:
        """Add the listed spans and their entities."""
        found = [self._find_places(block, element, element.name) or [] for element in elements]
        is_located = block.start is None and block.indices is None
        # not inside a longer one: "York" in "York Minster"
        inner = find_inner(span for spans in found for span in spans) if is_located else set()
        for number, (element, spans) in enumerate(zip(elements, found)):
            key = number if block.id is None else element.get(block.id)
            if not isinstance(key, (int, str)):
                raise ValueError(f"the id of {element.name} is {describe(key)}, not a string or a whole number")
            self.spans[key] = spans
            for span in [span for span in spans if span not in inner] or spans:
                self._add_entity(block, element, span, element.name)
            self.reader.lose("spans without a place", not (spans or is_located), is_relation=False)
            self._count_unread(block.paths(), element.value, block.each or "")

    def _add_entity(self, block: Span, element: Element, span: CharSpan, name: str) -> None:
        """Add an entity for each label."""
        labels = [ENTITY] if block.label is None else self._read_labels(element, block.label, block.names, name)
        kb_id = self._read_id(element, block.kb_id, name)
        self.reader.losses["spans without a label"] += not labels
        self.reader.spans[span] = span
        self.reader.entities += [make_entity(*span, label, kb_id) for label in labels]

    def _add_relation(self, block: Relations, element: Element) -> None:
        """Add a relation: a triple for each label, and without `each` the marked pair."""
        labels = self._read_labels(element, block.label, block.names, element.name)
        roles = (block.subject, f"subject of {element.name}"), (block.object, f"object of {element.name}")
        if block.each is not None:
            self._count_unread(block.paths(), element.value, block.each)
        subjects, objects = (self._find_argument(argument, element, name) for argument, name in roles)
        pair = choose_pair(subjects or (), objects or ())
        if subjects is None or objects is None:
            self.reader.lose("relations without a place of subject or object")
        elif pair is None:
            self.report.count_missing_pair(subjects, objects)
            # both in one span can be no triple
            self.reader.is_complete = self.reader.is_complete and bool(subjects and objects)
        if pair is None:
            return
        for (argument, name), chosen, spans in zip(roles, pair, (subjects or (), objects or ())):
            if argument.label or argument.kb_id or self.mapping.spans is None and block.each is None:
                for span in [chosen] if argument.indices is None else spans:
                    self._add_entity(argument, element, span, name)
            self.reader.spans[chosen] = chosen
        if block.each is None:
            both = {"subject": list(pair[0]), "object": list(pair[1])}
            self.pairs += [{**both, "label": label} for label in labels] or [{**both, "label": None}]
        values = {key: value for key, path in block.attributes.items() if (value := element.get(path))}
        named = [label for label in labels if label not in block.no_relations]
        if named or not labels and block.each is not None:
            score = element.get(block.score)
            self.reader.add_relation(pair[0], named, pair[1], name=element.name, attributes=values, score=score)

    def _find_argument(self, argument: Argument, element: Element, name: str) -> Optional[List[CharSpan]]:
        """Find the places of an argument; None if it is absent or without a place."""
        if argument.span is None:
            return self._find_places(argument, element, name)
        key = element.get(argument.span)
        if key is not None and (not isinstance(key, (int, str)) or key not in self.spans):
            raise ValueError(Errors.R708.format(name=name, found=describe(key)))
        return None if key is None else self.spans[key] or None

    def _find_places(self, block: Span, element: Element, name: str) -> Optional[List[CharSpan]]:
        """Find the places of a span, empty if its string is not found; None if it is absent or discontinuous."""
        string = None
        if block.string is not None and element.get(block.string) is not None:
            string = check_unicode(element.require(block.string, str), f"the string of {name}")
        spans: Optional[List[CharSpan]]
        if block.start is not None:
            numbers = self._read_numbers(block, element)
            spans = None if None in numbers else [self._to_chars(numbers, name)]
        elif block.indices is not None:
            value = element.get(block.indices)
            lists = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
            found = [self._join_indices(Element(each, name).require(VALUE, list), name) for each in lists if each]
            spans = [span for span in found if span is not None] or None
        else:
            return None if string is None else self._locate(string)
        trimmed = [trim_span(self.reader.text, *span) for span in spans or ()]
        trimmed = [(start, end) for start, end in trimmed if start < end]
        for span in trimmed:
            there = self.reader.text[slice(*span)]
            if string is not None and "".join(string.split()).casefold() != "".join(there.split()).casefold():
                raise ValueError(Errors.R713.format(name=name, found=describe(there), text=describe(string)))
        self.reader.losses[BLANK_SPANS] += len(spans or ()) - len(trimmed)
        self.reader.losses[TRIMMED] += any(span not in (spans or ()) for span in trimmed)
        return trimmed or (None if spans else spans)

    def _read_numbers(self, block: Span, element: Element) -> List[object]:
        """Read the start and the exclusive end of a span."""
        start, end = element.get(block.start), element.get(block.end)
        return [start, end + (self.mapping.ends == "inclusive") if type(end) is int else end]

    def _list_stated(self) -> Iterator[Stated]:
        """List the numbers of spans that count characters, with the texts that the record has for them."""
        spans, relations = self.mapping.spans, self.mapping.relations
        blocks: List[Tuple[Union[ListedSpan, Relations], Span]] = [(spans, spans)] if spans is not None else []
        blocks += [(relations, relations.subject), (relations, relations.object)]
        for listing, block in blocks if self.mapping.counts_characters else ():
            for element in (self._list(listing) if block.start and block.string else None) or ():
                start, end = self._read_numbers(block, element)
                string = element.get(block.string)
                if isinstance(string, str) and isinstance(start, int) and isinstance(end, int):
                    yield [(start, end)], string

    def _to_chars(self, numbers: List[object], name: str) -> CharSpan:
        """Convert the start and the exclusive end of a span to characters."""
        name = f"start and exclusive end of {name}"
        if self.mapping.counts_characters:
            return self.reader.places.to_codepoints(numbers, name)
        return span_chars(self.tokens, *check_offsets(numbers, length=len(self.tokens), name=name))

    def _join_indices(self, numbers: List[object], name: str) -> Optional[CharSpan]:
        """Convert the numbers of a span's tokens to characters; None if it is discontinuous and left out."""
        ordered = sorted({number for number in numbers if isinstance(number, int)})
        if len(ordered) != len(numbers):
            raise ValueError(f"the indices of {name} are {describe(numbers)}; expected different whole numbers")
        ends = check_offsets([ordered[0], ordered[-1] + 1], length=len(self.tokens), name=f"the tokens of {name}")
        filled = [self.tokens[number] for number in ordered if self.tokens[number][0] < self.tokens[number][1]]
        return self.reader.join_fragments(filled) if filled else span_chars(self.tokens, *ends)

    def _locate(self, string: str) -> List[CharSpan]:
        """Find a string: the listed spans with this text, else its occurrences."""
        if string not in self.strings:
            listed = {span for spans in self.spans.values() for span in spans}
            named = sorted(span for span in listed if self.reader.text[slice(*span)] == string.strip())
            self.strings[string] = named or find_string(self.reader.text, string)
        return self.strings[string]

    def _read_labels(self, element: Element, path: str, names: Sequence[str], name: str) -> List[str]:
        """Read one label or a list of them, each a string or the number of a name."""
        value = element.get(path)
        labels = []
        for label in value if isinstance(value, list) else [value]:
            named = "" if label is None else read_label(label, names, name=f"the label of {name}")
            labels += [named] if named.strip() else []
        return labels

    def _read_id(self, element: Element, path: Optional[str], name: str) -> str:
        """Read an id of a knowledge base; "" if there is none."""
        value = element.get(path)
        if value is None or type(value) is int:
            return "" if value is None else str(value)
        kb_id = check_unicode(Element(value, f"the id of {name}").require(VALUE, str), name).strip()
        self.reader.losses["values in place of ids, such as dates"] += _LITERAL in kb_id
        return "" if kb_id in _NO_IDS or _LITERAL in kb_id else kb_id

    def _list_others(self) -> Record:
        """List the keys of a record that are kept, its sentences and its pairs; count those that cannot be kept."""
        mapping, value = self.mapping, check_object(self.record.value)
        lists = [block.each for block in (mapping.spans, mapping.relations) if block is not None and block.each]
        paths = [mapping.text, mapping.tokens, *lists, *([] if mapping.relations.each else mapping.relations.paths())]
        read = {path.partition(".")[0] for path in paths if path} | {KEY, *mapping.ignore}
        kept = {key: each for key, each in value.items() if key not in read}
        for key in [key for key in kept if key in KNOWN_KEYS]:
            self.reader.losses[f"key that has another meaning in a record: {key}"] += 1
            del kept[key]
        self._count_unread(paths, {key: each for key, each in value.items() if key in read - {KEY}})
        kept.update({"sents": self.sents} if self.sents else {})
        return {**kept, **({"pairs": self.pairs} if self.pairs else {})}

    def _count_unread(self, paths: Iterable[Optional[str]], value: object, name: str = "") -> None:
        """Count the keys of an object that no path reads."""
        parts = [[] if path == VALUE else path.split(".") for path in paths if path not in (None, KEY)]
        for key in find_unread(value, parts, name):
            self.reader.losses[f"key that is not read: {key}"] += not {key, key.split(".")[-1]} & {*self.mapping.ignore}
