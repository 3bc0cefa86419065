from typing import List, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.kb.alignment import Aligner, align_docs, text_names
from spacy_relext.kb.kb import Entity, Fact, KnowledgeBase

NLP = spacy.blank("en")
KB = KnowledgeBase(
    [
        Entity("l:low", "Lowlands", "PLACE", ("The Lowlands", "Lowlandish")),
        Entity("l:mor", "Morvik", "PLACE"),
        Entity("o:uni", "University of Morvik", "ORG"),
        Entity("o:who", "Harbour Board", "ORG", ("Board",)),
        Entity("p:ada", "Ada Holm", "PERSON", ("Holm",)),
        Entity("p:bo", "Bo Holm", "PERSON", ("Holm",)),
        Entity("w:sea", "The Grey Sea", "WORK"),
    ],
    [
        Fact("l:mor", "located_in", "l:low"),
        Fact("p:ada", "spouse", "p:bo"),
        Fact("p:ada", "place_of_birth", "l:mor"),
        Fact("p:ada", "place_of_death", "l:mor"),
        Fact("p:bo", "educated_at", "o:uni"),
        Fact("w:sea", "author", "p:bo"),
    ],
)
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
    assert text_names(KB["l:low"]) == ["Lowlands", "Lowlandish"]
    assert text_names(KB["w:sea"]) == ["The Grey Sea"]
    assert found("The Lowlands include Morvik.") == [("Morvik", "located_in", "Lowlands")]


def test_sentences_are_apart() -> None:
    doc = NLP.make_doc("Ada Holm slept. Morvik did not.")
    for token in doc:
        token.is_sent_start = token.text in ("Ada", "Morvik")
    (alignment,), counts = ALIGNER.align([doc])
    assert alignment.triples == [] and counts["sentences"] == 2 and len(alignment.mentions) == 2


def test_counts_and_empty_input() -> None:
    docs = [NLP.make_doc(text) for text in ("Ada Holm loved Morvik.", "", "Nobody.")]
    triples, counts = align_docs(docs, kb=KB, tokenizer=NLP.make_doc)
    assert [len(part) for part in triples] == [2, 0, 0]
    assert (counts["docs"], counts["triples"], counts["pairs_with_facts"], counts["entity_pairs"]) == (3, 2, 1, 2)
    assert Aligner(KnowledgeBase([], []), tokenizer=NLP.make_doc)(docs[0]).triples == []


NAMES = [name for entity in KB.entities for name in entity.names]


@given(st.lists(st.sampled_from([*NAMES, "met", "and", ",", "the", "in"]), max_size=12))
def test_labels_follow_from_the_mentions(words: List[str]) -> None:
    doc = NLP.make_doc(" ".join(words))
    alignment = ALIGNER(doc)
    ids = {(m.start, m.end): m.entity_id for m in alignment.mentions}
    assert all(doc.text[start:end] in KB[entity_id].names for (start, end), entity_id in ids.items())
    seen = set()
    for triple in alignment.triples:
        subject, obj = tuple(triple["subject"]), tuple(triple["object"])
        pair = {ids[subject], ids[obj]}
        assert len(pair) == 2
        facts = {(f.subject, f.object) for f in KB.facts if f.relation == triple["relation"]}
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
