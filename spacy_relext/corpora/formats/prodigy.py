"""Prodigy's JSON lines of the interface `relations`, as `rel.manual` makes them.

Offsets count characters and the end is exclusive, but the last token of a span is inclusive. `head` and `child` of a
relation are only last tokens, so its `head_span` and `child_span` are preferred.
"""

import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ...annotations.triple import Record
from ...errors import Errors
from ..whole import whole_text
from .annotation import ANNOTATED, Losses, SpanReader, left_out, list_spans, pop_others
from .checks import check_object, describe, iter_objects, require, require_text
from .offsets import Stated
from .sources import to_json

_OWN_KEYS = ("tokens", "spans", "relations", "answer")
_ANSWERS = ("accept", "reject", "ignore")
_VIEW = "relations"
# Keys that name who answered; the first that is present counts.
_ANNOTATOR, _SESSION = "_annotator_id", "_session_id"

# A word, another character, or white space.
_PIECE = re.compile(r"\w+|[^\w\s]|\s+")

_Typed = Tuple[int, int, str]


def parse_prodigy(value: object, *, offsets: Optional[str] = None) -> Record:
    """Parse a task: accepted ones are annotated, those without an answer are not.

    The relations of a rejected task are rejected triples.

    offsets (Optional[str]): What offsets count; see `SpanReader`.
    """
    task = check_object(value, "the task")
    answer = task.get("answer")
    if answer not in (None, *_ANSWERS):
        raise ValueError(f"'answer' of the task is {describe(answer)}; expected accept, reject or ignore")
    reader = SpanReader(require_text(task, "text", name="the task"), offsets)
    spans, relations = (list(iter_objects(task, key)) if key in task else [] for key in ("spans", "relations"))
    reader.fit_offsets(_list_stated(task))
    if answer == "ignore" or (answer == "reject" and not relations):
        return left_out("ignored tasks" if answer == "ignore" else "rejected tasks without a relation")
    by = task.get(_ANNOTATOR) or task.get(_SESSION)
    others = {**task, **({} if by is None else {"annotator": str(by)})}
    known = [key for key in task if _is_own(key)]
    if answer is None:
        reader.losses["suggestions in tasks without an answer"] += len(spans) + len(relations)
        return reader.record(others, known=known, annotated=())
    _read_task(spans, relations, reader, is_answered=answer == "accept")
    if answer == "reject":
        return reader.record({**others, "rejected": reader.triples}, known=known, annotated=("entities",))
    # Other interfaces do not ask for relations.
    asked = "relations" in task or task.get("_view_id") in (None, _VIEW)
    return reader.record(others, known=known, annotated=ANNOTATED if asked else ("entities",))


def _list_stated(task: Record) -> Iterator[Stated]:
    """List tokens and spans whose text is stated; malformed ones are left out."""
    for each in (each for key in ("tokens", "spans") if isinstance(task.get(key), list) for each in task[key]):
        start, end, text = (each.get(key) if isinstance(each, dict) else None for key in ("start", "end", "text"))
        if isinstance(start, int) and isinstance(end, int) and isinstance(text, str):
            yield [(start, end)], text


def _read_task(
    spans: Sequence[Tuple[str, Record]],
    relations: Sequence[Tuple[str, Record]],
    reader: SpanReader,
    *,
    is_answered: bool,
) -> None:
    """Read the spans and relations of a task; relations keep source and score unless the task was accepted."""
    read: Set[_Typed] = set()
    for name, span in spans:
        _add_span(span, name, reader, read)
    for name, relation in relations:
        label = relation.get("label")
        labels = [] if label is None else [require(relation, "label", str, name=name)]
        ends = []
        for role in ("head", "child"):
            argument = _find_argument(relation, role, spans, name)
            start, end, kind = _parse_span(argument, f"{role}_span of {name}")
            # The span may be given only in the relation.
            if (start, end) not in reader.spans or (kind is not None and (start, end, kind) not in read):
                _add_span(argument, f"{role}_span of {name}", reader, read)
            ends.append((start, end))
        attributes = require(relation, "attributes", dict, name=name) if relation.get("attributes") else {}
        score, before = None if is_answered else relation.get("score"), len(reader.triples)
        reader.add_relation(ends[0], labels, ends[1], name=name, attributes=attributes, score=score)
        if not is_answered and relation.get("source"):
            for triple in reader.triples[before:]:
                triple["source"] = require(relation, "source", str, name=name)


def _find_argument(relation: Record, role: str, spans: Sequence[Tuple[str, Record]], name: str) -> Record:
    """Find the span of an argument, by its last token if the relation does not give the span."""
    if relation.get(f"{role}_span") is not None:
        return require(relation, f"{role}_span", dict, name=name)
    last = require(relation, role, int, name=name)
    found = [span for _, span in spans if span.get("token_end") == last]
    if not found:
        raise ValueError(Errors.R708.format(name=name, found=f"that ends in token {last}"))
    return found[0]


def _parse_span(span: Record, name: str) -> Tuple[int, int, Optional[str]]:
    start, end = (require(span, side, int, name=name) for side in ("start", "end"))
    return start, end, None if span.get("label") is None else require(span, "label", str, name=name)


def _add_span(span: Record, name: str, reader: SpanReader, read: Set[_Typed]) -> None:
    """Add a span to the reader, and to those read."""
    start, end, label = _parse_span(span, name)
    text = None if span.get("text") is None else require(span, "text", str, name=name)
    reader.add_span((start, end), start, end, [] if label is None else [label], name=name, text=text)
    if label is not None:
        read.add((start, end, label))


def _is_own(key: str) -> bool:
    """Return True for Prodigy's own keys, such as hashes."""
    return key in _OWN_KEYS or key.startswith("_")


def write_prodigy(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write tasks; annotated ones are accepted, those with only rejected triples are rejected.

    Those with triples of a component have no answer yet.

    losses (Losses): Counts what the tool has no place for.
    RETURNS (List[Path]): The file.
    """
    with whole_text(path) as file:
        for record in records:
            file.write(to_json(_make_task(record, losses)) + "\n")
    return [path]


def _make_task(record: Record, losses: Losses) -> Record:
    text, is_rejected = record["text"], "triples" not in record and bool(record.get("rejected"))
    if is_rejected:
        others = {key: value for key, value in record.items() if key != "rejected"}
        record = {**others, "triples": record["rejected"]}
    entities, links = list_spans(record, losses)
    losses["ids of a knowledge base"] += sum(bool(entity.get("kb_id")) for entity in entities)
    tokens, firsts, lasts = _make_tokens(text, entities)
    spans = []
    for entity in entities:
        start, end = entity["start"], entity["end"]
        place = {"start": start, "end": end, "token_start": firsts[start], "token_end": lasts[end]}
        spans.append({**place, "label": entity["label"], "text": text[start:end], "type": "span"})
    task: Record = {"text": text, **pop_others(record, _is_own, losses), "tokens": tokens, "spans": spans}
    if isinstance(task.get("annotator"), str):
        task[_ANNOTATOR] = task.pop("annotator")
    task["relations"] = []
    for link in links:
        head, child = spans[link.subject], spans[link.object]
        relation: Record = {"head": head["token_end"], "child": child["token_end"], "label": link.triple["relation"]}
        for role, span in (("head_span", head), ("child_span", child)):
            relation[role] = {key: each for key, each in span.items() if key not in ("text", "type")}
        if link.source:
            relation.update({"score": link.score, "source": link.source})
        task["relations"].append({**relation, **({"attributes": link.attributes} if link.attributes else {})})
    if is_rejected or ("triples" in record and not any(link.source for link in links)):
        task["answer"] = "reject" if is_rejected else "accept"
    elif "triples" not in record:
        losses["entities of documents without annotated triples, written as suggestions"] += len(entities)
    return task


def _make_tokens(text: str, entities: Iterable[Record]) -> Tuple[List[Record], Dict[int, int], Dict[int, int]]:
    """Split a text into tokens, so that spans start and end at token boundaries.

    RETURNS (Tuple[List[Record], Dict[int, int], Dict[int, int]]): The tokens, and their ids by start and by end.
    """
    starts, ends = ({entity[side] for entity in entities} for side in ("start", "end"))
    tokens: List[Record] = []
    for match in _PIECE.finditer(text):
        inner = range(match.start() + 1, match.end())
        cuts = [match.start(), *(cut for cut in inner if cut in starts or cut in ends), match.end()]
        for start, end in zip(cuts, cuts[1:]):
            # A single space belongs to the token before it, unless a span begins or ends with it.
            is_after = bool(tokens) and not tokens[-1]["ws"] and start not in starts and end not in ends
            if text[start:end] == " " and is_after:
                tokens[-1]["ws"] = True
            else:
                token = {"text": text[start:end], "start": start, "end": end, "id": len(tokens), "ws": False}
                tokens.append({**token, "disabled": False})
    return tokens, {each["start"]: each["id"] for each in tokens}, {each["end"]: each["id"] for each in tokens}
