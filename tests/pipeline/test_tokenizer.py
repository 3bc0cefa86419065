"""Dashes, hyphens and apostrophes as they are found."""

import pathlib
import time
from typing import List

import pytest
import spacy
from spacy.language import Language

from spacy_relext import set_triples

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy_relext.Tokenizer.v1"}}}


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.blank("en", config=CONFIG)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Ada (1891–1950)", ["Ada", "(", "1891", "–", "1950", ")"]),
        ("3 May–5 June, 2019—2020", ["3", "May", "–", "5", "June", ",", "2019", "—", "2020"]),
        *(
            (f"Oslo{dash}based firm", ["Oslo", dash, "based", "firm"])
            for dash in "\u2010\u2011\u2012\u2013\u2014\u2212"
        ),
        *((f"Ada{mark}s firm", ["Ada", f"{mark}s", "firm"]) for mark in "`´ʼ′’'"),
        *((f"Oslo.{rule} Mia", ["Oslo", ".", rule, "Mia"]) for rule in ("-----", "=" * 2000, "*****")),
        ("Oslo.-----Mia -----Ada", ["Oslo.", "-----", "Mia", "-----", "Ada"]),
    ],
)
def test_names_and_years_are_tokens(nlp: Language, text: str, tokens: List[str]) -> None:
    assert [token.text for token in nlp(text)] == tokens


@pytest.mark.parametrize("mark", "(\"')?…«")
def test_a_run_of_marks_takes_no_time(nlp: Language, mark: str) -> None:
    started = time.process_time()
    assert mark * 20_000 in [token.text for token in nlp(f"Ada {mark * 20_000} left Oslo{mark * 20_000}")]
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text", ["Ada's U.K.-based firm isn't e.g. at http://a.org/b-c, 10-12 km.", "A “B” – C 😀 don’t", "1.5 – 2 %", ""]
)
def test_other_text_has_the_tokens_of_spacy(nlp: Language, text: str) -> None:
    assert [token.text for token in nlp(text)] == [token.text for token in spacy.blank("en")(text)]


def test_it_travels(nlp: Language, tmp_path: pathlib.Path) -> None:
    nlp.to_disk(tmp_path)
    doc = spacy.load(tmp_path)("Ada (1891–1950)")
    set_triples(doc, [(doc[0:1], "date_of_birth", doc[2:3]), (doc[0:1], "date_of_death", doc[4:5])])
    assert [triple.object.text for triple in doc._.triples] == ["1891", "1950"]


def test_other_languages() -> None:
    assert [token.text for token in spacy.blank("de", config=CONFIG)("Ada (1891–1950)")][2:5] == ["1891", "–", "1950"]
