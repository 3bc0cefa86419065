"""Averages of two pipelines."""

import pathlib

import average
import pytest
import spacy
import torch

from spacy_relext.bridge.shipped import FOLDER


def test_weights_are_averaged(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.load(FOLDER)
    before = {}
    with torch.no_grad():
        for name, module in average.list_modules(nlp):
            for key, weight in module.state_dict().items():
                before[name, key] = weight.clone()
                if weight.is_floating_point():
                    weight.add_(1.0)
    nlp.to_disk(tmp_path / "other")
    command = ["average.py", str(FOLDER), str(tmp_path / "other"), str(tmp_path / "made"), "--second", "ner"]
    monkeypatch.setattr("sys.argv", command)
    assert average.main() == 0
    moved = {}
    for name, module in average.list_modules(spacy.load(tmp_path / "made")):
        for key, weight in module.state_dict().items():
            if key.endswith("bias") and weight.numel() > 1:
                moved[name] = (weight - before[name, key]).mean().item()
    assert moved.pop("ner") == pytest.approx(1.0, abs=0.02)
    assert set(moved) >= {"tok2vec", "rere_detector"} and all(0.45 < each < 0.55 for each in moved.values())


def test_other_weights_are_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
    first, second = spacy.load(FOLDER), spacy.load(FOLDER, exclude=["ner"])
    with pytest.raises(ValueError, match="other weights"):
        average.average(first, second, of_second=[])
