"""Canonical records for round trips through the formats of annotation tools."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from hypothesis import strategies as st

from spacy_relext.corpora.formats.annotation import LOSSES, Losses
from spacy_relext.corpora.formats.registry import FORMATS, bind_options
from spacy_relext.corpora.report import Report

Record = Dict[str, Any]

# Repeated words, emoji of one and of two characters, right to left, combining marks, line breaks.
PIECES = [
    "Ada",
    "Bo",
    "Ada",
    " ",
    "  ",
    "\n",
    ".",
    "👩‍🔬",
    "😀",
    "שלום",
    "عليكم",
    "é",
    "e\u0301",
    "一",
    "\t",
    "\\n",
    '"',
]
PIECES += ["&<", "\u2028"]
LABELS = ["PERSON", "LOC", "Ä"]
RELATIONS = ["born_in", "knows", "関係"]

VALUES: List[Any] = [True, False, "denied", "3", "true", 3, 0.5, None]


class Kind(NamedTuple):
    """What a tool has a place for."""

    labels: Sequence[str] = LABELS
    relations: Sequence[str] = RELATIONS
    attributes: Sequence[str] = ()
    values: Sequence[Any] = VALUES
    # Further keys of records.
    others: Sequence[Record] = ({},)
    kb_ids: Sequence[str] = ()
    coref: bool = False
    # What a record can be: see `set_state`.
    states: Sequence[str] = ("gold",)


ANY = Kind()


@st.composite
def records(draw: st.DrawFn, kind: Kind = ANY) -> Record:
    """An annotated record whose arguments are entities, which nest, overlap and repeat."""
    text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)))
    if not text.strip():
        text += "Ada"
    # No span begins or ends in white space, as in tools that trim them.
    places = [place for place, character in enumerate(text) if not character.isspace()]
    bounds = st.tuples(st.sampled_from(places), st.sampled_from(places)).map(sorted)
    spans = [(a, b + 1) for a, b in draw(st.lists(bounds, max_size=5))]
    entities = [{"start": a, "end": b, "label": draw(st.sampled_from(kind.labels))} for a, b in spans]
    record: Record = {"text": text, "entities": entities, "triples": [], **draw(st.sampled_from(kind.others))}
    for entity in entities if kind.kb_ids else ():
        entity.update({"kb_id": draw(st.sampled_from(kind.kb_ids))} if draw(st.booleans()) else {})
    if len(set(spans)) > 1:
        record["triples"] = draw(st.lists(triples(spans, kind), max_size=4))
    if kind.coref and spans:
        mentions = st.lists(st.sampled_from(spans), min_size=2, max_size=3, unique=True)
        clusters = draw(st.lists(mentions, max_size=2)) if len(set(spans)) > 1 else []
        record.update({"coref": [[list(mention) for mention in cluster] for cluster in clusters]} if clusters else {})
    set_state(record, draw(st.sampled_from(kind.states)))
    return record


def set_state(record: Record, state: str) -> None:
    """Make annotated triples suggestions, rejected ones, both kinds, or remove them."""
    for number, triple in enumerate(record["triples"]):
        if state in ("suggested", "rejected") or (state == "both" and number):
            triple.update({"source": f"model{number // 2}", "score": 0.2 * (number + 1)})
    if state == "rejected" and record["triples"]:
        record["rejected"] = record.pop("triples")
    if state == "entities" or (state == "suggested" and not record["triples"]):
        del record["triples"]
    if state == "none" or not (record["entities"] or "triples" in record):
        for key in {"entities", "triples", "coref"}.intersection(record):
            del record[key]


@st.composite
def triples(draw: st.DrawFn, spans: Sequence[Tuple[int, int]], kind: Kind) -> Record:
    """A triple of two spans."""
    pairs = st.tuples(st.sampled_from(spans), st.sampled_from(spans)).filter(lambda pair: pair[0] != pair[1])
    subject, obj = draw(pairs)
    made: Record = {"subject": list(subject), "relation": draw(st.sampled_from(kind.relations)), "object": list(obj)}
    if kind.attributes:
        names = st.sampled_from(kind.attributes)
        attributes = draw(st.dictionaries(names, st.sampled_from(kind.values), max_size=2))
        made.update({"attributes": attributes} if attributes else {})
    return made


def write(name: str, folder: Path, written: Sequence[Record]) -> Tuple[List[Path], Losses]:
    """Write records; RETURNS also what was lost."""
    spec, losses = FORMATS[name], Losses()
    assert spec.write is not None
    return spec.write(written, folder / f"out{spec.suffix}", losses), +losses


def read(name: str, path: Path, **options: Any) -> Tuple[List[Record], Losses]:
    """Read records without those that are left out; RETURNS also what was lost."""
    spec, report = bind_options(name, options), Report()
    assert spec.locate is not None
    found = []
    for item in spec.read(path):
        assert not item.error, item
        parsed = spec.parse(item.value)
        report.losses.update(parsed.pop(LOSSES, ()))
        record = spec.locate(parsed, report)
        found += [] if record is None else [record]
    return found, Counter({kind: count for kind, count in report.losses.items() if count})


def parse(name: str, value: Any, **options: Any) -> Tuple[Record, Losses]:
    """Parse one raw value."""
    spec, report = bind_options(name, options), Report()
    assert spec.locate is not None
    record = spec.locate(spec.parse(json.loads(json.dumps(value))), report)
    return record or {}, +report.losses
