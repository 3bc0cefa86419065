"""Adaptive clustering of SelfORE: an autoencoder's codes drawn to centroids by their own soft assignment.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020,
after Xie, Girshick and Farhadi, "Unsupervised Deep Embedding for Clustering Analysis", ICML 2016. For codes z_n and
centroids μ_k:

    q_nk ∝ (1 + ‖z_n − μ_k‖² / α)^(−(α + 1) / 2)              Eq. 7
    p_nk ∝ q_nk² / f_k,   f_k = Σ_n q_nk over the whole data    Eq. 8
    L = (1 / N) Σ_n KL(p_n ‖ q_n), p without gradient           Eq. 9; the paper sums

What differs from the authors' later code: its exponent is α + 1, since `x ** (α + 1) / 2` is (x ** (α + 1)) / 2, and it
takes f from the batch. L does not say which clustering is better: it is 0 where all codes are alike, and goes to 0 as
codes and centroids shrink together.
"""

from math import log
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (500, 500, 200)

# Shares of the guards against collapse: of all pairs, of the clusters, of the entropy of equal sizes.
SMALLEST, USED, EVEN = 0.001, 0.9, 0.5

TINY = 1e-12


class Autoencoder(nn.Module):
    """Widths in → 500 → 500 → 200 and back, ReLU between, the code and the output linear (Eq. 3 to 6)."""

    def __init__(self, width: int, *, widths: Tuple[int, ...] = WIDTHS, dropout: float = 0.1) -> None:
        """Create an untrained autoencoder.

        width (int): D, width of the pair vectors.
        widths (Tuple[int, ...]): Of the layers of the encoder; the last is the code's.
        dropout (float): On the input and on the code, in training.
        """
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.encoder = _layers([width, *widths])
        self.decoder = _layers([*reversed(widths), width])

    def encode(self, vectors: Tensor) -> Tensor:
        """Turn vectors into codes. Shapes (N, D) → (N, Z)"""
        codes: Tensor = self.encoder(self.dropout(vectors))
        return codes

    def forward(self, vectors: Tensor) -> Tuple[Tensor, Tensor]:
        """Encode and decode.

        vectors (Tensor): Shape (N, D)
        RETURNS (Tuple[Tensor, Tensor]): Codes, and the vectors made of them again. Shapes (N, Z), (N, D)
        """
        codes = self.encode(vectors)
        return codes, self.decoder(self.dropout(codes))


class AdaptiveClusters(nn.Module):
    """An autoencoder whose codes lie around centroids; both are learned."""

    def __init__(self, width: int, **options: Any) -> None:
        """Create an untrained network; `place` gives it centroids.

        width (int): D, width of the pair vectors.
        options (Any): As for `Autoencoder`.
        """
        super().__init__()
        self.autoencoder = Autoencoder(width, **options)
        self.centroids: Optional[nn.Parameter] = None
        self.scale = 1.0

    def place(self, codes: Tensor, centroids: Tensor) -> None:
        """Begin at centroids of the codes, and scale codes and centroids by `code_scale`, once and for good. The factor
        stays outside of the layers: Adam's steps would be too large for weights that had become small by it.

        codes (Tensor): Of all vectors. Shape (N, Z)
        centroids (Tensor): Of k-means on them. Shape (K, Z)
        """
        self.scale = code_scale(codes, centroids)
        self.centroids = nn.Parameter(self.scale * centroids)

    def log_assignment(self, vectors: Tensor) -> Tensor:
        """log q of vectors. Shapes (N, D) → (N, K)"""
        assert self.centroids is not None, "place() comes first"
        return log_assignment(self.scale * self.autoencoder.encode(vectors), self.centroids)

    def loss(self, vectors: Tensor, log_p: Tensor, *, reconstruction: float) -> Tensor:
        """L, and some of what the autoencoder was trained for, so that codes go on to say what vectors say (Guo et al.,
        IJCAI 2017).

        vectors (Tensor): Shape (N, D)
        log_p (Tensor): Shape (N, K)
        reconstruction (float): Weight of the squared error.
        RETURNS (Tensor): Shape ()
        """
        assert self.centroids is not None, "place() comes first"
        codes, again = self.autoencoder(vectors)
        loss = assignment_loss(log_assignment(self.scale * codes, self.centroids), log_p)
        return loss + reconstruction * reconstruction_loss(vectors, again)


def reconstruction_loss(vectors: Tensor, again: Tensor) -> Tensor:
    """Mean squared error over all elements (Eq. 6). Shapes (N, D) → ()"""
    return F.mse_loss(again, vectors)


def squared_distances(codes: Tensor, centroids: Tensor) -> Tensor:
    """‖z_n − μ_k‖², computed from the differences: small ones between large codes would be lost otherwise.

    codes (Tensor): z. Shape (N, Z)
    centroids (Tensor): μ. Shape (K, Z)
    RETURNS (Tensor): Shape (N, K)
    """
    return torch.stack([(codes - each).square().sum(1) for each in centroids], dim=1)


def log_assignment(codes: Tensor, centroids: Tensor, *, alpha: float = 1.0) -> Tensor:
    """log q, Student's t as a similarity (Eq. 7).

    codes (Tensor): z. Shape (N, Z)
    centroids (Tensor): μ. Shape (K, Z)
    alpha (float): α, degrees of freedom, above 0.
    RETURNS (Tensor): Shape (N, K)
    """
    return (-(alpha + 1.0) / 2.0 * (squared_distances(codes, centroids) / alpha).log1p()).log_softmax(1)


def soft_sizes(log_q: Iterable[Tensor]) -> Tensor:
    """f, the soft size of each cluster, from a stream over the whole data.

    log_q (Iterable[Tensor]): log q, part by part; at least one. Shapes (N_i, K)
    RETURNS (Tensor): In double precision. Shape (K,)
    """
    total: Optional[Tensor] = None
    for part in log_q:
        sizes = part.detach().double().exp().sum(0)
        total = sizes if total is None else total + sizes
    if total is None:
        raise ValueError("no assignments")
    return total


def log_target(log_q: Tensor, sizes: Tensor) -> Tensor:
    """log p, the sharpened assignment that takes from large clusters (Eq. 8); it has no gradient.

    log_q (Tensor): Shape (N, K)
    sizes (Tensor): f of the whole data, not of these N. Shape (K,)
    RETURNS (Tensor): Shape (N, K)
    """
    return (2.0 * log_q.detach() - sizes.clamp(min=TINY).log().to(log_q.dtype)).log_softmax(1)


def assignment_loss(log_q: Tensor, log_p: Tensor) -> Tensor:
    """L, the mean KL divergence of q from p (Eq. 9). Shapes (N, K), (N, K) → ()"""
    return F.kl_div(log_q, log_p.detach(), reduction="batchmean", log_target=True)


def code_scale(codes: Tensor, centroids: Tensor) -> float:
    """What codes must be multiplied with so that α = 1 means something: their median squared distance becomes 1.

    codes (Tensor): Shape (N, Z)
    centroids (Tensor): Of k-means on these codes. Shape (K, Z)
    RETURNS (float): 1 over the root of the median squared distance to the nearest centroid; 1 where that is 0.
    """
    median = float(squared_distances(codes, centroids).amin(1).median())
    return 1.0 if median <= TINY else float(median**-0.5)


class Collapse(NamedTuple):
    """What speaks for clusters having fallen together.

    smallest (float): Share of all pairs in the smallest cluster.
    used (float): Share of the clusters that any pair is in.
    evenness (float): Entropy of the sizes by ln K.
    """

    smallest: float
    used: float
    evenness: float

    @property
    def reasons(self) -> List[str]:
        """RETURNS (List[str]): In words; none where all is well."""
        found = []
        if self.smallest < SMALLEST:
            found.append(f"the smallest cluster has {self.smallest:.2%} of the pairs")
        if self.used < USED:
            found.append(f"{self.used:.0%} of the clusters are used")
        if self.evenness < EVEN:
            found.append(f"sizes have {self.evenness:.0%} of the entropy of equal ones")
        return found


def check_collapse(labels: Tensor, *, count: int) -> Collapse:
    """Look at the sizes of clusters.

    labels (Tensor): Cluster of each of N pairs, at least one. Shape (N,)
    count (int): K.
    RETURNS (Collapse): What was found.
    """
    return check_sizes(torch.bincount(labels, minlength=count).tolist())


def check_sizes(sizes: Sequence[int]) -> Collapse:
    """Look at the sizes of clusters.

    sizes (Sequence[int]): Pairs of each, at least one altogether.
    RETURNS (Collapse): What was found.
    """
    shares = [size / sum(sizes) for size in sizes]
    entropy = -sum(share * log(share) for share in shares if share > 0)
    even = entropy / log(len(sizes)) if len(sizes) > 1 else 1.0
    return Collapse(min(shares), sum(size > 0 for size in sizes) / len(sizes), even)


def _layers(widths: List[int]) -> nn.Sequential:
    """Linear layers with ReLU between."""
    layers: List[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.ReLU(), nn.Linear(before, after)] if layers else [nn.Linear(before, after)]
    return nn.Sequential(*layers)
