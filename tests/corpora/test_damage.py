"""Errors of readers become one line that names the file."""

from pathlib import Path

import pytest
import spacy

from spacy_relext.corpora.convert import load_pipeline
from spacy_relext.corpora.damage import first_line, refuse_damage
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
