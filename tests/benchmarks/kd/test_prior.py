"""The type prior by itself, on pairs that are counted by hand."""

from typing import Tuple

import numpy
import pytest

from benchmarks.harness.pairs import PairRow
from benchmarks.kd import prior

NUMBER = {"born_in": 1}


def pair(text: str, label: str = "", types: Tuple[str, str] = ("PERSON", "PLACE")) -> PairRow:
    return PairRow(text=text, subject=[0, 1], object=[2, 3], labels=[label] if label else [], types=types)


def test_scores_of_log_odds() -> None:
    log_odds = numpy.log(numpy.asarray([[4.0, 1.0], [1.0, 2.0], [1.0, 0.5]]))
    scores = prior._score(log_odds, [pair("a"), pair("b", "born_in"), pair("c", "born_in")], NUMBER)
    assert scores == pytest.approx({"named_share": 2 / 3, "own_odds_ratio": (4 * 2 * 0.5) ** (1 / 3)})


def test_a_pair_gets_the_log_odds_of_the_sentences_of_other_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [pair("a", "born_in"), pair("a"), pair("b"), pair("c", "born_in"), pair("b", types=("ORG", "PLACE"))]
    monkeypatch.setattr(prior.zlib, "crc32", lambda text: "abc".index(text.decode()))
    found = prior._from_other_folds(rows, NUMBER, 2)  # a and c are in fold 0, b in fold 1
    even, odd = ([rows[each] for each in chosen] for chosen in ((0, 1, 3), (2, 4)))
    expected = numpy.zeros((5, 2))
    expected[[0, 1, 3]] = prior._log_odds(prior._count(odd, NUMBER), even)
    expected[[2, 4]] = prior._log_odds(prior._count(even, NUMBER), odd)
    assert found == pytest.approx(expected)
    assert found[0] == pytest.approx(found[3]) and found[2] != pytest.approx(found[0])
