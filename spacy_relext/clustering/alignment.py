"""Numbers of clusters from one clustering to the next: clusters come out in any order."""

from typing import NamedTuple, Sequence

import numpy as np
import numpy.typing as npt

from ..optional import require

IntArray = npt.NDArray[np.int64]


class Alignment(NamedTuple):
    """A clustering with the numbers of an earlier one.

    labels (IntArray): Cluster of each of N items, 0 to K - 1. Shape (N,)
    numbers (IntArray): The new number of each cluster as it came out. Shape (K,)
    changed (float): Share of the items whose cluster is another than before.
    """

    labels: IntArray
    numbers: IntArray
    changed: float


def align(before: Sequence[int], labels: Sequence[int], *, count: int, fixed: int = 0) -> Alignment:
    """Number clusters as those of an earlier clustering with which they share most items (Kuhn, 1955).

    before (Sequence[int]): Earlier clusters of the same items, 0 to K - 1. Shape (N,)
    labels (Sequence[int]): New ones, 0 to K - 1. Shape (N,)
    count (int): K.
    fixed (int): How many clusters, the first ones, have kept their number.
    RETURNS (Alignment): The new ones, renumbered.
    """
    old, new = np.asarray(before, dtype=np.int64), np.asarray(labels, dtype=np.int64)
    if old.shape != new.shape:
        raise ValueError(f"{len(old)} clusters before, but {len(new)} now")
    shared = np.zeros((count, count), dtype=np.int64)
    np.add.at(shared, (new, old), 1)
    shared[range(fixed), range(fixed)] += len(old) + 1  # more than all others could share
    optimize = require("scipy.optimize", purpose="numbering clusters", extra="cluster")
    rows, columns = optimize.linear_sum_assignment(shared, maximize=True)
    numbers = np.empty(count, dtype=np.int64)
    numbers[rows] = columns
    renamed = numbers[new]
    return Alignment(renamed, numbers, float((renamed != old).mean()) if len(old) else 0.0)
