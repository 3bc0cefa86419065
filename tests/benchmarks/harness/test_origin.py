"""What a row says of where its figures come from."""

import json
import pathlib
import re
import subprocess
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from benchmarks.harness import origin
from benchmarks.harness.call import Call
from benchmarks.harness.datasets import DataSet, Maker
from benchmarks.harness.runs import Settings


def write_corpus(path: pathlib.Path, *texts: str) -> pathlib.Path:
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=text.split()) for text in texts]).to_disk(path)
    return path


def test_the_commit_says_whether_files_differ(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *settings, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit() -> str:
        origin.commit.cache_clear()
        return origin.commit()

    monkeypatch.setattr(origin, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == "unknown"
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    for name in ("code.py", "benchmarks/results/rows.json"):
        (tmp_path / name).write_text("1", encoding="utf8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "a")
    (tmp_path / "benchmarks" / "results" / "rows.json").write_text("2", encoding="utf8")
    (tmp_path / "new.py").write_text("2", encoding="utf8")
    clean = commit()
    assert re.fullmatch("[0-9a-f]{12}", clean)  # results and files that git does not know change nothing
    (tmp_path / "code.py").write_text("2", encoding="utf8")
    assert commit() == f"{clean}+"
    origin.commit.cache_clear()


def test_libraries() -> None:
    assert f"spacy {spacy.__version__}" in origin.libraries().split(", ")


def test_rows_have_their_origin(tmp_path: pathlib.Path) -> None:
    train, dev, test = (write_corpus(tmp_path / f"{each}.spacy", each, "b") for each in ("train", "dev", "test"))
    data = DataSet("toy", train=train, dev=dev, tests={"test": test})
    settings = Settings(runs=tmp_path, encoder=tmp_path, passes=2, threads=1, precision="fp32")
    options: Any = {"results": tmp_path / "rows.json", "figures": tmp_path, "command": "python toy.py"}
    call = Call(settings, Maker(tmp_path, tmp_path), (0,), **options)
    described = call.describe(data)
    for name in (described, "speed"):
        call.record("toy", {"exact_f": 0.5}, data=name, split="test", system="default", seed=0)
    first, second = (row["origin"] for row in json.loads(options["results"].read_text(encoding="utf8")))
    assert first == {**second, "corpora": origin.corpora_digest(data)}
    assert second == {"commit": origin.commit(), "libraries": origin.libraries()}
    write_corpus(test, "other")
    assert origin.corpora_digest(data) != first["corpora"]
