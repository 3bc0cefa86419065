"""Files of a corpus: Docs come back as spaCy would make them."""

import pathlib
from typing import List

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_relext.corpora import shards
from spacy_relext.corpora.shards import Shard, iter_docs, load_shard, make_docs


def some_docs(count: int) -> List[Doc]:
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(f"Ada met number {number}.") for number in range(count)]
    for number, doc in enumerate(docs):
        if number % 3:  # others have no user data
            doc.user_data.update({"pairs": [{"subject": (0, number), "label": None}], ("._.", "x", number, None): "é"})
        doc.spans["found"] = [doc[0:2]]
    return docs


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_docs_come_back_with_their_user_data(
    count: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "UNPACKED", 2)
    path = tmp_path / "docs.spacy"
    DocBin(docs=some_docs(count), store_user_data=True).to_disk(path)
    expected = list(DocBin().from_disk(path).get_docs(Vocab()))
    read = list(iter_docs(path, Vocab()))
    assert [doc.text for doc in read] == [doc.text for doc in expected]
    assert [doc.user_data for doc in read] == [doc.user_data for doc in expected]
    assert [[str(span) for span in doc.spans["found"]] for doc in read] == [["Ada met"]] * count


def test_a_file_may_have_no_user_data(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "docs.spacy"
    DocBin(docs=some_docs(3), store_user_data=False).to_disk(path)
    assert [doc.user_data for doc in iter_docs(path, Vocab())] == [{}, {}, {}]


def test_more_docs_than_are_unpacked_at_once() -> None:
    content = Shard(docs=some_docs(1_100), store_user_data=True)
    assert [len(doc.user_data) for doc in make_docs(content, Vocab())] == [
        2 * bool(number % 3) for number in range(1_100)
    ]


def test_what_is_no_corpus_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "docs.spacy"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="R112"):
        load_shard(path)
