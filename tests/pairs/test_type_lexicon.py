import json
from pathlib import Path
from typing import List, Optional

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext.pairs.type_lexicon import TypeLexicon, read_type_lexicon

# Made-up nouns, so that nothing hangs on a real list.
LEXICON = TypeLexicon(
    {
        "blorp": "animal",
        "sea blorp": "vessel",
        "glaxy": "place",
        "dorf": "tool",
        "wolfknife": "tool",
        "trux": "artifact",
        "gluss": "substance",
        "zinwoman": "person",
        "glove": "garment",
        "snib-snab": "act",
        "quor": "event",
    }
)
NLP = spacy.blank("en")


def whole(text: str) -> Span:
    doc = NLP(text)
    return doc[0 : len(doc)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("blorp", "animal"),
        ("Blorp", "animal"),
        ("the old blorp", "animal"),
        ("a sea blorp", "vessel"),  # two words go before one
        ("blorps", "animal"),
        ("sea  blorps", "vessel"),
        ("glaxies", "place"),
        ("dorves", "tool"),
        ("wolfknives", "tool"),
        ("truxes", "artifact"),
        ("zinwomen", "person"),
        ("gloves", "garment"),  # not "glof"
        ("quor of the blorp", "event"),  # the head stands before the preposition
        ("big quor that blorps saw", "event"),
        ("of blorps", "animal"),  # a preposition at the front ends nothing
        ('"blorp"', "animal"),
        ("blorp .", "animal"),
        ("snib-snab", "act"),
        ("glus", ""),
        ("blorpss", ""),
        ("unknown", ""),
        ("...", ""),
    ],
)
def test_unparsed_spans(text: str, expected: str) -> None:
    assert LEXICON.type_of(whole(text)) == expected


def test_part_of_a_doc() -> None:
    doc = NLP("the blorp ate a trux")
    assert [LEXICON.type_of(doc[:2]), LEXICON.type_of(doc[3:]), LEXICON.type_of(doc[2:3])] == ["animal", "artifact", ""]
    assert LEXICON.type_of(doc[2:2]) == ""


def parsed(words: List[str], heads: List[int], deps: List[str], lemmas: Optional[List[str]] = None) -> Span:
    doc = Doc(NLP.vocab, words=words, heads=heads, deps=deps, lemmas=lemmas)
    return doc[0 : len(doc)]


def test_parsed_spans() -> None:
    # The parse knows the head where the words before the first preposition do not: "quor" has no preposition after it.
    span = parsed(["quor", "eaten", "blorp"], [0, 0, 1], ["ROOT", "acl", "dobj"])
    assert LEXICON.type_of(span) == "event" and LEXICON.type_of(whole("quor eaten blorp")) == "animal"
    span = parsed(["sea", "red", "blorps"], [2, 2, 2], ["compound", "amod", "ROOT"])
    assert LEXICON.type_of(span) == "vessel"  # the compound need not stand beside its head
    assert LEXICON.type_of(span[1:3]) == "animal"  # but must stand in the span
    span = parsed(["sea", "blorp"], [1, 1], ["nmod", "ROOT"])
    assert LEXICON.type_of(span) == "vessel"  # the whole span goes first


def test_lemmas() -> None:
    span = parsed(["sea", "blorpim"], [1, 1], ["compound", "ROOT"], ["sea", "Blorp"])
    assert LEXICON.type_of(span) == "vessel"
    assert LEXICON.type_of(parsed(["quorae"], [0], ["ROOT"], ["quor"])) == "event"
    assert LEXICON.type_of(parsed(["quorae"], [0], ["ROOT"])) == ""


def test_round_trip() -> None:
    again = TypeLexicon(json.loads(json.dumps(LEXICON.to_dict())))
    types = again.to_dict()
    assert types == LEXICON.to_dict() and len(again) == 11 and "dorf" in types and "dorv" not in types


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "nouns.tsv"
    path.write_text(
        "\ufeff# made up\n\nblorp\tanimal\tanimal,act\nsea blorp\tvessel \nblorp\tanimal\n", encoding="utf8"
    )
    assert read_type_lexicon(path).to_dict() == {"blorp": "animal", "sea blorp": "vessel"}


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"blorp\ta\ndorf\n", "nouns.tsv:2: 'dorf'; expected a lower-case noun"),
        (b"blorp\t \n", "nouns.tsv:1: 'blorp\\t '; expected"),
        (b"\tanimal\n", "nouns.tsv:1: '\\tanimal'; expected"),
        (b"Blorp\tanimal\n", "nouns.tsv:1: the noun 'Blorp'; expected"),
        (b"# x\na b c\tanimal\n", "nouns.tsv:2: the noun 'a b c'; expected"),
        (b"blorp \tanimal\n", "nouns.tsv:1: the noun 'blorp '; expected"),
        (b"blorp\ta\nblorp\tb\n", "nouns.tsv:2: 'blorp' is 'b', and was 'a' on an earlier line; expected each noun"),
        (b"blorp\ta\n\xff\tb\n", "nouns.tsv:2: not UTF-8 text"),
        (b"# nothing\n", "nouns.tsv: no line with a noun; expected"),
    ],
)
def test_malformed_files(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "nouns.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_type_lexicon(path)
    assert problem in str(error.value) and "\n" not in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Cannot open .*none.tsv"):
        read_type_lexicon(tmp_path / "none.tsv")
