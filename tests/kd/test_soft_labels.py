"""Soft labels on annotated Docs: stored as plain values, read in the order of the student's classes."""

import copy
from typing import Any, Dict, List, Sequence

import numpy
import pytest
from spacy.training import Example

from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.kd.soft_labels import PARTS, pair_offsets, read_soft_labels, store_soft_labels
from spacy_relext.pairs.gold import GoldPairs, PairClass, gold_pairs
from spacy_relext.pairs.suggesters import EntityPairs
from tests.pairs.builders import make_doc, make_example, with_entities

CLASSES = [PairClass("born"), PairClass("met"), PairClass("met", backwards=True)]


def make_examples() -> List[Example]:
    """One text with six pairs, one with none, one with two."""
    words = "ada met charles in london .".split()
    doc = with_entities(make_doc(words), [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "LOC")])
    other = with_entities(make_doc(["mary", "met", "ole"]), [(0, 1, "PER"), (2, 3, "PER")])
    gold = [((0, 1), "met", (2, 3))]
    return [make_example(doc, gold), make_example(make_doc(["x"]), []), make_example(other, gold)]


def gold_of(examples: Sequence[Example]) -> GoldPairs:
    return gold_pairs(EntityPairs(), examples)


def with_logits() -> Any:
    """Examples with soft labels, and the logits in the order of the pairs."""
    examples = make_examples()
    gold = gold_of(examples)
    logits = numpy.random.RandomState(0).randn(3, len(gold), len(CLASSES) + 1).astype("float32")
    store_soft_labels([example.reference for example in examples], gold.pairs, list(logits), CLASSES)
    return examples, logits


def read(examples: Sequence[Example], classes: Sequence[PairClass] = CLASSES) -> Dict[str, Any]:
    labels = read_soft_labels(gold_of(examples), classes, name="student")
    assert labels is not None
    return labels


def test_stored_logits_are_read() -> None:
    examples, logits = with_logits()
    labels = read(examples)
    assert labels["soft_mask"].tolist() == [1.0] * 8
    for key, part in zip(PARTS, logits):
        assert labels[key].dtype == numpy.float32
        numpy.testing.assert_allclose(labels[key], part, atol=1e-5)


def test_logits_are_in_the_order_of_the_students_classes() -> None:
    examples, logits = with_logits()
    labels = read(examples, [CLASSES[2], CLASSES[0], CLASSES[1]])
    for key, part in zip(PARTS, logits):
        numpy.testing.assert_allclose(labels[key], part[:, [0, 3, 1, 2]], atol=1e-5)


def test_the_order_of_the_teachers_classes_does_not_matter() -> None:
    examples, logits = with_logits()
    permuted = copy.deepcopy(examples)
    docs = [example.reference for example in permuted]
    order = [2, 0, 1]
    columns = [part[:, [0, *(1 + number for number in order)]] for part in logits]
    store_soft_labels(docs, gold_of(permuted).pairs, columns, [CLASSES[number] for number in order])
    before, after = read(examples), read(permuted)
    assert all((before[key] == after[key]).all() for key in PARTS)


@pytest.mark.parametrize("classes", [CLASSES[1:], [*CLASSES, PairClass("new")], [PairClass("other")]])
def test_a_teacher_with_other_relations_is_refused(classes: List[PairClass]) -> None:
    examples, _ = with_logits()
    with pytest.raises(ValueError, match=r"R401.*student.*born, met") as error:
        read(examples, classes)
    assert "\n" not in str(error.value)


def test_a_direction_unknown_to_the_teacher_gets_its_lowest_logit() -> None:
    examples, logits = with_logits()
    wanted = [*CLASSES[:2], PairClass("born", backwards=True)]  # and one that the student has never seen
    labels = read(examples, wanted)
    for key, part in zip(PARTS, logits):
        numpy.testing.assert_allclose(labels[key][:, :3], part[:, :3], atol=1e-5)
        numpy.testing.assert_allclose(labels[key][:, 3], part.min(axis=1), atol=1e-5)


def test_pairs_without_soft_labels_are_masked() -> None:
    examples, logits = with_logits()
    pairs = examples[0].reference.user_data[SOFT_LABELS_KEY]["pairs"]
    del pairs[2]
    labels = read(examples)
    assert labels["soft_mask"].tolist() == [1, 1, 0, 1, 1, 1, 1, 1]
    assert not any(labels[key][2].any() for key in PARTS)
    numpy.testing.assert_allclose(labels["teacher"][3], logits[0][3], atol=1e-5)


def test_docs_without_soft_labels_are_masked() -> None:
    examples, _ = with_logits()
    del examples[2].reference.user_data[SOFT_LABELS_KEY]
    assert read(examples)["soft_mask"].tolist() == [1] * 6 + [0] * 2


def test_no_soft_labels_at_all_give_none() -> None:
    assert read_soft_labels(gold_of(make_examples()), CLASSES, name="student") is None
    assert read_soft_labels(gold_of([]), CLASSES, name="student") is None


def test_new_soft_labels_replace_old_ones() -> None:
    examples, logits = with_logits()
    store_soft_labels([e.reference for e in examples], gold_of(examples).pairs, list(logits + 1), CLASSES)
    numpy.testing.assert_allclose(read(examples)["teacher"], logits[0] + 1, atol=1e-5)


def test_pairs_are_matched_by_character_offsets() -> None:
    examples, _ = with_logits()
    pairs = gold_of(examples).pairs
    assert pair_offsets(pairs, 1) == ([0, 3], [19, 25]) and pair_offsets(pairs, 7) == ([9, 12], [0, 4])
    coarse = with_entities(make_doc(["ada", "met charles", "in", "london", "."]), [(0, 1, "PER"), (3, 4, "LOC")])
    labels = read([Example(coarse, examples[0].reference)])
    assert labels["soft_mask"].tolist() == [1, 1], "whatever the tokens"
