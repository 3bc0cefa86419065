"""Damaged inputs of `spacy relext graph build`: records, Parquet with odd types, .spacy, and graphs to add to."""

import random
import zlib
from pathlib import Path
from typing import Any, Callable

import pytest
import spacy
import srsly

from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import ShardWriter
from spacy_relext.export.columns import ParquetWriter
from spacy_relext.export.records import extraction_record
from spacy_relext.export.tables import INFO_FILE, TABLE_NAMES, read_tables, write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.documents import read_documents
from tests.fuzz.mutators import mutate, mutate_value
from tests.fuzz.runner import fuzz
from tests.fuzz.samples import OTHER, RECORD
from tests.fuzz.test_corpora import pack

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NLP = spacy.blank("en")
EXTRACTED = [extraction_record(record_to_doc(NLP.make_doc, each), number=at) for at, each in enumerate((RECORD, OTHER))]


def write_corpus(path: Path) -> None:
    with ShardWriter(path) as writer:
        for record in (RECORD, OTHER):
            writer.add(record_to_doc(NLP.make_doc, record))


def write_parquet(path: Path) -> None:
    with path.open("wb") as stream:
        writer = ParquetWriter(stream)
        for record in EXTRACTED:
            writer.write(record)
        writer.close()


def build(path: Path, folder: Path, **options: Any) -> None:
    built = build_graph(read_documents([path], gold=True), **options)
    write_tables(built.tables, folder)
    read_tables(folder)


def check(name: str, path: Path, damage: Callable[[random.Random], object]) -> None:
    """Build graphs of a file, and of damaged ones."""
    folder = path.parent / "graph"
    build(path, folder)

    def run(rng: random.Random) -> None:
        damage(rng)
        build(path, folder)

    fuzz(f"graph build {name}", run)


def damage_table(path: Path, table: Any, rng: random.Random) -> None:
    """Write a table with other values, whose types pyarrow chooses, or with some of its bytes changed."""
    content = path.read_bytes()
    try:
        rows = mutate_value(table.to_pylist(), rng) if rng.random() < 0.7 else None
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    except Exception:  # what pyarrow or Parquet cannot hold
        path.write_bytes(mutate(content, rng))


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    content = "".join(to_json(record) + "\n" for record in EXTRACTED).encode()
    path.write_bytes(content)
    check("jsonl", path, lambda rng: path.write_bytes(mutate(content, rng)))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "found.parquet"
    write_parquet(path)
    content, table = path.read_bytes(), parquet.read_table(path)

    def damage(rng: random.Random) -> None:
        path.write_bytes(content)
        damage_table(path, table, rng)

    check("parquet", path, damage)


def test_corpus(tmp_path: Path) -> None:
    path = tmp_path / "found.spacy"
    write_corpus(path)
    content = path.read_bytes()
    value = srsly.msgpack_loads(zlib.decompress(content))

    def damage(rng: random.Random) -> None:
        if rng.random() < 0.2:
            path.write_bytes(mutate(content, rng))
            return
        changed = dict(value)
        if rng.random() < 0.7:
            first, *others = value["user_data"]
            changed["user_data"] = [pack(mutate_value(srsly.msgpack_loads(first), rng)), *others]
        else:
            changed = mutate_value(value, rng)
        path.write_bytes(zlib.compress(pack(changed), 1))

    check("spacy", path, damage)


def test_folder(tmp_path: Path) -> None:
    """A graph to add to, with a damaged table or a damaged description."""
    path, folder = tmp_path / "found.jsonl", tmp_path / "graph"
    path.write_text(to_json({**EXTRACTED[0], "doc_id": "other"}) + "\n", encoding="utf8")
    write_corpus(tmp_path / "found.spacy")
    build(tmp_path / "found.spacy", folder)
    files = {each.name: each.read_bytes() for each in folder.iterdir()}

    def run(rng: random.Random) -> None:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        if rng.random() < 0.15:
            (folder / INFO_FILE).write_bytes(mutate(files[INFO_FILE], rng))
        else:
            damaged = folder / f"{rng.choice(TABLE_NAMES)}.parquet"
            damage_table(damaged, parquet.read_table(damaged), rng)
        base = read_tables(folder)
        build(path, tmp_path / "other", options=GraphOptions(), base=base)

    assert len(fuzz("graph build --add-to", run)) > 1, "all were read, or none"
