"""The loop of a `selfore_clusterer`: encode all pairs, cluster them, and describe the clusters."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.training import Example
from spacy.util import logger

from ..bridge.modules import module_of
from ..errors import Errors, Warnings, require
from ..pairs.component import PairPipe
from ..pairs.gold import PairClass
from ..pairs.pairs import IntArray
from .clusters import Clusters, Floats
from .names import lexicon_of
from .settings import SelforeClustering, SelforeTraining
from .table import PairTable, encode_pairs, summarize_clusters

if TYPE_CHECKING:
    from .clustering.discriminant import Clustering

# Bounds of the number of clusters if it is estimated; the upper one is at least twice the number of known relations.
MIN_CLUSTERS, MAX_CLUSTERS = 2, 120

KNOWN_METHOD = "discriminant, where gold names relations (known = true)"


class ClusterLoop:
    """What one loop leaves to the next; it is not saved.

    read_examples (Optional[Callable[[], Iterable[Example]]]): Reads the corpus; None: the training data is unknown.
    where (str): Name of the corpus, for messages.
    """

    def __init__(self, read_examples: Optional[Callable[[], Iterable[Example]]] = None, where: str = "") -> None:
        self.read_examples, self.where = read_examples, where
        self.cluster_of: Dict[bytes, int] = {}  # cluster of each pair by its key

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """Pickle nothing: another process only predicts."""
        return type(self), ()


def run_loop(
    pipe: PairPipe,
    loop: ClusterLoop,
    clusters: Clusters,
    *,
    settings: SelforeClustering,
    training: SelforeTraining,
) -> float:
    """Encode all pairs with the encoder as it is, cluster them, and update the classifier and `clusters`.

    RETURNS (float): Share of the pairs whose cluster has changed; 1 in the first loop.
    RAISES (ValueError): If there are fewer pairs than clusters, the data is unknown, or gold does not fit `known`.
    """
    from .clustering.adaptive import CodeSpace
    from .clustering.fit import cluster_fit, fit_scale
    from .clustering.seeded import encode_classes

    if loop.read_examples is None:
        raise ValueError(Errors.R601.format(name=pipe.name))
    module = module_of(pipe.model)
    table = encode_pairs(pipe, loop.read_examples(), reads_gold=settings.known)
    known, seeds = encode_classes(table.gold)
    if settings.known:
        check_known(pipe, known, settings=settings, where=loop.where)
    given = len(clusters.records) or pipe.cfg["n_clusters"]
    check_number_of_pairs(pipe, table, given=given, n_known=len(known), where=loop.where)
    count = given or estimate_count(pipe, table, n_known=len(known), settings=settings)
    known_seeds, device = seeds if known else None, module.head.weight.device
    found = find_clusters(table.vectors, count, settings=settings, seeds=known_seeds, device=device)
    found, changed = align_clusters(found, table.keys, loop.cluster_of, fixed=len(known))
    is_first = not loop.cluster_of
    loop.cluster_of = dict(zip(table.keys, found.labels.tolist()))
    space = found.space if found.network is None else CodeSpace(found.network, device)
    statistics, fit = cluster_fit(table.vectors, found.labels, space, **module.vector_parts)
    if training.head_start:
        module.set_head(*found.space.head())
        clusters.scale = fit_scale(table.vectors, found.labels, found.space, smoothing=training.smoothing)
    elif is_first:
        module.reset_head(count)
    module.set_fit(*statistics)
    module.set_network(found.network)
    module.frozen = training.freeze_epochs > 0
    describe_clusters(pipe, clusters, table, found.labels, fit, known=known)
    clusters.add_loop(changed, found.information, loops=training.loops)
    logger.info(clusters.report(pipe.name))
    return changed


def find_clusters(
    vectors: Floats,
    count: int,
    *,
    settings: SelforeClustering,
    seeds: Optional[Sequence[int]] = None,
    device: Any = None,
) -> "Clustering":
    """Cluster pairs, and fit a linear space to the clusters: it initializes the classifier, and assigns new pairs,
    unless a network does.

    vectors (Floats): Of pairs; half precision suffices. Shape (N, F)
    count (int): K, at most N.
    seeds (Optional[Sequence[int]]): As for `seeded_kmeans`; None: no class is known.
    device (Any): Of torch, where adaptive clustering computes; None: the CPU.
    """
    from .clustering.adaptive import CPU, adaptive_clusters
    from .clustering.discriminant import discriminant_kmeans, discriminants, reduce_vectors
    from .clustering.ensemble import merge_clusters
    from .clustering.seeded import seeded_kmeans

    reduced, seed, restarts = reduce_vectors(vectors, count, seed=settings.seed), settings.seed, settings.restarts
    if seeds is not None:
        return seeded_kmeans(reduced, count, seeds, restarts=restarts, seed=seed)
    if settings.method == "discriminant":
        return discriminant_kmeans(reduced, count, restarts=restarts, seed=seed, over=settings.over)
    parts = min(settings.over * count, len(vectors))
    adapted = adaptive_clusters(vectors, parts, settings=settings, device=device or CPU)
    labels = adapted.labels
    if parts > count:
        groups, _ = merge_clusters(adapted.network.means.cpu().numpy(), adapted.sizes, count)
        adapted.network.merge(groups, adapted.sizes, count)
        labels = groups[labels]
    found = reduced.clustering(labels, count, discriminants(reduced.vectors, labels, count), adapted.changed)
    return found._replace(network=adapted.network)


def check_known(pipe: PairPipe, known: Sequence[PairClass], *, settings: SelforeClustering, where: str) -> None:
    """Check that gold names relations, and that there is room for others beside them."""
    if not known:
        raise ValueError(Errors.R610.format(name=pipe.name, where=where))
    if settings.method != "discriminant":
        values = {"key": "clustering.method", "found": settings.method, "expected": KNOWN_METHOD}
        raise ValueError(Errors.R007.format(**values))
    given = pipe.cfg["n_clusters"]
    if 0 < given <= len(known):
        names = ", ".join(f"{each.relation} (backwards)" if each.backwards else each.relation for each in known)
        raise ValueError(Errors.R611.format(name=pipe.name, where=where, names=names, found=given, count=len(known)))


def check_number_of_pairs(pipe: PairPipe, table: PairTable, *, given: int, n_known: int, where: str) -> None:
    """Check that there are as many pairs as clusters, or as the fewest clusters if their number is not given."""
    least = given or max(MIN_CLUSTERS, n_known + 1)
    if len(table.keys) < least:
        problem = Errors.R602 if given else Errors.R613
        raise ValueError(problem.format(name=pipe.name, where=where, pairs=len(table.keys), count=least))


def estimate_count(pipe: PairPipe, table: PairTable, *, n_known: int, settings: SelforeClustering) -> int:
    """Estimate the number of clusters."""
    from .clustering.count import choose_count, count_grid

    grid = count_grid(max(MIN_CLUSTERS, n_known + 1), max(MAX_CLUSTERS, 2 * n_known))
    choice = choose_count(table.vectors, grid, seed=settings.seed)
    logger.info("%s: %d clusters, of %s", pipe.name, choice.number, choice.tried)
    return choice.number


class Alignment(NamedTuple):
    """A clustering with the numbers of an earlier one.

    labels (IntArray): Cluster of each item, 0 to K - 1. Shape (N,)
    numbers (IntArray): New number of each cluster. Shape (K,)
    changed (float): Share of the items whose cluster has changed.
    """

    labels: IntArray
    numbers: IntArray
    changed: float


def align(before: Sequence[int], labels: Sequence[int], *, count: int, fixed: int = 0) -> Alignment:
    """Give clusters the numbers of the earlier clusters with which they share most items (Kuhn, 1955).

    before, labels (Sequence[int]): Earlier and new clusters of the same items, 0 to K - 1. Shapes (N,)
    count (int): K.
    fixed (int): Number of clusters, the first ones, that already have their number.
    """
    old, new = numpy.asarray(before, dtype=numpy.int64), numpy.asarray(labels, dtype=numpy.int64)
    if old.shape != new.shape:
        raise ValueError(f"{len(old)} clusters before, but {len(new)} now")
    shared = numpy.zeros((count, count), dtype=numpy.int64)
    numpy.add.at(shared, (new, old), 1)
    shared[range(fixed), range(fixed)] += len(old) + 1  # more than all others could share
    optimize = require("scipy.optimize", purpose="numbering clusters", extra="cluster")
    rows, columns = optimize.linear_sum_assignment(shared, maximize=True)
    numbers = numpy.empty(count, dtype=numpy.int64)
    numbers[rows] = columns
    renamed = numbers[new]
    return Alignment(renamed, numbers, float((renamed != old).mean()) if len(old) else 0.0)


def align_clusters(
    found: "Clustering", keys: Sequence[bytes], before: Dict[bytes, int], *, fixed: int
) -> Tuple["Clustering", float]:
    """Number clusters as in the previous loop; also return the share of the pairs whose cluster has changed.

    keys (Sequence[bytes]): Of the pairs. Length N
    before (Dict[bytes, int]): Earlier cluster of each pair; empty in the first loop.
    fixed (int): As for `align`.
    """
    if not before:
        return found, 1.0
    shared = [number for number, key in enumerate(keys) if key in before]
    old = [before[keys[number]] for number in shared]
    alignment = align(old, found.labels[shared].tolist(), count=len(found.space.centroids), fixed=fixed)
    centroids = numpy.empty_like(found.space.centroids)
    centroids[alignment.numbers] = found.space.centroids
    space = found.space._replace(centroids=centroids)
    if found.network is not None:
        found.network.renumber(alignment.numbers)
    return found._replace(labels=alignment.numbers[found.labels], space=space), alignment.changed


def describe_clusters(
    pipe: PairPipe,
    clusters: Clusters,
    table: PairTable,
    labels: IntArray,
    fit: Floats,
    *,
    known: Sequence[PairClass],
) -> None:
    """Set names, sizes and fits of the clusters, and warn if some have collapsed.

    labels (IntArray): Cluster of each pair. Shape (N,)
    fit (Floats): How well each fits there. Shape (N,)
    known (Sequence[PairClass]): Known relations, which are those of the first clusters.
    """
    from .clustering.adaptive import check_sizes

    clusters.set_quantiles(fit)
    count = module_of(pipe.model).head.out_features
    sizes: List[int] = numpy.bincount(labels, minlength=count).tolist()
    ranks = clusters.rank(fit)
    summaries = summarize_clusters(table, labels, ranks, count=count, least=pipe.cfg["threshold"])
    clusters.describe(summaries, sizes, lexicon_of(pipe.vocab.lang), known=known)
    scores = numpy.bincount(labels, weights=ranks, minlength=count)
    for record, score in zip(clusters.records, (scores / numpy.maximum(sizes, 1)).tolist()):
        record["fit"] = round(score, 3)
    pipe.cfg["labels"] = clusters.names
    collapse = check_sizes(sizes).reasons
    if collapse:
        pipe.warn_once("collapse", Warnings.W600.format(name=pipe.name, reasons="; ".join(collapse)))
