"""How many clusters there are, where nobody says: as many as tell most of each pair's neighbours."""

import math
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from .discriminant import Reduced, cluster_reduced, reduce_vectors, reduced_width

# Of more pairs a sample is drawn; starts of each trial.
MOST_PAIRS, TRIAL_STARTS = 12_000, 3
# How much less than the best count a larger one may tell of neighbours.
SLACK = 0.005


class Choice(NamedTuple):
    """What was chosen.

    number (int): K.
    tried (List[Tuple[int, float]]): Each count, and what clusters then tell of neighbours, see `choose_count`.
    """

    number: int
    tried: List[Tuple[int, float]]


def choose_count(
    vectors: npt.NDArray[Any],
    counts: Sequence[int],
    *,
    seed: int,
    slack: float = SLACK,
    reduce: int = 200,
    whiten: float = 0.0,
    **options: Any,
) -> Choice:
    """Take the largest count whose clusters tell nearly as much of neighbours as those of any count.

    What a pair's cluster tells of its neighbours', I(K), grows with K as long as clusters are split along lines that
    neighbours respect, and less than ln K when one is cut through. It is taken as a share of ln(K + 1): two or three
    groups that differ in nothing but the kinds of their entities would tell nearly all that so few can, ln K, and win.

    vectors (NDArray): Of pairs. Shape (N, F)
    counts (Sequence[int]): Counts to try; those above a tenth of the pairs are left out, but for the smallest.
    seed (int): Of the clusterings and the sample.
    slack (float): How much less is nearly as much.
    reduce (int): As for `discriminant_kmeans`.
    whiten (float): As for `reduce_vectors`.
    options (Any): As for `cluster_reduced`, but for the restarts.
    RETURNS (Choice): The count.
    """
    if len(vectors) > MOST_PAIRS:
        vectors = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), MOST_PAIRS, replace=False))]
    ordered = sorted(set(counts))
    possible = [count for count in ordered if count <= len(vectors) // 10] or ordered[:1]
    tried: List[Tuple[int, float]] = []
    spaces: Dict[int, Reduced] = {}
    for count in possible:
        width = reduced_width(len(vectors), count, reduce=reduce)
        if width not in spaces:
            spaces[width] = reduce_vectors(vectors, width, whiten=whiten, seed=seed)
        found = cluster_reduced(spaces[width], count, seed=seed, restarts=TRIAL_STARTS, consensus=False, **options)
        tried.append((count, found.information * math.log(count) / math.log(count + 1)))
    best = max(information for _, information in tried)
    return Choice(max(count for count, information in tried if information >= best - slack), tried)


def count_grid(least: int, most: int) -> List[int]:
    """Counts from the least to the most, each about a fifth larger than the one before.

    least (int): At least 2.
    most (int): At least as many.
    RETURNS (List[int]): In rising order.
    """
    found, at = [], float(least)
    while round(at) < most:
        found.append(round(at))
        at = max(at * 1.2, at + 1)
    return [*found, most]
