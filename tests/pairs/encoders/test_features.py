"""What the layers above an encoder read of pairs, in the order of the pairs."""

from typing import Any, List

import numpy
import pytest
import torch
from spacy.tokens import Doc

from spacy_relext.annotations.entities import ENTITIES_KEY, PAIRS_KEY
from spacy_relext.pairs.encoders.features import (
    FAR,
    PairBatch,
    distances,
    graph_arrays,
    piece_arrays,
    token_tags,
    token_types,
)
from spacy_relext.pairs.encoders.pieces import OBJECT, SUBJECT, cut_pairs
from spacy_relext.pairs.encoders.states import clip_distance
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs, EntityPairs
from tests.pairs.builders import NLP, make_doc, with_entities, wordpiece_tokenizer

TYPES, TAGS = ["LOC", "PER"], ["NN", "VB"]
LOC, PER = 1, 2


def parsed(words: str, heads: List[int], tags: List[str], entities: Any) -> Doc:
    names = words.split()
    return with_entities(Doc(NLP.vocab, words=names, heads=heads, deps=["dep"] * len(names), tags=tags), entities)


def long_doc() -> Doc:
    """in → london → met ← charles, ada → met"""
    entities = [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "LOC")]
    return parsed("ada met charles in london", [1, 1, 1, 4, 1], ["NN", "VB", "NN", "IN", "NN"], entities)


def short_doc() -> Doc:
    return parsed("lovelace slept", [1, 1], ["NN", "VB"], [(0, 1, "PER"), (1, 2, "X")])


def some_pairs() -> Pairs:
    """Of two Docs of different length with an empty one between them, not in the order of length."""
    return EntityPairs()([long_doc(), NLP.make_doc(""), short_doc()]).take([1, 6, 4])


def test_the_shorter_of_overlapping_entities_gives_the_type() -> None:
    doc = make_doc("the university of oslo opened in may".split())
    rows = [(18, 22, "LOC"), (4, 22, "ORG"), (33, 36, "DATE")]
    doc.user_data[ENTITIES_KEY] = [{"start": start, "end": end, "label": label} for start, end, label in rows]
    assert token_types(doc, ["LOC", "ORG"]).tolist() == [0, 2, 2, 1, 0, 0, 0]
    assert token_types(doc, ["ORG"]).tolist() == [0, 1, 1, 0, 0, 0, 0], "a type that is not known is none"
    assert token_types(NLP.make_doc(""), TYPES).shape == (0,)


def test_tags() -> None:
    assert token_tags(long_doc(), TAGS).tolist() == [1, 2, 1, 0, 1]
    assert token_tags(make_doc(["ada"]), TAGS).tolist() == [0] and token_tags(NLP.make_doc(""), TAGS).shape == (0,)


def test_rows_of_distances_on_worked_numbers() -> None:
    roles = numpy.zeros((1, 12), dtype="int64")
    roles[0, 3:5] = SUBJECT
    rows = clip_distance(torch.tensor(distances(roles, SUBJECT)))
    assert rows[0].tolist() == [97, 98, 99, 100, 100, 101, 102, 103, 104, 105, 106, 107]


def test_distances_by_hand() -> None:
    roles = numpy.asarray([[0, 1, 1, 0, 2, 0], [2, 0, 3, 1, 0, 0], [1, 2, 1, 0, 0, 0]])
    assert distances(roles, SUBJECT).tolist() == [[-1, 0, 0, 1, 2, 3], [-2, -1, 0, 0, 1, 2], [0, 0, 0, 1, 2, 3]]
    assert distances(roles, OBJECT).tolist() == [[-4, -3, -2, -1, 0, 1], [0, 0, 0, 1, 2, 3], [-1, 0, 1, 2, 3, 4]]


def test_without_the_role_all_is_far() -> None:
    assert distances(numpy.asarray([[0, 1, 0]]), OBJECT).tolist() == [[FAR] * 3]
    assert distances(numpy.zeros((0, 4), dtype="int64"), OBJECT).shape == (0, 4)
    assert distances(numpy.zeros((0, 0), dtype="int64"), OBJECT).shape == (0, 0)


@pytest.mark.parametrize("batch_pieces", [1, 500])
def test_pieces_in_the_order_of_the_pairs(batch_pieces: int) -> None:
    pairs = some_pairs()
    pieces = cut_pairs(pairs, wordpiece_tokenizer(), max_pieces=32, batch_pieces=batch_pieces)
    found = piece_arrays(pieces, PairBatch(pairs, TYPES))
    # [CLS] ada met charles in lon ##don [SEP] and [CLS] love ##lace s ##l ##e ##p ##t [SEP]
    long = [0, PER, 0, PER, 0, LOC, LOC, 0, 0]
    assert found["types"].tolist() == [long, [0, PER, PER, 0, 0, 0, 0, 0, 0], long]
    assert found["to_subject"].tolist() == [
        [-1, 0, 1, 2, 3, 4, 5, 6, 7],  # ada
        [-1, 0, 0, 1, 2, 3, 4, 5, 6],  # lovelace
        [-5, -4, -3, -2, -1, 0, 0, 1, 2],  # london
    ]
    assert found["to_object"][:, 1].tolist() == [-4, -2, 0]
    assert found["positions"].tolist()[1] == [-1, 0, 0, 1, 1, 1, 1, 1, -1]
    assert {array.dtype for array in found.values()} == {numpy.dtype("int64")}


@pytest.mark.parametrize("docs", [[], [NLP.make_doc("")], [make_doc(["ada"])]])
def test_no_pairs(docs: Any) -> None:
    batch = PairBatch(EntityPairs()(docs), TYPES, TAGS)
    pieces = piece_arrays(cut_pairs(batch.pairs, wordpiece_tokenizer(), max_pieces=16), batch)
    assert [array.shape for array in pieces.values()] == [(0, 0)] * 4 and len(batch) == 0
    graph, chains = graph_arrays(batch, distance=1)
    assert chains == 0 and graph["edges"].shape == (0, 3)
    assert {name: array.shape for name, array in graph.items() if name != "edges"} == dict.fromkeys(
        ["index", "tags", "types", "roles", "pooled", "to_subject", "to_object", "positions"], (0, 1)
    )


def test_tokens_in_the_order_of_the_pairs() -> None:
    found, chains = graph_arrays(PairBatch(some_pairs(), TYPES, TAGS), distance=1)
    # the pairs: ada and london, lovelace and slept, london and ada
    assert chains == 0
    assert found["index"].tolist() == [[0, 1, 2, 3, 4], [5, 6, -1, -1, -1], [0, 1, 2, 3, 4]]
    assert found["tags"].tolist() == [[1, 2, 1, 0, 1], [1, 2, 0, 0, 0], [1, 2, 1, 0, 1]]
    assert found["types"].tolist() == [[PER, 0, PER, 0, LOC], [PER, 0, 0, 0, 0], [PER, 0, PER, 0, LOC]]
    assert found["roles"].tolist() == [[1, 0, 0, 0, 2], [1, 2, 0, 0, 0], [2, 0, 0, 0, 1]]
    assert found["to_subject"][:, 1].tolist() == [1, 1, -3] and found["to_object"][:, 1].tolist() == [-3, 0, 1]


def test_pruned_trees_in_the_order_of_the_pairs() -> None:
    batch = PairBatch(some_pairs(), TYPES, TAGS)
    near, _ = graph_arrays(batch, distance=0)
    assert near["pooled"].tolist() == [[True, True, False, False, True], [True] * 2 + [False] * 3] + [
        [True, True, False, False, True]
    ]
    assert near["edges"].tolist() == [[0, 0, 1], [0, 4, 1], [1, 0, 1], [2, 0, 1], [2, 4, 1]]
    wide, _ = graph_arrays(batch, distance=1)
    assert wide["pooled"].sum(1).tolist() == [5, 2, 5] and len(wide["edges"]) == 4 + 1 + 4


def test_tokens_of_both_arguments() -> None:
    doc = make_doc(["university", "of", "oslo"])
    doc.user_data[ENTITIES_KEY] = [{"start": 0, "end": 18, "label": "ORG"}, {"start": 14, "end": 18, "label": "LOC"}]
    found, _ = graph_arrays(PairBatch(EntityPairs()([doc])), distance=1)
    assert found["roles"].tolist() == [[1, 1, 3], [2, 2, 3]]
    assert not found["types"].any() and not found["tags"].any(), "nothing is known"


def test_a_text_without_a_parse_is_a_chain_and_counted() -> None:
    bare = with_entities(make_doc(["ada", "met", "charles", "."]), [(0, 1, "PER"), (2, 3, "PER")])
    found, chains = graph_arrays(PairBatch(EntityPairs()([bare, long_doc()])), distance=0)
    assert chains == 2
    assert found["pooled"][:2].tolist() == [[True] * 4 + [False]] * 2, "of a chain nothing is pruned"
    assert found["edges"][:3].tolist() == [[0, 1, 0], [0, 2, 1], [0, 3, 2]]
    assert found["pooled"][2].sum() == 3


def test_texts_are_parts_of_their_docs() -> None:
    doc = parsed(
        "ada met charles ada slept", [1, 1, 1, 4, 4], ["NN"] * 5, [(0, 1, "PER"), (2, 3, "PER"), (3, 4, "PER")]
    )
    doc.user_data[PAIRS_KEY] = [{"subject": [0, 3], "object": [8, 15]}, {"subject": [16, 19], "object": [0, 3]}]
    pairs = AnnotatedPairs()([doc])
    assert pairs.text.tolist() == [[0, 3], [0, 5]]
    found, _ = graph_arrays(PairBatch(pairs, TYPES), distance=0)
    assert numpy.flatnonzero(found["pooled"][1]).tolist() == [0, 1, 3, 4], "trees are joined at their roots"
    assert found["index"][0].tolist() == found["positions"][0].tolist() == [0, 1, 2, -1, -1]
