"""Texts for a teacher to label: none of a test, and with capitals."""

import pathlib
from typing import List

import spacy
from spacy.tokens import DocBin

from benchmarks.harness.datasets import DataSet
from benchmarks.rere.unlabelled import collect_texts


def save(path: pathlib.Path, texts: List[str]) -> pathlib.Path:
    nlp = spacy.blank("en")
    DocBin(docs=[nlp.make_doc(text) for text in texts]).to_disk(path)
    return path


def test_texts_are_new_and_have_capitals(tmp_path: pathlib.Path) -> None:
    names = ("train", "dev", "test", "rest")
    texts = ("Ada slept .", "Bo woke .", "Cy met Di .", "In Oslo , Ada met Bo .")
    train, dev, test, rest = (save(tmp_path / f"{name}.spacy", [text]) for name, text in zip(names, texts))
    sentences = [
        "cy met di",  # a test sentence
        "a man of the_new_york_times met oslo 's mayor in the_new_york_times -lrb- again -rrb- .",
        "he saw bilbo_baggins , and bilbo baggins saw frodo .",
        "he saw Bilbo baggins and bilbo baggins saw frodo",  # the same again
    ]
    rows = [f"m.1\tm.2\tfrodo\toslo\t/r\t{sentence} ###END###" for sentence in sentences]
    (tmp_path / "riedel.txt").write_text("\n".join(rows) + "\n", encoding="utf8")
    data = DataSet("toy", train, dev, {"test": test})
    assert collect_texts(data, [train, rest], tmp_path / "riedel.txt") == [
        "In Oslo , Ada met Bo .",
        "A man of the New York Times met Oslo 's mayor in the New York Times -LRB- again -RRB- .",
        "He saw Bilbo Baggins , and Bilbo Baggins saw Frodo .",
    ]
