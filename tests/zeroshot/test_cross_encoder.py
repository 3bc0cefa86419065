"""The cross-encoder: which relations a training step reads, and what a score depends on."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
import torch
from torch import Tensor

from spacy_relext.bridge.modules import module_of
from spacy_relext.zeroshot.cross_encoder import WITHOUT, sample_relations
from spacy_relext.zeroshot.model import WITHHELD
from tests.contract.cases import CASES
from tests.contract.sentences import ENGLISH, make_english_examples
from tests.contract.tiny_bert import save_tiny_bert

CASE, MATCHER = (next(c for c in CASES if c.id == key) for key in ("cross-encoder", "zero-shot"))
CLASSES, ASKED = torch.tensor([3, 0, 1, 0]), torch.tensor([3, 3, 1, 0])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder") / "tiny-bert"
    save_tiny_bert(path)
    return path


def chosen(pairs: Tensor, relations: Tensor) -> list:
    return [relations[pairs == number].tolist() for number in range(len(CLASSES))]


def test_a_pair_is_read_with_its_own_relation_and_others() -> None:
    torch.manual_seed(0)
    drawn = [chosen(*sample_relations(CLASSES, ASKED, 9, negatives=3, dropout=0.0)) for _ in range(50)]
    for relations in drawn:
        assert [len(each) for each in relations] == [4, WITHOUT, 4, WITHOUT]
        assert all(len(set(each)) == len(each) for each in relations)
        assert (relations[0][0], relations[1][0], relations[2][0]) == (2, 2, 0)  # of the other order in the second
    assert {relation for relations in drawn for relation in relations[0]} == set(range(9))


def test_the_own_relation_is_left_out() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        relations = chosen(*sample_relations(CLASSES, ASKED, 4, negatives=9, dropout=1.0))
        assert sorted(relations[0]) == [0, 1, 3] and sorted(relations[2]) == [1, 2, 3]
        assert relations[1][0] == 2  # only what holds is left out


def test_training_reads_what_was_chosen(checkpoint: Path) -> None:
    nlp = CASE.build(checkpoint, name="reader")
    examples = make_english_examples(nlp)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe("reader")
    module: Any = module_of(pipe.model)
    module.settings["negatives"] = 1
    for example in examples:
        for before in ("sentencizer", CASE.annotating[-1]):
            nlp.get_pipe(before)(example.predicted)
    gold = pipe.suggest_gold(examples)
    arrays = pipe.arrays(gold)
    assert ((arrays["asked"] == arrays["classes"]) | (arrays["classes"] == 0)).all()
    assert (arrays["asked"] > 0).sum() == 2 * (arrays["classes"] > 0).sum()  # each pair is there in both orders
    outputs, _ = pipe.model.begin_update(pipe.features(gold))
    read = (outputs.logits[:, 1:] > WITHHELD).sum(1)
    assert set(read.tolist()) == {2}
    assert (pipe.run(gold).logits > WITHHELD).all()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_score_depends_on_its_text_and_description_alone(checkpoint: Path, layer: int) -> None:
    nlp = CASE.build(checkpoint, name="reader")
    nlp.initialize(lambda: make_english_examples(nlp))
    pipe = nlp.get_pipe("reader")
    module: Any = module_of(pipe.model)
    module.encoder.marker_layer = layer
    alone = [pipe.run(pipe.suggest([nlp(text)])).logits for text, *_ in ENGLISH[:3]]
    pipe.add_relation("much_longer", "is said of two things at a greater length")
    together = pipe.run(pipe.suggest([nlp(text) for text, *_ in ENGLISH[:3]])).logits
    column = 1 + pipe.labels.index("much_longer")
    numpy.testing.assert_allclose(numpy.delete(together, column, axis=1), numpy.concatenate(alone), atol=1e-5)


def test_what_is_read_together_is_added_to_the_untrained_matcher(checkpoint: Path) -> None:
    logits, encoders, added = [], [], 0.25
    for case in (CASE, MATCHER):
        nlp = case.build(checkpoint, name="reader")
        examples = make_english_examples(nlp)
        nlp.initialize(lambda examples=examples: examples)
        pipe = nlp.get_pipe("reader")
        module: Any = module_of(pipe.model)
        encoders.append(module.encoder)
        if case is CASE:
            torch.nn.init.zeros_(module.score.weight)
            torch.nn.init.constant_(module.score.bias, added)
        encoders[-1].load_state_dict(encoders[0].state_dict())
        logits.append(pipe.run(pipe.suggest([nlp(text) for text, *_ in ENGLISH[:3]])).logits)
    logits[1][:, 1:] += added
    numpy.testing.assert_allclose(*logits, atol=1e-5)


def test_candidates_are_the_best_apart(checkpoint: Path) -> None:
    nlp = CASE.build(checkpoint, name="reader")
    nlp.initialize(lambda: make_english_examples(nlp))
    pipe = nlp.get_pipe("reader")
    pairs = pipe.suggest([nlp(text) for text, *_ in ENGLISH[:3]])
    apart = pipe.run(pairs).logits[:, 1:]  # untrained, it is the cosine
    module = module_of(pipe.model)
    torch.nn.init.normal_(module.score.weight)
    every = pipe.run(pairs).logits[:, 1:]
    module.settings["candidates"] = 2
    some = pipe.run(pairs).logits[:, 1:]
    chosen = numpy.argsort(-apart, axis=1)[:, :2]
    assert ((some > WITHHELD).sum(1) == 2).all()
    numpy.testing.assert_allclose(*(numpy.take_along_axis(each, chosen, 1) for each in (some, every)), atol=1e-5)


def test_settings_are_checked(checkpoint: Path) -> None:
    model = {**CASE.config["model"], "negatives": 0}
    with pytest.raises(ValueError, match="negatives"):
        spacy.blank("en").add_pipe("zeroshot_classifier", config={**CASE.config, "model": model})
