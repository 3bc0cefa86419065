"""A `selfore_clusterer` that reads pairs as a classifier of known relations has learned to."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
import torch
from spacy.util import fix_random_seed

from spacy_relext.bridge.modules import module_of
from tests.contract.tiny_bert import save_tiny_bert
from tests.selfore.test_component import CNN, NAME, make_examples


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    folder = tmp_path_factory.mktemp("encoder")
    save_tiny_bert(folder, width=16)
    settings: Dict[str, Any] = {"@architectures": "spacy_relext.PieceEncoder.v1", "name": str(folder)}
    return {**settings, "form": "means", "precision": "fp32", "case_features": False, "mix_from": 3}


def new(factory: str, model: Dict[str, Any], **options: Any) -> Any:
    """A pipeline with one component, whose encoder gets its own weights."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(factory, config=model)
    examples = make_examples(nlp)
    pipe.initialize(lambda: examples, nlp=nlp, **options)
    return nlp


def clusterer(encoder: Dict[str, Any], **options: Any) -> Any:
    model = {"@architectures": "spacy_relext.SelforeClusterer.v1", "encoder": encoder}
    return new(NAME, {"model": model, "n_clusters": 3}, **options).get_pipe(NAME)


def classifier(path: Path, encoder: Dict[str, Any]) -> Path:
    """Save a classifier whose weights are unlike those of the checkpoint."""
    nlp = new("kd_classifier", {"model": {"@architectures": "spacy_relext.KdStudent.v1", "encoder": encoder}})
    with torch.no_grad():
        for weight in module_of(nlp.get_pipe("kd_classifier").model).parameters():
            weight.add_(0.01)
    nlp.to_disk(path)
    return path


def encoder_weights(pipe: Any) -> Dict[str, torch.Tensor]:
    state = module_of(pipe.model).state_dict()
    return {key: weight for key, weight in state.items() if key.startswith("encoder.")}


def test_pairs_are_read_with_a_trained_encoder(tmp_path: Path, encoder: Dict[str, Any]) -> None:
    path = classifier(tmp_path / "known", encoder)
    trained = encoder_weights(spacy.load(path).get_pipe("kd_classifier"))
    fresh, started = (encoder_weights(clusterer(encoder, **options)) for options in ({}, {"start": [path]}))
    assert set(started) == set(trained)
    assert all(torch.equal(started[key], trained[key]) for key in started)
    assert not all(torch.equal(started[key], fresh[key]) for key in started)


def test_what_has_another_encoder_is_refused(tmp_path: Path, encoder: Dict[str, Any]) -> None:
    path = classifier(tmp_path / "known", encoder)
    with pytest.raises(ValueError, match="R413.*their encoder has no encoder"):
        clusterer({**encoder, "case_features": True}, start=[path])
    with pytest.raises(ValueError, match="R413.*a tok2vec"):
        clusterer(CNN, start=[classifier(tmp_path / "tok2vec", CNN)])
