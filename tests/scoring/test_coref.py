"""B³ and LEA on the examples of their papers, and which pronouns are right."""

from typing import List

import pytest

from spacy_relext.scoring.coref import Cluster, b3_shares, lea_shares, right_pronouns


def clusters(*texts: str) -> List[Cluster]:
    return [{(ord(letter), ord(letter) + 1) for letter in text} for text in texts]


def mean(shares: List[tuple]) -> float:
    return sum(share * weight for share, weight in shares) / sum(weight for _, weight in shares)


def test_the_example_of_lea() -> None:
    # Moosavi and Strube (2016), Section 4: key {abc} {defg}, response {ab} {cd} {fghi}
    key, response = clusters("abc", "defg"), clusters("ab", "cd", "fghi")
    assert lea_shares(key, response) == [(pytest.approx(1 / 3), 3.0), (pytest.approx(1 / 6), 4.0)]
    assert mean(lea_shares(key, response)) == pytest.approx(0.24, abs=0.005)
    assert mean(lea_shares(response, key)) == pytest.approx(0.33, abs=0.005)


def test_b3() -> None:
    # Bagga and Baldwin (1998), response 1: precision 76, recall 100
    key, response = clusters("12345", "67", "89ABC"), clusters("12345", "6789ABC")
    assert mean(b3_shares(response, key)) == pytest.approx(0.762, abs=0.001)
    assert mean(b3_shares(key, response)) == 1.0
    assert mean(b3_shares(clusters("ab"), clusters("ac"))) == pytest.approx(0.25), "a mention that only one side has"


def test_single_mentions_link_themselves() -> None:
    assert lea_shares(clusters("a", "b", "c"), clusters("a", "bd")) == [(1.0, 1.0), (0.0, 1.0), (0.0, 1.0)]


def test_pronouns() -> None:
    text = "Ada Bo he she it"
    ada, bo, he, she, it = (0, 3), (4, 6), (7, 9), (10, 13), (14, 16)
    gold: List[Cluster] = [{ada, she}, {bo, he}, {it}]
    kinds = {ada: "name", bo: "name", he: "pronoun", she: "pronoun", it: "pronoun"}

    def right(*entities: List[tuple]) -> List[bool]:
        return right_pronouns(gold, [{each: kinds[each] for each in entity} for entity in entities], text)

    assert right([ada, she], [bo, he], [it]) == [True, True, True]
    assert right([ada, he], [bo, she, it]) == [False, False, False]
    assert right([ada], [bo]) == [False, False, True], "it stands for no name"
    assert right([he, she]) == [False, False, True], "without a name, an entity is unknown"
