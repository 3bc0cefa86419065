"""What clusters are called."""

import math

import pytest
import spacy
from spacy.tokens import Span

from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.selfore.names import count_ngrams, name_clusters, name_types, rank_ngrams, words_between

GAPS = [
    tuple(text.split())
    for text in (
        "is the capital of",
        "is the capital city of",
        "capital of",
        ",",
        "the capital of",
        "is capital of",
        "was the first capital of",
    )
]
STOP = {"is", "the", "of", "was"}


def test_the_worked_example() -> None:
    counts = count_ngrams(GAPS)
    assert counts[("capital",)] == counts[("of",)] == 6 and counts[("capital", "of")] == 5
    first, second, *_ = rank_ngrams(counts, texts=7, stop=STOP)
    assert (first.words, first.texts) == (("capital", "of"), 5) and second.words == ("capital",)
    assert first.score == pytest.approx(0.784723, abs=1e-6) and second.score == pytest.approx(0.594126, abs=1e-6)


def test_equals_and_words_that_say_nothing() -> None:
    ranked = rank_ngrams(count_ngrams([("b",), ("a",)]), texts=2)
    assert [each.words for each in ranked] == [("a",), ("b",)]
    assert rank_ngrams(count_ngrams([("of", "the"), (",", "is")]), texts=2, stop=STOP) == []
    assert count_ngrams([("a", "a", "a")])[("a",)] == 1


def test_what_all_clusters_say_names_none() -> None:
    gaps = [*[("said", "founder")] * 3, *[("said", "mayor")] * 3, *[("once", ",")] * 2, (), ("rare",)]
    names = name_clusters(gaps, [0, 0, 0, 1, 1, 1, 2, 2, 1, -1], count=3)
    assert names[0][0].words == ("said", "founder") and names[1][0].words == ("said", "mayor") and names[2] == []
    singles = {each.words: each.score for each in names[0] if len(each.words) == 1}
    assert singles[("founder",)] == pytest.approx(math.log(2)) and singles[("said",)] < singles[("founder",)]


def test_words_between_arguments() -> None:
    nlp = spacy.blank("en")
    doc = nlp("Rome is THE\ncapital of Italy , Ada 1 2 3 4 5 6 7 8 9 10 11 Eve")
    doc.ents = [Span(doc, i, i + 1, "X") for i in (0, 6, 8, len(doc) - 1)]
    pairs = EntityPairs()([doc])
    found = {
        (s.text, o.text): words for (s, o), words in zip(map(pairs.spans, range(len(pairs))), words_between(pairs))
    }
    assert found["Rome", "Italy"] == found["Italy", "Rome"] == ("is", "the", "capital", "of")
    assert found["Italy", "Ada"] == (",",) and found["Ada", "Eve"] == ()


def test_types_of_clusters() -> None:
    types = [("A", "B")] * 2 + [("B", "A")] * 2 + [("A", "B"), ("", "")] + [("", "")] * 2
    assert name_types(types, [0, 0, 0, 1, 1, 1, 2, -1], count=4) == ["A B", "", "", ""]
