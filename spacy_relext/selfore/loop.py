"""The loop of a `selfore_clusterer`: reads all pairs with the encoder as it is, and clusters them."""

from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from spacy.training import Example
from spacy.util import logger, minibatch

from ..bridge.modules import module_of
from ..bridge.shim import Averages, load_averages, restart_averages
from ..errors import Errors, Warnings, require
from ..pairs.component import COLLECT_BATCH, PairPipe
from ..pairs.gold import PairClass, match_gold
from ..pairs.pairs import IntArray
from .clusters import Clusters, Floats
from .contexts import Context, read_contexts
from .names import lexicon_of
from .table import PairTable, keys_of, summarize_clusters

if TYPE_CHECKING:
    from .clustering.discriminant import Clustering

MIN_CLUSTERS = 2

KNOWN_METHOD = "discriminant, where gold names relations (known = true)"


class ClusterLoop:
    """Clusters the pairs of a corpus repeatedly; its state is not saved.

    read_examples (Optional[Callable[[], Iterable[Example]]]): Reads the corpus; None: the training data is unknown.
    where (str): Name of the corpus, for messages.
    """

    def __init__(self, read_examples: Optional[Callable[[], Iterable[Example]]] = None, where: str = "") -> None:
        self.read_examples, self.where = read_examples, where
        self.cluster_of: Dict[bytes, int] = {}  # cluster of each pair by its key
        self.averages: Optional[Averages] = None  # the optimizer's, if it has use_averages

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """Pickle nothing: another process only predicts."""
        return type(self), ()

    def run(self, pipe: PairPipe, clusters: Clusters) -> float:
        """Read all pairs with the encoder as it is, cluster them, and update `clusters` and the classifier.

        If the optimizer averages weights, the model first gets the averages, with which pipelines are also saved.

        RETURNS (float): Share of the pairs whose cluster has changed; 1 in the first loop.
        RAISES (ValueError): If there are fewer pairs than clusters, the data is unknown, or gold does not fit `known`.
        """
        from .clustering.fit import cluster_fit, fit_scale
        from .clustering.methods import find_clusters
        from .clustering.seeded import encode_classes

        if self.read_examples is None:
            raise ValueError(Errors.R601.format(name=pipe.name))
        settings, module = pipe.cfg["clustering"], module_of(pipe.model)
        if self.averages is not None:
            load_averages(pipe.model, self.averages)
        table = read_table(pipe, self.read_examples())
        known, seeds = encode_classes(table.gold)
        if pipe.cfg["known"]:
            self._check_known(pipe, known)
        count = len(clusters.records) or pipe.cfg["n_clusters"]
        count = self._choose_count(pipe, table, count=count, n_known=len(known))
        known_seeds = seeds if known else None
        clustering = find_clusters(table.vectors, count, seed=settings["seed"], settings=settings, seeds=known_seeds)
        clustering, changed = self._align(clustering, table, count, n_known=len(known))
        labels, space = clustering.labels, clustering.space
        module.set_head(*space.head())
        if self.averages is not None:
            restart_averages(pipe.model, self.averages)
        clusters.scale = fit_scale(table.vectors, labels, space, smoothing=settings["smoothing"])
        self.cluster_of = dict(zip(table.keys, labels.tolist()))
        statistics, fit = cluster_fit(table.vectors, labels, space, **module.vector_parts)
        module.set_fit(*statistics)
        module.frozen = settings["freeze_epochs"] > 0
        self._describe(pipe, clusters, clustering, table, fit, known)
        row = {"pairs": len(table.keys), "changed": round(changed, 4), "information": round(clustering.information, 4)}
        clusters.history = [*clusters.history, row]
        loops = len(clusters.history) - 1
        clusters.has_settled = loops >= settings["loops"] or (loops > 0 and changed < settings["stop"])
        logger.info(clusters.report(pipe.name))
        return changed

    def _check_known(self, pipe: PairPipe, known: Sequence[PairClass]) -> None:
        """Check that gold names relations, and that there is room for others beside them."""
        settings, name = pipe.cfg["clustering"], pipe.name
        if not known:
            raise ValueError(Errors.R610.format(name=name, where=self.where))
        if settings["method"] != "discriminant":
            found = {"found": settings["method"], "expected": KNOWN_METHOD}
            raise ValueError(Errors.R007.format(key="clustering method", **found))
        key = "n_clusters" if pipe.cfg["n_clusters"] else "most_clusters"
        if pipe.cfg[key] <= len(known):
            names = ", ".join(f"{each.relation} (backwards)" if each.backwards else each.relation for each in known)
            values = {"key": key, "found": pipe.cfg[key], "count": len(known), "names": names}
            raise ValueError(Errors.R611.format(name=name, where=self.where, **values))

    def _choose_count(self, pipe: PairPipe, table: PairTable, *, count: int, n_known: int) -> int:
        """Return the number of clusters: that of the previous loop or of the config; the best one if `count` is 0."""
        least = count or max(MIN_CLUSTERS, n_known + 1)
        if len(table.keys) < least:
            problem = Errors.R602 if count else Errors.R613
            counts = {"pairs": len(table.keys), "count": least}
            raise ValueError(problem.format(name=pipe.name, where=self.where, **counts))
        if count:
            return count
        from .clustering.count import choose_count, count_grid

        settings, grid = pipe.cfg["clustering"], count_grid(least, pipe.cfg["most_clusters"])
        choice = choose_count(table.vectors, grid, seed=settings["seed"], settings=settings)
        logger.info("%s: %d clusters, of %s", pipe.name, choice.number, choice.tried)
        return choice.number

    def _align(
        self, clustering: "Clustering", table: PairTable, count: int, *, n_known: int
    ) -> Tuple["Clustering", float]:
        """Number clusters as in the previous loop; also return the share of the pairs whose cluster has changed."""
        if not self.cluster_of:
            return clustering, 1.0
        shared = [n for n, key in enumerate(table.keys) if key in self.cluster_of]
        before = [self.cluster_of[table.keys[n]] for n in shared]
        alignment = align(before, clustering.labels[shared].tolist(), count=count, fixed=n_known)
        centroids = numpy.empty_like(clustering.space.centroids)
        centroids[alignment.numbers] = clustering.space.centroids
        space = clustering.space._replace(centroids=centroids)
        return clustering._replace(labels=alignment.numbers[clustering.labels], space=space), alignment.changed

    def _describe(
        self,
        pipe: PairPipe,
        clusters: Clusters,
        clustering: "Clustering",
        table: PairTable,
        fit: Floats,
        known: Sequence[PairClass],
    ) -> None:
        """Set names, sizes and fits of the clusters, and warn if some have collapsed."""
        from .clustering.autoencoder import check_sizes

        clusters.set_quantiles(fit)
        count, labels = len(clustering.space.centroids), clustering.labels.tolist()
        sizes = numpy.bincount(labels, minlength=count).tolist()
        ranks = clusters.rank(fit)
        summaries = summarize_clusters(table, clustering.labels, ranks, count=count, least=pipe.cfg["threshold"])
        clusters.describe(summaries, sizes, lexicon_of(pipe.vocab.lang), known=known)
        scores = numpy.bincount(labels, weights=ranks, minlength=count)
        for record, score in zip(clusters.records, (scores / numpy.maximum(sizes, 1)).tolist()):
            record["fit"] = round(score, 3)
        pipe.cfg["labels"] = clusters.names
        collapse = check_sizes(sizes).reasons
        if collapse:
            message = Warnings.W600.format(name=pipe.name, reasons="; ".join(collapse))
            pipe.warn_once("collapse", message)


def read_table(pipe: PairPipe, examples: Iterable[Example]) -> PairTable:
    """Read the pairs of a corpus with the encoder as it is, each once."""
    gold: Dict[bytes, PairClass] = {}
    rows: Dict[bytes, Tuple[int, Context, Tuple[str, str], bool]] = {}  # row, context, types, is it backwards
    stop = lexicon_of(pipe.vocab.lang).stop
    parts: List[Floats] = []
    for batch in minibatch(examples, COLLECT_BATCH):
        pairs = pipe.suggest_pairs([example.predicted for example in batch])
        keys = keys_of(pairs)
        for key, relations in zip(keys, match_gold(pairs, batch)[0]) if pipe.cfg["known"] else ():
            if relations:  # over all copies of the text, the first class in order
                gold[key] = min(relations | ({gold[key]} if key in gold else set()))
        first = {key: number for number, key in reversed(list(enumerate(keys))) if key not in rows}
        new = sorted(first.values())
        if new:
            pairs = pairs.take(new).with_own_docs()
            outputs = pipe.forward(pairs)
            assert outputs is not None
            parts.append(outputs.vector.astype("float16"))
            backwards = (pairs.subject[:, 0] > pairs.object[:, 0]).tolist()
            contexts = read_contexts(pairs, stop=stop)
            values = zip(range(len(rows), len(rows) + len(new)), contexts, pairs.types, backwards)
            rows.update(zip((keys[number] for number in new), values))
    keys = sorted(rows)
    vectors = numpy.concatenate(parts) if parts else numpy.zeros((0, 1), dtype="float16")
    parts.clear()  # before indexing makes another copy
    order = [rows[key][0] for key in keys]
    contexts, types = [rows[key][1] for key in keys], [rows[key][2] for key in keys]
    backwards = [rows[key][3] for key in keys]
    return PairTable(keys, vectors[order], contexts, types, [gold.get(key) for key in keys], backwards)


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
