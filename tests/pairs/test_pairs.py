"""Which pairs of entities are suggested, and in which text each is read."""

import random
import time
from collections import Counter
from dataclasses import replace
from typing import Any, List, Tuple

import numpy
import pytest
from spacy.tokens import Doc, DocBin

from spacy_relext.annotations.entities import ENTITIES_KEY, PAIRS_KEY, doc_entities
from spacy_relext.corpora.shards import Reservoir
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import AnnotatedOrAllPairs, AnnotatedPairs, EntityPairs
from tests.pairs.builders import NLP, make_doc, with_entities

WORDS = "ada met charles in london . mary wrote .".split()
ENTITIES = [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "LOC"), (6, 7, "PER")]
NESTED = "the university of oslo opened".split()


def two_sentences() -> Doc:
    return with_entities(make_doc(WORDS, starts=[0, 6]), ENTITIES)


def named(pairs: Pairs) -> List[Tuple[str, str]]:
    spans = [pairs.spans(number) for number in range(len(pairs))]
    return [(subject.text, obj.text) for subject, obj in spans]


def marked(doc: Doc, *pairs: Tuple[Any, Any]) -> Doc:
    """The Doc, with pairs of character offsets marked."""
    doc.user_data[PAIRS_KEY] = [{"subject": list(subject), "object": list(obj)} for subject, obj in pairs]
    return doc


# All pairs


def test_all_ordered_pairs_of_a_sentence() -> None:
    pairs = EntityPairs()([two_sentences()])
    names = ("ada", "charles", "london")
    assert named(pairs) == [(a, b) for a in names for b in names if a != b]
    assert pairs.text.tolist() == [[0, 6]] * 6 and pairs.doc.tolist() == [0] * 6
    assert pairs.types[:2] == [("PER", "PER"), ("PER", "LOC")]
    assert pairs.both_orders and pairs.lost == 0 and pairs.subject.dtype == pairs.text.dtype == "int64"


def test_pairs_of_a_long_text() -> None:
    """Time is linear: reading all entities for each of 10,000 sentences would take minutes."""
    sentences = 10_000
    doc = make_doc(["ada", "met", "bo", "."] * sentences, starts=[4 * n for n in range(sentences)])
    doc = with_entities(doc, [(at, at + 1, "PER") for n in range(sentences) for at in (4 * n, 4 * n + 2)])
    began = time.perf_counter()
    assert len(EntityPairs()([doc])) == 2 * sentences
    characters = [((token.idx, token.idx + 3), (token.idx + 8, token.idx + 10)) for token in list(doc)[::4]]
    pairs = AnnotatedPairs()([marked(doc, *characters)])
    assert pairs.text.tolist() == [[4 * n, 4 * n + 4] for n in range(sentences)] and time.perf_counter() - began < 20


def test_one_order_of_both() -> None:
    pairs = EntityPairs()([two_sentences()]).in_text_order()
    names = ("ada", "charles", "london")
    assert named(pairs) == [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]] and not pairs.both_orders
    as_marked = AnnotatedPairs()([marked(make_doc(WORDS), ((4, 8), (0, 3)))])
    assert named(as_marked.in_text_order()) == named(as_marked) and len(as_marked) == 1
    nested, outer = numpy.asarray([[0, 2], [0, 3]]), numpy.asarray([[0, 3], [0, 2]])
    both = replace(EntityPairs()([two_sentences()]).take([0, 1]), subject=nested, object=outer)
    assert both.both_orders and both.in_text_order().subject.tolist() == [[0, 2]]


def test_pairs_know_their_doc() -> None:
    docs = [NLP.make_doc(""), two_sentences(), make_doc(["x"]), two_sentences()]
    pairs = EntityPairs(max_distance=1)(docs)
    assert pairs.doc.tolist() == [1] * 4 + [3] * 4 and pairs.docs is docs
    assert pairs.spans(4)[0].doc is docs[3] and [span.label_ for span in pairs.spans(0)] == ["", ""]


@pytest.mark.parametrize(("tokens", "n_pairs"), [(0, 0), (1, 4), (2, 4), (3, 6), (None, 6)])
def test_tokens_between_the_two_are_limited(tokens: Any, n_pairs: int) -> None:
    assert len(EntityPairs(max_distance=tokens)([two_sentences()])) == n_pairs


def test_nested_and_overlapping_entities_come_from_the_record() -> None:
    doc = make_doc(NESTED)
    rows = [(4, 22, "ORG"), (18, 22, "LOC"), (15, 29, "X")]
    doc.user_data[ENTITIES_KEY] = [{"start": start, "end": end, "label": label} for start, end, label in rows]
    with_entities(doc, [(1, 4, "UNIVERSITY")])  # what a component set goes before what the record says
    assert doc_entities(doc) == [((1, 4), "UNIVERSITY"), ((2, 5), "X"), ((3, 4), "LOC")]
    pairs = EntityPairs(max_distance=0)([doc])
    assert len(pairs) == 6 and ("university of oslo", "oslo") in named(pairs)
    assert pairs.types[0] == ("UNIVERSITY", "X")


def test_a_span_with_two_types_is_one_entity() -> None:
    doc = make_doc(NESTED)
    doc.user_data[ENTITIES_KEY] = [{"start": 18, "end": 22, "label": label} for label in ("LOC", "GPE")]
    assert len(doc_entities(doc)) == 1 and len(EntityPairs()([doc])) == 0


@pytest.mark.parametrize("suggest", [EntityPairs(), AnnotatedPairs(), AnnotatedOrAllPairs()])
@pytest.mark.parametrize(
    "docs", [[], [NLP.make_doc("")], [make_doc(WORDS)], [with_entities(make_doc(WORDS, starts=[0, 6]), ENTITIES[:1])]]
)
def test_nothing_to_suggest(suggest: Any, docs: Any) -> None:
    pairs = suggest(docs)
    assert len(pairs) == 0 and pairs.types == [] and pairs.lost == 0
    assert pairs.doc.shape == (0,) and pairs.text.shape == pairs.subject.shape == pairs.object.shape == (0, 2)


def test_without_sentence_marks_the_doc_is_the_text() -> None:
    pairs = EntityPairs()([with_entities(make_doc(WORDS), ENTITIES)])
    assert len(pairs) == 12 and pairs.text.tolist() == [[0, 9]] * 12


def test_an_entity_across_a_boundary_stands_in_no_sentence() -> None:
    doc = with_entities(make_doc(WORDS, starts=[0, 3]), [(0, 1, "PER"), (2, 4, "X"), (4, 5, "LOC")])
    assert len(EntityPairs()([doc])) == 0


def test_two_mentions_of_one_id_are_no_pair() -> None:
    pairs = EntityPairs()([linked("Q1", "Q1", "Q2", "Q1")])
    assert named(pairs) == [("ada", "london"), ("charles", "london"), ("london", "ada"), ("london", "charles")]
    assert len(EntityPairs()([linked("", "", "Q2", "NIL")])) == len(EntityPairs()([two_sentences()]))


def linked(*ids: str) -> Doc:
    """The entities of two sentences, linked."""
    doc = two_sentences()
    for ent, kb_id in zip(doc.ents, ids):
        for token in ent:
            token.ent_kb_id_ = kb_id
    return doc


# Marked pairs, or all


def test_a_doc_without_marks_has_each_pair_once() -> None:
    docs = [two_sentences(), marked(two_sentences(), ((19, 25), (0, 3))), two_sentences(), marked(two_sentences())]
    pairs = AnnotatedOrAllPairs()(docs)
    every = [("ada", "charles"), ("ada", "london"), ("charles", "london")]
    assert named(pairs) == [*every, ("london", "ada"), *every]
    assert pairs.doc.tolist() == [0, 0, 0, 1, 2, 2, 2] and not pairs.both_orders and pairs.docs is docs


def test_the_order_may_be_that_of_the_ids() -> None:
    suggest = AnnotatedOrAllPairs(order="id")
    assert named(suggest([linked("Q3", "Q1", "Q2")])) == [("charles", "ada"), ("charles", "london"), ("london", "ada")]
    assert named(suggest([linked("Q3", "", "Q2")])) == [("ada", "charles"), ("charles", "london"), ("london", "ada")]
    assert named(suggest([linked("Q3", "Q2", "Q2")])) == [("charles", "ada"), ("london", "ada")]
    with pytest.raises(ValueError, match=r"R007.*order.*'both'.*text"):
        AnnotatedOrAllPairs(order="both")


# Marked pairs


def test_marked_pairs_keep_their_order_and_take_the_types_of_exact_spans() -> None:
    doc = marked(two_sentences(), ((19, 25), (0, 3)), ((0, 3), (4, 18)))
    pairs = AnnotatedPairs()([doc])
    assert named(pairs) == [("london", "ada"), ("ada", "met charles in")]
    assert pairs.types == [("LOC", "PER"), ("PER", "")]
    assert not pairs.both_orders and pairs.lost == 0


def test_a_marked_pair_across_sentences_reads_them_all() -> None:
    doc = marked(make_doc(WORDS, starts=[0, 3, 6]), ((28, 32), (0, 3)), ((0, 3), (4, 7)), ((8, 18), (28, 32)))
    assert [span.text for span in doc.sents] == ["ada met charles", "in london .", "mary wrote ."]
    pairs = AnnotatedPairs()([doc])
    assert named(pairs)[2] == ("charles in", "mary")
    assert pairs.text.tolist() == [[0, 9], [0, 3], [0, 9]]


def test_marked_pairs_that_cannot_be_read_are_counted() -> None:
    same, outside, good = ((0, 2), (1, 3)), ((0, 3), (500, 510)), ((0, 3), (4, 7))
    pairs = AnnotatedPairs()([marked(two_sentences(), same, outside, good), marked(two_sentences(), same)])
    assert named(pairs) == [("ada", "met")] and pairs.lost == 3


def test_a_pair_marked_on_an_empty_text_is_counted() -> None:
    assert AnnotatedPairs()([marked(NLP.make_doc(""), ((0, 1), (2, 3)))]).lost == 1


def test_marked_pairs_survive_a_file() -> None:
    doc = marked(two_sentences(), ((19, 25), (0, 3)))
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    docs = list(DocBin(store_user_data=True).from_bytes(data).get_docs(NLP.vocab))
    assert named(AnnotatedPairs()(docs)) == [("london", "ada")]


# Pairs


def test_some_of_the_pairs() -> None:
    pairs = EntityPairs()([make_doc(["x"]), two_sentences()])
    some = pairs.take([5, 0])
    assert named(some) == [("london", "charles"), ("ada", "charles")] and some.docs is pairs.docs
    assert some.types == [("LOC", "PER"), ("PER", "PER")] and some.doc.tolist() == [1, 1]
    assert some.text.tolist() == [[0, 6], [0, 6]]


def test_none_of_the_pairs() -> None:
    pairs = AnnotatedPairs()([marked(two_sentences(), ((19, 25), (0, 3)), ((0, 1), (1, 2)))])
    none = pairs.take([])
    assert len(none) == 0 and none.subject.shape == (0, 2) and none.types == []
    assert not none.both_orders and none.lost == 1


# Registered


def test_suggesters_check_their_settings() -> None:
    for key in ("max_distance", "max_pairs"):
        with pytest.raises(ValueError, match=f"R007.*{key}.*-1"):
            EntityPairs(**{key: -1})
    assert len(EntityPairs(max_distance=0)([two_sentences()])) == 0
    assert len(AnnotatedPairs()([marked(two_sentences(), ((19, 25), (0, 3)))])) == 1


def test_docs_without_a_pair_are_left_out() -> None:
    docs = [two_sentences() for _ in range(3)]
    pairs = EntityPairs()(docs)
    some = pairs.take([n for n, doc in enumerate(pairs.doc.tolist()) if doc != 1]).with_own_docs()
    assert list(some.docs) == [docs[0], docs[2]] and set(some.doc.tolist()) == {0, 1}
    assert some.spans(len(some) - 1)[0].doc is docs[2]
    assert not pairs.take([]).with_own_docs().docs


def test_every_item_of_a_stream_is_sampled_as_often() -> None:
    draw, counts = random.Random(0).randrange, Counter[int]()
    for _ in range(2_000):
        reservoir = Reservoir[int](3, draw)
        for item in range(10):
            place = reservoir.next_place()
            if place is not None:
                reservoir.items[place : place + 1] = [item]
        assert len(reservoir) == 3 and reservoir.seen == 10
        counts.update(reservoir.items)
    assert all(count == pytest.approx(600, abs=80) for count in counts.values()) and len(counts) == 10
