"""What the formats of annotation tools share: spans with ids and relations between them become canonical records.

A record has a counter under `LOSSES` of what it has no place for, by kind; `count_losses` moves it to the report.
Whatever may be a relation is counted by `lose`, which marks the record as incomplete: its triples are right, but what
they lack may be there, so that it teaches no negatives. `list_spans` makes spans and relations of a record to write.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ...annotations.triple import CharSpan, Record, trim_span
from ...errors import Errors
from ..canonical import check_record
from ..report import DOUBTFUL, Report
from .checks import BLANK_SPANS, INCOMPLETE, TRIMMED, check_text, describe, make_entity
from .locate import ENTITY
from .offsets import CODE_POINTS, Counting, OffsetMap, Stated, differs, fit_counting, is_doubtful, same_text
from .sources import parse_json, to_json

LOSSES = "relext_losses"

ANNOTATED = ("entities", "triples")

# What becomes of a span of several fragments: all from the first to the last, the longest fragment, or nothing.
DISCONTINUOUS = ("cover", "longest", "drop")

Losses = Counter[str]
Key = Union[int, str, CharSpan]


@dataclass
class SpanReader:
    """Collects the spans and relations of one text.

    offsets (Optional[str]): What offsets count, a key of `COUNTINGS`; None: what `fit_offsets` finds, else `default`.
    discontinuous (Optional[str]): What becomes of spans of several fragments, of `DISCONTINUOUS`; None: "drop".
    """

    text: str
    offsets: Optional[str] = None
    discontinuous: Optional[str] = None
    default: Counting = CODE_POINTS
    losses: Losses = field(default_factory=Counter)
    entities: List[Record] = field(default_factory=list)
    triples: List[Record] = field(default_factory=list)
    # Offsets by the tool's id; None for a span that a record has no place for.
    spans: Dict[Key, Optional[CharSpan]] = field(default_factory=dict)
    is_complete: bool = True
    # Whether offsets count is known from the option or from the text of a span.
    is_known: bool = field(init=False)
    places: OffsetMap = field(init=False)

    def __post_init__(self) -> None:
        self.is_known = self.offsets is not None
        self.count_by(self.default if self.offsets is None else Counting(self.offsets))

    def count_by(self, counting: Counting) -> None:
        """Read offsets as counting so, and count the document if that makes a difference."""
        self.places = OffsetMap(self.text, counting)
        if counting != CODE_POINTS and differs(self.text, [counting]):
            self.losses[counting.kind] += 1

    def fit_offsets(self, stated: Iterable[Stated]) -> None:
        """Find out what the offsets of this text count, by the texts that the tool states; before any span is added."""
        stated = [(spans, text) for spans, text in stated if text.strip()]
        if not self.is_known and stated and (counting := fit_counting(self.text, stated)):
            self.is_known = True
            self.count_by(counting)

    def lose(self, kind: str, count: int = 1, *, is_relation: bool = True) -> None:
        """Count what is left out; if it may be a relation, or an argument of one, the record is incomplete."""
        self.losses[kind] += count
        self.is_complete = self.is_complete and not (count and is_relation)

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
        """Add a span, which becomes an entity for each label; see `add_fragments`. `end` is exclusive."""
        self.add_fragments(key, [(start, end)], labels, name=name, text=text, kb_id=kb_id)

    def add_fragments(
        self,
        key: Key,
        fragments: Sequence[CharSpan],
        labels: Sequence[str],
        *,
        name: str,
        text: Optional[str] = None,
        kb_id: str = "",
    ) -> None:
        """Add a span of fragments in any order; those with only white space between are joined.

        name (str): Name of the span in messages.
        text (Optional[str]): The span's text, if the tool has it; white space is not compared.
        kb_id (str): The id of its entities in a knowledge base; "" means not linked.
        RAISES (ValueError): If offsets or a label are malformed, the text differs, or the id has another span already.
        """
        places = [self.places.to_codepoints(each, f"start and end of {name}") for each in fragments]
        self.add_places(key, places, labels, name=name, text=text, kb_id=kb_id)

    def add_places(
        self,
        key: Key,
        places: Sequence[CharSpan],
        labels: Sequence[str],
        *,
        name: str,
        text: Optional[str] = None,
        kb_id: str = "",
    ) -> None:
        """Add a span of fragments whose offsets count code points; see `add_fragments`."""
        found = "".join(self.text[start:end] for start, end in places)
        if text is not None and not same_text(found, text):
            raise ValueError(Errors.R713.format(name=name, found=describe(found), text=describe(text)))
        span = self.join_fragments(sorted(places))
        if span is None:
            self.spans[key] = None
            return
        start, end = trim_span(self.text, *span)
        if start == end:
            self.losses[BLANK_SPANS] += 1
            self.spans[key] = None
            return
        self.losses[TRIMMED] += (start, end) != span
        if self.spans.get(key) not in (None, (start, end)):
            raise ValueError(Errors.R717.format(name=name, found=describe(key)))
        self.spans[key] = (start, end)
        self.losses["spans without a label"] += not labels
        self.entities += [make_entity(start, end, check_text(label, f"the label of {name}"), kb_id) for label in labels]

    def join_fragments(self, places: Sequence[CharSpan]) -> Optional[CharSpan]:
        """Make one span of fragments in the order of the text; None if it is left out, which is counted."""
        joined = [places[0]]
        for start, end in places[1:]:
            first, last = joined[-1]
            if self.text[last:start].strip():
                joined.append((start, end))
            else:
                joined[-1] = (first, max(last, end))
        if len(joined) == 1:
            return joined[0]
        if self.discontinuous == "cover":
            self.losses["discontinuous spans, read from their first to their last fragment"] += 1
            return joined[0][0], max(end for _, end in joined)
        if self.discontinuous == "longest":
            self.losses["discontinuous spans, of which the longest fragment is read"] += 1
            return max(joined, key=lambda each: (each[1] - each[0], each))
        self.lose("discontinuous spans")
        return None

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
            self.lose("relations of spans that are left out")
        elif first == second:
            self.losses["relations of a span with itself"] += 1  # can be no triple, so that none is missing
        elif not labels:
            self.lose("relations without a label")
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
        """Make the record, with its losses; it is marked if relations are among them.

        others (Record): Further keys of the tool's record, which are kept.
        known (Iterable[str]): Keys among them that are not kept.
        annotated (Sequence[str]): Which of `entities` and `triples` the tool's record is annotated with.
        RAISES (ValueError): If a further key cannot be kept, such as `sents` that are not sentences.
        """
        for key in {*ANNOTATED, INCOMPLETE}.intersection(others).difference(known):
            self.losses[f"key that is no annotation of the tool: {key}"] += 1
        parsed = {"text": self.text, **{key: getattr(self, key) for key in annotated}}
        if "triples" in annotated and not self.is_complete:
            parsed[INCOMPLETE] = True
        self.count_doubtful()
        return {**check_record({**parsed, **keep_others(others, known)}), LOSSES: self.losses}

    def count_doubtful(self) -> None:
        """Count the document if what its offsets count is not known, and spans cut words; after all spans."""
        if not self.is_known:
            self.losses[DOUBTFUL] += is_doubtful(self.text, filter(None, self.spans.values()))


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
    """Copy the keys of a record except its text and annotation, and those that are known."""
    return {key: value for key, value in others.items() if key not in ("text", *ANNOTATED, INCOMPLETE, *known)}


def lose(record: Record, kind: str, count: int = 1) -> None:
    """Count what may be a relation and is left out of a record, which is then incomplete; see `SpanReader.lose`."""
    if count:
        record.setdefault(LOSSES, Counter())[kind] += count
        record.update({INCOMPLETE: True} if "triples" in record else {})


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
    losses["documents of incomplete annotation, written as annotated"] += bool(record.get(INCOMPLETE))
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
