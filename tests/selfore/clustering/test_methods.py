"""Ways to cluster, and the space that comes with each."""

from typing import Any

import numpy
import pytest
from sklearn.metrics import adjusted_rand_score

from spacy_relext.selfore.clustering.adaptive import CPU, CodeSpace
from spacy_relext.selfore.loop import find_clusters
from spacy_relext.selfore.settings import METHODS, SelforeClustering, SelforeTraining
from tests.selfore.clustering.test_discriminant import blobs, cluster


def quick(**settings: Any) -> SelforeClustering:
    """Settings with few epochs, of which the autoencoder has more, since there are few pairs."""
    return SelforeClustering(**{"pretrain_epochs": 30, "epochs": 6, **settings})


def apart() -> Any:
    """Clusters that any method finds."""
    dice = numpy.random.default_rng(0)
    gold = numpy.repeat(numpy.arange(4), 60)
    centers = 4.0 * dice.normal(size=(4, 12))
    return (centers[gold] + dice.normal(size=(240, 12))).astype("float16"), gold


@pytest.mark.parametrize("over", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_clusters_and_the_space_agree(method: str, over: int) -> None:
    vectors, gold = apart()
    found = find_clusters(vectors, 4, settings=quick(method=method, over=over))
    assert adjusted_rand_score(gold, found.labels) > 0.9
    for space in (found.space, *([CodeSpace(found.network, CPU)] if found.network else [])):
        scores, products = space.scores(vectors)
        assert scores.shape == products.shape == (240, 4) and space.centroids.shape[0] == 4
        assert (scores.argmax(1) == found.labels).mean() > (0.95 if space is found.space else 0.999)
    assert found.labels.dtype == numpy.int64 and 0.0 < found.information <= 1.0


def test_the_default_is_what_it_was() -> None:
    vectors, _ = blobs()
    found = find_clusters(vectors, 5, settings=SelforeClustering(over=1, seed=3))
    expected = cluster(vectors, 5, seed=3)
    assert (found.labels == expected.labels).all() and numpy.array_equal(
        found.space.centroids, expected.space.centroids
    )


@pytest.mark.parametrize("method", METHODS)
def test_as_many_pairs_as_clusters(method: str) -> None:
    vectors = numpy.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    found = find_clusters(vectors, 4, settings=quick(method=method))
    assert sorted(found.labels.tolist()) == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", METHODS)
def test_pairs_that_are_all_alike(method: str) -> None:
    settings = quick(method=method, over=2)
    found = find_clusters(numpy.ones((8, 3), dtype="float16"), 2, settings=settings)
    assert set(found.labels.tolist()) <= {0, 1} and numpy.isfinite(found.space.head()[0]).all()


@pytest.mark.parametrize(
    ("block", "key", "value"),
    [
        (SelforeClustering, "method", "dec"),
        (SelforeClustering, "over", 0),
        (SelforeClustering, "seed", -1),
        (SelforeTraining, "smoothing", 1.1),
    ],
)
def test_settings_are_checked(block: Any, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"R007.*{key}"):
        block(**{key: value})


@pytest.mark.parametrize("method", METHODS)
def test_the_largest_seed_is_one_for_all_that_is_drawn(method: str) -> None:
    vectors, _ = apart()
    for restarts in (1, 20):
        with pytest.raises(ValueError, match="R007.*seed is 4294967295; expected a number from 0 to ") as error:
            SelforeClustering(seed=2**32 - 1, restarts=restarts)
        seed = int(str(error.value).split()[-1].rstrip("."))
        settings = quick(method=method, seed=seed, restarts=restarts)
        assert len(find_clusters(vectors, 4, settings=settings).labels) == len(vectors)
