"""The config that trains a pipeline further."""

import pathlib

import continue_config
import pytest
import spacy
from spacy.util import load_config

from spacy_relext.bridge.shipped import FOLDER


def test_components_come_from_the_pipeline(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["continue_config.py", str(FOLDER), str(tmp_path / "a.cfg"), "--steps", "7"])
    assert continue_config.main() == 0
    config = load_config(tmp_path / "a.cfg")
    assert config["training"]["max_steps"] == 7
    assert config["training"]["optimizer"]["learn_rate"]["initial_rate"] == 1e-3
    assert {each["source"] for each in config["components"].values()} == {str(FOLDER)}
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    assert nlp.pipe_names == spacy.load(FOLDER).pipe_names


def test_no_pipeline(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("sys.argv", ["continue_config.py", str(tmp_path), str(tmp_path / "a.cfg")])
    assert continue_config.main() == 1 and str(tmp_path) in capsys.readouterr().err
