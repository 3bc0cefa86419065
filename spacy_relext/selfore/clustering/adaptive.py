"""Adaptive clustering, SelfORE's own: an autoencoder is pretrained on pair vectors, k-means clusters its codes, and
then codes and centroids are trained together.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020,
after Xie, Girshick and Farhadi, "Unsupervised Deep Embedding for Clustering Analysis" (DEC), ICML 2016. For codes z_n
and centroids μ_k, with the soft assignment q and the target distribution p:

    q_nk ∝ (1 + ‖z_n − μ_k‖² / α)^(−(α + 1) / 2)              Eq. 7
    p_nk ∝ q_nk² / f_k,   f_k = Σ_n q_nk over all pairs         Eq. 8
    L = (1 / N) Σ_n KL(p_n ‖ q_n), p without gradient           Eq. 9; the paper sums

The authors' later code differs: its exponent is α + 1, since `x ** (α + 1) / 2` is (x ** (α + 1)) / 2, and its f is of
the batch. L is no measure of quality: it is 0 if all codes are equal, and goes to 0 as codes and centroids shrink.

The target distribution is that of all pairs and fixed for some epochs. A copy of the network recomputes q of each batch
as it was then, so that no table of N × K numbers is needed.

It runs on the device of the component, and its encoder and centroids assign new pairs (`network.py`).
"""

import logging
from math import log
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..settings import SelforeClustering
from .discriminant import TOLERANCE, kmeans, means_of
from .ensemble import CHUNK, Floats, Ints, row_slices
from .network import WIDTHS, ClusterNetwork, feed_forward, log_assignment, squared_distances

logger = logging.getLogger(__name__)

BATCH = 256

# Epochs of codes and centroids together with the same target distribution.
REFRESH = 2

# Weight of the reconstruction loss after pretraining.
RECONSTRUCTION = 0.1

WEIGHT_DECAY = 1e-5

RETRIES = 3

# Limits below which clusters count as collapsed: smallest size as a share of the pairs, share of the clusters that are
# used, and entropy of the sizes as a share of its maximum.
LEAST_SIZE, LEAST_USED, LEAST_EVENNESS = 0.001, 0.9, 0.5

TINY = 1e-12

CPU = torch.device("cpu")


class Autoencoder(nn.Module):
    """D → 500 → 500 → 200 and back, ReLU between, code and output linear (Eq. 3 to 6); dropout on input and code."""

    def __init__(self, width: int, *, widths: Tuple[int, ...] = WIDTHS, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.encoder = feed_forward([width, *widths])
        self.decoder = feed_forward([*reversed(widths), width])

    def encode(self, vectors: Tensor) -> Tensor:
        """Compute codes. Shapes (N, D) → (N, Z)"""
        codes: Tensor = self.encoder(self.dropout(vectors))
        return codes

    def forward(self, vectors: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute codes and reconstructions. Shapes (N, D) → (N, Z), (N, D)"""
        codes = self.encode(vectors)
        return codes, self.decoder(self.dropout(codes))


class AdaptiveClusters(nn.Module):
    """An autoencoder and centroids of its codes; both are trained."""

    def __init__(self, width: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.autoencoder = Autoencoder(width, dropout=dropout)
        self.centroids: Optional[nn.Parameter] = None
        self.scale = 1.0

    def set_centroids(self, codes: Tensor, centroids: Tensor) -> None:
        """Initialize with the centroids of k-means on the codes of all vectors. Shapes (N, Z), (K, Z)

        Codes and centroids are scaled by `code_scale` from now on. The factor is not folded into the layers: Adam's
        steps would be too large for weights scaled down by it.
        """
        self.scale = code_scale(codes, centroids)
        self.centroids = nn.Parameter(self.scale * centroids)

    def log_assignment(self, vectors: Tensor) -> Tensor:
        """Compute log q. Shapes (N, D) → (N, K)"""
        assert self.centroids is not None, "call set_centroids() first"
        return log_assignment(self.scale * self.autoencoder.encode(vectors), self.centroids)

    def loss(self, vectors: Tensor, log_p: Tensor, *, reconstruction: float) -> Tensor:
        """Compute L plus the weighted reconstruction loss, which keeps the codes informative (Guo et al., IJCAI 2017).
        Shapes (N, D), (N, K) → ()"""
        assert self.centroids is not None, "call set_centroids() first"
        codes, reconstructed = self.autoencoder(vectors)
        loss = assignment_loss(log_assignment(self.scale * codes, self.centroids), log_p)
        return loss + reconstruction * reconstruction_loss(vectors, reconstructed)


def reconstruction_loss(vectors: Tensor, reconstructed: Tensor) -> Tensor:
    """Compute the mean squared error over all elements (Eq. 6). Shapes (N, D), (N, D) → ()"""
    return F.mse_loss(reconstructed, vectors)


def soft_sizes(log_q: Iterable[Tensor]) -> Tensor:
    """Compute f, the soft size of each cluster, in double precision from log q of batches. Shapes (n, K) → (K,)

    RAISES (ValueError): If there are no batches.
    """
    sizes = [batch.detach().double().exp().sum(0) for batch in log_q]
    if not sizes:
        raise ValueError("no assignments")
    return sum(sizes[1:], sizes[0])


def log_target(log_q: Tensor, sizes: Tensor) -> Tensor:
    """Compute log p, the target distribution (Eq. 8), without gradient; f is of all pairs, not only of these N.
    Shapes (N, K), (K,) → (N, K)"""
    return (2.0 * log_q.detach() - sizes.clamp(min=TINY).log().to(log_q.dtype)).log_softmax(1)


def assignment_loss(log_q: Tensor, log_p: Tensor) -> Tensor:
    """Compute L, the mean KL(p ‖ q) (Eq. 9). Shapes (N, K), (N, K) → ()"""
    return F.kl_div(log_q, log_p.detach(), reduction="batchmean", log_target=True)


def code_scale(codes: Tensor, centroids: Tensor) -> float:
    """Compute the factor for codes and centroids of k-means with which α = 1 is a sensible width of the kernel: the
    median squared distance to the nearest centroid becomes 1. If it is 0, the factor is 1. Shapes (N, Z), (K, Z)"""
    median = float(squared_distances(codes, centroids).amin(1).median())
    return 1.0 if median <= TINY else float(median**-0.5)


class Collapse(NamedTuple):
    """Signs of a collapse of clusters."""

    evenness: float  # entropy of the sizes divided by ln K
    reasons: List[str]  # which limits are missed, in words


def check_sizes(sizes: Union[Ints, Sequence[int]]) -> Collapse:
    """Check the sizes of clusters, which have at least one pair."""
    sizes = [int(size) for size in sizes]
    shares = [size / sum(sizes) for size in sizes]
    used = sum(size > 0 for size in sizes) / len(sizes)
    entropy = -sum(share * log(share) for share in shares if share > 0)
    evenness = entropy / log(len(sizes)) if len(sizes) > 1 else 1.0
    limits = [
        (min(shares) < LEAST_SIZE, f"the smallest cluster has {min(shares):.2%} of the pairs"),
        (used < LEAST_USED, f"{used:.0%} of the clusters are used"),
        (evenness < LEAST_EVENNESS, f"sizes have {evenness:.0%} of the entropy of equal ones"),
    ]
    return Collapse(evenness, [reason for is_missed, reason in limits if is_missed])


class Adapted(NamedTuple):
    """Result of adaptive clustering."""

    labels: Ints  # argmax q or p of each pair, shape (N,)
    network: ClusterNetwork  # assigns pairs, one cluster a centroid
    sizes: Floats  # f, shape (K,)
    changed: List[float]  # share of the pairs whose cluster changed from each target to the next
    reasons: List[str]  # signs of a collapse after the last try


class Standardised:
    """Vectors with mean 0 and variance 1 in each dimension, computed batch by batch on a device. Shape (N, F)"""

    def __init__(self, vectors: Floats, device: torch.device = CPU) -> None:
        self.vectors, self.device = vectors, device
        total, squares = numpy.zeros(vectors.shape[1]), numpy.zeros(vectors.shape[1])
        for rows in row_slices(len(vectors), CHUNK):
            chunk = vectors[rows].astype("float64")
            total, squares = total + chunk.sum(0), squares + (chunk**2).sum(0)
        self.mean = total / len(vectors)
        deviation = numpy.sqrt(numpy.maximum(squares / len(vectors) - self.mean**2, 0.0))
        self.deviation = numpy.where(deviation < 1e-6, 1.0, deviation)

    def raw(self, size: int) -> Iterator[Floats]:
        """Yield all vectors as they are, in batches. Shapes (n, F)"""
        return (self.vectors[rows].astype("float32") for rows in row_slices(len(self.vectors), size))

    def batches(self, size: int, *, order: Optional[Ints] = None) -> Iterator[Tensor]:
        """Yield all vectors in batches, in the order of a permutation of the rows. Shapes (n, F)"""
        for rows in row_slices(len(self.vectors), size):
            batch = self.vectors[rows if order is None else order[rows]]
            yield torch.from_numpy(((batch - self.mean) / self.deviation).astype("float32")).to(self.device)


def adaptive_clusters(
    vectors: Floats, count: int, *, settings: SelforeClustering, device: torch.device = CPU
) -> Adapted:
    """Cluster, and restart with other random numbers if clusters collapse.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    count (int): K, at most N.
    settings (SelforeClustering): Random seed, number of starts of k-means, epochs, learning rate, and whether a pair's
        cluster is argmax q or p. The state of torch's global generator is restored.
    RETURNS (Adapted): Of the first try without a collapse, or else of the one with the most even cluster sizes.
    """
    standardised = Standardised(vectors, device)
    tries: List[Adapted] = []
    for attempt in range(1 + RETRIES):
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            seed = settings.seed * (1 + RETRIES) + attempt
            tries.append(adapt(standardised, count, seed=seed, settings=settings))
        if not tries[-1].reasons:
            return tries[-1]
        logger.info("adaptive clustering, try %d: %s", attempt + 1, "; ".join(tries[-1].reasons))
    return max(tries, key=lambda each: check_sizes(numpy.bincount(each.labels, minlength=count)).evenness)


def adapt(vectors: Standardised, count: int, *, seed: int, settings: SelforeClustering) -> Adapted:
    """Cluster once; `seed` is that of the network, the batches and k-means++."""
    torch.manual_seed(seed)
    rng = numpy.random.default_rng(seed)
    module = AdaptiveClusters(len(vectors.mean)).to(vectors.device)
    _pretrain(module, vectors, rng=rng, settings=settings)
    with torch.no_grad():
        codes = torch.cat([module.autoencoder.encode(batch) for batch in vectors.batches(CHUNK)])
    centroids = _best_centroids(codes.cpu().numpy(), count, seed=seed, restarts=settings.restarts)
    module.set_centroids(codes, torch.from_numpy(centroids).to(vectors.device))
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learn_rate)
    labels, sizes = assign(module, vectors)
    changed: List[float] = []
    for epoch in range(0, settings.epochs, REFRESH):
        teacher = _copied(module, vectors.device).eval()
        for _ in range(min(REFRESH, settings.epochs - epoch)):
            for batch in vectors.batches(BATCH, order=rng.permutation(len(vectors.vectors))):
                with torch.no_grad():
                    log_p = log_target(teacher.log_assignment(batch), sizes)
                _step(optimizer, module.train().loss(batch, log_p, reconstruction=RECONSTRUCTION))
        before, (labels, sizes) = labels, assign(module, vectors)
        changed.append(float((before != labels).mean()))
        if changed[-1] < TOLERANCE or check_sizes(numpy.bincount(labels, minlength=count)).reasons:
            break
    network = make_network(module, vectors, sizes, of_target=settings.answer == "p")
    if settings.answer == "p":
        labels = CodeSpace(network, vectors.device).scores(vectors.vectors)[0].argmax(1)
    reasons = check_sizes(numpy.bincount(labels, minlength=count)).reasons
    return Adapted(labels, network, sizes.cpu().numpy(), changed, reasons)


class CodeSpace(NamedTuple):
    """The codes of a network, in place of a discriminant `Space`."""

    network: ClusterNetwork
    device: torch.device

    @property
    def centroids(self) -> Floats:
        """RETURNS (Floats): One of each cluster. Shape (K, Z)"""
        centroids: Floats = self.network.means.cpu().numpy()
        return centroids

    def scores(self, vectors: Floats) -> Tuple[Floats, Floats]:
        """Compute what `ClusterNetwork.forward` does. Shapes (N, F) → (N, K), (N, K)"""
        found: List[Tuple[Floats, Floats]] = []
        with torch.no_grad():
            for rows in row_slices(len(vectors), CHUNK):
                batch = torch.from_numpy(vectors[rows].astype("float32")).to(self.device)
                scores, logits = self.network(batch)
                found.append((scores.cpu().numpy(), logits.cpu().numpy()))
        scores, logits = zip(*found)
        return numpy.concatenate(scores), numpy.concatenate(logits)


def make_network(module: AdaptiveClusters, vectors: Standardised, sizes: Tensor, *, of_target: bool) -> ClusterNetwork:
    """Copy what assigns pairs.

    sizes (Tensor): f. Shape (K,)
    of_target (bool): Whether a pair's cluster is argmax p instead of argmax q.
    """
    assert module.centroids is not None, "call set_centroids() first"
    count, device = len(sizes), vectors.device
    network = ClusterNetwork(len(vectors.mean), count, count).to(device)
    network.encoder = module.autoencoder.encoder
    network.mean, network.deviation = (
        torch.from_numpy(each.astype("float32")).to(device) for each in (vectors.mean, vectors.deviation)
    )
    with torch.no_grad():
        network.scale = torch.full((), module.scale, device=device)
        codes = [network.codes(torch.from_numpy(rows).to(device)).double().sum(0) for rows in vectors.raw(CHUNK)]
        network.center = (torch.stack(codes).sum(0) / len(vectors.vectors)).float()
        network.centroids = module.centroids.detach() - network.center
        network.means = network.centroids.clone()
        network.offsets = of_target * sizes.clamp(min=TINY).log().float() / 2
        network.groups = torch.arange(count, device=device)
    network.zero_grad()  # the last step left gradients, which an optimizer would follow
    return network.requires_grad_(False).eval()


def assign(module: AdaptiveClusters, vectors: Standardised) -> Tuple[Ints, Tensor]:
    """Compute argmax q of all vectors, and f. The module is in evaluation mode afterwards. Shapes (N,), (K,)"""
    module.eval()
    labels, sizes = [], []
    with torch.no_grad():
        for batch in vectors.batches(CHUNK):
            log_q = module.log_assignment(batch)
            labels.append(log_q.argmax(1))
            sizes.append(soft_sizes([log_q]))
    return torch.cat(labels).cpu().numpy(), sum(sizes[1:], sizes[0])


def _pretrain(
    module: AdaptiveClusters, vectors: Standardised, *, rng: numpy.random.Generator, settings: SelforeClustering
) -> None:
    """Train the autoencoder alone; it is in evaluation mode afterwards."""
    optimizer = torch.optim.Adam(module.parameters(), lr=settings.learn_rate, weight_decay=WEIGHT_DECAY)
    module.train()
    for _ in range(settings.pretrain_epochs):
        for batch in vectors.batches(BATCH, order=rng.permutation(len(vectors.vectors))):
            _step(optimizer, reconstruction_loss(batch, module.autoencoder(batch)[1]))
    module.eval()


def _copied(module: AdaptiveClusters, device: torch.device) -> AdaptiveClusters:
    """Copy the network with its weights as they are."""
    assert module.centroids is not None
    with torch.random.fork_rng(devices=[]):  # the weights that are replaced are random
        copied = AdaptiveClusters(module.width).to(device)
    copied.centroids, copied.scale = nn.Parameter(torch.zeros_like(module.centroids)), module.scale
    copied.load_state_dict(module.state_dict())
    return copied


def _best_centroids(codes: Floats, count: int, *, seed: int, restarts: int) -> Floats:
    """Compute the centroids of the k-means with the smallest inertia, of several starts. Shapes (N, Z) → (K, Z)"""
    starts = []
    for restart in range(restarts):
        labels = kmeans(codes, count, seed=seed * restarts + restart)
        means = means_of(codes, labels, count)
        starts.append((float(((codes - means[labels]) ** 2).sum(dtype="float64")), means))
    return min(starts, key=lambda each: each[0])[1]


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
