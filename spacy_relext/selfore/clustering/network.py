"""The trained half of adaptive clustering: it assigns pairs to clusters, and is saved with the classifier.

    z = s · encoder((x − m) / d) − z̄              codes; m, d: mean and deviation of each dimension, z̄: mean code
    q_nk ∝ (1 + ‖z_n − μ_k‖² / α)^(−(α + 1) / 2)   Eq. 7
    cluster of x: argmax_k q_nk, or argmax_k p_nk = argmax_k (log q_nk − ½ log f_k)   Eq. 10

Source: Hu et al., EMNLP 2020; see `adaptive.py`, which trains it.
"""

from typing import Dict, List, Tuple

import numpy
import torch
from torch import Tensor, nn

# Sizes of the encoder's layers.
WIDTHS = (500, 500, 200)


class ClusterNetwork(nn.Module):
    """Codes of pair vectors, centroids, and the cluster that each centroid belongs to."""

    mean: Tensor  # m, (F,)
    deviation: Tensor  # d, (F,)
    scale: Tensor  # s, ()
    center: Tensor  # z̄, (Z,)
    centroids: Tensor  # (K', Z)
    offsets: Tensor  # ½ log f, or 0, (K',)
    groups: Tensor  # cluster of each centroid, (K',)
    means: Tensor  # μ, mean of the centroids of each cluster, (K, Z)

    def __init__(self, width: int, n_centroids: int, n_classes: int) -> None:
        """Build the layers; the weights are those of `adaptive_clusters` or of a file.

        width (int): Size of pair vectors, F.
        n_centroids (int): K'; more than K if clusters were merged.
        n_classes (int): K.
        """
        super().__init__()
        self.n_centroids = n_centroids
        self.encoder = feed_forward([width, *WIDTHS])
        zeros: Dict[str, Tuple[int, ...]] = {
            "mean": (width,),
            "deviation": (width,),
            "center": (WIDTHS[-1],),
            "offsets": (n_centroids,),
        }
        zeros |= {"centroids": (n_centroids, WIDTHS[-1]), "means": (n_classes, WIDTHS[-1])}
        for name, shape in zeros.items():
            self.register_buffer(name, torch.zeros(shape))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("groups", torch.zeros(n_centroids, dtype=torch.int64))

    def codes(self, vectors: Tensor) -> Tensor:
        """Compute z; its mean over the training pairs is 0. Shapes (N, F) → (N, Z)"""
        codes: Tensor = self.encoder((vectors - self.mean) / self.deviation)
        return self.scale * codes - self.center

    def forward(self, vectors: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute the scores of clusters, whose argmax is the answer, and z · μ_k − ½ ‖μ_k‖², which tells how well a
        pair fits. Shapes (N, F) → (N, K), (N, K)"""
        codes = self.codes(vectors)
        scores = log_assignment(codes, self.centroids) - self.offsets
        best = scores.new_full((len(scores), len(self.means)), -torch.inf)
        best = best.scatter_reduce(1, self.groups.expand_as(scores), scores, "amax")
        return best, codes @ self.means.T - self.means.square().sum(1) / 2

    def merge(self, groups: numpy.ndarray, sizes: numpy.ndarray, count: int) -> None:
        """Let centroids share clusters, whose means are weighted by the sizes. Shapes (K',), (K',)"""
        self.groups = torch.as_tensor(groups, device=self.centroids.device)
        weights = torch.as_tensor(sizes, dtype=torch.float32, device=self.centroids.device)
        members = nn.functional.one_hot(self.groups, count).T * weights
        self.means = members @ self.centroids / members.sum(1, keepdim=True).clamp(min=1e-12)

    def renumber(self, numbers: numpy.ndarray) -> None:
        """Give each cluster another number. Shape (K,)"""
        new = torch.as_tensor(numbers, device=self.groups.device)
        self.groups, means = new[self.groups], torch.empty_like(self.means)
        means[new] = self.means
        self.means = means


def feed_forward(widths: List[int]) -> nn.Sequential:
    """Build linear layers with ReLU between."""
    layers: List[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def squared_distances(codes: Tensor, centroids: Tensor) -> Tensor:
    """Compute ‖z_n − μ_k‖² from differences: the expanded form loses small distances between large codes.
    Shapes (N, Z), (K, Z) → (N, K)"""
    return torch.stack([(codes - each).square().sum(1) for each in centroids], dim=1)


def log_assignment(codes: Tensor, centroids: Tensor, *, alpha: float = 1.0) -> Tensor:
    """Compute log q, the soft assignment by Student's t kernel with α degrees of freedom (Eq. 7).
    Shapes (N, Z), (K, Z) → (N, K)"""
    return (-(alpha + 1.0) / 2.0 * (squared_distances(codes, centroids) / alpha).log1p()).log_softmax(1)
