"""Documents in parts: together, deterministic, and in the shares that were asked for."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import srsly

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import doc_to_record
from spacy_relext.corpora.split import PARTS, read_split
from tests.corpora.test_convert import read

KEYS = ("doc_id", "docid", "doc_key", "title", "id", None)


def make_records(key: Optional[str], *, documents: int, size: int = 3) -> List[Dict[str, Any]]:
    """Sentences of documents in turn; without a key, the records of one text."""
    records = []
    for number in range(documents * size):
        document = number % documents
        names = {key: document} if key else {}
        triples = [{"subject": [0, 3], "relation": "knows", "object": [10, 12]}]
        records.append({"text": f"Ada knows Bo {number if key else document}", "triples": triples, **names})
    return records


def split_records(records: List[Any], folder: Path, *, seed: int = 0, shares: str = "80:10:10") -> List[List[Any]]:
    """Convert records in parts."""
    folder.mkdir(exist_ok=True)
    srsly.write_jsonl(folder / "a.jsonl", records)
    convert("jsonl", [folder / "a.jsonl"], folder / "out.spacy", split=read_split(shares, seed=seed))
    found = [folder / f"out-{part}.spacy" for part in PARTS]
    return [[doc_to_record(doc) for doc in read(path)] for path in found if path.exists()]


@pytest.mark.parametrize("key", KEYS)
def test_records_of_a_document_stay_together(key: Optional[str], tmp_path: Path) -> None:
    parts = split_records(make_records(key, documents=24), tmp_path)
    names = [{str(each.get(key, each["text"])) for each in part} for part in parts]
    assert sum(map(len, names)) == len(set.union(*names)) == 24 and sum(map(len, parts)) == 72
    wanted = [19.2, 2.4, 2.4]
    assert all(abs(len(found) - number) < 2 for found, number in zip(names, wanted)) and all(names)


def test_a_seed_gives_one_split(tmp_path: Path) -> None:
    records = make_records("id", documents=30, size=1)
    first, again, other = (split_records(records, tmp_path / str(n), seed=seed) for n, seed in enumerate((0, 0, 1)))
    assert first == again != other
    drawn = [split_records(records, tmp_path / "each", seed=seed, shares="50:50")[1] for seed in range(8)]
    assert all(len(part) in (14, 15, 16) for part in drawn)
    assert len({tuple(str(each["id"]) for each in part) for part in drawn}) == 8, "every seed draws others"


def test_an_empty_part_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"R132.* \(1\) are too few .*, test would"):
        split_records(make_records("id", documents=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_folders_and_overwriting(tmp_path: Path) -> None:
    split_records(make_records("id", documents=9), tmp_path, shares="2:1")
    part = tmp_path / "out-dev.spacy"
    with pytest.raises(ValueError, match="R105"):
        convert("jsonl", [part], tmp_path / "out.spacy", split=read_split("2:1"))
    convert("jsonl", [tmp_path / "a.jsonl"], tmp_path / "folder", split=read_split("2:1"), shard=4)
    assert [len(read(tmp_path / f"folder-{name}")) for name in ("train", "dev")] == [18, 9]
