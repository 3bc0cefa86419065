"""`selfore_clusterer` where it learns its clusters: what that brings, and what training must be like."""

import warnings
from functools import partial
from typing import Any, List, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext.scoring.clusters import score_clusters
from spacy_relext.selfore import clusters
from spacy_relext.selfore.clustering.discriminant import Space
from spacy_relext.selfore.clustering.fit import fit_scale
from spacy_relext.selfore.table import keys_of
from tests.selfore import test_component
from tests.selfore.test_component import CNN, MODEL, NAME, TEMPLATES, TURNS, blocks, make_examples

ADAM = {"@optimizers": "Adam.v1", "use_averages": False}
RECLUSTER = {"@callbacks": "spacy_relext.recluster.v1", "component": NAME, "epochs": 1}
STEPS = 9


@pytest.fixture(autouse=True)
def all_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "STOP", 0.0)


def new(**options: Any) -> Tuple[Language, Any]:
    nlp, pipe = test_component.new(**blocks(**options))
    nlp.config["training"] = {"before_update": RECLUSTER, "max_epochs": 0, "optimizer": ADAM}
    return nlp, pipe


def learn(nlp: Language, pipe: Any, examples: List[Example], *, loops: int) -> None:
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(loops):
        for step in range(STEPS):
            nlp.update(examples[step % 3 :: 3], sgd=optimizer, losses={})
        pipe.recluster()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_two_loops_draw_clusters_apart(smoothing: float) -> None:
    """At spaCy's usual learning rate; what clusters tell of neighbours rises."""
    nlp, pipe = new(loops=2, smoothing=smoothing)
    examples = make_examples(nlp)
    learn(nlp, pipe, examples, loops=2)
    gold = [relation for relation in TEMPLATES for _ in range(TURNS)]
    found = [pipe.loop.cluster_of[key] for key in keys_of(pipe.suggest_gold(examples))]
    assert score_clusters(gold, found)["ari"] > 0.9
    told = [each["information"] for each in pipe.clusters.history]
    assert len(told) == 3 and told[0] < told[2] and pipe.clusters.has_converged
    assert (pipe.clusters.scale == 1.0) == (smoothing == 0.0)


def test_the_scale_makes_the_classifier_as_sure_as_its_labels() -> None:
    dice = numpy.random.default_rng(0)
    centroids = (8.0 * numpy.eye(4)).astype("float32")
    labels = dice.integers(0, 4, 4_000)
    vectors = (centroids[labels] + dice.normal(size=(4_000, 4))).astype("float32")
    space = Space(vectors.mean(0), numpy.eye(4, dtype="float32"), centroids - vectors.mean(0))
    scale = fit_scale(vectors, labels, space, smoothing=0.1)
    logits = scale * space.logits(space.codes(vectors)).astype("float64")
    probs = numpy.exp(logits - numpy.logaddexp.reduce(logits, axis=1, keepdims=True))
    assert scale < 0.2 and probs.max(1).mean() == pytest.approx(0.925, abs=0.01)  # 1 - 0.1 + 0.1 / 4
    assert fit_scale(vectors, labels, space, smoothing=0.0) == 1.0, "never surer than it is"


def test_training_that_does_not_find_them_anew_is_told() -> None:
    for training, said in (
        ({"before_update": None}, "W601.*loops = 2.*is null"),
        ({"before_update": {**RECLUSTER, "component": "other"}}, "W601.*is that of 'other'"),
        ({"before_update": RECLUSTER, "max_epochs": 2}, r"W602.*2 loops of 1 epochs.*Set max_epochs to 3"),
    ):
        nlp, pipe = new(loops=2)
        nlp.config["training"] = training
        with pytest.warns(UserWarning, match=said):
            pipe.initialize(partial(iter, make_examples(nlp)), nlp=nlp)
    for training in ({"before_update": RECLUSTER, "max_epochs": 3}, {"before_update": {"@callbacks": "mine.v1"}}):
        nlp, pipe = new(loops=2)
        nlp.config["training"] = training
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pipe.initialize(partial(iter, make_examples(nlp)), nlp=nlp)


def test_settings_that_would_change_nothing() -> None:
    with pytest.raises(ValueError, match="R609.*freeze_epochs = 1.*loops"):
        new(freeze_epochs=1)


def listening() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": CNN})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": CNN["width"], "upstream": "*"}
    nlp.add_pipe(NAME, config={"n_clusters": 3, "model": {**MODEL, "encoder": listener}, **blocks(loops=1)})
    return nlp


def test_a_listener_of_what_changes_is_refused() -> None:
    nlp = listening()
    with pytest.raises(ValueError, match="R608.*listener.*frozen_components"):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_listener_of_a_frozen_component() -> None:
    """Clusters are found when the pipeline is initialized, and learned on top of vectors that stay as they are."""
    nlp = listening()
    names = ["tok2vec"]
    nlp.config["training"] = {"before_update": RECLUSTER, "max_epochs": 0, "optimizer": ADAM}
    nlp.config["training"].update(frozen_components=names, annotating_components=names)
    examples, pipe = make_examples(nlp), nlp.get_pipe(NAME)
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    before = nlp.get_pipe("tok2vec").model.to_bytes()  # type: ignore[attr-defined]
    for step in range(STEPS):
        nlp.update(examples[step % 3 :: 3], sgd=optimizer, exclude=names, annotates=names)
    pipe.recluster()  # type: ignore[attr-defined]
    assert nlp.get_pipe("tok2vec").model.to_bytes() == before  # type: ignore[attr-defined]
    assert nlp.evaluate(examples)["b3_f"] > 0.6
