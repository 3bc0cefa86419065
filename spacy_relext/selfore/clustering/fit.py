"""How well pairs fit into their clusters: the score by which a clusterer abstains.

A pair that states no relation is still assigned to a cluster, often far from all others, so that the margin between
clusters does not reveal it. But its vector differs from the mean of all pairs in another direction than the mean of the
cluster does, or one of its arguments is of another kind than those of the cluster:

    c(x) = cos(z, μ_k) + min over the parts p of x of cos(x_p − m_p, m_kp − m_p)
    fit(x) = c(x) + ½ · mean of c over the cluster

z and μ_k: the pair and its cluster's centroid in the discriminant space, where the mean of all pairs is 0; m: mean of
all pairs' vectors; m_k: of the cluster's; parts: such as subject, object, and the words between. All pairs of a loose
cluster, such as one of leftovers, thus fit less. `docs/research/selfore.md` compares other measures.

The space itself is not needed: a_j = z · μ_j is the logit of cluster j plus |μ_j|² / 2, and in the span of centroids
|z|² = aᵀ G⁺ a, with G_ij = μ_i · μ_j. After adaptive clustering, z and μ are codes and centroids of the network.
"""

from typing import TYPE_CHECKING, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

from ...scoring.probabilities import log_softmax
from .discriminant import Space, means_of
from .ensemble import CHUNK, Floats, Ints, import_optional, row_slices

if TYPE_CHECKING:
    from .adaptive import CodeSpace

TINY = 1e-9

# Singular values of G below this share of the largest count as 0.
RCOND = 1e-5

# Weight of the mean of a pair's cluster.
LEVEL_WEIGHT = 0.5

# Maximum number of pairs to which the scale is fitted, and its lower bound.
MAX_PAIRS, LEAST_SCALE = 20_000, 1e-3


class ClusterFit(NamedTuple):
    """Statistics of the clusters."""

    means: Floats  # m_k - m, shape (K, F)
    mean: Floats  # m, shape (F,)
    products: Floats  # G, shape (K, K)
    levels: Floats  # half the mean of c over each cluster, shape (K,)

    def assign(
        self,
        vectors: Floats,
        logits: Floats,
        *,
        parts: int,
        width: int,
        empty: Sequence[int] = (),
        scores: Optional[Floats] = None,
    ) -> Tuple[Ints, Floats]:
        """Assign pairs to clusters, and compute their fit.

        vectors (Floats): x; entity types behind its parts are ignored. Shape (N, F)
        logits (Floats): z · μ_k − ½ |μ_k|². Shape (N, K)
        parts (int): Number of parts.
        width (int): Width of each part.
        empty (Sequence[int]): Clusters without pairs, to which none is assigned: their centroid is the mean of all
            pairs, the nearest one to whatever is unlike all clusters.
        scores (Optional[Floats]): A pair belongs to the cluster with the highest one; None: they are the logits.
            Shape (N, K)
        RETURNS (Tuple[Ints, Floats]): Clusters; fit, -3 to 3. Shapes (N,)
        """
        allowed = numpy.array(logits if scores is None else scores)
        allowed[:, list(empty)] = -numpy.inf
        clusters = allowed.argmax(1).astype(numpy.int64)
        fits = [numpy.zeros(0, dtype="float32")]
        for rows in row_slices(len(vectors), CHUNK):
            fits.append(self._fit(vectors[rows], logits[rows], clusters[rows], (parts, width)))
        return clusters, numpy.concatenate(fits)

    def _fit(self, vectors: Floats, logits: Floats, clusters: Ints, shape: Tuple[int, int]) -> Floats:
        squares = numpy.diag(self.products).astype("float64")
        products = logits + squares / 2  # (N, K)
        inverse = numpy.linalg.pinv(self.products, rcond=RCOND)
        lengths = numpy.sqrt(numpy.maximum(((products @ inverse) * products).sum(1), 0.0))
        own = products[numpy.arange(len(products)), clusters]
        cosine = own / numpy.maximum(lengths * numpy.sqrt(squares[clusters]), TINY)
        of_pair, of_cluster = (
            each[:, : shape[0] * shape[1]].reshape(len(vectors), *shape)
            for each in (vectors - self.mean, self.means[clusters])
        )
        norms = numpy.linalg.norm(of_pair, axis=2) * numpy.linalg.norm(of_cluster, axis=2)
        weakest = ((of_pair * of_cluster).sum(2) / numpy.maximum(norms, TINY)).min(1)
        fit: Floats = (numpy.clip(cosine, -1.0, 1.0) + weakest + self.levels[clusters]).astype("float32")
        return fit


def cluster_fit(
    vectors: Floats, labels: Ints, space: Union[Space, "CodeSpace"], *, parts: int, width: int
) -> Tuple[ClusterFit, Floats]:
    """Compute the statistics of clusters, and the fit of each pair to the cluster that its scores choose.

    vectors (Floats): Of pairs, as for `ClusterFit.assign`; half precision suffices. Shape (N, F)
    labels (Ints): Cluster of each. Shape (N,)
    """
    count, (scores, logits) = len(space.centroids), space.scores(vectors)
    mean = vectors.mean(0, dtype="float64")
    means = (means_of(vectors, labels, count) - mean).astype("float32")
    products = (space.centroids @ space.centroids.T).astype("float32")
    statistics = ClusterFit(means, mean.astype("float32"), products, numpy.zeros(count, dtype="float32"))
    empty = numpy.flatnonzero(numpy.bincount(labels, minlength=count) == 0).tolist()
    clusters, fit = statistics.assign(vectors, logits, parts=parts, width=width, empty=empty, scores=scores)
    sums = numpy.bincount(clusters, weights=fit, minlength=count)
    sizes = numpy.maximum(numpy.bincount(clusters, minlength=count), 1)
    levels = (LEVEL_WEIGHT * sums / sizes).astype("float32")
    return statistics._replace(levels=levels), fit + levels[clusters]


def fit_scale(vectors: Floats, labels: Ints, space: Space, *, smoothing: float) -> float:
    """Fit c, an inverse temperature, that minimizes the cross-entropy of c z with the clusters.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    labels (Ints): Cluster of each. Shape (N,)
    space (Space): Of the clusters; its logits are z.
    smoothing (float): Share of each label that is spread over all clusters.
    RETURNS (float): c, from 0.001 to 1: logits are never sharpened.
    """
    every = max(1, -(-len(vectors) // MAX_PAIRS))
    logits, sample = space.logits(space.codes(vectors[::every])).astype("float64"), labels[::every]
    rows = numpy.arange(len(sample))

    def loss(scale: float) -> float:
        log_p = log_softmax(scale * logits)
        return float(-((1 - smoothing) * log_p[rows, sample] + smoothing * log_p.mean(1)).mean())

    minimize = import_optional("scipy.optimize").minimize_scalar
    result = minimize(loss, bounds=(LEAST_SCALE, 1.0), method="bounded", options={"xatol": 1e-3})
    return round(float(result.x), 4) if result.fun < loss(1.0) else 1.0
