"""Damaged folders of embeddings and damaged triple stores are refused with one line that names the file."""

import shutil
from pathlib import Path
from typing import Callable

import numpy
import pytest
import srsly

from spacy_relext.corpora.damage import FILES
from spacy_relext.hrere.linked_kb import LinkedKb
from spacy_relext.kb.facts import TripleStore
from spacy_relext.kb.model import NAMES, TABLES, KbModel, train_kb
from spacy_relext.kb.training import KbTraining

SETTINGS = KbTraining(width=2, epochs=1)


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
    shutil.copytree(trained, tmp_path / "kb")
    return tmp_path / "kb"


@pytest.mark.parametrize("name", [TABLES, NAMES])
def test_the_list_of_files_notices_any_change(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for damaged in (content[:-1] + b"x", content[:10], b""):
        (folder / name).write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"\[R019\] .*{name}"):
            KbModel.from_disk(folder)
    (folder / FILES).unlink()
    with pytest.raises(ValueError, match=rf"\[R726\] .* no {FILES}"):
        KbModel.from_disk(folder)


def damages(data: bytes, load: Callable[[bytes], object]) -> None:
    for size in range(0, len(data), 7):
        with pytest.raises(ValueError, match=r"\[R020\]"):
            load(data[:size])
    for value in (None, 5, [], {}, {"names": [], "arrays": {}}):
        with pytest.raises(ValueError, match=r"\[R020\]"):
            load(srsly.msgpack_dumps(value))


def test_bytes_that_are_damaged(trained: Path) -> None:
    damages(make_store().to_bytes(), TripleStore.from_bytes)
    damages(LinkedKb.from_model(KbModel.from_disk(trained)).to_bytes(), LinkedKb.from_bytes)
