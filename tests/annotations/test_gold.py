"""Gold triples found again in the tokens and windows of predicted Docs."""

import numpy
from spacy.tokens import Doc

from spacy_relext import set_triples
from spacy_relext.annotations.store import TokenTriple, align_triples
from spacy_relext.rere.windows import gold_windows, label_matrix, make_windows
from tests.pairs.builders import NLP, make_doc, make_example

WORDS = "ada lovelace met charles in london . mary wrote .".split()


def test_other_tokens_same_characters() -> None:
    coarse = make_doc(["ada lovelace", "met", "char", "les"], spaces=[True, True, False, True])
    example = make_example(coarse, [((0, 2), "r", (3, 4))], reference=make_doc(WORDS[:4]))
    assert align_triples(coarse, example.reference) == [TokenTriple((0, 0), "r", (2, 3))]


def test_arguments_inside_tokens_are_widened() -> None:
    doc = make_doc(WORDS)
    reference = doc.copy()
    set_triples(reference, [((1, 8), "r", (18, 20))])
    assert align_triples(doc, reference) == [TokenTriple((0, 1), "r", (3, 3))]


def test_arguments_that_become_one_span_are_left_out_and_counted() -> None:
    merged = make_doc(["ada lovelace", "met"])
    example = make_example(merged, [((0, 1), "r", (1, 2))], reference=make_doc(WORDS[:3]))
    assert align_triples(merged, example.reference) == []
    assert gold_windows(make_windows([merged], max_length=9, stride=9), [example]).lost == 1


def test_predictions_of_others_are_not_gold() -> None:
    doc = make_doc(WORDS)
    example = make_example(doc, [((0, 1), "r", (3, 4))], source="other")
    assert align_triples(doc, example.reference) == []
    assert gold_windows(make_windows([doc], max_length=9, stride=9), [example]).lost == 0


def test_not_annotated_and_empty() -> None:
    assert align_triples(make_doc(WORDS), make_doc(WORDS)) == []
    assert align_triples(NLP.make_doc(""), NLP.make_doc("")) == []


def test_each_window_gets_its_triples_in_its_own_tokens() -> None:
    doc = make_doc(WORDS, starts=[0, 7])
    gold = [((0, 2), "met", (3, 4)), ((7, 8), "wrote", (8, 9)), ((3, 4), "crossing", (7, 8))]
    docs = [NLP.make_doc(""), doc]
    examples = [make_example(docs[0], []), make_example(doc, gold)]
    found = gold_windows(make_windows(docs, max_length=10, stride=5), examples)
    assert found.triples == [[TokenTriple((0, 1), "met", (3, 3))], [TokenTriple((0, 0), "wrote", (1, 1))]]
    assert found.lost == 1


def test_overlapping_windows_share_triples() -> None:
    doc = make_doc(WORDS)
    gold = [((2, 3), "r", (3, 4)), ((0, 1), "far", (9, 10))]
    windows = make_windows([doc], max_length=4, stride=2)
    found = gold_windows(windows, [make_example(doc, gold)])
    assert windows.start.tolist() == [0, 2, 4, 6]
    assert found.triples == [[TokenTriple((2, 2), "r", (3, 3))], [TokenTriple((0, 0), "r", (1, 1))], [], []]
    assert found.lost == 1


def test_sentences_of_the_predicted_doc_count() -> None:
    doc = make_doc(WORDS, starts=[0, 3])
    reference: Doc = make_doc(WORDS, starts=[0, 7])
    found = gold_windows(
        make_windows([doc], max_length=20, stride=10),
        [make_example(doc, [((0, 1), "r", (5, 6)), ((3, 4), "s", (5, 6))], reference=reference)],
    )
    assert found.lost == 1 and [len(triples) for triples in found.triples] == [0, 1]


def test_label_matrix() -> None:
    doc = make_doc(WORDS, starts=[0, 7])
    gold = [((0, 1), "b", (3, 4)), ((0, 1), "b", (5, 6)), ((7, 8), "a", (8, 9)), ((7, 8), "unknown", (8, 9))]
    found = gold_windows(make_windows([doc], max_length=10, stride=5), [make_example(doc, gold)])
    matrix = label_matrix(found, ["a", "b", "c"])
    assert matrix.dtype == numpy.float32 and matrix.tolist() == [[0, 1, 0], [1, 0, 0]]
