"""White space is no word: at the ends of arguments and entities it is left out, between words it does not count."""

from typing import List, Optional

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext import get_records, get_triples, set_triples
from spacy_relext.annotations.entities import doc_entities
from spacy_relext.annotations.store import char_span, set_predicted, widen_records
from spacy_relext.annotations.words import trim_blanks, whole_words, words_before, words_of

NLP = spacy.blank("en")
FOUND = "Bo Lie was\u00a0born in  Oslo\n"


def test_words_of_found_text() -> None:
    doc = NLP(FOUND)
    assert [doc[i].text for i in words_of(doc)] == ["Bo", "Lie", "was", "born", "in", "Oslo"]
    assert words_before(doc).tolist() == [0, 1, 2, 3, 3, 4, 5, 5, 6, 6]
    assert trim_blanks(doc, 6, 9) == (7, 8)
    start, end = trim_blanks(doc, 6, 7)
    assert start == end
    assert len(words_of(NLP(""))) == 0 and words_before(NLP("")).tolist() == [0]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("born in  Oslo\n", "  Oslo\n", "Oslo"),
        ("born in  Oslo", "  ", None),
        ("from Skien.", "kien", "Skien"),
        ("from Skien.", "S", "Skien"),
        ("Kari Bø-Lie’s", "Bø", "Bø"),
        ("id 2785708x", "2785708", "2785708"),
        ("他出生在北京大学", "北京", "北京"),
        ("서울에서", "서울", "서울"),
        ("Москва", "оскв", "Москва"),
    ],
)
def test_whole_words(text: str, marked: str, expected: Optional[str]) -> None:
    start = text.index(marked)
    place = whole_words(text, start, start + len(marked))
    assert (place and text[slice(*place)]) == expected


def test_arguments_and_entities_have_no_white_space_at_their_ends() -> None:
    doc = NLP(FOUND)
    doc.ents = [Span(doc, 0, 2, "PERSON"), Span(doc, 7, 9, "GPE")]
    assert [doc[start:end].text for (start, end), _ in doc_entities(doc)] == ["Bo Lie", "Oslo"]
    span = char_span(doc, (FOUND.index("  Oslo"), len(FOUND)))
    assert span is not None and span.text == "Oslo"
    assert char_span(doc, (len(FOUND) - 1, len(FOUND))) is None


@pytest.mark.parametrize("words", [["Ada ", "was", "born in ", "S", "kien"], ["A", "da", " was born in", " Skien"]])
def test_tokens_of_another_tokenizer_give_whole_arguments_once(words: List[str]) -> None:
    doc = Doc(NLP.vocab, words=words, spaces=[word == "was" for word in words])
    last = len(words) - 1
    found = [
        {"subject": doc[0:1], "relation": "place_of_birth", "object": doc[last - 1 : last + 1], "score": 0.4},
        {"subject": doc[0:1], "relation": "place_of_birth", "object": doc[last:], "score": 0.6},
    ]
    if words[0] == "A":
        found = found[1:]
    set_predicted(doc, found, source="some_component")
    (record,) = get_records(doc) or []
    assert [doc.text[slice(*record[role])] for role in ("subject", "object")] == ["Ada", "Skien"]
    assert record["score"] == 0.6


def test_gold_keeps_its_offsets_and_is_compared_by_whole_tokens() -> None:
    doc = NLP("Nr-2785708x gehört Havgass")
    number = (doc.text.index("2785708"), doc.text.index("2785708") + 7)
    owner = (doc.text.index("Havgass"), len(doc.text))
    set_triples(doc, [(number, "belongs_to", owner)])
    (record,), (triple,) = get_records(doc) or [], get_triples(doc)
    assert record["subject"] == number
    (widened,) = widen_records(doc, [record])
    assert doc.text[slice(*widened["subject"])] == triple.subject.text == doc[0:1].text
