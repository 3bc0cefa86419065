"""What `nlp.add_pipe` builds is what configs/rere.cfg builds, but for the encoder, which cannot be downloaded then."""

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.util import load_config, load_model_from_config


@pytest.mark.parametrize("factory", ["rere_detector", "rere_extractor"])
def test_defaults_are_the_published_settings(factory: str, project_root: Path) -> None:
    added, published = (
        spacy.blank("en"),
        load_model_from_config(load_config(project_root / "configs" / "rere.cfg", interpolate=True), auto_fill=True),
    )
    added.add_pipe(factory)
    pipes: Any = [nlp.get_pipe(factory) for nlp in (added, published)]
    assert pipes[0].cfg == pipes[1].cfg
    configs = [dict(nlp.config["components"][factory]) for nlp in (added, published)]
    for config in configs:
        config["model"] = {key: value for key, value in config["model"].items() if key != "encoder"}
    assert configs[0] == configs[1]
    assert set(configs[0]["model"]) > {"hidden", "dropout", "precision"} and configs[0]["loss"]
