"""A small valid input of each kind of file."""

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Dict

from spacy_relext.corpora.formats.registry import FORMATS

ADA = {"start": 0, "end": 8, "label": "PERSON", "kb_id": "Q1"}
BERGEN = {"start": 21, "end": 27, "label": "PLACE"}
BORN = {"subject": [0, 8], "relation": "born_in", "object": [21, 27], "attributes": {"negated": False}}
RECORD: Dict[str, Any] = {
    "text": "Ada Holm was born in Bergen. She sings.",
    "entities": [ADA, BERGEN],
    "triples": [{**BORN, "score": 0.5, "source": "a", "evidence": {"sentence": 1}}],
    "rejected": [{"subject": [21, 27], "relation": "born_in", "object": [0, 8]}],
    "sents": [[0, 28], [29, 39]],
    "coref": [[[0, 8], [29, 32]]],
    "pairs": [{"subject": [0, 8], "object": [21, 27], "label": "born_in"}],
    "id": "d1",
}
OTHER: Dict[str, Any] = {"text": "Bob left Oslo.", "entities": [], "triples": []}

PAGES = ("reference/formats.md", "research/data_sets.md")


def format_of(sample: str) -> str:
    """Name the format of a key of `SAMPLES`."""
    return sample.partition(".")[0]


# Sample files of formats, which the documentation names; folders for formats that have several files for a document.
# FORMAT.hub is the form that the Hub distributes.
_FOLDER = Path(__file__).parents[1] / "corpora" / "samples"
SAMPLES = {path.stem: path for path in sorted(_FOLDER.iterdir()) if format_of(path.stem) in FORMATS}


def copy_sample(format: str, folder: Path) -> Path:
    """Copy the sample of a format into a folder; return the copy, which may be changed."""
    source, path = SAMPLES[format], folder / SAMPLES[format].name
    shutil.copytree(source, path) if source.is_dir() else shutil.copyfile(source, path)
    return path


def read_examples() -> Dict[str, str]:
    """Read the examples of the formats from the documentation."""
    docs = Path(__file__).resolve().parents[2] / "docs"
    text = "\n".join((docs / page).read_text(encoding="utf8") for page in PAGES)
    blocks = dict(re.findall(r"^```([\w-]+)\n(.*?)^```", text, re.M | re.S))
    return {**blocks, "jsonl": blocks["json"]}


def write_sample(format: str, folder: Path) -> Path:
    """Write a file of a format, or a folder of files, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = FORMATS[format]
    if format in SAMPLES:
        return copy_sample(format, folder)
    if spec.write is not None:
        path = folder / f"sample{spec.suffix}"
        spec.write([RECORD, OTHER], path, Counter())
        return path
    path = folder / ("sample.json" if format == "cas" else "sample.txt")
    path.write_text(read_examples()[format], encoding="utf8")
    return path
