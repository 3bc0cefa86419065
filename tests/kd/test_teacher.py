"""The teacher: what it knows of types, and what it writes down."""

from typing import Any

import numpy
import pytest
import spacy
from spacy.training import Example

from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.kd.type_patterns import count_patterns
from spacy_relext.pairs.gold import PairClass
from tests.kd.pipes import (
    GRAPH_TEACHER,
    PIECE_TEACHER,
    TEACHER,
    build,
    make_examples,
    over,
    settings_of,
    soft_labels,
    taught_examples,
    teacher,
    train,
    unlabelled_examples,
)

pytestmark = pytest.mark.filterwarnings("ignore:.W403")  # these texts have no parse

PRIOR = "spacy_relext.KdPrior.v1"


def test_a_teacher_that_reads_the_answer_teaches_and_does_not_predict() -> None:
    pipe = teacher(fusion="relation")
    with pytest.raises(ValueError, match=r'R402.*kd_teacher.*fusion = "vector"') as error:
        pipe(make_examples(spacy.blank("en"))[0].predicted)
    assert "\n" not in str(error.value)
    examples = make_examples(spacy.blank("en"))
    losses = train(pipe, examples, steps=10)
    assert losses[-1] < losses[0]
    assert pipe.teach(examples) == 16
    found = soft_labels(examples)
    text = "Ada never saw Oslo , said Kari ."
    assert not any(found[text, 0, 3, 14, 18, "teacher_types"]), "of no relation the types say nothing"
    assert any(found["Kari met Ole .", 0, 4, 9, 12, "teacher_types"])


@pytest.mark.parametrize("kind", ["graph", "piece"])
def test_soft_labels_do_not_depend_on_the_batch(kind: str, bert: str) -> None:
    graph = {**over(GRAPH_TEACHER, input_dropout=0.5), "dropout": 0.5}
    model = graph if kind == "graph" else over(PIECE_TEACHER, name=bert)
    pipe = build(TEACHER, model)
    together, swapped, alone = (make_examples(spacy.blank("en")) for _ in range(3))
    assert pipe.teach(together) == pipe.teach(swapped[::-1]) == sum(pipe.teach([example]) for example in alone) == 16
    expected = soft_labels(together)
    assert len(expected) == 3 * 16
    for found in (soft_labels(swapped), soft_labels(alone)):
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            assert found[key] == pytest.approx(values, abs=1e-4)
    pipe.teach(swapped)
    assert soft_labels(swapped) == soft_labels(together), "nothing is left to chance"


def test_texts_without_pairs_are_taught_nothing() -> None:
    pipe = teacher()
    nlp = spacy.blank("en")
    bare, empty = nlp.make_doc("Ada met Ole."), make_examples(nlp)[-1]
    assert pipe.teach([Example(bare, bare.copy()), empty]) == 0
    assert empty.reference.user_data[SOFT_LABELS_KEY]["pairs"] == []


def test_all_pairs_of_unlabelled_text_are_taught_as_if_the_prior_had_never_counted_them() -> None:
    pipe, nlp = teacher(), spacy.blank("en")
    unlabelled, held_out = unlabelled_examples(nlp), make_examples(nlp)
    assert pipe.teach(unlabelled) == pipe.teach(held_out, held_out=True) == 16
    assert soft_labels(unlabelled) == soft_labels(held_out)
    assert teacher(fusion="relation").teach(unlabelled) == 0, "it reads the gold label"
    assert soft_labels(unlabelled) == {}


@pytest.mark.parametrize("prior", ["log_odds", "smoothed", "printed"])
def test_in_training_the_prior_does_not_contain_the_pairs_own_label(prior: str) -> None:
    pipe = build(TEACHER, GRAPH_TEACHER, prior={"@misc": PRIOR, "form": prior})
    gold = pipe.suggest_gold(make_examples(spacy.blank("en")))
    classes = gold.classes(pipe.classes).tolist()
    found = pipe.features(gold).arrays["prior"]
    for number, kinds in enumerate(gold.pairs.types):
        others = [n for n in range(len(gold)) if n != number]
        rest = [gold.pairs.types[n] for n in others], [classes[n] for n in others]
        patterns = count_patterns(*rest, n_classes=len(pipe.classes) + 1)
        if prior == "log_odds":
            expected = patterns.log_odds([kinds], smoothing=10.0)
        else:
            expected = patterns.prior([kinds], smoothing=10.0, form=prior, na_constant=0.2)  # type: ignore[arg-type]
        numpy.testing.assert_allclose(found[number], expected[0], rtol=1e-5)
    single = gold.pairs.types.index(("ORG", "PER"))
    praised = 1 + pipe.classes.index(PairClass("praised"))
    assert classes[single] == praised and found[single].argmax() != praised
    seen = pipe.features(gold.pairs).arrays["prior"]
    assert seen[single, praised] > found[single, praised], "in prediction it does"


@pytest.mark.parametrize("fusion", ["vector", "relation"])
def test_of_texts_that_it_has_not_seen_nothing_is_left_out(fusion: str) -> None:
    pipe = teacher(fusion=fusion)
    seen, unseen = (make_examples(spacy.blank("en")) for _ in range(2))
    pipe.teach(seen)
    pipe.teach(unseen, held_out=True)
    praised = 1 + pipe.classes.index(PairClass("praised"))
    key = ("Viking praised Mary .", 0, 6, 15, 19)
    own, all_of_it = (soft_labels(each)[(*key, "teacher_types")][praised] for each in (seen, unseen))
    assert own < all_of_it, "the one pair of these types has been counted, and was not this one"
    if fusion == "vector":
        doc = unseen[4].predicted
        logits = pipe.run(pipe.suggest([doc])).logits[0]
        assert pipe.score_gold([unseen[4]])[0][0] == pytest.approx(logits), "as in prediction"
        assert soft_labels(unseen)[(*key, "teacher")] == pytest.approx(logits, abs=1e-4)


def test_what_the_types_say_is_saved_with_the_teacher() -> None:
    pipe = teacher()
    nlp = spacy.blank("en")
    other: Any = nlp.add_pipe(TEACHER, config={**settings_of(TEACHER), "model": GRAPH_TEACHER})
    other.from_bytes(pipe.to_bytes())
    assert other.patterns.to_dict() == pipe.patterns.to_dict() and len(other.patterns) == len(pipe.patterns) == 5
    before, after = (soft_labels(taught_examples(each)) for each in (pipe, other))
    assert before == after


def test_pairs_of_relations_that_are_not_learned_are_not_counted() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(TEACHER, config={**settings_of(TEACHER), "model": GRAPH_TEACHER})
    with pytest.warns(UserWarning, match="W001.*(lives_in|praised)"):
        pipe.initialize(lambda: make_examples(nlp), nlp=nlp, labels=["born_in", "met"])
    assert pipe.patterns.counts_of(("PER", "LOC")) == {0: 2, 1: 2}, "lives_in is neither a relation nor none"
    assert len(pipe.suggest_gold(make_examples(nlp))) == 14


@pytest.mark.parametrize("prior", ["log_odds", "smoothed", "printed"])
def test_the_evidence_names_the_prior_that_was_used(prior: str) -> None:
    pipe = build(TEACHER, GRAPH_TEACHER, prior={"@misc": PRIOR, "form": prior, "smoothing": 5.0}, threshold=0.0)
    doc = make_examples(spacy.blank("en"))[0].predicted
    pipe.set_annotations([doc], pipe.predict([doc]))
    form = "printed" if prior == "printed" else "smoothed"
    assert len(doc._.triples) == 2
    for triple in doc._.triples:
        best = 1 + pipe.classes.index(PairClass(triple.relation))
        kinds = tuple(triple.evidence["entity_types"])
        assert kinds == tuple({"Ada": "PER", "London": "LOC"}[span.text] for span in (triple.subject, triple.object))
        expected = pipe.patterns.prior([kinds], smoothing=5.0, form=form)[0, best]
        assert triple.evidence["prior"] == pytest.approx(expected, abs=1e-4)
