from typing import List, Tuple

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.kb.alignment import Aligner, text_names
from spacy_relext.kb.facts import FactIndex, Names, TripleStore

NLP = spacy.blank("en")
ENTITIES = {
    "l:low": Names("Lowlands", ("The Lowlands", "Lowlandish"), ("PLACE",)),
    "l:mor": Names("Morvik", (), ("PLACE",)),
    "o:uni": Names("University of Morvik", (), ("ORG",)),
    "o:who": Names("Harbour Board", ("Board",), ("ORG",)),
    "p:ada": Names("Ada Holm", ("Holm",), ("PERSON",)),
    "p:bo": Names("Bo Holm", ("Holm",), ("PERSON",)),
    "w:sea": Names("The Grey Sea", (), ("WORK",)),
}
FACTS = [
    ("l:mor", "located_in", "l:low"),
    ("p:ada", "place_of_birth", "l:mor"),
    ("p:ada", "place_of_death", "l:mor"),
    ("p:ada", "spouse", "p:bo"),
    ("p:bo", "educated_at", "o:uni"),
    ("w:sea", "author", "p:bo"),
]


def index_of(facts: List[Tuple[str, str, str]]) -> FactIndex:
    ids, relations = sorted(ENTITIES), sorted({relation for _, relation, _ in facts})
    rows = [(ids.index(subject), relations.index(name), ids.index(obj)) for subject, name, obj in facts]
    triples = numpy.asarray(rows, dtype="int32").reshape(-1, 3)
    return FactIndex(TripleStore(ids, relations, triples, names=ENTITIES))


KB = index_of(FACTS)
ALIGNER = Aligner(KB, tokenizer=NLP.make_doc)


def found(text: str) -> List[Tuple[str, str, str]]:
    triples = ALIGNER(NLP.make_doc(text)).triples
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in triples]


def test_every_relation_of_a_pair() -> None:
    assert found("Ada Holm loved Morvik.") == [
        ("Ada Holm", "place_of_birth", "Morvik"),
        ("Ada Holm", "place_of_death", "Morvik"),
    ]


def test_longest_name_wins_and_case_counts() -> None:
    assert found("Bo Holm left the University of Morvik.") == [("Bo Holm", "educated_at", "University of Morvik")]
    assert found("ada holm was seen in morvik.") == []


@pytest.mark.parametrize("text", ["Ada Holm and Bo Holm danced.", "Bo Holm and Ada Holm danced."])
def test_spouse_goes_from_the_first_to_the_second(text: str) -> None:
    first, second = text[:-8].split(" and ")
    assert found(text) == [(first, "spouse", second)]


def test_ambiguous_name_takes_the_candidate_with_facts() -> None:
    assert found("The Grey Sea, by Holm, sank.") == [("The Grey Sea", "author", "Holm")]
    assert ALIGNER(NLP.make_doc("Holm slept.")).mentions[0].entity_id == "p:ada"
    assert ALIGNER.align([NLP.make_doc("Holm slept.")])[1]["ambiguous_mentions"] == 1


def test_nearest_mentions() -> None:
    doc = NLP.make_doc(
        "Morvik, so grey, so cold and far away, was home, and Bo Holm knew it; the Lowlands hold Morvik."
    )
    triple = ALIGNER(doc).triples[0]
    assert triple["relation"] == "located_in" and doc.text[slice(*triple["object"])] == "Lowlands"
    assert triple["subject"] == [doc.text.rindex("Morvik"), doc.text.rindex("Morvik") + 6]


def test_article_belongs_to_the_sentence() -> None:
    assert text_names(KB["l:low"].all) == ["Lowlands", "Lowlandish"]
    assert text_names(KB["w:sea"].all) == ["The Grey Sea"]
    assert found("The Lowlands include Morvik.") == [("Morvik", "located_in", "Lowlands")]


def test_sentences_are_apart() -> None:
    doc = NLP.make_doc("Ada Holm slept. Morvik did not.")
    for token in doc:
        token.is_sent_start = token.text in ("Ada", "Morvik")
    (alignment,), counts = ALIGNER.align([doc])
    assert alignment.triples == [] and counts["sentences"] == 2 and len(alignment.mentions) == 2


def test_counts_and_empty_input() -> None:
    docs = [NLP.make_doc(text) for text in ("Ada Holm loved Morvik.", "", "Nobody.")]
    alignments, counts = ALIGNER.align(docs)
    assert [len(alignment.triples) for alignment in alignments] == [2, 0, 0]
    assert (counts["sentences"], counts["triples"], counts["pairs_with_facts"], counts["entity_pairs"]) == (2, 2, 1, 2)
    assert Aligner(index_of([]), tokenizer=NLP.make_doc)(docs[0]).triples == []


NAMES = [name for entity_id in ENTITIES for name in KB[entity_id].all]


@given(st.lists(st.sampled_from([*NAMES, "met", "and", ",", "the", "in"]), max_size=12))
def test_labels_follow_from_the_mentions(words: List[str]) -> None:
    doc = NLP.make_doc(" ".join(words))
    alignment = ALIGNER(doc)
    ids = {(m.start, m.end): m.entity_id for m in alignment.mentions}
    assert all(doc.text[start:end] in KB[entity_id].all for (start, end), entity_id in ids.items())
    seen = set()
    for triple in alignment.triples:
        subject, obj = tuple(triple["subject"]), tuple(triple["object"])
        pair = {ids[subject], ids[obj]}
        assert len(pair) == 2
        facts = {(one, two) for one, name, two in FACTS if name == triple["relation"]}
        if triple["relation"] == "spouse":
            assert subject < obj and ((ids[subject], ids[obj]) in facts or (ids[obj], ids[subject]) in facts)
        else:
            assert (ids[subject], ids[obj]) in facts
        seen.add((ids[subject], triple["relation"], ids[obj]))
    assert len(seen) == len(alignment.triples)


def test_a_name_is_not_found_across_texts_nor_cut_off() -> None:
    texts = ["She is Ada", "Holm slept. University of Morvik", "The Grey"]
    (first, second, third), _ = ALIGNER.align([NLP.make_doc(text) for text in texts])
    assert not first.mentions and not third.mentions
    assert [(m.start, m.end) for m in second.mentions] == [(0, 4), (12, 32)]
