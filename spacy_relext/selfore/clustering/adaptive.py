"""Adaptive clustering, SelfORE's own: an autoencoder learns the vectors of pairs, k-means clusters its codes, and codes
and centroids are then drawn together. The equations are in `selfore/clustering/autoencoder.py`.

The target is that of the whole data and stays for some epochs. It needs no table of N × K numbers: a copy of the
network says for each batch what q was when f was counted.
"""

import copy
import logging
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .autoencoder import AdaptiveClusters, check_sizes, log_target, reconstruction_loss, soft_sizes
from .discriminant import CHUNK, kmeans, means_of

logger = logging.getLogger(__name__)

IntArray = npt.NDArray[np.int64]

BATCH = 256

LEARN_RATE, WEIGHT_DECAY = 1e-3, 1e-5

# The share of pairs below which a change of clusters from one target to the next is none.
SETTLED = 0.005

RETRIES = 3


class Adapted(NamedTuple):
    """What came out.

    labels (IntArray): argmax q of each pair. Shape (N,)
    centroids (NDArray): μ. Shape (K, Z)
    sizes (NDArray): f. Shape (K,)
    changed (List[float]): Share of the pairs that changed their cluster from each target to the next.
    reasons (List[str]): What speaks for clusters having fallen together, after all tries.
    """

    labels: IntArray
    centroids: npt.NDArray[Any]
    sizes: npt.NDArray[Any]
    changed: List[float]
    reasons: List[str]


class Standardised:
    """Vectors with mean 0 and variance 1 in each place, made in full precision where they are asked for.

    vectors (NDArray): Half precision will do. Shape (N, F)
    """

    def __init__(self, vectors: npt.NDArray[Any]) -> None:
        self.vectors = vectors
        total, squares = np.zeros(vectors.shape[1]), np.zeros(vectors.shape[1])
        for start in range(0, len(vectors), CHUNK):
            part = vectors[start : start + CHUNK].astype("float64")
            total, squares = total + part.sum(0), squares + (part**2).sum(0)
        self.mean = total / len(vectors)
        spread = np.sqrt(np.maximum(squares / len(vectors) - self.mean**2, 0.0))
        self.spread = np.where(spread < 1e-6, 1.0, spread)

    def batches(self, size: int, *, order: Optional[IntArray] = None) -> Iterator[Tensor]:
        """Yield all of them in parts.

        size (int): Of a part.
        order (Optional[IntArray]): In which order; None: as they stand. Shape (N,)
        YIELDS (Tensor): Shapes (n, F)
        """
        for start in range(0, len(self.vectors), size):
            rows = slice(start, start + size) if order is None else order[start : start + size]
            yield torch.from_numpy(((self.vectors[rows] - self.mean) / self.spread).astype("float32"))


def adaptive_clusters(vectors: npt.NDArray[Any], count: int, *, seed: int, **options: Any) -> Adapted:
    """Cluster, and begin anew with other random numbers where clusters have fallen together.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    count (int): K, at most N.
    seed (int): Of all that is drawn; torch's own random numbers stay as they are.
    options (Any): As for `adapt`.
    RETURNS (Adapted): Of the first try without a collapse, or else of that whose clusters are most alike in size.
    """
    standardised = Standardised(vectors)
    best: Tuple[float, Optional[Adapted]] = (-1.0, None)
    for attempt in range(1 + RETRIES):
        with torch.random.fork_rng(devices=[]):
            found = adapt(standardised, count, seed=seed * (1 + RETRIES) + attempt, **options)
        if not found.reasons:
            return found
        logger.info("adaptive clustering, try %d: %s", attempt + 1, "; ".join(found.reasons))
        evenness = check_sizes(np.bincount(found.labels, minlength=count).tolist()).evenness
        best = max(best, (evenness, found), key=lambda each: each[0])
    assert best[1] is not None
    return best[1]


def adapt(
    vectors: Standardised,
    count: int,
    *,
    seed: int,
    restarts: int = 10,
    pretrain_epochs: int = 20,
    adaptive_epochs: int = 20,
    refresh: int = 2,
    reconstruction: float = 0.1,
) -> Adapted:
    """Cluster once.

    vectors (Standardised): Of pairs. N, F
    count (int): K, at most N.
    seed (int): Of the network, of the batches and of k-means++.
    restarts (int): Starts of k-means on the codes.
    pretrain_epochs (int): Epochs in which the autoencoder learns alone.
    adaptive_epochs (int): Most epochs in which codes and centroids are drawn together; 0: k-means on the codes.
    refresh (int): T, epochs that a target stays.
    reconstruction (float): Weight of the autoencoder's error then.
    RETURNS (Adapted): Clusters.
    """
    torch.manual_seed(seed)
    dice = np.random.default_rng(seed)
    module = AdaptiveClusters(len(vectors.mean))
    pretrain(module, vectors, epochs=pretrain_epochs, dice=dice)
    codes = _codes(module, vectors)
    centroids = best_centroids(codes.numpy(), count, seed=seed, restarts=restarts)
    module.place(codes, torch.from_numpy(centroids))
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARN_RATE)
    labels, sizes = assign(module, vectors)
    changed: List[float] = []
    for epoch in range(0, adaptive_epochs, refresh):
        target = copy.deepcopy(module).eval()
        for _ in range(min(refresh, adaptive_epochs - epoch)):
            for batch in vectors.batches(BATCH, order=dice.permutation(len(vectors.vectors))):
                with torch.no_grad():
                    log_p = log_target(target.log_assignment(batch), sizes)
                _step(optimizer, module.train().loss(batch, log_p, reconstruction=reconstruction))
        before, (labels, sizes) = labels, assign(module, vectors)
        changed.append(float((before != labels).mean()))
        if changed[-1] < SETTLED or _reasons(labels, count):
            break
    assert module.centroids is not None
    return Adapted(labels, module.centroids.detach().numpy(), sizes.numpy(), changed, _reasons(labels, count))


def pretrain(module: AdaptiveClusters, vectors: Standardised, *, epochs: int, dice: np.random.Generator) -> None:
    """Let the autoencoder learn vectors alone.

    module (AdaptiveClusters): Without centroids.
    vectors (Standardised): Of pairs.
    epochs (int): How often each is seen.
    dice (np.random.Generator): Orders them.
    """
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARN_RATE, weight_decay=WEIGHT_DECAY)
    module.train()
    for _ in range(epochs):
        for batch in vectors.batches(BATCH, order=dice.permutation(len(vectors.vectors))):
            _step(optimizer, reconstruction_loss(batch, module.autoencoder(batch)[1]))


def assign(module: AdaptiveClusters, vectors: Standardised) -> Tuple[IntArray, Tensor]:
    """Read all vectors once.

    module (AdaptiveClusters): With centroids.
    vectors (Standardised): Of pairs.
    RETURNS (Tuple[IntArray, Tensor]): argmax q, and f. Shapes (N,), (K,)
    """
    labels: List[Tensor] = []

    def parts() -> Iterator[Tensor]:
        for batch in vectors.batches(CHUNK):
            log_q = module.log_assignment(batch)
            labels.append(log_q.argmax(1))
            yield log_q

    module.eval()
    with torch.no_grad():
        sizes = soft_sizes(parts())
    return torch.cat(labels).numpy(), sizes


def best_centroids(codes: npt.NDArray[Any], count: int, *, seed: int, restarts: int) -> npt.NDArray[np.float32]:
    """k-means from several starts.

    codes (NDArray): Shape (N, Z)
    count (int): K.
    seed (int): Of k-means++; each start has its own.
    restarts (int): How many.
    RETURNS (NDArray): Centroids of the one with the smallest squared distances. Shape (K, Z)
    """
    found = []
    for restart in range(restarts):
        labels = kmeans(codes, count, seed=seed * restarts + restart)
        means = means_of(codes, labels, count)
        found.append((float(((codes - means[labels]) ** 2).sum(dtype="float64")), restart, means))
    return min(found, key=lambda each: each[:2])[2]


def _codes(module: AdaptiveClusters, vectors: Standardised) -> Tensor:
    """Codes of all vectors. Shape (N, Z)"""
    module.eval()
    with torch.no_grad():
        return torch.cat([module.autoencoder.encode(batch) for batch in vectors.batches(CHUNK)])


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Learn from a batch."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _reasons(labels: IntArray, count: int) -> List[str]:
    """What speaks for clusters having fallen together."""
    return check_sizes(np.bincount(labels, minlength=count).tolist()).reasons
