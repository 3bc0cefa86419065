"""Misspelt names."""

from typing import Any

import pytest
import spacy

from spacy_relext.corpora.blocks import WordLengths, block_of
from spacy_relext.kb.alignment import FuzzyNames

NLP = spacy.blank("en")
NAMES = {"Trysil": ["Q9"], "Una Brekk": ["Q1"], "Una Brakk": ["Q2"]}


def test_nearest_names() -> None:
    pytest.importorskip("rapidfuzz")
    fuzzy = FuzzyNames(NAMES, min_similarity=85)
    assert fuzzy.ids_of("Trysill") == ["Q9"] and fuzzy.ids_of("trysil") is None and fuzzy.ids_of("") is None
    # as near to both: the first in order
    assert fuzzy.ids_of("Una Brokk") == ["Q2"]
    assert FuzzyNames(NAMES, min_similarity=95).ids_of("Trysill") is None


def test_parts_of_texts() -> None:
    pytest.importorskip("rapidfuzz")
    fuzzy = FuzzyNames(NAMES, min_similarity=85)
    docs = [NLP.make_doc("Then Una Breekk came to Trysil."), NLP.make_doc("Una"), NLP.make_doc("Brekk left Trysill.")]
    block = block_of(docs, WordLengths(NLP.vocab.strings))
    # the run of the first text begins before the name; a name does not go from a text to the next
    assert fuzzy.find(block, [(5, 6)]) == [(1, 3, ["Q1"]), (10, 11, ["Q9"])]


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("spacy_relext.errors.importlib.import_module", without)
    with pytest.raises(ImportError, match=r"R006.*rapidfuzz.*\[kb\]"):
        FuzzyNames(NAMES, min_similarity=90)
