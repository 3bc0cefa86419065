"""A factory builds what its config in `configs/` does: only the encoder, which may need a download, differs."""

import pathlib
from typing import Any, Dict

import pytest
import spacy
from spacy.util import load_config, load_model_from_config

# Factories and their configs.
CONFIGS = {
    "rere_detector": "rere",
    "rere_extractor": "rere",
    "kd_teacher": "kd_teacher",
    "kd_classifier": "kd_student",
    "nero_grounder": "nero",
    "selfore_clusterer": "selfore",
    "hrere_classifier": "hrere",
    "zeroshot_classifier": "zeroshot",
}
# Adversarial training goes with the encoder of the config: the input of the factory's encoder cannot be perturbed.
ADVERSARIAL = {"kd_teacher", "kd_classifier", "nero_grounder"}


def flattened(config: Dict[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Return the settings by their dotted keys, without those of the encoder."""
    flat: Dict[str, Any] = {}
    for key, value in config.items():
        if f"{prefix}{key}" == "model.encoder":
            continue
        is_section = isinstance(value, dict) and value
        flat.update(flattened(value, f"{prefix}{key}.") if is_section else {f"{prefix}{key}": value})
    return flat


@pytest.mark.parametrize("factory", CONFIGS)
def test_a_factory_builds_what_its_config_does(factory: str, project_root: pathlib.Path) -> None:
    path = project_root / "configs" / f"{CONFIGS[factory]}.cfg"
    config = load_model_from_config(load_config(path), auto_fill=True).config.interpolate()["components"][factory]
    nlp = spacy.blank("en")
    nlp.add_pipe(factory)
    given, built = flattened(config), flattened(nlp.config.interpolate()["components"][factory])
    different = {key for key in {*given, *built} if given.get(key) != built.get(key)}
    assert different == ({"learning.adversarial_radius"} if factory in ADVERSARIAL else set())
