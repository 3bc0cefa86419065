import time
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.corpora.formats.locate import choose_pair, find_string, is_boundary, locate_record
from spacy_relext.corpora.report import Report


def strings(text: str, string: str) -> List[str]:
    return [text[start:end] for start, end in find_string(text, string)]


@pytest.mark.parametrize(
    "text, string, expected",
    [
        ("Rom lies on the Tiber.", "Rom", ["Rom"]),
        ("Romans in Rome", "Rom", []),  # inside words only
        ("Newyork, New Yorkers, New York", "New York", ["New York"]),
        ("MILAN and Milan", "Milan", ["Milan"]),  # exact case first
        ("MILAN and milan", "Milan", ["MILAN", "milan"]),
        ("the street Große Straße", "GROSSE STRASSE", ["Große Straße"]),
        ("a poet of Medellin", "Medellín", ["Medellin"]),
        ("a poet of Medelli\u0301n .", "Medellin", ["Medelli\u0301n"]),
        ("the O 'Hara twins", "O'Hara", ["O 'Hara"]),
        ("at 1 . FC Brann today", "1. fc brann", ["1 . FC Brann"]),
        ("Santa  Marta", "Santa Marta", ["Santa  Marta"]),
        ("they live apart", "a part", []),  # two words never become one
        ("a part", "apart", []),  # nor one word two
        ("C++ and C", "C++", ["C++"]),
        ("anything", "   ", []),
        ("anything", "\u0301", []),
        ("李白生于碎叶城", "碎叶", ["碎叶"]),  # no boundaries
        ("서울은 수도이다", "서울", ["서울"]),  # a particle follows
        ("生于1944年11月", "944年", []),  # digits keep theirs
        ("हिन्दी", "हिन्द", []),  # a vowel sign is part of the word
    ],
)
def test_find_string(text: str, string: str, expected: List[str]) -> None:
    assert strings(text, string) == expected


words = st.text(st.sampled_from("abAB é ß中 1.-"), min_size=1, max_size=30)


@given(words, words, words)
def test_a_string_on_boundaries_is_found_where_it_stands(before: str, string: str, after: str) -> None:
    text, start = before + string + after, len(before)
    core = string.strip()
    if not core or not is_boundary(text, start) or not is_boundary(text, start + len(string)):
        return
    begin = start + len(string) - len(string.lstrip())
    span = (begin, begin + len(core))
    if all(is_boundary(text, end) for end in span):
        assert span in find_string(text, string)


@given(words, words)
def test_spans_lie_in_the_text_and_differ_from_the_string_in_spaces_and_case_only(text: str, string: str) -> None:
    for start, end in find_string(text, string):
        assert 0 <= start < end <= len(text) and is_boundary(text, start) and is_boundary(text, end)
        left, right = (part.casefold().replace("é", "e").split() for part in (text[start:end], string))
        assert "".join(left) == "".join(right)


def test_nearest_avoids_overlap_where_it_can() -> None:
    oslo, university = [(14, 18), (30, 34)], [(0, 18)]  # University of Oslo ... Oslo
    assert choose_pair(university, oslo) == ((0, 18), (30, 34))
    assert choose_pair(university, oslo[:1]) == ((0, 18), (14, 18))


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)).map(lambda each: (each[0], sum(each))), max_size=6)


@given(spans, spans)
def test_nearest_is_the_best_of_all(subjects: List[Tuple[int, int]], objects: List[Tuple[int, int]]) -> None:
    def distance(pair: Tuple[Tuple[int, int], Tuple[int, int]]) -> Tuple[bool, int]:
        gap = max(pair[1][0] - pair[0][1], pair[0][0] - pair[1][1])
        return gap < 0, max(gap, 0)

    everything = [(subject, obj) for subject in subjects for obj in objects if subject != obj]
    assert choose_pair(subjects, objects) == min(everything, key=distance, default=None)


def test_strings_that_occur_thousands_of_times() -> None:
    """Their pairs, a tenth of a billion, are not listed."""
    text = "a b " * 10_000
    triples = [{"subject": "a", "relation": "r", "object": "b"}, {"subject": "a", "relation": "r", "object": "a"}]
    entities = [{"text": "a", "label": "X"}, {"text": "a b", "label": "Y"}]
    record = {"text": text, "string_triples": triples, "string_entities": entities}
    began = time.perf_counter()
    located = locate_record(record, Report(where="file:1"))
    assert time.perf_counter() - began < 10
    assert [(t["subject"], t["object"]) for t in located["triples"]] == [([0, 1], [2, 3]), ([0, 1], [4, 5])]
    assert len(located["entities"]) == 10_000 + 10_000


def test_one_span_is_no_pair() -> None:
    assert choose_pair([(0, 3)], [(0, 3)]) is None
    assert choose_pair([(0, 3), (9, 12)], [(0, 3), (9, 12)]) == ((0, 3), (9, 12))


def test_locate_record_counts_what_happened() -> None:
    text = "Ada of York met Bo in York Minster; Bo left."
    triples = [
        {"subject": "Ada", "relation": "home", "object": "York"},
        {"subject": "bo", "relation": "visited", "object": "York Minster", "object_label": "PLACE"},
        {"subject": "Ada", "relation": "knows", "object": "Cleo"},
        {"subject": "Ada", "relation": "is", "object": "Ada"},
    ]
    entities = [{"text": "York", "label": "PLACE"}, {"text": "York Minster", "label": "PLACE"}]
    report = Report(where="file:1")
    record = locate_record({"text": text, "string_triples": triples, "string_entities": entities}, report)
    in_words = [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record["triples"]]
    assert in_words == [("Ada", "home", "York"), ("Bo", "visited", "York Minster")]
    assert record["triples"][0]["object"] == [7, 11] and record["triples"][1]["subject"] == [36, 38]
    # "York" inside "York Minster" is no mention of its own.
    assert [(e["start"], e["end"]) for e in record["entities"]] == [(7, 11), (22, 34)]
    assert (report.strings, report.not_found, report.ambiguous) == (5, 1, 2)
    assert (report.not_located, report.identical) == (1, 1)
    assert report.not_found_examples == ["file:1: 'Cleo'"]
