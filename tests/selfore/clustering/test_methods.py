"""Ways to cluster, and the space that comes with each."""

from typing import Any, Dict

import numpy
import pytest
from sklearn.metrics import adjusted_rand_score

from spacy_relext.selfore.clustering import methods
from spacy_relext.selfore.clustering.methods import METHODS, create_clustering, find_clusters, ward_labels
from tests.selfore.clustering.test_discriminant import blobs, cluster

FEW: Dict[str, Any] = {"pretrain_epochs": 30, "adaptive_epochs": 6}


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
    found = find_clusters(vectors, 4, seed=0, settings=create_clustering(method=method, over=over, **FEW))
    assert adjusted_rand_score(gold, found.labels) > 0.9
    logits = found.space.logits(found.space.codes(vectors))
    assert logits.shape == (240, 4) and (logits.argmax(1) == found.labels).mean() > 0.95
    assert found.labels.dtype == numpy.int64 and 0.0 < found.information <= 1.0


def test_the_default_is_what_it_was() -> None:
    vectors, _ = blobs()
    found = find_clusters(vectors, 5, seed=3, settings=create_clustering(over=1))
    expected = cluster(vectors, 5, seed=3, shrinkage=0.3)
    assert (found.labels == expected.labels).all() and numpy.array_equal(
        found.space.centroids, expected.space.centroids
    )


def test_kmeans_is_that_without_rounds_in_a_scale_that_says_something() -> None:
    vectors, _ = blobs()
    found = find_clusters(vectors, 5, seed=0, settings=create_clustering(method="kmeans", over=1))
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
    settings = create_clustering(method=method, over=3, pretrain_epochs=1, adaptive_epochs=0)
    assert sorted(find_clusters(vectors, 4, seed=0, settings=settings).labels.tolist()) == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", METHODS)
def test_pairs_that_are_all_alike(method: str) -> None:
    settings = create_clustering(method=method, over=2, pretrain_epochs=1, adaptive_epochs=2)
    found = find_clusters(numpy.ones((8, 3), dtype="float16"), 2, seed=0, settings=settings)
    assert set(found.labels.tolist()) <= {0, 1} and numpy.isfinite(found.space.head()[0]).all()


def test_settings_are_checked() -> None:
    for setting in (
        {"method": "dec"},
        {"over": 0},
        {"refresh": 0},
        {"smoothing": 1.1},
        {"seed": -1},
    ):
        with pytest.raises(ValueError, match=f"R007.*{next(iter(setting))}"):
            create_clustering(**setting)


@pytest.mark.parametrize("method", METHODS)
def test_the_largest_seed_is_one_for_all_that_is_drawn(method: str) -> None:
    vectors, _ = apart()
    for restarts in (1, 20):
        with pytest.raises(ValueError, match="R007.*seed is 4294967295; expected a number from 0 to ") as error:
            create_clustering(seed=2**32 - 1, restarts=restarts)
        options = {"restarts": restarts, "pretrain_epochs": 1, "adaptive_epochs": 0, "rounds": 1}
        settings = create_clustering(method=method, seed=int(str(error.value).split()[-1].rstrip(".")), **options)
        assert len(find_clusters(vectors, 4, seed=settings["seed"], settings=settings).labels) == len(vectors)
