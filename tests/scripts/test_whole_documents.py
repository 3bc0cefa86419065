"""An encoder that reads sentences becomes one that reads whole documents."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
import whole_documents

from spacy_relext.bridge.shipped import FOLDER

TEXT = "Ada Holm left Nordlys. She lives in Skien."


def vectors(nlp: Any, text: str) -> "numpy.ndarray":
    doc = nlp.make_doc(text)
    for name in ("sentencizer", "tok2vec"):
        doc = nlp.get_pipe(name)(doc)
    return numpy.asarray(doc.tensor)


def test_the_encoder_reads_across_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", ["whole_documents.py", str(FOLDER), str(tmp_path / "whole")])
    assert whole_documents.main() == 0
    before, after = spacy.load(FOLDER), spacy.load(tmp_path / "whole")
    one = TEXT.split(". ")[1]
    assert numpy.allclose(vectors(before, one), vectors(after, one), atol=0.1), "one sentence is read as before"
    assert not numpy.allclose(vectors(before, TEXT), vectors(after, TEXT), atol=0.1)
    monkeypatch.setattr("sys.argv", ["whole_documents.py", str(tmp_path / "whole"), str(tmp_path / "again")])
    assert whole_documents.main() == 1 and "DocumentTransformer" in capsys.readouterr().err
