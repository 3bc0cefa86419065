"""The learning rate follows the length of the training, which the config states once."""

import pathlib
import random
from itertools import islice
from typing import Any, Dict, Iterator, List

import pytest
import spacy
from spacy import registry
from spacy.cli.debug_config import debug_config
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config

from spacy_relext.pipeline.schedules import count_batches, training_length, warmup_linear
from tests.contract.sentences import make_english_examples

CONFIG = """
[nlp]
lang = "en"
pipeline = ["tagger"]
[components]
[components.tagger]
factory = "tagger"
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = "{path}"
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = "{path}"
[training]
seed = 0
gpu_allocator = null
max_epochs = 0
max_steps = 0
eval_frequency = 1000
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 3
[training.optimizer]
@optimizers = "Adam.v1"
[training.optimizer.learn_rate]
@schedules = "spacy_relext.warmup_linear.v1"
initial_rate = 0.1
warmup = 0.2
total_steps = 0
[initialize]
[initialize.before_init]
@callbacks = "spacy_relext.set_total_steps.v1"
"""


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Write a config whose corpus has eight documents: three batches of up to three."""
    docs = [example.reference for example in make_english_examples(spacy.blank("en"))][:8]
    for doc in docs:
        for token in doc:
            token.tag_ = "X"
    DocBin(docs=docs).to_disk(tmp_path / "corpus.spacy")
    config = CONFIG.replace("{path}", str(tmp_path / "corpus.spacy"))
    (tmp_path / "config.cfg").write_text(config, encoding="utf8")
    return tmp_path / "config.cfg"


def rates_in_training(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, **limits: int) -> List[float]:
    """Train as `spacy train` does, and record the learning rate of each step."""
    seen: List[float] = []
    nlp = init_nlp(load_config(path, overrides={f"training.{key}": value for key, value in limits.items()}))
    tagger: Any = nlp.get_pipe("tagger")
    finish = tagger.finish_update
    monkeypatch.setattr(
        type(tagger), "finish_update", lambda _, sgd: (seen.append(sgd.learn_rate), finish(sgd)), raising=False
    )
    with open(path.parent / "out", "w") as out:
        train(nlp, None, stdout=out, stderr=out)
    return seen


def test_rates_by_hand() -> None:
    rates = list(islice(warmup_linear(1.0, warmup=0.2, total_steps=10), 12))
    assert rates == pytest.approx([0.0, 0.5, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0.0, 0.0])


def test_the_same_as_thincs_schedule() -> None:
    expected = registry.schedules.get("warmup_linear.v1")(initial_rate=3e-3, warmup_steps=90, total_steps=1600)
    found = warmup_linear(3e-3, warmup=90 / 1600, total_steps=1600)
    assert list(islice(found, 1700)) == pytest.approx(list(islice(expected, 1700)))


def test_no_warm_up() -> None:
    assert list(islice(warmup_linear(1.0, warmup=0.0, total_steps=4), 6)) == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_epochs_in_training(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = rates_in_training(path, monkeypatch, max_epochs=5)  # 15 steps, of which three are warm-up
    assert rates == pytest.approx([0.1 * step / 3 for step in range(3)] + [0.1 * n / 12 for n in range(12, 0, -1)])


def test_steps_in_training(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = rates_in_training(path, monkeypatch, max_steps=10)
    assert len(rates) == 11 and rates[2] == max(rates) == 0.1 and rates[-1] == 0.0


def test_whichever_comes_first(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = rates_in_training(path, monkeypatch, max_steps=100, max_epochs=2)
    assert len(rates) == 6 and rates[-1] == pytest.approx(0.1 / 5)


def test_the_number_is_in_the_saved_config(path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    nlp = init_nlp(load_config(path, overrides={"training.max_epochs": 2}))
    assert nlp.config["training"]["optimizer"]["learn_rate"]["total_steps"] == 6
    nlp.resume_training()
    nlp.config.to_disk(path)
    debug_config(path)
    assert "Config is valid" in capsys.readouterr().out
    again = init_nlp(load_config(path, overrides={"training.max_epochs": 3}))
    assert again.config["training"]["optimizer"]["learn_rate"]["total_steps"] == 9, "it follows the training"


def test_length_of_a_pipelines_training(path: pathlib.Path) -> None:
    for limits, expected in (({"max_steps": 7}, 7), ({"max_epochs": 4}, 12), ({"max_epochs": 4, "max_steps": 9}, 9)):
        overrides = {f"training.{key}": value for key, value in limits.items()}
        nlp = spacy.util.load_model_from_config(load_config(path, overrides=overrides), auto_fill=True)
        assert training_length(nlp) == expected
    nlp.config["training"].update({"max_steps": 0, "max_epochs": 0})
    with pytest.raises(ValueError, match=r"R018.*max_steps is 0, max_epochs 0"):
        training_length(nlp)


def test_counting_leaves_the_random_numbers_of_the_training_alone() -> None:
    examples = make_english_examples(spacy.blank("en"))

    def corpus(_nlp: Any) -> Iterator[Example]:
        random.random()
        yield from examples

    batcher = registry.batchers.get("spacy.batch_by_sequence.v1")(size=2)
    before = random.getstate()
    assert count_batches(spacy.blank("en"), corpus, batcher) == (len(examples) + 1) // 2
    assert random.getstate() == before


@pytest.mark.parametrize("wrong", [{"warmup": 1.5}, {"total_steps": -1}])
def test_wrong_settings(wrong: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="R007"):
        warmup_linear(0.1, **wrong)


def test_nobody_has_set_the_number() -> None:
    rates = warmup_linear(0.1)
    assert next(rates) == 0.0, "an optimizer can be made"
    with pytest.raises(ValueError, match=r"R014.*set_total_steps"):
        next(rates)


def test_a_rate_without_a_length(path: pathlib.Path) -> None:
    config = load_config(path, overrides={"training.max_steps": 2})
    config["training"]["optimizer"]["learn_rate"] = 0.1
    with pytest.raises(ValueError, match=r"R015.*learn_rate is 0.1"):
        init_nlp(config)
