import pathlib
import sys

import pytest
from build_corpus import read_prose
from build_negatives import ENTITIES, SENTENCES, main

from spacy_relext.corpora.reader import NEGATIVES


def test_the_package_carries_sentences_of_the_prose_without_relations(
    project_root: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets, new = project_root / "assets", tmp_path / "new.txt"
    monkeypatch.setattr(sys, "argv", ["build_negatives", str(assets), str(new)])
    main()
    folders = [assets / "prose", assets / "prose" / "more"]
    records = {record["text"]: record for folder in folders for record in read_prose(folder, "train*.txt")}
    for path in (new, NEGATIVES):  # which may be older than the prose
        texts = path.read_text(encoding="utf8").splitlines()
        assert len(set(texts)) == SENTENCES and path.stat().st_size < 100_000
        assert not any(records[text]["triples"] or len(records[text]["entities"]) < ENTITIES for text in texts)
