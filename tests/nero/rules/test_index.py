"""Where rules match, and where they must not."""

import random
import re
from typing import Any, List, Optional, Sequence, Tuple

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.nero.rules.index import RuleIndex
from spacy_relext.nero.rules.patterns import parse_pattern
from spacy_relext.nero.rules.rules import Rule
from spacy_relext.pairs.suggesters import AnnotatedPairs, EntityPairs

NLP = spacy.blank("en")


def make_doc(text: str) -> Doc:
    """A text in which [A x y] is an entity of type A."""
    words: List[str] = []
    entities: List[Tuple[int, int, str]] = []
    pieces = text.replace("[", " [ ").replace("]", " ] ").split()
    start, kind, place = 0, "", iter(pieces)
    for piece in place:
        if piece == "[":
            kind, start = next(place), len(words)
        elif piece == "]":
            entities.append((start, len(words), kind))
        else:
            words.append(piece)
    doc = Doc(NLP.vocab, words=words, sent_starts=[True] + [False] * (len(words) - 1) if words else None)
    doc.ents = [Span(doc, *bounds) for bounds in entities]
    return doc


def matched(text: str, *patterns: str, doc: Optional[Doc] = None, **options: Any) -> List[Tuple[str, str, str]]:
    """What matches: subject, pattern, object."""
    rules = [Rule(str(number), "r", parse_pattern(pattern)) for number, pattern in enumerate(patterns)]
    pairs = EntityPairs()([make_doc(text) if doc is None else doc])
    matches = RuleIndex(rules, **options).match(pairs)
    assert not matches.reversed.any()
    return [
        (pairs.spans(pair)[0].text, patterns[number], pairs.spans(pair)[1].text)
        for pair, number in zip(matches.pair.tolist(), matches.rule.tolist())
    ]


def count(text: str, *patterns: str, **options: Any) -> int:
    return len(matched(text, *patterns, **options))


def test_subject_and_object_in_either_order() -> None:
    assert matched("[O Acme Corp] was founded by [P Ada]", "SUBJ-O was founded by OBJ-P") == [
        ("Acme Corp", "SUBJ-O was founded by OBJ-P", "Ada")
    ]
    assert matched("[P Ada] founded [O Acme]", "OBJ-P founded SUBJ-*") == [("Acme", "OBJ-P founded SUBJ-*", "Ada")]
    assert count("[P Ada] founded [O Acme]", "SUBJ-O founded OBJ-P", "OBJ-O founded SUBJ-P") == 0


def test_types() -> None:
    text = "[P Ada] of [G Rome]"
    assert count(text, "SUBJ-P of OBJ-G|L") == 1 and count(text, "SUBJ-* of OBJ-*") == 1
    assert count(text, "SUBJ-P of OBJ-L") == 0 and count(text, "SUBJ-O of OBJ-G") == 0


def test_rules_can_be_left_out() -> None:
    rules = [Rule(name, name, parse_pattern("SUBJ-P founded * OBJ-O")) for name in ("one", "two")]
    index, pairs = RuleIndex(rules, max_gap=2), EntityPairs()([make_doc("[P Ada] founded the [O Acme]")])
    assert index.match(pairs).rule.tolist() == [0, 1] and index.match(pairs, without={0}).rule.tolist() == [1]


def test_a_rule_for_no_relation_matches_in_both_orders() -> None:
    doc = make_doc("[P Ada] left [O Acme]")
    rules = [Rule(name, name, parse_pattern("SUBJ-P left OBJ-O")) for name in ("no_relation", "r")]
    matches = RuleIndex(rules).match(EntityPairs()([doc]))
    assert list(zip(*(column.tolist() for column in matches))) == [(0, 0, False), (0, 1, False), (1, 0, True)]


@pytest.mark.parametrize(
    "text, pattern",
    [
        ("[P Ada] and her daughters [P Eve]", "SUBJ-P and her daughter OBJ-P"),
        ("[O Acme] this owned by [P Ada]", "is owned by"),
        ("[O Acme] was founded by [P Ada]", "SUBJ-O was founded OBJ-P"),
        ("[O Acme] was not founded by [P Ada]", "SUBJ-O was founded by OBJ-P"),
        ("[O Acme] Was founded by [P Ada]", "SUBJ-O was founded by OBJ-P"),
        ("[O Acme] [P Ada]", "SUBJ-O , OBJ-P"),
    ],
)
def test_tokens_are_whole(text: str, pattern: str) -> None:
    full = pattern if "SUBJ" in pattern else f"SUBJ-O {pattern} OBJ-P"
    assert count(text, full) == 0


def test_no_word_of_a_rule_goes_on_behind_a_hyphen() -> None:
    for text, expected in (
        ("co-founded Acme with Ada", 0),
        ("he founded Acme with Ada", 1),
        ("then - founded Acme with Ada", 1),
    ):
        doc = NLP(text)
        first = next(token.i for token in doc if token.text == "Acme")
        doc.ents = [Span(doc, first, first + 1, "O"), Span(doc, first + 2, first + 3, "P")]
        doc[0].is_sent_start = True
        assert count("", "founded SUBJ-O with OBJ-P", doc=doc) == expected, text
    doc = NLP("Ada saw Eve , her daughter-in-law .")
    doc.ents = [Span(doc, 0, 1, "P"), Span(doc, 2, 3, "P")]
    assert count("", "SUBJ-P saw OBJ-P , her daughter", doc=doc) == 0


def test_forms_of_words() -> None:
    text, rule = "[O Acme] WAS Founded by [P Ada]", "SUBJ-O was founded By OBJ-P"
    assert count(text, rule) == 0 and count(text, rule, form="lower") == 1
    doc = make_doc("[O Acme] owns [O Beta]")
    doc[1].lemma_ = "own"
    assert count("", "SUBJ-O own OBJ-O", doc=doc, form="lemma") == 1 and count("", "SUBJ-O own OBJ-O", doc=doc) == 0


@pytest.mark.parametrize(
    "between, expected", [(", president of", 1), (", vice-president of", 0), (", very young president of", 1)]
)
def test_a_gap_does_not_stand_for_a_piece_of_a_word(between: str, expected: int) -> None:
    doc = NLP(f"Ada{between} Acme")
    doc.ents = [Span(doc, 0, 1, "P"), Span(doc, len(doc) - 1, len(doc), "O")]
    assert count("", "SUBJ-P , * president of OBJ-O", doc=doc, max_gap=3) == expected


@pytest.mark.parametrize("form", ["text", "lower"])
@pytest.mark.parametrize("rule_word", ["-LRB-", "("])
@pytest.mark.parametrize("word", ["-LRB-", "("])
def test_brackets_as_words(word: str, rule_word: str, form: str) -> None:
    assert count(f"[P Ada] [P Eve] {word} wife )", f"SUBJ-P OBJ-P {rule_word} wife", form=form) == 1


def test_quotes_as_words() -> None:
    assert count("[P Ada] `` the '' [P Eve]", "SUBJ-P `` the '' OBJ-P") == 1
    assert count('[P Ada] " the " [P Eve]', "SUBJ-P `` the '' OBJ-P") == 1


def test_other_entities_are_words() -> None:
    assert matched("[P Ada] met [P Eve] and [P Bo]", "SUBJ-P met Eve and OBJ-P") == [
        ("Ada", "SUBJ-P met Eve and OBJ-P", "Bo")
    ]


def test_sentences_are_the_limit() -> None:
    doc = make_doc("founder . [P Ada] , [P Eve] . yes")
    doc[2].is_sent_start = True
    assert count("", "founder . SUBJ-P , OBJ-P", doc=doc) == 0 and count("", "SUBJ-P , OBJ-P .", doc=doc) == 1


@pytest.mark.parametrize("text", ["", "nothing here", "[P Ada] alone"])
def test_nothing_to_find(text: str) -> None:
    assert matched(text, "SUBJ-P , OBJ-P") == []


def test_marked_pairs_are_read_from_both_sides() -> None:
    doc = NLP("Smoke from the fire")
    doc.user_data[PAIRS_KEY] = [{"subject": (0, 5), "object": (15, 19), "label": None}]
    patterns = ("SUBJ-* from the OBJ-*", "OBJ-* from the SUBJ-*")
    rules = [Rule(pattern, "r", parse_pattern(pattern)) for pattern in patterns]
    matches = RuleIndex(rules).match(AnnotatedPairs()([doc]))
    assert list(zip(*(column.tolist() for column in matches))) == [(0, 0, False), (0, 1, True)]


def test_as_a_plain_scan_finds(seeds: Sequence[int] = range(200)) -> None:
    """Against a slow reading of the same rules, on random texts."""
    words = ["a", "b", ",", "-"]
    for seed in seeds:
        rng = random.Random(seed)
        patterns = []
        for _ in range(6):
            parts = [[rng.choice([*words, "*"]) for _ in range(rng.randint(0, n))] for n in (1, 3, 1)]
            masks = rng.choice([("SUBJ-*", "OBJ-*"), ("OBJ-*", "SUBJ-*")])
            patterns.append(" ".join([*parts[0], masks[0], *parts[1], masks[1], *parts[2]]))
        middle = " ".join(rng.choice(words) for _ in range(rng.randint(0, 5)))
        text = f"{rng.choice(words)} [X p q] {middle} [X s] {rng.choice(words)} {rng.choice(words)}"
        found = {(pattern, subject) for subject, pattern, _ in matched(text, *patterns, max_gap=1)}
        assert found == {each for pattern in patterns for each in scan(text, pattern, 1)}, (text, patterns)


def scan(text: str, pattern: str, max_gap: int) -> List[Tuple[str, str]]:
    """The same by a regular expression over the text with its entities as masks."""
    hits = []
    for first, second in (("SUBJ-*", "OBJ-*"), ("OBJ-*", "SUBJ-*")):
        masked = text.replace("[X p q]", first).replace("[X s]", second)
        expression = "".join(
            rf"(?: \S+){{0,{max_gap}}}" if word == "*" else " " + re.escape(word)
            for word in str(parse_pattern(pattern)).split()
        )
        if re.search(expression + "(?= )", f" {' '.join(masked.split())} "):
            hits.append((pattern, "p q" if first == "SUBJ-*" else "s"))
    return hits
