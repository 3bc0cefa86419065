"""Canonical records for round trips through the formats of annotation tools."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from hypothesis import strategies as st

from spacy_relext.corpora.formats.annotation import Losses
from spacy_relext.corpora.formats.registry import FORMATS
from spacy_relext.corpora.report import Report

Record = Dict[str, Any]

# Repeated words, an emoji of two characters, right to left, a combining mark, line breaks.
PIECES = ["Ada", "Bo", "Ada", " ", "  ", "\n", ".", "👩‍🔬", "😀", "שלום", "é", "一", "\t", "\\n", '"', "&<", "\u2028"]
LABELS = ["PERSON", "LOC", "Ä"]
RELATIONS = ["born_in", "knows", "関係"]


@st.composite
def records(draw: st.DrawFn, labels: Sequence[str] = LABELS, relations: Sequence[str] = RELATIONS) -> Record:
    """An annotated record whose arguments are entities, which nest, overlap and repeat."""
    text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)))
    if not text.strip():
        text += "Ada"
    # No span begins or ends in white space, as in tools that trim them.
    places = [place for place, character in enumerate(text) if not character.isspace()]
    bounds = st.tuples(st.sampled_from(places), st.sampled_from(places)).map(sorted)
    spans = draw(st.lists(bounds, max_size=5))
    record: Record = {
        "text": text,
        "entities": [{"start": a, "end": b + 1, "label": draw(st.sampled_from(labels))} for a, b in spans],
        "triples": [],
    }
    if len(spans) > 1:
        ends = st.tuples(st.sampled_from(spans), st.sampled_from(spans)).filter(lambda pair: pair[0] != pair[1])
        if len({tuple(span) for span in spans}) > 1:
            for (a, b), (c, d) in draw(st.lists(ends, max_size=4)):
                relation = draw(st.sampled_from(relations))
                record["triples"].append({"subject": [a, b + 1], "relation": relation, "object": [c, d + 1]})
    return record


def write(name: str, folder: Path, written: Sequence[Record]) -> Tuple[List[Path], Losses]:
    """Write records; RETURNS also what was lost."""
    spec, losses = FORMATS[name], Losses()
    assert spec.write is not None
    return spec.write(written, folder / f"out{spec.suffix}", losses), +losses


def read(name: str, path: Path) -> Tuple[List[Record], Losses]:
    """Read records without those that are left out; RETURNS also what was lost."""
    spec, report = FORMATS[name], Report()
    assert spec.locate is not None
    found = []
    for item in spec.read(path):
        assert not item.error, item
        record = spec.locate(spec.parse(item.value), report)
        found += [] if record is None else [record]
    return found, Counter({kind: count for kind, count in report.losses.items() if count})


def parse(name: str, value: Any) -> Tuple[Record, Losses]:
    """Parse one raw value."""
    spec, report = FORMATS[name], Report()
    assert spec.locate is not None
    record = spec.locate(spec.parse(json.loads(json.dumps(value))), report)
    return record or {}, +report.losses
