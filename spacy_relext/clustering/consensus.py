"""What several clusterings of the same pairs agree on.

Source: Topchy, Jain and Punch, "Clustering Ensembles: Models of Consensus and Weak Partitions", TPAMI 2005: k-means on
what each clustering says of a pair, written as one indicator for each of its clusters, finds the clusters that share
most with all of them. Numbers of clusters need not be aligned for that.
"""

from typing import Sequence

import numpy as np
import numpy.typing as npt

from ..optional import require
from .quiet import fit_quietly

IntArray = npt.NDArray[np.int64]
# Starts of k-means.
STARTS = 5


def agreed_clusters(labels: Sequence[IntArray], count: int, *, seed: int) -> IntArray:
    """Find the clusters on which clusterings agree.

    labels (Sequence[IntArray]): At least one clustering: the cluster of each pair, from 0. Shapes (N,)
    count (int): K.
    seed (int): Of k-means++.
    RETURNS (IntArray): Shape (N,)
    """
    # pairs of which all clusterings say the same are one, as heavy as they are many
    kinds, inverse, sizes = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True, return_counts=True)
    if len(kinds) <= count:
        return inverse.reshape(-1).astype("int64")
    offsets = np.cumsum([0, *(int(each.max()) + 1 for each in labels)])
    indicators = np.zeros((len(kinds), int(offsets[-1])), dtype="float32")
    indicators[np.arange(len(kinds))[:, None], kinds + offsets[:-1]] = 1.0
    cluster = require("sklearn.cluster", purpose="clustering", extra="cluster")
    kmeans = cluster.KMeans(count, n_init=STARTS, random_state=seed)
    found = fit_quietly(kmeans, indicators, sample_weight=sizes)
    agreed: IntArray = found.labels_.astype("int64")[inverse.reshape(-1)]
    return agreed
