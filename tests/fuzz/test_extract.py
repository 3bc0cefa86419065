"""Damaged JSON lines of `spacy relext extract`, and odd extra keys whose values change their type from line to line."""

import random
from pathlib import Path
from typing import Any, List

import pytest
import spacy

from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.corpora.raw_text import TextLog
from spacy_relext.corpora.texts import list_sources
from spacy_relext.extraction.outputs import FORMATS, join_files, write_records
from spacy_relext.extraction.workers import Failure, Job, extract_batch
from tests.fuzz.mutators import mutate
from tests.fuzz.runner import fuzz
from tests.fuzz.samples import OTHER, RECORD

NLP = spacy.blank("en")
parquet = pytest.importorskip("pyarrow.parquet")

KEYS = ("meta", "url", "score", "triples", "entities", "doc_id", "sents", "", " ", "a.b", "é", "\ud83d", "text ")
VALUES = (
    0,
    -1,
    2**70,
    1.5,
    float("nan"),
    True,
    None,
    "",
    "x",
    "\x00",
    "\ud83d",
    [],
    {},
    [[]],
    [1, "a", None],
    {"": {}},
)


def odd_record(rng: random.Random) -> Any:
    """Return a record with extra keys, some of which it knows already."""
    extra = {rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.randrange(4))}
    return {**rng.choice((RECORD, OTHER, {"text": "Eva left."})), **extra}


def extract(path: Path, folder: Path) -> List[int]:
    """Write the records of a file in two shards of each format, and join them; return the numbers of rows."""
    log = TextLog(report=lambda message: None)
    texts = [text for source in list_sources(str(path)) for text in source.read(log)]
    records = [each for each in extract_batch(NLP, texts, Job("")) if not isinstance(each, Failure)]
    for form in FORMATS:
        halves = [folder / f"{half}.{form}" for half in (0, 1)]
        for half, file in enumerate(halves):
            write_records(records[half::2], file, format=form, options={})
        join_files(halves, folder / f"all.{form}", format=form, options={})
    lines = (folder / "all.jsonl").read_bytes().count(b"\n")
    return [len(records), lines, parquet.read_metadata(folder / "all.parquet").num_rows]


def test_extract(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"

    def run(rng: random.Random) -> None:
        lines = "".join(f"{to_json(odd_record(rng))}\n" for _ in range(4)).encode("utf8", "surrogatepass")
        path.write_bytes(lines if rng.random() < 0.5 else mutate(lines, rng))
        assert len(set(extract(path, tmp_path))) == 1

    fuzz("extract", run)
