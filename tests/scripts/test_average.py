"""Averages of two pipelines."""

import pathlib

import average
import pytest
import spacy
import torch

from spacy_relext.bridge.packing import set_packed
from spacy_relext.bridge.shipped import FOLDER


def test_weights_are_averaged(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.load(FOLDER)
    set_packed(nlp, False)
    nlp.to_disk(tmp_path / "one")
    before = {(name, key): weight.clone() for name, key, weight in average.list_weights(nlp)}
    with torch.no_grad():
        for _, _, weight in average.list_weights(nlp):
            weight += weight.is_floating_point()
    nlp.to_disk(tmp_path / "other")
    command = ["average.py", str(tmp_path / "one"), str(tmp_path / "other"), str(tmp_path / "made")]
    monkeypatch.setattr("sys.argv", [*command, "--second", "rere_detector"])
    assert average.main() == 0
    after = {(name, key): weight for name, key, weight in average.list_weights(spacy.load(tmp_path / "made"))}
    assert {name for name, _ in after} >= {"tok2vec", "ner", "rere_detector", "rere_extractor"}
    for (name, key), weight in after.items():
        if weight.is_floating_point():
            expected = before[name, key] + (1.0 if name == "rere_detector" else 0.5)
            assert torch.allclose(weight, expected, atol=1e-4), (name, key)


def test_other_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="other names"):
        average.average(spacy.load(FOLDER), spacy.load(FOLDER, exclude=["ner"]), of_second=[])
