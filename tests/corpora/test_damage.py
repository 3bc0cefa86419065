"""Errors of readers become one line that names the file; incomplete or damaged copies of a folder are noticed."""

import json
import shutil
from pathlib import Path

import pytest
import spacy
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.corpora.damage import FILES, check_file_list, first_line, refuse_damage, write_file_list
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.errors import Errors


@pytest.mark.parametrize("error", [EOFError(), KeyError("a"), RecursionError("x\ny"), UnicodeError("x"), MemoryError()])
def test_any_error_is_one_line(error: Exception) -> None:
    with pytest.raises(ValueError, match=r"^\[R020\] a.json cannot be read: .*copy it again") as caught:
        with refuse_damage("a.json"):
            raise error
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None


def test_messages_of_the_package_pass() -> None:
    with pytest.raises(ValueError, match=r"^\[R007\]"):
        with refuse_damage("a.json"):
            raise ValueError(Errors.R007.format(key="a", found=1, expected="2"))
    with pytest.raises(KeyboardInterrupt), refuse_damage("a.json"):
        raise KeyboardInterrupt


def test_first_lines() -> None:
    assert first_line(ValueError("\n one.\ntwo")) == "one" and first_line(EOFError()) == "EOFError"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.cfg", b"[nlp]\n[nlp]\n"),
        ("config.cfg", b"\xff"),
        ("config.cfg", b"[nlp]\npipeline = 5\n"),
        ("meta.json", b"[]"),
        ("meta.json", b"{"),
        ("meta.json", b'{"lang": 5}'),
        ("tokenizer", b""),
        ("vocab/strings.json", b"[5"),
        ("vocab/vectors", b"x"),
    ],
)
def test_damaged_pipelines(tmp_path: Path, name: str, content: bytes) -> None:
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    (tmp_path / "pipeline" / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"^\[R109\] No pipeline could be loaded from '.*pipeline': ") as caught:
        load_pipeline(tmp_path / "pipeline")
    assert "\n" not in str(caught.value)


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
    with pytest.raises(ValueError, match=rf"R019.* p: .*{FILES} is missing"):
        check_file_list(folder, name="p")


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


def test_what_the_message_says_helps(folder: Path) -> None:
    """A file that somebody changed on purpose is read with an empty list."""
    (folder / "model").write_bytes(b"Weights")
    with pytest.raises(ValueError, match=r"write \{\} into files\.json"):
        check_file_list(folder, name="p")
    (folder / FILES).write_text("{}")
    check_file_list(folder, name="p")


def test_an_encoder_that_a_component_listens_to_is_checked_too(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    model = {"@architectures": "spacy_relext.RereDetector.v1"}
    nlp.add_pipe(
        "rere_detector", config={"model": {**model, "encoder": {"@architectures": "spacy_relext.Listener.v1"}}}
    )
    doc = nlp.make_doc("Ada met Bo.")
    reference = doc.copy()
    set_triples(reference, [(doc[0:1], "met", doc[2:3])])
    nlp.initialize(lambda: [Example(doc, reference)])
    nlp.to_disk(tmp_path / "pipeline")
    assert "../tok2vec/model" in json.loads((tmp_path / "pipeline" / "rere_detector" / FILES).read_text())
    spacy.load(tmp_path / "pipeline")
    path = tmp_path / "pipeline" / "tok2vec" / "model"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"R019.*tok2vec.model has other content"):
        spacy.load(tmp_path / "pipeline")
