"""Names with a spelling slip."""

from typing import Any

import pytest
import spacy

from spacy_relext.corpora.blocks import WordLengths, block_of
from spacy_relext.kb.near_names import NearNames

NLP = spacy.blank("en")
NAMES = {"Trysil": ["Q9"], "Una Brekk": ["Q1"], "Una Brakk": ["Q2"]}


def test_nearest_names() -> None:
    pytest.importorskip("rapidfuzz")
    near = NearNames(NAMES, least=85)
    assert near.ids_of("Trysill") == ["Q9"] and near.ids_of("trysil") is None and near.ids_of("") is None
    # as near to both: the first in order
    assert near.ids_of("Una Brokk") == ["Q2"]
    assert NearNames(NAMES, least=95).ids_of("Trysill") is None


def test_parts_of_texts() -> None:
    pytest.importorskip("rapidfuzz")
    near = NearNames(NAMES, least=85)
    docs = [NLP.make_doc("Then Una Breekk came to Trysil."), NLP.make_doc("Una"), NLP.make_doc("Brekk left Trysill.")]
    block = block_of(docs, WordLengths(NLP.vocab.strings))
    # the run of the first text begins before the name; a name does not go from a text to the next
    assert near.find(block, [(5, 6)]) == [(1, 3, ["Q1"]), (10, 11, ["Q9"])]


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("spacy_relext.errors.importlib.import_module", without)
    with pytest.raises(ImportError, match=r"R006.*rapidfuzz.*\[kb\]"):
        NearNames(NAMES, least=90)
