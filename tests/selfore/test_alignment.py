"""The same clusters under other numbers."""

import numpy
import pytest

from spacy_relext.selfore.loop import align


def test_the_worked_example() -> None:
    before, after = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2], [2, 2, 2, 0, 0, 1, 1, 1, 1, 1]
    found = align(before, after, count=3)
    assert numpy.mean(numpy.asarray(before) != after) == pytest.approx(0.9) and found.changed == pytest.approx(0.1)
    assert found.numbers.tolist() == [1, 2, 0] and found.labels.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, 2]


def test_new_and_empty_clusters() -> None:
    found = align([0, 0, 1, 1], [3, 3, 3, 2], count=4)
    assert sorted(found.numbers.tolist()) == [0, 1, 2, 3] and found.labels.tolist() == [0, 0, 0, 1]
    assert align([], [], count=2).changed == 0.0
    with pytest.raises(ValueError, match="2 clusters before, but 1 now"):
        align([0, 1], [0], count=2)


def test_numbers_that_are_kept() -> None:
    found = align([1, 1, 1, 0], [0, 0, 0, 1], count=3, fixed=1)
    assert found.numbers[0] == 0 and found.labels[:3].tolist() == [0, 0, 0] and found.changed == 1.0
