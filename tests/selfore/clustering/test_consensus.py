"""What clusterings agree on."""

import numpy

from spacy_relext.scoring.clusters import score_clusters
from spacy_relext.selfore.clustering.ensemble import agreed_clusters

GOLD = numpy.repeat(numpy.arange(4), 50)


def test_most_clusterings_decide_whatever_their_numbers() -> None:
    dice = numpy.random.default_rng(0)
    wrong = []
    for _ in range(7):  # numbered anew, a fifth of the pairs anywhere
        labels = dice.permutation(4)[GOLD]
        astray = dice.random(len(GOLD)) < 0.2
        wrong.append(numpy.where(astray, dice.integers(4, size=len(GOLD)), labels))
    found = agreed_clusters(wrong, 4, seed=0)
    alone = max(score_clusters(GOLD.tolist(), each.tolist())["ari"] for each in wrong)
    assert score_clusters(GOLD.tolist(), found.tolist())["ari"] > max(0.9, alone)


def test_clusterings_that_are_the_same() -> None:
    found = agreed_clusters([GOLD, 3 - GOLD], 4, seed=0)
    assert score_clusters(GOLD.tolist(), found.tolist())["ari"] == 1.0
    assert agreed_clusters([numpy.zeros(5, dtype="int64")], 3, seed=0).tolist() == [0] * 5
