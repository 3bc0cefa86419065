"""The number of clusters, if none is given: the one whose clusters have the most information on the neighbours of pairs
and are most stable over random starts."""

import math
from itertools import combinations
from typing import List, NamedTuple, Sequence, Tuple

import numpy

from .discriminant import Clustering, reduce_vectors, restart_clustering
from .ensemble import Floats, import_optional, sample_rows

# Maximum number of pairs, beyond which they are sampled, and starts for each count.
MAX_PAIRS, STARTS = 12_000, 5

# The best counts get more starts, with an offset of the seed that no other call uses.
FINALISTS, MORE_STARTS, SEED_OFFSET = 5, 10, 100_000

# Width of the smoothing kernel, in ln K.
BANDWIDTH = 0.3


class Choice(NamedTuple):
    """The chosen count."""

    number: int  # K
    tried: List[Tuple[int, float]]  # each count and its score, see `choose_count`


def choose_count(vectors: Floats, counts: Sequence[int], *, seed: int) -> Choice:
    """Choose the count with the best score: information on neighbours times stability.

    The information I(K) of clusters on neighbours grows with K as long as splits follow gaps between neighbours, and
    more slowly than ln K if they cut through clusters. It is divided by ln(K + 1): divided by ln K, two or three groups
    that differ only in entity types would win, since they have nearly all the information that so few clusters can.
    Stability is the mean adjusted mutual information of clusterings from several starts: with a wrong count, chance
    decides which groups are split or merged. Both depend on the starts. Scores are therefore smoothed over similar
    counts, and the five best counts are scored again with ten more starts.

    vectors (Floats): Of pairs. Shape (N, F)
    counts (Sequence[int]): Candidates; those above a tenth of the pairs are ignored, except for the smallest.
    RETURNS (Choice): The best count, the largest if several are equal.
    """
    vectors = vectors[sample_rows(len(vectors), MAX_PAIRS, numpy.random.default_rng(seed))]
    ordered = sorted(set(counts))
    possible = [count for count in ordered if count <= len(vectors) // 10] or ordered[:1]
    reduced = reduce_vectors(vectors, possible[-1], seed=seed)
    clusterings = {count: restart_clustering(reduced, count, restarts=STARTS, seed=seed) for count in possible}
    scores = {count: _score(each, count) for count, each in clusterings.items()}
    first = dict(zip(possible, smooth_scores(possible, list(scores.values()))))
    finalists = sorted(possible, key=lambda count: (-first[count], -count))[:FINALISTS]
    for count in finalists if len(possible) > 1 else ():
        clusterings[count] += restart_clustering(reduced, count, restarts=MORE_STARTS, seed=seed + SEED_OFFSET)
        scores[count] = _score(clusterings[count], count)
    final = dict(zip(possible, smooth_scores(possible, list(scores.values()))))
    return Choice(max(finalists, key=lambda count: (final[count], count)), list(final.items()))


def _score(clusterings: Sequence[Clustering], count: int) -> float:
    """Compute I(K) / ln(K + 1) times stability, of at least two clusterings."""
    information = float(numpy.mean([each.information for each in clusterings]))
    score = import_optional("sklearn.metrics").adjusted_mutual_info_score
    stability = float(numpy.mean([score(one.labels, two.labels) for one, two in combinations(clusterings, 2)]))
    return information * math.log(count) / math.log(count + 1) * stability


def smooth_scores(counts: Sequence[int], scores: Sequence[float]) -> List[float]:
    """Average scores over similar counts, with weights max(0, 1 − |ln(K' / K)| / 0.3)."""
    logs = numpy.log(counts)
    weights = numpy.maximum(0.0, 1.0 - numpy.abs(logs[:, None] - logs) / BANDWIDTH)
    smoothed: List[float] = (weights @ numpy.asarray(scores) / weights.sum(1)).tolist()
    return smoothed


def count_grid(least: int, most: int) -> List[int]:
    """List counts, each about a fifth larger than the one before, from `least`, which is 2 or more, to `most`."""
    counts, count = [], float(least)
    while round(count) < most:
        counts.append(round(count))
        count = max(count * 1.2, count + 1)
    return [*counts, most]
