"""What the formats of annotation tools share: spans with ids and relations between them become canonical records.

A record parsed from a tool's format has a counter under `LOSSES` of what a record has no place for, by kind;
`count_losses` moves it to the report. `list_spans` makes spans and relations of a record to write.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from ..canonical import check_record
from ..report import Report
from .checks import check_offsets, check_text, describe, make_entity
from .locate import ENTITY
from .sources import parse_json, to_json

LOSSES = "relext_losses"

ANNOTATED = ("entities", "triples")

# White space, and a line break as Label Studio writes it in the text of a span: a backslash and an n.
_LINE_BREAK = re.compile(r"\s|\\n")

Losses = Counter[str]
Key = Union[int, str, CharSpan]


@dataclass
class SpanReader:
    """Collects the spans and relations of one text."""

    text: str
    losses: Losses = field(default_factory=Counter)
    entities: List[Record] = field(default_factory=list)
    triples: List[Record] = field(default_factory=list)
    # Offsets by the tool's id; None for a span that a record has no place for.
    spans: Dict[Key, Optional[CharSpan]] = field(default_factory=dict)

    def add_span(
        self,
        key: Key,
        start: int,
        end: int,
        labels: Sequence[str],
        *,
        name: str,
        text: Optional[str] = None,
        kb_id: str = "",
    ) -> None:
        """Add a span, which becomes an entity for each label.

        end (int): Exclusive.
        name (str): Name of the span in messages.
        text (Optional[str]): The span's text, if the tool has it; white space is not compared.
        kb_id (str): The id of its entities in a knowledge base; "" means not linked.
        RAISES (ValueError): If offsets or a label are malformed, the text differs, or the id already has another span.
        """
        check_offsets([start, end], length=len(self.text), name=f"start and end of {name}")
        found = self.text[start:end]
        if text is not None and _LINE_BREAK.sub("", text) != _LINE_BREAK.sub("", found):
            raise ValueError(Errors.R713.format(name=name, found=describe(found), text=describe(text)))
        if self.spans.get(key) not in (None, (start, end)):
            raise ValueError(Errors.R717.format(name=name, found=describe(key)))
        self.spans[key] = (start, end)
        self.losses["spans without a label"] += not labels
        self.entities += [make_entity(start, end, check_text(label, f"the label of {name}"), kb_id) for label in labels]

    def add_relation(
        self,
        subject: Key,
        labels: Sequence[str],
        obj: Key,
        *,
        name: str,
        attributes: Optional[Record] = None,
        score: object = None,
    ) -> None:
        """Add a relation between two spans, which becomes a triple for each label.

        name (str): Name of the relation in messages.
        attributes (Optional[Record]): Attributes of each triple.
        score (object): Score of each triple, 0 to 1; other values are counted and left out.
        RAISES (ValueError): If a span is absent, or a label is blank.
        """
        for key in (subject, obj):
            if key not in self.spans:
                raise ValueError(Errors.R708.format(name=name, found=describe(key)))
        first, second = self.spans[subject], self.spans[obj]
        if first is None or second is None:
            self.losses["relations of spans that are left out"] += 1
        elif first == second:
            self.losses["relations of a span with itself"] += 1
        elif not labels:
            self.losses["relations without a label"] += 1
        else:
            values: Record = {"attributes": attributes} if attributes else {}
            if isinstance(score, (int, float)) and 0 <= score <= 1:
                values.update({"score": score} if score != 1 else {})
            else:
                self.losses["scores that are not between 0 and 1"] += score is not None
            for label in labels:
                check_text(label, f"the label of {name}")
                self.triples.append({"subject": list(first), "relation": label, "object": list(second), **values})

    def record(self, others: Record, *, known: Iterable[str] = (), annotated: Sequence[str] = ANNOTATED) -> Record:
        """Make the record, with its losses.

        others (Record): Further keys of the tool's record, which are kept.
        known (Iterable[str]): Keys among them that are not kept.
        annotated (Sequence[str]): Which of `entities` and `triples` the tool's record is annotated with.
        RAISES (ValueError): If a further key cannot be kept, such as `sents` that are not sentences.
        """
        for key in set(ANNOTATED).intersection(others).difference(known):
            self.losses[f"key that is no annotation of the tool: {key}"] += 1
        parsed = {"text": self.text, **{key: getattr(self, key) for key in annotated}}
        return {**check_record({**parsed, **keep_others(others, known)}), LOSSES: self.losses}


def read_value(text: str) -> object:
    """Read the value of an attribute, which is JSON or any other text."""
    try:
        value = parse_json(text)
    except ValueError:
        return text
    # NaN, infinity and integers that msgpack cannot store stay text.
    return text if isinstance(value, (int, float)) and not abs(value) < 2**63 else value


def write_value(value: object) -> str:
    """Write the value of an attribute, so that `read_value` returns it: a string as it is, unless it reads as JSON."""
    return value if isinstance(value, str) and read_value(value) == value else to_json(value)


def keep_others(others: Record, known: Iterable[str] = ()) -> Record:
    """Copy the keys of a record except text, entities, triples and those that are known."""
    return {key: value for key, value in others.items() if key not in ("text", *ANNOTATED, *known)}


def left_out(kind: str) -> Record:
    """Make the placeholder of a task that is left out, which counts it."""
    return {LOSSES: Counter({kind: 1})}


def count_losses(record: Record, report: Report) -> Optional[Record]:
    """Move the losses of a record to the report; return the canonical record, or None if the task is left out."""
    report.losses.update(record.get(LOSSES, {}))
    return {key: value for key, value in record.items() if key != LOSSES} if "text" in record else None


class Relation(NamedTuple):
    """A triple to write: the numbers of its spans, and the record."""

    subject: int
    object: int
    triple: Record

    @property
    def source(self) -> str:
        """The component that suggests the triple; "" for annotation."""
        return str(self.triple.get("source", ""))

    @property
    def score(self) -> float:
        """The confidence; 1 for annotation."""
        return float(self.triple.get("score", 1.0))

    @property
    def attributes(self) -> Record:
        """The attributes of the triple; empty if there are none."""
        attributes: Record = self.triple.get("attributes", {})
        return attributes


def list_spans(record: Record, losses: Losses) -> Tuple[List[Record], List[Relation]]:
    """List the spans of a canonical record and the relations between them.

    losses (Losses): Counts what no tool has a place for, and arguments that are not entities.
    RETURNS (Tuple[List[Record], List[Relation]]): The entities and then other arguments, as entities labelled `ENTITY`;
        and the relations, which refer to them by number.
    """
    entities = list(record.get("entities", ()))
    numbers: Dict[CharSpan, int] = {}
    for number, entity in enumerate(entities):
        numbers.setdefault((entity["start"], entity["end"]), number)
    relations = []
    for triple in record.get("triples", ()):
        for start, end in (triple["subject"], triple["object"]):
            if (start, end) not in numbers:
                numbers[start, end] = len(entities)
                entities.append(make_entity(start, end, ENTITY))
                losses[f"arguments that are no entities, written as {ENTITY}"] += 1
        subject, obj = (numbers[triple[role][0], triple[role][1]] for role in ("subject", "object"))
        losses["evidence of triples"] += bool(triple.get("evidence"))
        losses["scores of annotated triples"] += not triple.get("source") and triple.get("score", 1) != 1
        relations.append(Relation(subject, obj, triple))
    return entities, relations


def pop_others(record: Record, own: Callable[[str], bool], losses: Losses) -> Record:
    """Copy the keys of a canonical record besides its text, entities and triples.

    own (Callable[[str], bool]): Returns True for keys that the tool itself uses; they are counted and not copied.
    """
    others = keep_others(record)
    for key in filter(own, list(others)):
        losses[f"other key that the tool has itself: {key}"] += 1
        del others[key]
    return others


def count_suggestions(relations: Iterable[Relation], losses: Losses) -> None:
    """Count the triples of components, for a tool that treats all triples as annotated."""
    losses["sources and scores of suggested triples, written as annotated"] += sum(bool(r.source) for r in relations)
