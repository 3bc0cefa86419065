"""Adaptive clustering: what it finds, what it does when clusters fall together, and on what it does not depend."""

from typing import Any, List

import numpy
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from spacy_relext.selfore.clustering import adaptive
from spacy_relext.selfore.clustering.adaptive import (
    RETRIES,
    Adapted,
    AdaptiveClusters,
    CodeSpace,
    Standardised,
    adaptive_clusters,
    assignment_loss,
    check_sizes,
    log_target,
    reconstruction_loss,
    soft_sizes,
)
from spacy_relext.selfore.clustering.network import ClusterNetwork, log_assignment, squared_distances
from tests.selfore.clustering.test_methods import apart, quick


def test_clusters_are_found_again_with_the_same_seed() -> None:
    vectors, gold = apart()
    before = torch.random.get_rng_state()
    found = adaptive_clusters(vectors, 4, settings=quick(seed=1, restarts=10))
    assert torch.equal(torch.random.get_rng_state(), before), "torch's own random numbers stay as they are"
    assert adjusted_rand_score(gold, found.labels) > 0.9 and found.reasons == [] and found.changed
    assert found.network.centroids.shape == (4, 200) and found.sizes.sum() == pytest.approx(240)
    torch.manual_seed(7)
    numpy.random.seed(7)
    assert (adaptive_clusters(vectors, 4, settings=quick(seed=1, restarts=10)).labels == found.labels).all()


def test_codes_are_drawn_to_centroids(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = apart()
    plain = adaptive_clusters(vectors, 4, settings=quick(restarts=10, epochs=0))
    monkeypatch.setattr(adaptive, "REFRESH", 3)
    drawn = adaptive_clusters(vectors, 4, settings=quick(seed=0, restarts=10))
    assert plain.changed == [] and 1 <= len(drawn.changed) <= 2
    assert (numpy.sort(drawn.sizes) != numpy.sort(plain.sizes)).all()


def test_vectors_are_standardised(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = (5.0 + 3.0 * numpy.random.default_rng(0).normal(size=(100, 4))).astype("float16")
    vectors[:, 2] = 1.0
    monkeypatch.setattr(adaptive, "CHUNK", 7)
    whole = torch.cat(list(Standardised(vectors).batches(11)))
    assert whole.shape == (100, 4) and torch.allclose(whole.mean(0), torch.zeros(4), atol=1e-4)
    assert torch.allclose(whole.std(0, unbiased=False), torch.tensor([1.0, 1.0, 0.0, 1.0]), atol=1e-3)
    order = numpy.arange(99, -1, -1)
    assert torch.equal(torch.cat(list(Standardised(vectors).batches(11, order=order))), whole.flip(0))


def test_codes_have_a_scale_that_their_network_does_not_know() -> None:
    torch.manual_seed(0)
    module = AdaptiveClusters(6, dropout=0.0)
    vectors = torch.randn(40, 6)
    codes, again = (each.detach() for each in module.autoencoder(vectors))
    module.set_centroids(codes, codes[:3])
    assert torch.equal(module.autoencoder(vectors)[1], again) and module.centroids is not None
    nearest = squared_distances(module.scale * codes, module.centroids).amin(1)
    assert float(nearest.detach().median()) == pytest.approx(1.0, rel=1e-3)
    torch.testing.assert_close(
        module.log_assignment(vectors), log_assignment(module.scale * codes, module.scale * codes[:3])
    )


def test_the_loss_is_that_of_assignments_plus_the_weighted_reconstruction() -> None:
    torch.manual_seed(0)
    module = AdaptiveClusters(6, dropout=0.0)
    vectors = torch.randn(40, 6)
    codes, again = (each.detach() for each in module.autoencoder(vectors))
    module.set_centroids(codes, codes[:3])
    log_q = module.log_assignment(vectors)
    log_p = log_target(log_q, soft_sizes([log_q]))
    found = module.loss(vectors, log_p, reconstruction=2.0)
    torch.testing.assert_close(found, assignment_loss(log_q, log_p) + 2.0 * reconstruction_loss(vectors, again))


def test_a_pair_has_the_cluster_of_q_where_the_target_says_another() -> None:
    # between centroids at 0 and 3: q is (.9, .1) eight times, (.52, .48), and (.1, .9)
    codes = numpy.array([code_of(0.9)] * 8 + [code_of(0.52), code_of(0.1)])[:, None]
    vectors = Standardised(codes)
    module = AdaptiveClusters(1, dropout=0.0)
    module.autoencoder.encoder = torch.nn.Sequential(torch.nn.Identity())
    module.scale = float(vectors.deviation[0])  # vectors as they were, but for their mean
    module.centroids = torch.nn.Parameter(torch.tensor([[0.0], [3.0]]) - float(vectors.mean[0]))
    labels, sizes = adaptive.assign(module, vectors)
    assert sizes.numpy() == pytest.approx([7.82, 2.18], abs=1e-4)
    with torch.no_grad():
        log_p = torch.cat([log_target(module.log_assignment(batch), sizes) for batch in vectors.batches(3)])
    assert log_p[8].exp().numpy() == pytest.approx([0.246517, 0.753483], abs=1e-4)
    for of_target in (False, True):
        network = adaptive.make_network(module, vectors, sizes, of_target=of_target)
        scores, products = CodeSpace(network, torch.device("cpu")).scores(codes)
        assert scores.argmax(1).tolist() == (log_p.argmax(1).tolist() if of_target else labels.tolist())
        nearest = squared_distances(network.codes(torch.from_numpy(codes).float()), network.means).argmin(1)
        assert products.argmax(1).tolist() == nearest.tolist() == labels.tolist()
        assert float(network.codes(torch.from_numpy(codes).float()).mean()) == pytest.approx(0.0, abs=1e-6)
    assert labels.tolist() == [0] * 9 + [1] and log_p.argmax(1).tolist() == [0] * 8 + [1, 1]


def test_merged_centroids_share_a_cluster() -> None:
    network = ClusterNetwork(2, 3, 3)
    network.centroids = torch.zeros(3, 200)
    network.centroids[:, 0] = torch.tensor([-1.0, 1.0, 4.0])
    network.merge(numpy.array([0, 0, 1]), numpy.array([3.0, 1.0, 7.0]), 2)
    assert network.means[:, 0].tolist() == [-0.5, 4.0]
    network.renumber(numpy.array([1, 0]))
    network.encoder, network.deviation = torch.nn.Identity(), torch.ones(200)
    network.mean = network.center = torch.zeros(200)
    scores, products = network(torch.zeros(1, 200).index_fill_(1, torch.tensor([0]), 1.5))
    q = torch.tensor([1 / 7.25, 1 / 1.25, 1 / 7.25])
    assert scores[0].exp().tolist() == pytest.approx([float(q[2] / q.sum()), float(q[1] / q.sum())], abs=1e-5)
    assert products[0].tolist() == pytest.approx([6.0 - 8.0, -0.75 - 0.125])


def code_of(share: float) -> float:
    """The x between 0 and 3 with q = share of the centroid at 0, 1 + (3 - x)² = share / (1 - share) · (1 + x²)."""
    ratio = share / (1 - share)
    roots = numpy.roots([1 - ratio, -6.0, 10.0 - ratio])
    return float(next(root for root in roots if 0 < root < 3))


def collapsing(times: int, seen: List[int]) -> Any:
    """What stands for `adapt`: some tries end with one cluster, each later one a little less uneven."""

    def adapt(vectors: Standardised, count: int, *, seed: int, **_: Any) -> Adapted:
        seen.append(seed)
        labels = numpy.zeros(240, dtype="int64")
        bad = len(seen) <= times
        labels[: len(seen)] = 1
        if not bad:
            labels = numpy.arange(240) % count
        reasons = check_sizes(numpy.bincount(labels, minlength=count)).reasons
        assert bool(reasons) == bad
        return Adapted(labels, ClusterNetwork(1, count, count), numpy.bincount(labels, minlength=count), [], reasons)

    return adapt


def test_clusters_that_fall_together_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = apart()
    seen: List[int] = []
    monkeypatch.setattr(adaptive, "adapt", collapsing(2, seen))
    assert adaptive_clusters(vectors, 4, settings=quick(seed=2, restarts=10)).reasons == [] and len(set(seen)) == 3
    seen.clear()
    monkeypatch.setattr(adaptive, "adapt", collapsing(99, seen))
    found = adaptive_clusters(vectors, 4, settings=quick(seed=2, restarts=10))
    assert len(set(seen)) == 1 + RETRIES and found.reasons
    assert found.labels.sum() == 1 + RETRIES, "the least uneven"


def test_a_collapse_ends_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = apart()
    calls: List[int] = []

    def assign(module: Any, vectors: Any) -> Any:
        calls.append(1)
        return numpy.zeros(240, dtype="int64") + (len(calls) < 2), torch.full((4,), 60.0, dtype=torch.float64)

    monkeypatch.setattr(adaptive, "assign", assign)
    with torch.random.fork_rng():
        found = adaptive.adapt(Standardised(vectors), 4, seed=0, settings=quick(restarts=10))
    assert len(calls) == 2 and any("of the clusters are used" in reason for reason in found.reasons)
