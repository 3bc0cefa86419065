"""Damaged folders of embeddings and damaged triple stores are refused with one line that names the file."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict

import numpy
import pytest
import srsly

from spacy_relext.corpora.file_lists import FILES
from spacy_relext.hrere.linked_kb import LinkedKb
from spacy_relext.kb.facts import TripleStore
from spacy_relext.kb.model import FACTS, NAMES, TABLES, KbModel, train_kb
from spacy_relext.kb.training import KbSettings

SETTINGS = KbSettings(width=2, passes=1)


def make_store() -> TripleStore:
    facts = numpy.asarray([[0, 0, 1], [1, 1, 2]], dtype="int32")
    return TripleStore(["a", "b", "c"], ["r", "s"], facts)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kb") / "kb"
    train_kb(make_store(), SETTINGS, folder=folder)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy without the list of its files, which would notice any change."""
    shutil.copytree(trained, tmp_path / "kb")
    (tmp_path / "kb" / FILES).unlink()
    return tmp_path / "kb"


def test_the_list_notices_any_change(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "kb")
    content = (tmp_path / "kb" / TABLES).read_bytes()
    (tmp_path / "kb" / TABLES).write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match=rf"\[R019\] .*{TABLES}"):
        KbModel.from_disk(tmp_path / "kb")


@pytest.mark.parametrize("name", [TABLES, FACTS, NAMES])
@pytest.mark.parametrize("size", [0, 10, 100])
def test_files_that_are_cut_off(folder: Path, name: str, size: int) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:size])
    with pytest.raises(ValueError, match=rf"\[R020\] .*{name} cannot be read"):
        KbModel.from_disk(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"entities": 5}, "entities are no list"),
        ({"entities": ["a", "a", "c"]}, "two of the entities"),
        ({"entities": ["a", "\ud800", "c"]}, "entities are no list|surrogate"),
        ({"relations": ["r", None]}, "relations are no list"),
        ({"history": [{"loss": "low"}]}, "history"),
        ({"settings": []}, "settings"),
        ({"settings": {"width": "2"}}, "width"),
        ({"settings": {"reciprocal": 1}}, "reciprocal"),
    ],
)
def test_other_values(folder: Path, change: Dict[str, Any], reason: str) -> None:
    info = json.loads((folder / NAMES).read_text())
    (folder / NAMES).write_text(json.dumps({**info, **change}))
    with pytest.raises(ValueError, match=rf"\[R020\] .*{NAMES}.*({reason})"):
        KbModel.from_disk(folder)


def test_a_width_that_would_fill_the_memory(folder: Path) -> None:
    info = json.loads((folder / NAMES).read_text())
    info["settings"]["width"] = 1_000_000
    (folder / NAMES).write_text(json.dumps(info))
    with pytest.raises(ValueError, match=rf"\[R020\] .*{TABLES}.*the table of entities"):
        KbModel.from_disk(folder)


@pytest.mark.parametrize("facts", [[[0, 0, 3]], [[0, 2, 1]], [[-1, 0, 1]], [[0, 1]]])
def test_facts_about_nothing(folder: Path, facts: Any) -> None:
    numpy.save(folder / FACTS, numpy.asarray(facts, dtype="int32"))
    with pytest.raises(ValueError, match=rf"\[R020\] .*{FACTS}"):
        KbModel.from_disk(folder)


def test_a_shape_that_would_fill_the_memory(folder: Path) -> None:
    content = (folder / FACTS).read_bytes()
    assert content.count(b"(2, 3)") == 1
    (folder / FACTS).write_bytes(content.replace(b"(2, 3), }        ", b"(2000000000,3), }"))
    with pytest.raises(ValueError, match="bytes of numbers, not 24000000000"):
        KbModel.from_disk(folder)


def test_damaged_trainings_are_not_resumed(folder: Path) -> None:
    settings = KbSettings(width=2, passes=2)
    (folder / "training.json").write_text("[]")
    with pytest.raises(ValueError, match=r"\[R020\] .*training.json"):
        train_kb(make_store(), settings, folder=folder, resume=True)
    train_kb(make_store(), SETTINGS, folder=folder)
    (folder / "training.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"\[R020\] .*training.npz"):
        train_kb(make_store(), settings, folder=folder, resume=True)


def damages(data: bytes, load: Callable[[bytes], object]) -> None:
    for size in range(0, len(data), 7):
        with pytest.raises(ValueError, match=r"\[R020\]"):
            load(data[:size])
    for value in (None, 5, [], {}, [1, 2, 3, 4], {"names": [], "arrays": {}}):
        with pytest.raises(ValueError, match=r"\[R020\]"):
            load(srsly.msgpack_dumps(value))


def test_triple_stores() -> None:
    damages(make_store().to_bytes(), TripleStore.from_bytes)
    facts = numpy.asarray([[0, 0, 3]], dtype="int32")
    with pytest.raises(ValueError, match=r"\[R020\] .*number other things"):
        TripleStore.from_bytes(TripleStore(["a"], ["r"], facts).to_bytes())


def test_linked_kbs(trained: Path) -> None:
    kb = LinkedKb.from_model(KbModel.from_disk(trained))
    damages(kb.to_bytes(), LinkedKb.from_bytes)
    kb.arrays["entities"] = kb.arrays["entities"] * numpy.nan
    with pytest.raises(ValueError, match=r"\[R020\] .*not finite"):
        LinkedKb.from_bytes(kb.to_bytes())
