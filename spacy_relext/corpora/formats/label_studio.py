"""Label Studio's JSON: tasks with annotations that people made and predictions that a model made.

Offsets count code points, before version 1.4 UTF-16 units; the end is exclusive. Spans of HTML are XPaths, with offsets
in the visible text. Only this export has relations, not JSON-MIN or CSV.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple
from xml.sax.saxutils import quoteattr

from ...annotations.encoding import open_utf8
from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from ..whole import whole_text
from .annotation import (
    ANNOTATED,
    Losses,
    Relation,
    SpanReader,
    keep_others,
    left_out,
    list_spans,
    read_value,
    write_value,
)
from .checks import check_object, check_text, describe, iter_objects, require, require_text
from .hypertext import VisibleText
from .offsets import CODE_POINTS, Counting, OffsetMap, Stated, differs, fit_counting
from .sources import Item, read_json, to_json

# Types of results that label spans of a text.
_SPANS = ("labels", "hypertextlabels")

_PATH = re.compile(
    r"[A-Za-z][\w+.-]*://\S+|(?:[A-Za-z]:|\.{1,2})?[/\\](?:[^\s/\\]+[/\\])+\S+|\S+\.(?:txt|html?|json|csv|md|pdf)"
)

_CONFIG = """<View>
  <Relations{choice}>
{relations}
  </Relations>
  <Labels name="label" toName="text">
{labels}
  </Labels>
  <Text name="text" value="$text"/>
</View>
"""


def read_label_studio(path: Path) -> Iterator[Item]:
    """Read the tasks of an export.

    RAISES (ValueError): If it is not JSON, such as a CSV.
    """
    with path.open("rb") as file:
        start = open_utf8(file).read(100).lstrip()
    if start and start[:1] not in b"[{":
        found = f"it begins with {describe(start.decode('utf8', 'replace').splitlines()[0])}, so it is no JSON"
        raise ValueError(Errors.R124.format(path=path, found=found))
    yield from read_json(path)


def parse_label_studio(value: object, *, annotator: Optional[str] = None, offsets: Optional[str] = None) -> Record:
    """Parse a task. Of several annotations, the ground truth is read, else the last that was not cancelled.

    annotator (Optional[str]): Read only annotations of this person.
    offsets (Optional[str]): What offsets count; see `SpanReader`.
    """
    task = check_object(value, "the task")
    if "data" not in task:
        raise ValueError(Errors.R709.format(found=describe(sorted(task))))
    data = dict(require(task, "data", dict, name="the task"))
    losses = Losses()
    annotations = [each for _, each in iter_objects(task, "annotations")] if "annotations" in task else []
    if annotator is not None:
        annotations = [each for each in annotations if _read_annotator(each).get("annotator") == annotator]
    finished = [each for each in annotations if not each.get("was_cancelled")]
    losses["cancelled annotations"] += len(annotations) - len(finished)
    if annotations and not finished:
        return left_out("skipped tasks: all annotations cancelled")
    chosen = _choose(finished, losses) if finished else {"result": []}
    results = list(iter_objects(chosen, "result"))
    regions = [_parse_region(result, name) for name, result in results if _is_span(result, name)]
    key = _choose_text(data, regions)
    reader = _read_regions(require_text(data, key, name="data"), key, regions, offsets)
    reader.losses.update(losses)
    _read_relations(results, reader)
    if task.get("predictions"):
        reader.losses["predictions"] += len(require(task, "predictions", list, name="the task"))
    others = {**({"id": task["id"]} if "id" in task else {}), **data, **_read_annotator(chosen)}
    if key != "text":
        reader.losses["other texts of a task"] += "text" in data
    return reader.record(others, known=[key], annotated=ANNOTATED if finished else ())


def _choose(annotations: Sequence[Record], losses: Losses) -> Record:
    """Choose one of several annotations, and count the choice."""
    truth = [each for each in annotations if each.get("ground_truth")]
    if len(annotations) > 1:
        taken = "the ground truth" if truth else "the last one"
        losses[f"tasks with several annotations, of which {taken} is read"] += 1
        losses["annotations beside the one that is read"] += len(annotations) - 1
    return (truth or annotations)[-1]


def _read_annotator(annotation: Record) -> Record:
    """Read who made an annotation: an id, or an object with an email address, a name or an id."""
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = next((by[key] for key in ("email", "username", "id") if by.get(key)), None)
    return {} if by is None else {"annotator": str(by)}


class _Region(NamedTuple):
    """A result that labels a span; the name is the result's in messages."""

    name: str
    key: str
    # Name of the tag that shows the text.
    target: object
    span: CharSpan
    # Whether the span is one of HTML: offsets in its visible text.
    is_html: bool
    labels: List[str]
    text: Optional[str]


def _is_span(result: Record, name: str) -> bool:
    return require(result, "type", str, name=name) in _SPANS


def _parse_region(result: Record, name: str) -> _Region:
    key, value = require(result, "id", str, name=name), require(result, "value", dict, name=name)
    is_html = isinstance(value.get("start"), str)
    if is_html and not isinstance(value.get("globalOffsets"), dict):
        raise ValueError(Errors.R748.format(name=name))
    places = value["globalOffsets"] if is_html else value
    start, end = (require(places, side, int, name=name) for side in ("start", "end"))
    text = None if value.get("text") is None else require(value, "text", str, name=name)
    labels = _list_labels(value, name, "hypertextlabels" if "hypertextlabels" in value else "labels")
    return _Region(name, key, result.get("to_name"), (start, end), is_html, labels, text)


def _list_stated(regions: Iterable[_Region]) -> List[Stated]:
    return [([region.span], region.text) for region in regions if region.text and region.text.strip()]


def _choose_text(data: Record, regions: Sequence[_Region]) -> str:
    """Choose the key of the text that is annotated: where the spans' texts are, else by the name of its tag."""
    strings = [key for key in data if isinstance(data[key], str)]
    stated, target = _list_stated(regions), _main_target(regions)
    order = [key for key in dict.fromkeys([target, "text", *strings]) if key in strings]
    fitting = [key for key in order if fit_counting(data[key], stated)] if stated else []
    if fitting or target in strings:
        return str(fitting[0] if fitting else target)
    return strings[0] if "text" not in data and len(strings) == 1 else "text"


def _main_target(regions: Iterable[_Region]) -> object:
    """Find the tag that most spans are of; None if there is no span."""
    return next((target for target, _ in Counter(str(region.target) for region in regions).most_common(1)), None)


def _read_regions(text: str, key: str, regions: Sequence[_Region], offsets: Optional[str]) -> SpanReader:
    """Read the spans of the text that most of them are of."""
    target = _main_target(regions)
    own = [region for region in regions if str(region.target) == target]
    stated = _list_stated(own)
    if _PATH.fullmatch(text.strip()) and not (stated and fit_counting(text, stated)):
        raise ValueError(Errors.R747.format(key=key, found=describe(text)))
    if any(region.is_html for region in own):
        reader, own = _read_html(text, own, stated, offsets)
    else:
        reader = SpanReader(text, offsets)
        reader.fit_offsets(stated)
    for region in own:
        reader.add_span(region.key, *region.span, region.labels, name=region.name, text=region.text)
    for region in regions:
        if str(region.target) != target:
            reader.spans.setdefault(region.key, None)
            reader.lose("spans of another text")
    return reader


def _read_html(
    html: str, regions: Sequence[_Region], stated: Sequence[Stated], offsets: Optional[str]
) -> Tuple[SpanReader, List[_Region]]:
    """Read the visible text of HTML, and translate the spans to it."""
    visible = VisibleText(html)
    counting = Counting(offsets) if offsets else fit_counting(visible.counted, stated) or CODE_POINTS
    places = OffsetMap(visible.counted, counting)
    reader = SpanReader(check_text(visible.text, "the visible text"), "codepoint")
    reader.losses[counting.kind] += differs(visible.counted, [counting])
    spans = [visible.to_text(places.to_codepoints(region.span, region.name)) for region in regions]
    return reader, [region._replace(span=span) for region, span in zip(regions, spans)]


def _read_relations(results: Sequence[Tuple[str, Record]], reader: SpanReader) -> None:
    """Read the relations of an annotation; results that are neither relations nor spans are counted."""
    for _, result in results:
        kind = result["type"]
        if kind in ("relation", *_SPANS):
            continue
        value = result.get("value")
        reader.lose(f"results of the type {kind}", is_relation=isinstance(value, dict) and "start" in value)
        # a region may have results of several types
        reader.spans.setdefault(str(result.get("id")), None)
    for name, result in results:
        if result["type"] == "relation":
            _read_relation(result, name, reader)


def _read_relation(result: Record, name: str, reader: SpanReader) -> None:
    """Read a relation in its direction, or in both; labels such as `negated=true` are attributes."""
    subject, obj = (require(result, key, str, name=name) for key in ("from_id", "to_id"))
    direction = result.get("direction") or "right"
    if direction not in ("left", "right", "bi"):
        raise ValueError(f"'direction' of {name} is {describe(direction)}; expected left, right or bi")
    labels = _list_labels(result, name)
    # Without another label, such a label is the relation.
    relations = [label for label in labels if not _is_attribute(label)] or labels
    others = [label.partition("=") for label in labels if label not in relations]
    attributes = {key: read_value(value) for key, _, value in others}
    if direction != "left":
        reader.add_relation(subject, relations, obj, name=name, attributes=attributes)
    if direction != "right":
        reader.add_relation(obj, relations, subject, name=name, attributes=attributes)


def _is_attribute(label: str) -> bool:
    """Return True for a label such as `name=value`; the value may be empty."""
    name, equals, _ = label.partition("=")
    return bool(equals and name.strip())


def _list_labels(value: Record, name: str, key: str = "labels") -> List[str]:
    """Read labels, which may be absent."""
    labels = value.get(key) or []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{key!r} of {name} is {describe(labels)}, not a list of strings")
    return labels


def write_label_studio(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write tasks for import, and beside them the labelling configuration of their labels.

    path (Path): The .json file; the configuration is the .xml file of the same name.
    losses (Losses): Counts what the tool has no place for.
    RETURNS (List[Path]): Both files.
    """
    labels: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    with whole_text(path) as file:
        separator = "[\n"
        for record in records:
            file.write(separator + to_json(_make_task(record, losses, labels, relations)))
            separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")
    config = path.with_suffix(".xml")
    with whole_text(config) as file:
        names = {"relations": ("Relation", relations), "labels": ("Label", labels)}
        lines = {
            key: "\n".join(f"    <{tag} value={quoteattr(value)}/>" for value in sorted(values))
            for key, (tag, values) in names.items()
        }
        # Attributes are further labels of a relation.
        choice = ' choice="multiple"' if any(map(_is_attribute, relations)) else ""
        file.write(_CONFIG.format(choice=choice, **lines))
    return [path, config]


def _make_task(record: Record, losses: Losses, labels: "Counter[str]", relations: "Counter[str]") -> Record:
    """Make a task: annotated triples become an annotation, suggestions of each component a prediction."""
    entities, links = list_spans(record, losses)
    losses["ids of a knowledge base"] += sum(bool(entity.get("kb_id")) for entity in entities)
    labels.update(entity["label"] for entity in entities)
    results = [_make_relation(link, losses) for link in links]
    relations.update(label for result in results for label in result["labels"])
    spans = [_make_span(number, entity, record["text"]) for number, entity in enumerate(entities)]
    task: Record = {"data": {"text": record["text"], **keep_others(record)}}
    by_source: Dict[str, List[Record]] = {}
    for link, result in zip(links, results):
        scored = {**result, "score": link.score} if link.source else result
        by_source.setdefault(link.source, []).append(scored)
    if "triples" in record and ("" in by_source or not by_source):
        task["annotations"] = [{"result": [*spans, *by_source.pop("", ())]}]
    elif "triples" not in record and spans:
        losses["entities of documents without annotated triples, written as suggestions"] += len(spans)
        by_source[""] = []
    if by_source:
        task["predictions"] = [_make_prediction(source, spans, each) for source, each in by_source.items()]
    return task


def _make_prediction(source: str, spans: Sequence[Record], relations: Sequence[Record]) -> Record:
    """Make a prediction, whose score is the mean of its relations' scores."""
    made: Record = {"model_version": source} if source else {}
    if relations:
        made["score"] = sum(relation["score"] for relation in relations) / len(relations)
    return {**made, "result": [*spans, *relations]}


def _make_span(number: int, entity: Record, text: str) -> Record:
    start, end = entity["start"], entity["end"]
    value = {"start": start, "end": end, "text": text[start:end], "labels": [entity["label"]]}
    return {"id": f"s{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def _make_relation(link: Relation, losses: Losses) -> Record:
    """Make the result of a relation; attributes become labels, such as `negated=true`."""
    labels = [link.triple["relation"]]
    for name, value in link.attributes.items():
        # It would not be read back as an attribute.
        if "=" in name or not name.strip() or _is_attribute(labels[0]):
            losses[f"attributes of relations: {name}"] += 1
        else:
            labels.append(f"{name}={write_value(value)}")
    ends = {"from_id": f"s{link.subject}", "to_id": f"s{link.object}"}
    return {"type": "relation", **ends, "direction": "right", "labels": labels}
