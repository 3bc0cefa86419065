"""A factory builds what its config in `configs/` does: only the encoder, which may need a download, differs."""

import pathlib
from typing import Any, Dict

import pytest
import spacy
from spacy.util import load_config, load_model_from_config

# By factory, the keys that differ. What cannot perturb an input has no adversarial training: that of NERO's config goes
# with its encoder.
DIFFERENT = {"nero_grounder": {"learning.adversarial_radius"}, "zeroshot_classifier": set()}


def flattened(config: Dict[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Return the settings by their dotted keys, without those of the encoder."""
    flat: Dict[str, Any] = {}
    for key, value in config.items():
        if f"{prefix}{key}" == "model.encoder":
            continue
        is_section = isinstance(value, dict) and value
        flat.update(flattened(value, f"{prefix}{key}.") if is_section else {f"{prefix}{key}": value})
    return flat


@pytest.mark.parametrize("factory", DIFFERENT)
def test_a_factory_builds_what_its_config_does(factory: str, project_root: pathlib.Path) -> None:
    path = project_root / "configs" / f"{factory.split('_')[0]}.cfg"
    config = load_model_from_config(load_config(path), auto_fill=True).config.interpolate()["components"][factory]
    nlp = spacy.blank("en")
    nlp.add_pipe(factory)
    given, built = flattened(config), flattened(nlp.config.interpolate()["components"][factory])
    assert {key for key in {*given, *built} if given.get(key) != built.get(key)} == DIFFERENT[factory]
