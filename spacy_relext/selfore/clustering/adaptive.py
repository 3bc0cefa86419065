"""Adaptive clustering, SelfORE's own: an autoencoder is pretrained on pair vectors, k-means clusters its codes, and
then codes and centroids are trained together. The equations are in `selfore/clustering/autoencoder.py`.

The target distribution is that of all pairs and fixed for some epochs. A copy of the network recomputes q of each batch
as it was then, so that no table of N × K numbers is needed.
"""

import copy
import logging
from typing import Iterator, List, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor

from ..settings import SelforeAutoencoder
from .autoencoder import AdaptiveClusters, check_sizes, log_target, reconstruction_loss, soft_sizes
from .discriminant import TOLERANCE, kmeans, means_of
from .ensemble import CHUNK, Floats, Ints, row_slices

logger = logging.getLogger(__name__)

BATCH = 256

LEARN_RATE, WEIGHT_DECAY = 1e-3, 1e-5

RETRIES = 3


class Adapted(NamedTuple):
    """Result of adaptive clustering."""

    labels: Ints  # argmax q of each pair, shape (N,)
    centroids: Floats  # μ, shape (K, Z)
    sizes: Floats  # f, shape (K,)
    changed: List[float]  # share of the pairs whose cluster changed from each target to the next
    reasons: List[str]  # signs of a collapse after the last try


class Standardised:
    """Vectors with mean 0 and variance 1 in each dimension, computed batch by batch. Shape (N, F)"""

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors
        total, squares = numpy.zeros(vectors.shape[1]), numpy.zeros(vectors.shape[1])
        for rows in row_slices(len(vectors), CHUNK):
            chunk = vectors[rows].astype("float64")
            total, squares = total + chunk.sum(0), squares + (chunk**2).sum(0)
        self.mean = total / len(vectors)
        deviation = numpy.sqrt(numpy.maximum(squares / len(vectors) - self.mean**2, 0.0))
        self.deviation = numpy.where(deviation < 1e-6, 1.0, deviation)

    def batches(self, size: int, *, order: Optional[Ints] = None) -> Iterator[Tensor]:
        """Yield all vectors in batches, in the order of a permutation of the rows. Shapes (n, F)"""
        for rows in row_slices(len(self.vectors), size):
            batch = self.vectors[rows if order is None else order[rows]]
            yield torch.from_numpy(((batch - self.mean) / self.deviation).astype("float32"))


def adaptive_clusters(
    vectors: Floats, count: int, *, seed: int, restarts: int, settings: SelforeAutoencoder
) -> Adapted:
    """Cluster, and restart with other random numbers if clusters collapse.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    count (int): K, at most N.
    seed (int): Random seed; the state of torch's global generator is restored.
    restarts (int): Number of starts of k-means.
    RETURNS (Adapted): Of the first try without a collapse, or else of the one with the most even cluster sizes.
    """
    standardised = Standardised(vectors)
    tries: List[Adapted] = []
    for attempt in range(1 + RETRIES):
        with torch.random.fork_rng(devices=[]):
            try_seed = seed * (1 + RETRIES) + attempt
            tries.append(adapt(standardised, count, seed=try_seed, restarts=restarts, settings=settings))
        if not tries[-1].reasons:
            return tries[-1]
        logger.info("adaptive clustering, try %d: %s", attempt + 1, "; ".join(tries[-1].reasons))
    return max(tries, key=lambda each: check_sizes(numpy.bincount(each.labels, minlength=count)).evenness)


def adapt(vectors: Standardised, count: int, *, seed: int, restarts: int, settings: SelforeAutoencoder) -> Adapted:
    """Cluster once; `seed` is that of the network, the batches and k-means++."""
    torch.manual_seed(seed)
    rng = numpy.random.default_rng(seed)
    module = AdaptiveClusters(len(vectors.mean))
    _pretrain(module, vectors, epochs=settings.pretrain_epochs, rng=rng)
    with torch.no_grad():
        codes = torch.cat([module.autoencoder.encode(batch) for batch in vectors.batches(CHUNK)])
    centroids = _best_centroids(codes.numpy(), count, seed=seed, restarts=restarts)
    module.set_centroids(codes, torch.from_numpy(centroids))
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARN_RATE)
    labels, sizes = assign(module, vectors)
    changed: List[float] = []
    epochs, refresh = settings.adaptive_epochs, settings.refresh
    for epoch in range(0, epochs, refresh):
        teacher = copy.deepcopy(module).eval()
        for _ in range(min(refresh, epochs - epoch)):
            for batch in vectors.batches(BATCH, order=rng.permutation(len(vectors.vectors))):
                with torch.no_grad():
                    log_p = log_target(teacher.log_assignment(batch), sizes)
                _step(optimizer, module.train().loss(batch, log_p, reconstruction=settings.reconstruction))
        before, (labels, sizes) = labels, assign(module, vectors)
        changed.append(float((before != labels).mean()))
        if changed[-1] < TOLERANCE or check_sizes(numpy.bincount(labels, minlength=count)).reasons:
            break
    assert module.centroids is not None
    reasons = check_sizes(numpy.bincount(labels, minlength=count)).reasons
    return Adapted(labels, module.centroids.detach().numpy(), sizes.numpy(), changed, reasons)


def assign(module: AdaptiveClusters, vectors: Standardised) -> Tuple[Ints, Tensor]:
    """Compute argmax q of all vectors, and f. The module is in evaluation mode afterwards. Shapes (N,), (K,)"""
    module.eval()
    labels, sizes = [], []
    with torch.no_grad():
        for batch in vectors.batches(CHUNK):
            log_q = module.log_assignment(batch)
            labels.append(log_q.argmax(1))
            sizes.append(soft_sizes([log_q]))
    return torch.cat(labels).numpy(), sum(sizes[1:], sizes[0])


def _pretrain(module: AdaptiveClusters, vectors: Standardised, *, epochs: int, rng: numpy.random.Generator) -> None:
    """Train the autoencoder alone; it is in evaluation mode afterwards."""
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARN_RATE, weight_decay=WEIGHT_DECAY)
    module.train()
    for _ in range(epochs):
        for batch in vectors.batches(BATCH, order=rng.permutation(len(vectors.vectors))):
            _step(optimizer, reconstruction_loss(batch, module.autoencoder(batch)[1]))
    module.eval()


def _best_centroids(codes: Floats, count: int, *, seed: int, restarts: int) -> Floats:
    """Compute the centroids of the k-means with the smallest inertia, of several starts. Shapes (N, Z) → (K, Z)"""
    starts = []
    for restart in range(restarts):
        labels = kmeans(codes, count, seed=seed * restarts + restart)
        means = means_of(codes, labels, count)
        starts.append((float(((codes - means[labels]) ** 2).sum(dtype="float64")), means))
    return min(starts, key=lambda each: each[0])[1]


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Update weights by the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
