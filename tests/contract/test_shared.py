"""All methods in one pipeline, listeners of one encoder: of this project, or of spacy-transformers."""

import pathlib
from typing import Any, Callable, Dict, List, NamedTuple, Set

import pytest
import spacy
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import Model

from spacy_relext import get_records
from tests.contract.cases import (
    BERT,
    LISTENER,
    SENTS,
    SHARED,
    bags,
    clusterer,
    detector,
    distilled,
    extractor,
    grounder,
)
from tests.contract.conftest import assert_close, outcome
from tests.contract.entities import FACTORY as ENTITIES
from tests.contract.sentences import make_english_examples
from tests.contract.simulated_gpu import simulated_gpu

Setting = Dict[str, Any]
# A sentence at a time, as the listeners of this project read them.
SENTENCES = {"@span_getters": "spacy-transformers.sent_spans.v1"}
TRF: Setting = {"@architectures": "spacy-transformers.TransformerModel.v3", "get_spans": SENTENCES}
TRF |= {"tokenizer_config": {}, "transformer_config": {}, "mixed_precision": False, "grad_scaler_config": {}}
TRF_LISTENER: Setting = {"@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0}
TRF_LISTENER |= {"pooling": {"@layers": "reduce_mean.v1"}, "upstream": "*"}
LEARN_RATE, STEPS = 0.005, 20


class Upstream(NamedTuple):
    """An encoder that components listen to: the factory, which is also its name; its model and a listener."""

    kind: str
    model: Callable[[str], Setting]
    listener: Setting


OURS = Upstream("tok2vec", lambda bert: {**BERT, "dropout": 0.0, "name": bert}, LISTENER)
THEIRS = Upstream("transformer", lambda bert: {**TRF, "name": bert}, TRF_LISTENER)


def build(upstream: Upstream, bert: str, *, is_frozen: bool) -> Language:
    """Make the pipeline; NERO and SelfORE join only where the encoder is frozen."""
    nlp = spacy.blank("en")
    nlp.add_pipe(*SENTS[:1])
    nlp.add_pipe(ENTITIES)
    nlp.add_pipe(upstream.kind, config={"model": upstream.model(bert)})
    nlp.config["training"]["frozen_components"] = [upstream.kind] * is_frozen
    nlp.config["training"]["annotating_components"] = [SENTS[0], ENTITIES, *[upstream.kind] * is_frozen]
    for name, settings in settings_of(upstream.listener).items():
        if is_frozen or name not in ("nero_grounder", "selfore_clusterer"):
            nlp.add_pipe(name, config=settings)
    return nlp


def settings_of(listener: Setting) -> Dict[str, Setting]:
    pair_encoder = {**SHARED, "tok2vec": listener}
    return {
        "rere_detector": detector(listener),
        "rere_extractor": extractor(listener),
        "kd_classifier": distilled("KdStudent", pair_encoder),
        "nero_grounder": grounder(pair_encoder),
        "selfore_clusterer": clusterer(pair_encoder),
        "hrere_classifier": bags(pair_encoder),
    }


def learn(nlp: Language, steps: int) -> List[Dict[str, float]]:
    """Initialize and update as `spacy train` does. RETURNS (List[Dict[str, float]]): The losses of each step."""
    fix_random_seed(1)
    examples, training = make_english_examples(nlp), nlp.config["training"]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = LEARN_RATE
    history = []
    for _ in range(steps):
        losses: Dict[str, float] = {}
        options = {"exclude": training["frozen_components"], "annotates": training["annotating_components"]}
        nlp.update(examples, sgd=optimizer, losses=losses, **options)
        history.append(losses)
    return history


def texts_of(nlp: Language) -> List[str]:
    return [example.text for example in make_english_examples(nlp)]


def sources(nlp: Language) -> Set[str]:
    return {record["source"] for doc in nlp.pipe(texts_of(nlp)) for record in get_records(doc) or []}


def weights(nlp: Language, name: str) -> bytes:
    model = nlp.get_pipe(name).model  # type: ignore[attr-defined]
    assert isinstance(model, Model)
    return model.to_bytes()


@pytest.fixture(scope="module", params=[OURS, THEIRS], ids=["ours", "spacy-transformers"])
def upstream(request: Any) -> Upstream:
    if request.param is THEIRS:
        pytest.importorskip("spacy_transformers")
    return request.param


@pytest.fixture(scope="module")
def frozen(upstream: Upstream, bert: str) -> Language:
    """A pipeline of all methods, trained a few steps."""
    nlp = build(upstream, bert, is_frozen=True)
    history = learn(nlp, STEPS)
    assert set(settings_of({})) <= set(history[0])
    for name in ("rere_detector", "rere_extractor", "kd_classifier", "nero_grounder", "hrere_classifier"):
        assert history[-1][name] < history[0][name]
    return nlp


def test_all_methods_find_relations_on_one_frozen_encoder(frozen: Language) -> None:
    for name in frozen.pipe_names:  # so few steps make no method sure
        settings = getattr(frozen.get_pipe(name), "cfg", {})
        settings.update({"threshold": 0.0} if "threshold" in settings else {})
    assert sources(frozen) >= {"kd_classifier", "nero_grounder", "selfore_clusterer", "hrere_classifier"}


def test_training_leaves_a_frozen_encoder_as_it_is(upstream: Upstream, bert: str) -> None:
    nlp = build(upstream, bert, is_frozen=True)
    learn(nlp, 0)
    before = weights(nlp, upstream.kind)
    learn(nlp, 2)
    assert weights(nlp, upstream.kind) == before


@pytest.mark.parametrize("name", ["rere_detector", "rere_extractor", "kd_classifier", "hrere_classifier"])
def test_each_method_trains_the_encoder(upstream: Upstream, bert: str, name: str) -> None:
    nlp = build(upstream, bert, is_frozen=False)
    for other in set(settings_of({})).intersection(nlp.pipe_names) - {name}:
        nlp.remove_pipe(other)
    learn(nlp, 0)
    before = weights(nlp, upstream.kind)
    learn(nlp, 2)
    assert weights(nlp, upstream.kind) != before


def test_disk_and_bytes(frozen: Language, upstream: Upstream, bert: str, tmp_path: pathlib.Path) -> None:
    wanted = [outcome(doc) for doc in frozen.pipe(texts_of(frozen))]
    frozen.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert_close([outcome(doc) for doc in loaded.pipe(texts_of(frozen))], wanted)
    again = build(upstream, bert, is_frozen=True).from_bytes(frozen.to_bytes())
    assert_close([outcome(doc) for doc in again.pipe(texts_of(frozen))], wanted)


def test_processes(frozen: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [outcome(doc) for doc in frozen.pipe(texts_of(frozen))]
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    found = [outcome(doc) for doc in frozen.pipe(texts_of(frozen), n_process=2, batch_size=3)]
    assert_close(found, wanted)


def test_a_gpu_computes_what_the_cpu_does(bert: str) -> None:
    nlp = build(OURS, bert, is_frozen=True)
    wanted = learn(nlp, 2)
    triples = [outcome(doc) for doc in nlp.pipe(texts_of(nlp))]
    with simulated_gpu():
        other = build(OURS, bert, is_frozen=True)
        assert [sorted(losses) for losses in learn(other, 2)] == [sorted(losses) for losses in wanted]
        found = [outcome(doc) for doc in other.pipe(texts_of(nlp))]
    assert_close(found, triples, 2e-4)
