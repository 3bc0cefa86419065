"""The loop of a `selfore_clusterer`: reads all pairs with the encoder as it is, and clusters them."""

from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, NamedTuple, Optional, Protocol, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import get_lang_class, logger, minibatch
from spacy.vocab import Vocab
from thinc.api import Model

from ..bridge.modules import module_of
from ..errors import Errors, Warnings, require
from ..pairs.component import COLLECT_BATCH
from ..pairs.gold import PairClass, match_gold
from ..pairs.pairs import Pairs
from ..pipeline.pipe import Instances, Outputs
from ..pipeline.settings import Settings
from .clusters import Clusters, Floats, known_name
from .names import Words, name_clusters, name_types, object_first_clusters, words_between
from .table import PairTable, keys_of, most_confident

if TYPE_CHECKING:
    from .clustering.discriminant import Clustering

MIN_CLUSTERS = 2

KNOWN_METHOD = "discriminant, over = 1, where gold names relations (known = true)"


class Clusterer(Protocol):
    """What the loop needs of a `selfore_clusterer`."""

    name: str
    cfg: Settings
    vocab: Vocab
    model: Model
    clusters: Clusters

    @property
    def clustering(self) -> Settings:
        """RETURNS (Settings): How it clusters."""

    def suggest_pairs(self, docs: Sequence[Doc]) -> Pairs:
        """Choose the pairs of a batch."""

    def forward(self, instances: Instances) -> Optional[Outputs]:
        """Run the model over pairs."""

    def vector_parts(self) -> Dict[str, int]:
        """Return number and width of the parts of a vector."""

    def freeze_encoder(self, frozen: bool) -> None:
        """Train the classifier alone, or with the encoder."""

    def loop_report(self) -> str:
        """Summarize the last loop."""

    def warn_once(self, key: str, message: str) -> None:
        """Warn, but only the first time."""


class ClusterLoop:
    """Clusters the pairs of a corpus again and again; nothing of it is saved.

    read_examples (Optional[Callable[[], Iterable[Example]]]): Reads the corpus; None: training data is not known.
    where (str): Name of the corpus, for messages.
    """

    def __init__(self, read_examples: Optional[Callable[[], Iterable[Example]]] = None, where: str = "") -> None:
        self.read_examples, self.where = read_examples, where
        self.cluster_of: Dict[bytes, int] = {}  # cluster of each pair by its key
        self.unlearned: Set[bytes] = set()  # pairs that fit too badly

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """Pickle nothing: another process only predicts."""
        return type(self), ()

    def run(self, clusterer: Clusterer) -> float:
        """Read all pairs with the encoder as it is, cluster them, and give the classifier these clusters.

        clusterer (Clusterer): Gets clusters and weights.
        RETURNS (float): Share of the pairs whose cluster has changed; 1 in the first loop.
        RAISES (ValueError): If there are fewer pairs than clusters, or the training data is not known any more.
        """
        from .clustering.fit import cluster_fit, fit_scale
        from .clustering.methods import find_clusters
        from .clustering.seeded import encode_classes

        if self.read_examples is None:
            raise ValueError(Errors.R601.format(name=clusterer.name))
        settings, clusters, module = clusterer.clustering, clusterer.clusters, module_of(clusterer.model)
        table, seed = read_table(clusterer, self.read_examples()), settings["seed"]
        known, seeds = encode_classes(table.gold)
        if clusterer.cfg["known"]:
            self._check_known(clusterer, known)
        count = self._choose_count(clusterer, table, n_known=len(known))
        known_seeds = seeds if known else None
        found = find_clusters(table.vectors, count, seed=seed, settings=settings, seeds=known_seeds)
        found, changed = self._align(found, table, count, n_known=len(known))
        module.set_head(*found.space.head())
        clusters.scale = fit_scale(table.vectors, found.labels, found.space, smoothing=settings["smoothing"])
        self.cluster_of = dict(zip(table.keys, found.labels.tolist()))
        statistics, fit = cluster_fit(table.vectors, found.labels, found.space, **clusterer.vector_parts())
        module.set_fit(*statistics)
        learned = most_confident(found.labels, fit, share=settings["confident"]).tolist()
        rows = zip(table.keys, learned, table.gold)
        self.unlearned = {key for key, is_learned, gold in rows if not is_learned and gold is None}
        clusterer.freeze_encoder(settings["freeze_epochs"] > 0)
        self._describe(clusterer, found, table, fit, known)
        row = {"pairs": len(table.keys), "changed": round(changed, 4), "information": round(found.information, 4)}
        clusters.history = [*clusters.history, row]
        loops = len(clusters.history) - 1
        clusters.has_settled = loops >= settings["loops"] or (loops > 0 and changed < settings["stop"])
        logger.info(clusterer.loop_report())
        return changed

    def _check_known(self, clusterer: Clusterer, known: Sequence[PairClass]) -> None:
        """Check that gold names relations, and that there is room for others beside them."""
        settings, name = clusterer.clustering, clusterer.name
        if not known:
            raise ValueError(Errors.R610.format(name=name, where=self.where))
        if settings["method"] != "discriminant" or settings["over"] > 1:
            method = f"{settings['method']}, over = {settings['over']}"
            raise ValueError(Errors.R007.format(key="clustering method", found=method, expected=KNOWN_METHOD))
        key = "n_clusters" if clusterer.cfg["n_clusters"] else "most_clusters"
        if clusterer.cfg[key] <= len(known):
            options = {
                "name": name,
                "where": self.where,
                "count": len(known),
                "names": ", ".join(map(known_name, known)),
            }
            raise ValueError(Errors.R611.format(key=key, found=clusterer.cfg[key], **options))

    def _choose_count(self, clusterer: Clusterer, table: PairTable, *, n_known: int) -> int:
        """Return the number of clusters: that of the loop before or of the config, else the best one."""
        count = len(clusterer.clusters.records) or clusterer.cfg["n_clusters"]
        least = count or max(MIN_CLUSTERS, n_known + 1)
        if len(table.keys) < least:
            problem = Errors.R602 if count else Errors.R613
            counts = {"pairs": len(table.keys), "count": least}
            raise ValueError(problem.format(name=clusterer.name, where=self.where, **counts))
        if count:
            return int(count)
        from .clustering.count import choose_count, count_grid

        settings = clusterer.clustering
        grid = count_grid(least, clusterer.cfg["most_clusters"])
        choice = choose_count(table.vectors, grid, seed=settings["seed"], settings=settings)
        logger.info("%s: %d clusters, of %s", clusterer.name, choice.number, choice.tried)
        return choice.number

    def _align(self, found: "Clustering", table: PairTable, count: int, *, n_known: int) -> Tuple["Clustering", float]:
        """Give clusters the numbers of the loop before."""
        if not self.cluster_of:
            return found, 1.0
        shared = [n for n, key in enumerate(table.keys) if key in self.cluster_of]
        before = [self.cluster_of[table.keys[n]] for n in shared]
        alignment = align(before, found.labels[shared].tolist(), count=count, fixed=n_known)
        centroids = numpy.empty_like(found.space.centroids)
        centroids[alignment.numbers] = found.space.centroids
        space = found.space._replace(centroids=centroids)
        return found._replace(labels=alignment.numbers[found.labels], space=space), alignment.changed

    def _describe(
        self,
        clusterer: Clusterer,
        found: "Clustering",
        table: PairTable,
        fit: Floats,
        known: Sequence[PairClass],
    ) -> None:
        """Set names, sizes and fits of the clusters, and warn if some have collapsed."""
        from .clustering.autoencoder import check_sizes

        clusters = clusterer.clusters
        clusters.set_quantiles(fit)
        sizes = numpy.bincount(found.labels, minlength=len(found.space.centroids)).tolist()
        labels = found.labels.tolist()
        object_first = object_first_clusters(table.backwards, labels, count=len(sizes))
        rows = zip(table.gaps, table.backwards, labels)
        gaps = [words if backwards == object_first[label] else () for words, backwards, label in rows]
        ngrams = name_clusters(gaps, labels, count=len(sizes), stop=stop_words(clusterer.vocab.lang))
        types = name_types(table.types, labels, count=len(sizes))
        clusters.describe(ngrams, sizes, types, known=known, object_first=object_first)
        scores = numpy.bincount(found.labels, weights=clusters.rank(fit), minlength=len(sizes))
        for record, score in zip(clusters.records, (scores / numpy.maximum(sizes, 1)).tolist()):
            record["fit"] = round(score, 3)
        clusterer.cfg["labels"] = clusters.names
        collapse = check_sizes(sizes).reasons
        if collapse:
            message = Warnings.W600.format(name=clusterer.name, reasons="; ".join(collapse))
            clusterer.warn_once("collapse", message)


def stop_words(lang: str) -> List[str]:
    """List the stop words of a language.

    lang (str): Its code; "" for none.
    RETURNS (List[str]): Sorted.
    """
    return sorted(get_lang_class(lang).Defaults.stop_words) if lang else []


def read_table(clusterer: Clusterer, examples: Iterable[Example]) -> PairTable:
    """Read pairs, each once.

    clusterer (Clusterer): Its encoder is used as it is.
    examples (Iterable[Example]): The corpus.
    RETURNS (PairTable): Ordered by their keys.
    """
    keys: List[bytes] = []
    gold: Dict[bytes, PairClass] = {}
    gaps: List[Words] = []
    types: List[Tuple[str, str]] = []
    backwards: List[bool] = []
    parts: List[Floats] = []
    seen: Set[bytes] = set()
    for batch in minibatch(examples, COLLECT_BATCH):
        pairs = clusterer.suggest_pairs([example.predicted for example in batch])
        names = keys_of(pairs)
        for key, relations in zip(names, match_gold(pairs, batch)[0]) if clusterer.cfg["known"] else ():
            if relations:  # of several the first, in whichever text it stands
                gold[key] = min(relations | ({gold[key]} if key in gold else set()))
        first = {key: number for number, key in reversed(list(enumerate(names))) if key not in seen}
        new = sorted(first.values())
        seen.update(first)
        if new:
            pairs = pairs.take(new).with_own_docs()
            outputs = clusterer.forward(pairs)
            assert outputs is not None
            keys.extend(names[number] for number in new)
            gaps.extend(words_between(pairs))
            types.extend(pairs.types)
            backwards.extend((pairs.subject[:, 0] > pairs.object[:, 0]).tolist())
            parts.append(outputs.vector.astype("float16"))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    vectors = numpy.concatenate(parts) if parts else numpy.zeros((0, 1), dtype="float16")
    parts.clear()  # not a third copy of them
    vectors = vectors[order]
    keys = [keys[n] for n in order]
    columns = ([gaps[n] for n in order], [types[n] for n in order], [gold.get(key) for key in keys])
    return PairTable(keys, vectors, *columns, [backwards[n] for n in order])


IntArray = NDArray[numpy.int64]


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
