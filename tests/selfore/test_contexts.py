"""The words of a text that may name a cluster, and samples."""

from typing import List, Union

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_relext.annotations.entities import ENTITIES_KEY
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.selfore.table import Context, read_contexts

STOP = {"in", "the", "of", "and", "was", "is", "has", "been", "who", "one"}


def make_doc(words: str, *, lang: str = "en") -> Doc:
    """Make a Doc of one sentence, in which words in brackets are entities: "[Ada Holm] was born in [Bergen]"."""
    nlp: Language = spacy.blank(lang)
    tokens: List[str] = []
    bounds = []
    for word in words.split():
        if word.startswith("["):
            bounds.append(len(tokens))
        tokens.append(word.strip("[]"))
        if word.endswith("]"):
            bounds.append(len(tokens))
    starts: List[Union[bool, int, None]] = [number == 0 for number in range(len(tokens))]
    doc = Doc(nlp.vocab, words=tokens, sent_starts=starts)
    doc.ents = [Span(doc, start, end, "X") for start, end in zip(bounds[::2], bounds[1::2])]
    return doc


def context_of(doc: Doc) -> Context:
    """Read the first two entities."""
    pairs: Pairs = EntityPairs()([doc]).in_text_order()
    return read_contexts(pairs, stop=STOP)[0]


def test_words_between() -> None:
    assert context_of(make_doc("[Ada Holm] was born in [Bergen]")).words == ("was", "born", "in")


@pytest.mark.parametrize("word", ["1990", "90s", "seven", "Monday", "Oslo", "[Oslo]", ",", "I", "A7"])
def test_what_no_name_may_hold(word: str) -> None:
    context = context_of(make_doc(f"[Ada] and [Eve] wrote {word} letters"))
    assert context.words == ("and", "", "wrote", "", "letters", "")


def test_overlapping_entities_are_no_words() -> None:
    doc = make_doc("[Ada] left the old house of [Eve]")
    start = doc[3].idx
    doc.user_data[ENTITIES_KEY] = [{"start": start, "end": start + len("old house"), "label": "Y"}]
    pairs = EntityPairs()([doc]).in_text_order()
    (words,) = [
        context.words
        for context, (subject, obj) in zip(read_contexts(pairs, stop=STOP), map(pairs.spans, range(len(pairs))))
        if (subject.text, obj.text) == ("Ada", "Eve")
    ]
    assert words == ("left", "the", "", "", "of")


def test_words_behind_and_before_if_none_between_says_anything() -> None:
    doc = make_doc("the long happy marriage of [Ada] and [Eve] came to a bitter end")
    assert context_of(doc).words == ("and", "", "came", "to", "a", "bitter", "", "long", "happy", "marriage", "of")
    assert context_of(make_doc("the marriage of [Ada] left [Eve] alone")).words == ("left",)


def test_words_of_other_sentences_are_not_read() -> None:
    doc = make_doc("nobody came . [Ada] and [Eve] . both left")
    for token in doc:
        token.is_sent_start = token.i in (0, 3, 7)
    assert context_of(doc).words == ("and", "", "", "")


def test_long_gaps_say_nothing() -> None:
    assert context_of(make_doc("[Ada] " + "left " * 10 + "[Eve]")).words == ("left",) * 10
    assert context_of(make_doc("[Ada] " + "left " * 11 + "[Eve]")).words == ()


def test_capitals() -> None:
    assert context_of(make_doc("Born [Ada] and [Eve]")).words == ("and", "", "", "born"), "the first of a sentence"
    assert context_of(make_doc("[Ada] Tochter [Eve]", lang="de")).words == ("tochter",), "German nouns have capitals"
    assert context_of(make_doc("[王] 出生 [京]", lang="xx")).words == ("出生",), "not every script has them"


@pytest.mark.parametrize(
    ("words", "sample"),
    [
        ("[Bergen] , [Norway]", "Bergen , Norway"),
        ("[Holm] has been the one who visited the town of [Bergen]", "Holm … visited … Bergen"),
        ("[Holm] and , so they , , , , and [Bergen]", "Holm … so … Bergen"),
        ("[Holm] in the of the and the in and [Bergen]", "Holm … Bergen"),
        ("[Ada Sofia Maria Holm] saw [" + "o" * 30 + "]", "Ada Sofia Maria… saw " + "o" * 15 + "…"),
    ],
)
def test_samples(words: str, sample: str) -> None:
    assert context_of(make_doc(words)).sample == sample


def test_samples_have_one_line_of_what_can_be_printed() -> None:
    nlp = spacy.blank("en")
    doc = nlp("Ada\n\tHolm\u202e left\n\nBergen")
    at = [token.i for token in doc if token.text.startswith("Bergen")][0]
    doc.ents = [Span(doc, 0, 3, "X"), Span(doc, at, at + 1, "X")]
    sample = context_of(doc).sample
    assert sample.isprintable() and sample == "Ada Holm left Bergen"


def test_a_text_counts_once() -> None:
    doc = make_doc("[Ada] met [Eve] and [Kim]")
    other = make_doc("[Ada] met [Eve] or [Kim]")
    contexts = read_contexts(EntityPairs()([doc, other]).in_text_order(), stop=STOP)
    assert len({context.text for context in contexts[:3]}) == 1 and len({context.text for context in contexts}) == 2
