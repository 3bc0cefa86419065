"""Ways to cluster, and the space that comes with each."""

from typing import Any

import numpy
import pytest
from sklearn.metrics import adjusted_rand_score

from spacy_relext.selfore.clustering import methods
from spacy_relext.selfore.clustering.methods import find_clusters, ward_labels
from spacy_relext.selfore.settings import METHODS, SelforeAutoencoder, SelforeClustering, SelforeTraining
from tests.selfore.clustering.test_discriminant import blobs, cluster

FEW = SelforeAutoencoder(pretrain_epochs=30, adaptive_epochs=6)


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
    found = find_clusters(vectors, 4, settings=SelforeClustering(method=method, over=over), autoencoder=FEW)
    assert adjusted_rand_score(gold, found.labels) > 0.9
    logits = found.space.logits(found.space.codes(vectors))
    assert logits.shape == (240, 4) and (logits.argmax(1) == found.labels).mean() > 0.95
    assert found.labels.dtype == numpy.int64 and 0.0 < found.information <= 1.0


def test_the_default_is_what_it_was() -> None:
    vectors, _ = blobs()
    found = find_clusters(vectors, 5, settings=SelforeClustering(over=1, seed=3), autoencoder=FEW)
    expected = cluster(vectors, 5, seed=3)
    assert (found.labels == expected.labels).all() and numpy.array_equal(
        found.space.centroids, expected.space.centroids
    )


def test_kmeans_is_that_without_rounds_in_a_scale_that_says_something() -> None:
    vectors, _ = blobs()
    found = find_clusters(vectors, 5, settings=SelforeClustering(method="kmeans", over=1), autoencoder=FEW)
    expected = cluster(vectors, 5, rounds=0)
    assert (found.labels == expected.labels).all()
    codes = found.space.codes(vectors)
    assert (found.space.logits(codes).argmax(1) == found.labels).all()
    assert float(((codes - found.space.centroids[found.labels]) ** 2).mean()) == pytest.approx(1.0, rel=1e-3)


def test_of_many_pairs_a_hierarchy_has_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, gold = apart()
    whole = ward_labels(vectors.astype("float32"), 4, seed=0)
    monkeypatch.setattr(methods, "MAX_WARD_PAIRS", 60)
    sampled = ward_labels(vectors.astype("float32"), 4, seed=0)
    assert adjusted_rand_score(gold, sampled) > 0.9 and adjusted_rand_score(whole, sampled) > 0.9
    assert (sampled == ward_labels(vectors.astype("float32"), 4, seed=0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_as_many_pairs_as_clusters(method: str) -> None:
    vectors = numpy.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    settings, epochs = SelforeClustering(method=method), SelforeAutoencoder(pretrain_epochs=1, adaptive_epochs=0)
    found = find_clusters(vectors, 4, settings=settings, autoencoder=epochs)
    assert sorted(found.labels.tolist()) == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", METHODS)
def test_pairs_that_are_all_alike(method: str) -> None:
    settings, epochs = (
        SelforeClustering(method=method, over=2),
        SelforeAutoencoder(pretrain_epochs=1, adaptive_epochs=2),
    )
    found = find_clusters(numpy.ones((8, 3), dtype="float16"), 2, settings=settings, autoencoder=epochs)
    assert set(found.labels.tolist()) <= {0, 1} and numpy.isfinite(found.space.head()[0]).all()


@pytest.mark.parametrize(
    ("block", "key", "value"),
    [
        (SelforeClustering, "method", "dec"),
        (SelforeClustering, "over", 0),
        (SelforeClustering, "seed", -1),
        (SelforeAutoencoder, "refresh", 0),
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
        seed, epochs = (
            int(str(error.value).split()[-1].rstrip(".")),
            SelforeAutoencoder(pretrain_epochs=1, adaptive_epochs=0),
        )
        settings = SelforeClustering(method=method, seed=seed, restarts=restarts)
        assert len(find_clusters(vectors, 4, settings=settings, autoencoder=epochs).labels) == len(vectors)
