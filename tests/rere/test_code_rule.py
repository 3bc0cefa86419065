"""The span rule of the released code, on worked examples."""

from typing import Any, Dict, List, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.rere.decode import StringSpan, decode_strings

NLP = spacy.blank("en")
FOUNDERS = "Bill Gates and Paul Allen founded Microsoft and Vulcan."


def strings_of(text: str, starts: Dict[int, float], ends: Dict[int, float], **options: Any) -> List[StringSpan]:
    doc = NLP.make_doc(text)
    probs = [[by_token.get(token.i, 0.0) for token in doc] for by_token in (starts, ends)]
    offsets = [(token.idx, token.idx + len(token)) for token in doc]
    return decode_strings(*probs, text=text, offsets=offsets, **options)


def scores(strings: List[StringSpan]) -> Dict[str, float]:
    return {string.text: round(string.score, 6) for string in strings}


@pytest.fixture()
def founders() -> Tuple[List[StringSpan], List[StringSpan]]:
    subjects = strings_of(FOUNDERS, {0: 0.9, 3: 0.7}, {1: 0.8, 4: 0.9})
    return subjects, strings_of(FOUNDERS, {6: 0.95, 8: 0.6}, {6: 0.9, 8: 0.5})


def test_a_long_string_gives_way_to_better_ones_inside_it(founders: Any) -> None:
    subjects, objects = founders
    assert scores(subjects) == {"Bill Gates": 0.72, "Paul Allen": 0.63}  # "Bill Gates and Paul Allen" had .81
    assert scores(objects) == {"Microsoft": 0.855, "Vulcan": 0.3}
    assert [string.best[:2] for string in subjects] == [(0, 1), (3, 4)]


def test_longer_strings_are_compared_after_one_that_gives_way() -> None:
    strings = strings_of(
        "Bill Gates and Paul Allen met Bartholomew Featherstonehaugh.",
        {0: 0.9, 3: 0.7, 6: 0.9},
        {1: 0.8, 4: 0.9, 7: 0.8},
        max_length=5,
    )
    assert scores(strings) == {"Bill Gates": 0.72, "Bartholomew Featherstonehaugh": 0.72, "Paul Allen": 0.63}


def test_mentions_add_up_but_offsets_are_of_one() -> None:
    (rome,) = strings_of("Rome is Rome.", {0: 0.95, 2: 0.95}, {0: 0.6, 2: 0.6})
    assert (rome.text, round(rome.score, 6)) == ("Rome", 1.14)
    assert rome.best == (0, 0, pytest.approx(0.57))


def test_a_long_string_replaces_weaker_ones_inside_it() -> None:
    strings = strings_of("New York City grew.", {0: 0.9, 1: 0.2}, {1: 0.2, 2: 0.9})
    assert scores(strings) == {"New York City": 0.81}  # York .04, New York .18, York City .18


def test_floor_and_longest_span() -> None:
    assert strings_of("a b c", {0: 0.09}, {0: 0.9}) == []
    assert strings_of("a b c", {0: 0.2}, {0: 0.2}) == []  # .04 for the string
    assert strings_of("a b c", {0: 0.9}, {2: 0.9}, max_length=2) == []
    words = " ".join("abcdefgh" * 6)
    assert [len(strings_of(words, {0: 0.9}, {last: 0.9})) for last in (39, 40)] == [1, 0], "40 tokens by default"
    assert strings_of("", {}, {}) == []
    assert scores(strings_of("a b c", {0: 0.1}, {0: 1.0})) == {"a": 0.1}  # the floor itself is enough


def test_only_the_best_ends_are_combined() -> None:
    count = 50
    probs = {token: 0.99 - token / 100 for token in range(count)}
    strings = strings_of(" ".join(f"w{token}x" for token in range(count)), probs, probs, max_length=1)
    assert len(strings) == 40 and strings[0].text == "w0x"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from("abc")), max_size=8))
def test_strings_are_in_the_text_and_distinct(tokens: Any) -> None:
    text = " ".join(word for _, _, word in tokens)
    offsets = [(2 * position, 2 * position + 1) for position in range(len(tokens))]
    strings = decode_strings([s for s, _, _ in tokens], [e for _, e, _ in tokens], text=text, offsets=offsets)
    assert len({string.text for string in strings}) == len(strings)
    for string in strings:
        first, last, score = string.best
        assert 0 <= first <= last < len(tokens)
        assert text[offsets[first][0] : offsets[last][1]] == string.text
        assert score <= 1.0 and score <= string.score + 1e-9 and string.score >= 0.1
