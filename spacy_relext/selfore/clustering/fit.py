"""How well a pair fits into its cluster: what a clusterer abstains by.

A pair that states nothing is put into some cluster, and often far from all others: it is not which of two clusters it
belongs to that is in doubt. But its vector then differs from the mean of all pairs in another way than the cluster's
mean does, or one of its arguments is of another kind than those of the cluster:

    c(x) = cos(z, μ_k) + min over the parts p of x of cos(x_p − m_p, m_kp − m_p)
    fit(x) = c(x) + ½ · mean of c over the cluster

z and μ_k: the pair and its cluster's centroid in the space that tells clusters apart, where the mean of all pairs is 0;
m: mean of all pairs' vectors; m_k: of the cluster's; parts: subject, object, and the words between. Where a cluster is
loose, as those are which hold what fits nowhere, all its pairs count as fitting less. `docs/methods/selfore.md` has
what other measures gave.

The space need not be kept: a_j = z · μ_j is what the classifier says of cluster j, but for |μ_j|² / 2, and of what lies
in the span of the centroids |z|² = aᵀ G⁺ a, with G_ij = μ_i · μ_j.
"""

from typing import Any, NamedTuple, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ...errors import require
from ...scoring.probabilities import log_softmax
from .discriminant import CHUNK, Floats, IntArray, Space, means_of

TINY = 1e-9

# Centroids that lie so much less far apart in some direction, as a share, span nothing there.
FLAT = 1e-5

# Weight of the mean of a pair's cluster.
LEVEL = 0.5


class Fit(NamedTuple):
    """What is kept of the clusters.

    means (Floats): m_k - m. Shape (K, F)
    mean (Floats): m. Shape (F,)
    products (Floats): G. Shape (K, K)
    levels (Floats): Half the mean of c over each cluster. Shape (K,)
    """

    means: Floats
    mean: Floats
    products: Floats
    levels: Floats

    def of(
        self,
        vectors: npt.NDArray[Any],
        logits: npt.NDArray[Any],
        *,
        parts: int,
        width: int,
        empty: Sequence[int] = (),
    ) -> Tuple[IntArray, Floats]:
        """Find each pair's cluster, and how well it fits there.

        vectors (NDArray): x, of equally long parts, and of types behind them, which are not read. Shape (N, F)
        logits (NDArray): What the classifier says, or `Space.logits`. Shape (N, K)
        parts (int): How many there are.
        width (int): Of each.
        empty (Sequence[int]): Clusters without a pair: they get none. Their centroids are the mean of all pairs, to
            which whatever is unlike all clusters is nearest.
        RETURNS (Tuple[IntArray, Floats]): Clusters; fit, -3 to 3. Shapes (N,)
        """
        open_to = np.array(logits)
        open_to[:, list(empty)] = -np.inf
        clusters = open_to.argmax(1).astype(np.int64)
        found = [
            self._of(vectors[at : at + CHUNK], logits[at : at + CHUNK], clusters[at : at + CHUNK], (parts, width))
            for at in range(0, len(vectors), CHUNK)
        ]
        return clusters, np.concatenate(found) if found else np.zeros(0, dtype="float32")

    def _of(self, vectors: Any, logits: Any, clusters: IntArray, parts: Tuple[int, int]) -> Floats:
        squares = np.diag(self.products).astype("float64")
        along = logits + squares / 2  # (N, K)
        lengths = np.sqrt(np.maximum(((along @ np.linalg.pinv(self.products, rcond=FLAT)) * along).sum(1), 0.0))
        own = along[np.arange(len(along)), clusters]
        in_space = own / np.maximum(lengths * np.sqrt(squares[clusters]), TINY)
        text = parts[0] * parts[1]
        here, there = (
            each[:, :text].reshape(len(vectors), *parts) for each in (vectors - self.mean, self.means[clusters])
        )
        norms = np.linalg.norm(here, axis=2) * np.linalg.norm(there, axis=2)
        weakest = ((here * there).sum(2) / np.maximum(norms, TINY)).min(1)
        found: Floats = (np.clip(in_space, -1.0, 1.0) + weakest + self.levels[clusters]).astype("float32")
        return found


def fit_of(vectors: npt.NDArray[Any], labels: IntArray, space: Space, **parts: int) -> Tuple[Fit, Floats]:
    """Take down what tells how well pairs fit into clusters, and find out how well these do.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    labels (IntArray): Cluster of each. Shape (N,)
    space (Space): In which they were found.
    parts (int): `parts` and `width`, as for `Fit.of`.
    RETURNS (Tuple[Fit, Floats]): What is kept; fit of each pair. Shape (N,)
    """
    count, logits = len(space.centroids), space.logits(space.codes(vectors))
    mean = vectors.mean(0, dtype="float64")
    means = (means_of(vectors, labels, count) - mean).astype("float32")
    products = (space.centroids @ space.centroids.T).astype("float32")
    found = Fit(means, mean.astype("float32"), products, np.zeros(count, dtype="float32"))
    empty = np.flatnonzero(np.bincount(labels, minlength=count) == 0).tolist()
    clusters, fit = found.of(vectors, logits, empty=empty, **parts)
    sums = np.bincount(clusters, weights=fit, minlength=count)
    levels = (LEVEL * sums / np.maximum(np.bincount(clusters, minlength=count), 1)).astype("float32")
    return found._replace(levels=levels), fit + levels[clusters]


# Pairs that are asked; the scale is one number.
MOST = 20_000

LEAST_SCALE = 1e-3


def scale_of(vectors: npt.NDArray[Any], labels: IntArray, space: Space, *, smoothing: float) -> float:
    """Find c so that the cross-entropy of c z with the clusters is least.

    vectors (NDArray): Of pairs; half precision will do. Shape (N, F)
    labels (IntArray): Cluster of each. Shape (N,)
    space (Space): In which they were found; z is what it says, K numbers for each pair.
    smoothing (float): Share of each label that is spread over all clusters.
    RETURNS (float): c, from 0.001 to 1: z is never made surer.
    """
    optimize = require("scipy.optimize", purpose="clustering", extra="cluster")
    every = max(1, -(-len(vectors) // MOST))
    logits, chosen = space.logits(space.codes(vectors[::every])).astype("float64"), labels[::every]
    rows = np.arange(len(chosen))

    def loss(scale: float) -> float:
        logs = log_softmax(scale * logits)
        return float(-((1 - smoothing) * logs[rows, chosen] + smoothing * logs.mean(1)).mean())

    found = optimize.minimize_scalar(loss, bounds=(LEAST_SCALE, 1.0), method="bounded", options={"xatol": 1e-3})
    return round(float(found.x), 4) if found.fun < loss(1.0) else 1.0
