"""Bags: which mentions belong together."""

from typing import List, Tuple

import numpy
import pytest
import spacy
from spacy.tokens import Doc

from spacy_relext.annotations.entities import ENTITIES_KEY, entity_links
from spacy_relext.hrere.bags import gather_bags, union_of
from spacy_relext.pairs.suggesters import EntityPairs

NLP = spacy.blank("en")
SUGGEST = EntityPairs()


def linked(text: str, *links: Tuple[str, str]) -> Doc:
    """A Doc of sentences with "." whose names are linked."""
    doc = NLP.make_doc(text)
    for token in doc:
        token.is_sent_start = token.i == 0 or doc[token.i - 1].text == "."
    spans = [
        doc.char_span(at, at + len(name), label="X", kb_id=link) for name, link in links for at in _places(text, name)
    ]
    doc.set_ents(sorted(spans, key=lambda span: span.start))
    return doc


def _places(text: str, name: str) -> List[int]:
    return [at for at in range(len(text)) if text.startswith(name, at)]


def test_mentions_of_a_pair_are_one_bag() -> None:
    doc = linked("Ada saw Rome . Bob left . Ada left Rome .", ("Ada", "Q1"), ("Rome", "Q2"), ("Bob", "Q3"))
    bags = gather_bags(SUGGEST([doc]))
    assert bags.ids == [("Q1", "Q2"), ("Q2", "Q1")]
    assert bags.bag.tolist() == [0, 0, 1, 1] and bags.starts().tolist() == [0, 2, 4]
    assert [str(bags.pairs.spans(row)[0].sent) for row in (0, 1)] == ["Ada saw Rome .", "Ada left Rome ."]
    assert bags.order.tolist() == [0, 2, 1, 3]


def test_bags_end_with_their_doc_unless_asked() -> None:
    docs = [linked("Ada saw Rome .", ("Ada", "Q1"), ("Rome", "Q2")) for _ in range(2)]
    assert len(gather_bags(SUGGEST(docs))) == 4
    across = gather_bags(SUGGEST(docs), across=True)
    assert len(across) == 2 and across.pairs.doc.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("link", ["", "NIL"])
def test_what_is_not_linked_is_a_bag_by_itself(link: str) -> None:
    doc = linked("Ada saw Rome . Ada left Rome .", ("Ada", link), ("Rome", "Q2"))
    bags = gather_bags(SUGGEST([doc]), across=True)
    assert len(bags) == 4 and set(bags.ids) == {("", "Q2"), ("Q2", "")}


def test_links_of_entities_that_overlap_others() -> None:
    doc = linked("Ada saw Rome .", ("Ada", "Q1"))
    doc.user_data[ENTITIES_KEY] = [
        {"start": 8, "end": 12, "label": "X", "kb_id": "Q2"},
        {"start": 0, "end": 3, "label": "X"},
    ]
    assert entity_links(doc) == {(0, 1): "Q1", (2, 3): "Q2"}


def test_parts_never_cut_a_bag() -> None:
    text = " ".join(["Ada saw Rome .", "Bob saw Rome ."] * 3)
    bags = gather_bags(SUGGEST([linked(text, ("Ada", "Q1"), ("Rome", "Q2"), ("Bob", "Q3"))]))
    for cells in (1, 20, 30, 1000):
        parts = list(bags.parts(cells))
        assert [link for part in parts for link in part.ids] == bags.ids
        assert numpy.concatenate([part.order for part in parts]).tolist() == bags.order.tolist()
        for part in parts:
            assert part.bag[0] == 0 and part.starts().tolist()[-1] == len(part.pairs)
            assert len(part) == 1 or 4 * len(part.pairs) <= cells
    assert not list(gather_bags(SUGGEST([NLP("Nothing")])).parts(10))


def test_what_is_said_of_one_mention_is_said_of_its_bag() -> None:
    bags = gather_bags(SUGGEST([linked("Ada saw Rome . Ada left Rome .", ("Ada", "Q1"), ("Rome", "Q2"))]))
    said = [set() if row else {"visited"} for row in range(4)]
    assert union_of(said, bags) == [{"visited"}, set()]
