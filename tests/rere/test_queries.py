"""Sequences of a relation and a sentence."""

from typing import Any, List

import numpy

from spacy_relext.rere.queries import cut_queries
from spacy_relext.rere.windows import make_windows
from tests.pairs.builders import NLP, PIECES, make_doc, wordpiece_tokenizer


def cut(words: List[str], relation: Any, **options: Any) -> Any:
    windows = make_windows([make_doc(words)], max_length=100, stride=50)
    rows = numpy.zeros(1 if relation is None else len(relation), dtype="int64")
    options = {"max_pieces": 12, **options}
    return cut_queries(windows, rows, relation, ["met in", "love"], wordpiece_tokenizer(), **options)


def sequences(arguments: Any) -> List[str]:
    rows = [(row, mask) for ids, masks in zip(arguments["ids"], arguments["masks"]) for row, mask in zip(ids, masks)]
    return [" ".join(PIECES[piece] for piece in row[mask]) for row, mask in rows]


def test_a_relation_before_the_sentence() -> None:
    arguments, truncated = cut("Ada lovelace .".split(), numpy.asarray([1, 0]))
    assert truncated == 0
    assert sequences(arguments) == [
        "[CLS] love [SEP] ada love ##lace . [SEP]",
        "[CLS] met in [SEP] ada love ##lace . [SEP]",
    ]
    assert [segments.tolist() for segments in arguments["segments"]] == [
        [[0, 0, 0, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1, 1]]
    ]
    ids = arguments["ids"][0].ravel()
    assert [PIECES[ids[cell]] for cell in arguments["first"]] == ["ada", "love", "."] * 2
    assert [PIECES[ids[cell]] for cell in arguments["last"]] == ["ada", "##lace", "."] * 2
    assert [PIECES[ids[cell]] for cell in arguments["cls"]] == ["[CLS]"] * 2
    assert arguments["index"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_sentence_alone() -> None:
    arguments, _ = cut(["ada", "met"], None)
    assert sequences(arguments) == ["[CLS] ada met [SEP]"]


def test_tokens_that_do_not_fit_are_masked_and_counted() -> None:
    arguments, truncated = cut(["ada"] * 6, numpy.asarray([1]), max_pieces=8)
    assert sequences(arguments) == ["[CLS] love [SEP] ada ada ada ada [SEP]"]
    assert truncated == 2 and arguments["index"].tolist() == [[0, 1, 2, 3, -1, -1]]


def test_no_rows() -> None:
    windows = make_windows([NLP.make_doc("")], max_length=10, stride=5)
    nothing = numpy.zeros(0, dtype="int64")
    arguments, truncated = cut_queries(windows, nothing, nothing, ["love"], wordpiece_tokenizer(), max_pieces=12)
    assert (
        truncated == 0 and arguments["ids"] == [] and arguments["index"].shape == (0, 0) and len(arguments["cls"]) == 0
    )
