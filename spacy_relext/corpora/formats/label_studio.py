"""Label Studio's JSON: tasks with annotations that people made and predictions that a model made.

Offsets count characters; the end is exclusive. Relations stand in this export only, not in JSON-MIN or CSV.
"""

from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, List, Sequence
from xml.sax.saxutils import quoteattr

from ...annotations.triple import Record
from ...errors import Errors
from ..jsonl import to_json
from .annotation import (
    Losses,
    Relation,
    SpanReader,
    keep_others,
    left_out,
    list_spans,
    write_text,
)
from .checks import check_object, describe, iter_objects, require, require_text

_CONFIG = """<View>
  <Relations>
{relations}
  </Relations>
  <Labels name="label" toName="text">
{labels}
  </Labels>
  <Text name="text" value="$text"/>
</View>
"""


def parse_label_studio(value: object) -> Record:
    """Parse a task. Of several annotations, the ground truth is read, else the last that was not cancelled."""
    task = check_object(value, "the task")
    if "data" not in task:
        raise ValueError(Errors.R709.format(found=describe(sorted(task))))
    data = require(task, "data", dict, name="the task")
    reader = SpanReader(require_text(data, "text", name="data"))
    others = {**({"id": task["id"]} if "id" in task else {}), **data}
    annotations = [each for _, each in iter_objects(task, "annotations")] if "annotations" in task else []
    finished = [each for each in annotations if not each.get("was_cancelled")]
    reader.losses["cancelled annotations"] += len(annotations) - len(finished)
    if annotations and not finished:
        return left_out("skipped tasks: all annotations cancelled")
    if isinstance(task.get("predictions"), list):
        reader.losses["predictions"] += len(task["predictions"])
    if not finished:
        return reader.record(others, annotated=())
    chosen = ([each for each in finished if each.get("ground_truth")] or finished)[-1]
    reader.losses["annotations beside the ground truth, else the last"] += len(finished) - 1
    _read_result(chosen, reader)
    return reader.record(others)


def _read_result(annotation: Record, reader: SpanReader) -> None:
    """Read the spans of an annotation and then its relations."""
    results = list(iter_objects(annotation, "result"))
    for name, result in results:
        kind = require(result, "type", str, name=name)
        if kind == "labels":
            key, value = require(result, "id", str, name=name), require(result, "value", dict, name=name)
            start, end = (require(value, side, int, name=name) for side in ("start", "end"))
            text = None if value.get("text") is None else require(value, "text", str, name=name)
            reader.add_span(key, start, end, _list_labels(value, name), name=name, text=text)
        elif kind != "relation":
            reader.losses[f"results of the type {kind}"] += 1
            if isinstance(result.get("id"), str):
                reader.spans.setdefault(result["id"], None)
    for name, result in results:
        if result["type"] == "relation":
            _read_relation(result, name, reader)


def _read_relation(result: Record, name: str, reader: SpanReader) -> None:
    """Read a relation in its direction, or in both."""
    keys = [require(result, key, str, name=name) for key in ("from_id", "to_id")]
    direction = result.get("direction") or "right"
    if direction not in ("left", "right", "bi"):
        raise ValueError(f"'direction' of {name} is {describe(direction)}; expected left, right or bi")
    labels = _list_labels(result, name)
    if direction != "left":
        reader.add_relation(keys[0], labels, keys[1], name=name)
    if direction != "right":
        reader.add_relation(keys[1], labels, keys[0], name=name)


def _list_labels(value: Record, name: str) -> List[str]:
    """Read labels, which may be absent."""
    labels = value.get("labels") or []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"'labels' of {name} is {describe(labels)}, not a list of strings")
    return labels


def write_label_studio(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write tasks to import, and beside them the labelling configuration of their labels.

    path (Path): The .json file; the configuration is the .xml file of the same name.
    losses (Losses): Counts what the tool has no place for.
    RETURNS (List[Path]): Both files.
    """
    labels: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    with write_text(path) as file:
        separator = "[\n"
        for record in records:
            file.write(separator + to_json(_make_task(record, losses, labels, relations)))
            separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")
    config = path.with_suffix(".xml")
    with write_text(config) as file:
        names = {"relations": ("Relation", relations), "labels": ("Label", labels)}
        lines = {
            key: "\n".join(f"    <{tag} value={quoteattr(value)}/>" for value in sorted(values))
            for key, (tag, values) in names.items()
        }
        file.write(_CONFIG.format(**lines))
    return [path, config]


def _make_task(record: Record, losses: Losses, labels: "Counter[str]", relations: "Counter[str]") -> Record:
    """Make a task: annotated triples become an annotation, those of each component a prediction."""
    entities, links = list_spans(record, losses)
    losses["ids of a knowledge base"] += sum(bool(entity.get("kb_id")) for entity in entities)
    labels.update(entity["label"] for entity in entities)
    relations.update(link.triple["relation"] for link in links)
    spans = [_make_span(number, entity, record["text"]) for number, entity in enumerate(entities)]
    task: Record = {"data": {"text": record["text"], **keep_others(record)}}
    by_source: Dict[str, List[Relation]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link)
    if "triples" in record and ("" in by_source or not by_source):
        task["annotations"] = [{"result": [*spans, *map(_make_relation, by_source.pop("", ()))]}]
    elif "triples" not in record and spans:
        losses["entities of documents without annotated triples, written as suggestions"] += len(spans)
        by_source[""] = []
    if by_source:
        task["predictions"] = [_make_prediction(source, spans, each) for source, each in by_source.items()]
    return task


def _make_prediction(source: str, spans: Sequence[Record], links: Sequence[Relation]) -> Record:
    """Make a prediction, whose score is the mean of its relations."""
    made: Record = {"model_version": source} if source else {}
    if links:
        made["score"] = sum(link.score for link in links) / len(links)
    made["result"] = [*spans, *({**_make_relation(link), "score": link.score} for link in links)]
    return made


def _make_span(number: int, entity: Record, text: str) -> Record:
    """Make the result of a span."""
    start, end = entity["start"], entity["end"]
    value = {"start": start, "end": end, "text": text[start:end], "labels": [entity["label"]]}
    return {"id": f"s{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def _make_relation(link: Relation) -> Record:
    """Make the result of a relation."""
    ends = {"from_id": f"s{link.subject}", "to_id": f"s{link.object}"}
    return {"type": "relation", **ends, "direction": "right", "labels": [link.triple["relation"]]}
