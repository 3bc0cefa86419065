"""Training goes on after loading, leaves frozen components alone, and copes with relations it does not know."""

import pathlib
import warnings
from typing import Any, List

import pytest
from spacy.language import Language
from spacy.training import Example
from thinc.api import Adam

from spacy_relext import set_triples
from tests.contract.cases import MethodCase
from tests.contract.conftest import NAME, Trained, assert_close, outcome


def example_of_unknown_relation(nlp: Language) -> Example:
    reference = nlp.make_doc("Ada founded Oslo.")
    set_triples(reference, [((0, 3), "founded_by", (12, 16))])
    return Example(nlp.make_doc(reference.text), reference)


def not_annotated(nlp: Language) -> Example:
    return Example(nlp.make_doc("Kari sleeps."), nlp.make_doc("Kari sleeps."))


def test_labels_are_fixed(trained: Trained) -> None:
    with pytest.raises(ValueError, match=rf"\[R007\].*{NAME}.*founded_by"):
        trained.pipe.add_label("founded_by")
    assert trained.pipe.add_label(trained.pipe.labels[0]) == 0


def test_training_goes_on_after_loading(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    optimizer = nlp.resume_training()
    optimizer.learn_rate = min(optimizer.learn_rate, case.learn_rate)
    examples = case.make_examples(nlp)
    before = weights(nlp.get_pipe(NAME))
    for _ in range(3):
        losses = nlp.update(examples, sgd=optimizer, annotates=case.annotating)
    assert weights(nlp.get_pipe(NAME)) != before
    assert losses[NAME] < 2.0 * trained.losses[NAME] + 0.1, "it went on from where it was"
    assert nlp.evaluate(examples)[case.overfit_key] >= 0.8
    assert weights(trained.pipe) == before  # the copy learned alone


def test_unknown_relations_warn_once_and_count_as_misses(case: MethodCase, trained: Trained) -> None:
    if not case.reads_gold:
        pytest.skip("gold is not read")
    nlp = trained.copy()
    optimizer = nlp.resume_training()
    examples = [*case.make_examples(nlp), example_of_unknown_relation(nlp)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            nlp.update(examples, sgd=optimizer, annotates=case.annotating)
    ours = [str(w.message) for w in caught if f"{NAME}: relation 'founded_by'" in str(w.message)]
    assert len(ours) == 1 and ours[0].startswith("[W001]")
    assert "founded_by" not in nlp.get_pipe(NAME).labels
    scores = nlp.evaluate(examples)
    recall = scores[case.overfit_key[:-1] + "r"]
    n_gold = sum(len(example.reference._.triples) for example in examples)
    assert 0.0 < recall <= (n_gold - 1) / n_gold


def test_frozen_components_do_not_move(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    optimizer = nlp.resume_training()
    before = weights(nlp.get_pipe(NAME))
    # a frozen component reads what its upstream component writes on the Docs
    annotating = [*(name for name in nlp.pipe_names if name == "tok2vec"), *case.annotating, NAME]
    for _ in range(2):
        nlp.update(case.make_examples(nlp), sgd=optimizer, exclude=[NAME], annotates=annotating, losses={})
    assert weights(nlp.get_pipe(NAME)) == before


def test_updates_without_optimizer_do_not_move(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    before = weights(nlp.get_pipe(NAME))
    nlp.update(case.make_examples(nlp), sgd=False, annotates=case.annotating)  # type: ignore[arg-type]
    assert weights(nlp.get_pipe(NAME)) == before
    assert_close([outcome(nlp(trained.texts[0]))], [outcome(trained.nlp(trained.texts[0]))])


def test_averages_stand_in_for_the_weights(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    optimizer = nlp.resume_training(sgd=Adam(case.learn_rate, use_averages=True))
    if case.finds_relations:
        with pytest.raises(ValueError, match=r"\[R007\].*use_averages"):
            nlp.update(case.make_examples(nlp), sgd=optimizer, annotates=case.annotating)
        return
    for _ in range(2):
        nlp.update(case.make_examples(nlp), sgd=optimizer, annotates=case.annotating)
    before, found = weights(nlp.get_pipe(NAME)), 0
    with nlp.use_params(optimizer.averages):
        assert weights(nlp.get_pipe(NAME)) != before  # what is saved and evaluated
        for shim in (shim for node in nlp.get_pipe(NAME).model.walk() for shim in node.shims):
            for name, parameter in shim._model.named_parameters():
                if (shim.id, name) in optimizer.averages:
                    assert parameter.tolist() == optimizer.averages[shim.id, name].tolist(), name
                    found += 1
    assert found and weights(nlp.get_pipe(NAME)) == before


def weights(pipe: Any) -> bytes:
    """The component's own weights, without those of a shared encoder."""
    return pipe.model.to_bytes()


@pytest.mark.filterwarnings("ignore:.W360")  # one of the documents is not annotated
@pytest.mark.parametrize(
    "texts", [[""], [" \n "], ["Ada"], ["", "Ada wrote Lodore."]], ids=["empty", "space", "token", "mixed"]
)
def test_updates_with_odd_docs(case: MethodCase, trained: Trained, texts: List[str]) -> None:
    nlp = trained.copy()
    optimizer = nlp.resume_training()
    examples = []
    for text in texts:
        reference = nlp.make_doc(text)
        set_triples(reference, [])
        examples.append(Example(nlp.make_doc(text), reference))
    losses = nlp.update(examples, sgd=optimizer, annotates=case.annotating)
    assert losses[NAME] >= 0.0
    nlp.update([not_annotated(nlp), *examples], sgd=optimizer, annotates=case.annotating)
    assert isinstance(outcome(nlp("Ada wrote Lodore.")), tuple)


@pytest.mark.filterwarnings("ignore:.W002. rere_detector")
def test_gold_that_crosses_sentences_is_reported(case: MethodCase, trained: Trained) -> None:
    if not case.reads_gold:
        pytest.skip("gold is not read")
    nlp = trained.copy()
    text = "Ada wrote. Oslo grew."
    reference = nlp.make_doc(text)
    set_triples(reference, [((0, 3), trained.pipe.labels[0], (11, 15))])
    with pytest.warns(UserWarning, match=rf"\[W(002|401)\] {NAME}: 1 triple"):
        nlp.update([Example(nlp.make_doc(text), reference)], sgd=nlp.resume_training(), annotates=case.annotating)
    scores = nlp.evaluate([Example(nlp.make_doc(text), reference)])
    assert scores[case.overfit_key] == 0.0  # a miss


def test_initialize_twice_starts_anew(case: MethodCase, encoder: pathlib.Path) -> None:
    nlp = case.build(encoder, name=NAME)
    examples = case.make_examples(nlp)
    nlp.initialize(lambda: examples)
    labels = nlp.get_pipe(NAME).labels
    nlp.initialize(lambda: [example for example in examples if example.reference._.triples][:2])
    assert set(nlp.get_pipe(NAME).labels) < set(labels) or not case.reads_gold
    nlp.update(examples[:2], sgd=nlp.create_optimizer(), annotates=case.annotating)
