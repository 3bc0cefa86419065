"""How sure the classifier begins: a scale for what a space says of clusters.

Discriminants are fitted to the very clusters that they then tell apart, and what follows from them is far too sure. A
label of which a share is spread over all clusters would be missed by so much that learning first of all draws clusters
together. With z scaled so that it is as sure as such labels are, on the whole there is nothing to make up for.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..optional import require
from .discriminant import IntArray, Space

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
    optimize, special = (
        require(f"scipy.{name}", purpose="clustering", extra="cluster") for name in ("optimize", "special")
    )
    every = max(1, -(-len(vectors) // MOST))
    logits, chosen = space.logits(space.codes(vectors[::every])).astype("float64"), labels[::every]
    rows = np.arange(len(chosen))

    def loss(scale: float) -> float:
        logs = special.log_softmax(scale * logits, axis=1)
        return float(-((1 - smoothing) * logs[rows, chosen] + smoothing * logs.mean(1)).mean())

    found = optimize.minimize_scalar(loss, bounds=(LEAST_SCALE, 1.0), method="bounded", options={"xatol": 1e-3})
    return round(float(found.x), 4) if found.fun < loss(1.0) else 1.0
