"""How many clusters there are, where nobody says: as many as tell most of each pair's neighbours, and come out alike
however clustering begins."""

import math
from itertools import combinations
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ...errors import require
from .discriminant import Clustering, Reduced, cluster_often, reduce_vectors, reduced_width

# Of more pairs a sample is drawn; starts of each trial, and how many of the best counts get how many more.
MOST_PAIRS, TRIAL_STARTS = 12_000, 5

FINALISTS, MORE_STARTS = 5, 10

# Seeds of further starts are no other run's first ones.
FAR = 100_000

# How far apart counts are, as the logarithm of their ratio, that have nothing to say of each other.
NEAR = 0.3


class Choice(NamedTuple):
    """What was chosen.

    number (int): K.
    tried (List[Tuple[int, float]]): Each count and its score, see `choose_count`.
    """

    number: int
    tried: List[Tuple[int, float]]


def choose_count(
    vectors: npt.NDArray[Any],
    counts: Sequence[int],
    *,
    seed: int,
    reduce: int = 200,
    whiten: float = 0.0,
    **options: Any,
) -> Choice:
    """Take the count with the best score: what clusters tell of neighbours, times how alike they come out.

    What a pair's cluster tells of its neighbours', I(K), grows with K as long as clusters are split along lines that
    neighbours respect, and less than ln K when one is cut through. It is taken as a share of ln(K + 1): two or three
    groups that differ in nothing but the kinds of their entities would tell nearly all that so few can, ln K, and win.
    How alike clusterings from several starts are is their adjusted mutual information, the mean of all pairs of starts:
    where a number is wrong, it is chance which groups are cut or joined. Both hang on the starts that were drawn: a
    count's score is a mean with those of counts that differ little, and the five best are begun ten more times, among
    which the best is taken.

    vectors (NDArray): Of pairs. Shape (N, F)
    counts (Sequence[int]): Counts to try; those above a tenth of the pairs are left out, but for the smallest.
    seed (int): Of the clusterings and the sample.
    reduce (int): As for `discriminant_kmeans`.
    whiten (float): As for `reduce_vectors`.
    options (Any): As for `cluster_often`.
    RETURNS (Choice): The count; of equally good ones the largest.
    """
    if len(vectors) > MOST_PAIRS:
        vectors = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), MOST_PAIRS, replace=False))]
    ordered = sorted(set(counts))
    possible = [count for count in ordered if count <= len(vectors) // 10] or ordered[:1]
    spaces: Dict[int, Reduced] = {}
    found: Dict[int, List[Clustering]] = {}
    for count in possible:
        width = reduced_width(len(vectors), count, reduce=reduce)
        if width not in spaces:
            spaces[width] = reduce_vectors(vectors, width, whiten=whiten, seed=seed)
        found[count] = cluster_often(spaces[width], count, seed=seed, restarts=TRIAL_STARTS, **options)
    scores = {count: judged(each, count) for count, each in found.items()}
    first = dict(zip(possible, smoothed(possible, list(scores.values()))))
    finalists = sorted(possible, key=lambda count: (-first[count], -count))[:FINALISTS]
    for count in finalists if len(possible) > 1 else ():
        space = spaces[reduced_width(len(vectors), count, reduce=reduce)]
        more = cluster_often(space, count, seed=seed + FAR, restarts=MORE_STARTS, **options)
        scores[count] = judged([*found[count], *more], count)
    steady = dict(zip(possible, smoothed(possible, list(scores.values()))))
    return Choice(max(finalists, key=lambda count: (steady[count], count)), list(steady.items()))


def judged(found: Sequence[Clustering], count: int) -> float:
    """Score a count.

    found (Sequence[Clustering]): Of several starts.
    count (int): K.
    RETURNS (float): Mean share of ln(K + 1) that clusters tell of neighbours, times how alike clusterings are: neither
        hangs on how many there are.
    """
    told = float(np.mean([each.information for each in found])) * math.log(count) / math.log(count + 1)
    return told * likeness(found)


def smoothed(counts: Sequence[int], scores: Sequence[float]) -> List[float]:
    """Take means of scores over counts that differ little: a count weighs 1 − |ln(K' / K)| / 0.3, and not below 0.

    counts (Sequence[int]): K of each score.
    scores (Sequence[float]): Any.
    RETURNS (List[float]): As many.
    """
    logs = np.log(counts)
    weights = np.maximum(0.0, 1.0 - np.abs(logs[:, None] - logs) / NEAR)
    found: List[float] = (weights @ np.asarray(scores) / weights.sum(1)).tolist()
    return found


def likeness(found: Sequence[Clustering]) -> float:
    """Say how alike clusterings of the same pairs are.

    found (Sequence[Clustering]): At least two.
    RETURNS (float): Adjusted mutual information, the mean of all pairs; 1: all the same, 0: as by chance.
    """
    score = require("sklearn.metrics", purpose="clustering", extra="cluster").adjusted_mutual_info_score
    return float(np.mean([score(one.labels, two.labels) for one, two in combinations(found, 2)]))


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
