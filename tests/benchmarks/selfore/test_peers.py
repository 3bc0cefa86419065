"""The usual ways to cluster find groups that lie apart."""

import numpy
import pytest

from spacy_relext.scoring.clusters import score_clusters


@pytest.mark.parametrize("name", ["k-means", "tied Gaussian mixture", "average linkage"])
def test_groups_that_lie_apart(name: str) -> None:
    from benchmarks.selfore.peers import PEERS

    dice = numpy.random.default_rng(0)
    gold = numpy.repeat(numpy.arange(3), 60)
    vectors = (numpy.eye(3, 24)[gold] + 0.05 * dice.normal(size=(180, 24))).astype("float32")
    found = PEERS[name](vectors, 3, 0)
    assert score_clusters(gold.tolist(), found.tolist())["ari"] > 0.99
