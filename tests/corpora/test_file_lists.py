"""Incomplete or damaged copies of a component's folder are noticed when they are loaded."""

import json
import shutil
from pathlib import Path

import pytest

from spacy_relext.corpora.damage import FILES, check_file_list, write_file_list


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipe" / "knowledge").mkdir(parents=True)
    (tmp_path / "pipe" / "model").write_bytes(b"weights")
    (tmp_path / "pipe" / "knowledge" / "kb").write_bytes(b"facts")
    write_file_list(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_whole_folders_pass(folder: Path) -> None:
    check_file_list(folder, name="p")
    assert sorted(json.loads((folder / FILES).read_text())) == ["knowledge/kb", "model"]
    (folder / FILES).unlink()
    check_file_list(folder, name="p")  # of an earlier version


def test_damage_is_named(folder: Path) -> None:
    (folder / "model").write_bytes(b"Weights")
    with pytest.raises(ValueError, match=r"R019.* p: .*model has other content"):
        check_file_list(folder, name="p")
    (folder / "model").write_bytes(b"weight")
    with pytest.raises(ValueError, match=r"R019.*model has 6 bytes, not 7"):
        check_file_list(folder, name="p")
    check_file_list(folder, name="p", exclude=["model"])
    shutil.rmtree(folder / "knowledge")
    with pytest.raises(ValueError, match=r"R019.*knowledge/kb is missing"):
        check_file_list(folder, name="p", exclude=["model"])
    check_file_list(folder, name="p", exclude=["model", "knowledge"])
    for content in ("{", "[]", '{"model": 1}', '{"model": {"size": 7}}'):
        (folder / FILES).write_text(content)
        with pytest.raises(ValueError, match="R019.*is no list of files"):
            check_file_list(folder, name="p")
