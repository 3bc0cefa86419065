"""`spacy relext folds`."""

from pathlib import Path
from typing import Any, Callable, List

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext import set_triples


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    docs = [nlp(f"Text {number}") for number in range(7)]
    for doc in docs:
        set_triples(doc, [((0, 4), "number", (5, 6))])
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "corpus.spacy")
    return tmp_path / "corpus.spacy"


def texts(path: Path) -> List[str]:
    return [doc.text for doc in DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)]


def test_each_document_is_held_out_once(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("folds", corpus, tmp_path / "folds", "-k", 3)
    assert done.exit_code == 0 and "3 folds of 2 to 3 documents" in done.stdout
    held = [texts(tmp_path / "folds" / f"held{fold}.spacy") for fold in range(3)]
    assert held[0] == ["Text 0", "Text 3", "Text 6"] and sorted(sum(held, [])) == texts(corpus)
    for fold, out in enumerate(held):
        rest = texts(tmp_path / "folds" / f"train{fold}.spacy")
        assert sorted(rest + out) == texts(corpus) and len(rest) + len(out) == 7


def test_annotation_stays(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    run("folds", corpus, tmp_path / "folds")
    (doc, *_) = (
        DocBin(store_user_data=True).from_disk(tmp_path / "folds" / "held1.spacy").get_docs(spacy.blank("en").vocab)
    )
    assert [triple.relation for triple in doc._.triples] == ["number"]


def test_too_few_documents(corpus: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    line = fails("folds", corpus, tmp_path / "folds", "-k", 8)
    assert "[R119]" in line and "7 documents" in line
