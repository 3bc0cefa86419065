"""The loop of `selfore_clusterer`: reads all pairs with the encoder as it is, and clusters them."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
import numpy as np
import numpy.typing as npt
from spacy.training import Example
from spacy.util import get_lang_class, logger, minibatch
from thinc.api import Optimizer

from ..bridge.modules import module_of, to_numpy
from ..errors import Errors, Warnings, require
from ..pairs.component import COLLECT_BATCH, PairPipe
from ..pairs.gold import PairClass, match_gold
from ..pairs.pairs import Pairs
from .names import Words, name_clusters, name_types, object_first_clusters, words_between
from .table import PairTable, keys_of, most_confident

if TYPE_CHECKING:
    from .clustering.discriminant import Clustering

# What is kept of how well training pairs fit, and how many digits of it.
QUANTILES, DIGITS = 201, 5

SHOWN_NGRAMS = 5

LEAST_CLUSTERS = 2

OBJECT_FIRST = " (object first)"

KNOWN_METHOD = "discriminant, over = 1, where gold names relations (known = true)"


class ClusterLoop(PairPipe):
    """Finds clusters of the pairs of the training data, again and again."""

    # Of training, and not saved: what reads its corpus, the cluster of each pair by its key, and pairs not learned.
    _read: Optional[Callable[[], Iterable[Example]]] = None
    _cluster_of: Dict[bytes, int]
    _unsure: Set[bytes]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a clusterer; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self._cluster_of, self._unsure = {}, set()

    def __getstate__(self) -> Dict[str, Any]:
        """Leave out what belongs to training: another process only predicts."""
        return {**self.__dict__, "_read": None, "_cluster_of": {}, "_unsure": set()}

    @property
    def clustering(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): How it clusters; see `spacy_relext.Clustering.v1`."""
        found: Dict[str, Any] = self.cfg["clustering"]
        return found

    # Pairs

    def suggest_gold(self, examples: Sequence[Example]) -> Any:
        """Choose the pairs of a batch; gold is not read."""
        return self.suggest([example.predicted for example in examples])

    def readings(self, instances: Pairs) -> Pairs:
        """Read each pair twice where two readings are compared."""
        return instances.joined(instances) if self.clustering["contrast"] > 0 else instances

    def training_features(self, instances: Pairs) -> Any:
        """Hide an argument of some pairs, subject or object by chance."""
        batch = self.features(instances)
        if self.clustering["mask_mentions"] > 0:
            chosen = numpy.random.random(len(instances)) < self.clustering["mask_mentions"]
            which = numpy.random.random(len(instances)) < 0.5
            batch.arrays["hidden"] = numpy.stack([chosen & which, chosen & ~which], axis=1)
        return batch

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights; of a frozen encoder none: thinc's layers would be moved by momentum, without a gradient.

        sgd (Optimizer): The optimizer.
        """
        if not module_of(self.model).frozen:
            super().finish_update(sgd)
            return
        for shim in self.model.shims:
            shim.finish_update(sgd)

    # Clustering

    def recluster(self) -> float:
        """Read all pairs with the encoder as it is, cluster them, and let the classifier begin at these clusters.

        RETURNS (float): Share of the pairs whose cluster has changed; 1 in the first loop.
        RAISES (ValueError): Where there are fewer pairs than clusters, or the training data is not known any more.
        """
        from .clustering.fit import cluster_fit, fit_scale
        from .clustering.methods import find_clusters
        from .clustering.seeded import encode_classes

        if self._read is None:
            raise ValueError(Errors.R601.format(name=self.name))
        table, seed = self.read_table(self._read()), self.clustering["seed"]
        known, seeds = encode_classes(table.said)
        if self.cfg["known"]:
            self._check_known(known)
        count = len(self.cfg["clusters"]) or self.cfg["n_clusters"]
        least = count or max(LEAST_CLUSTERS, len(known) + 1)
        if len(table.keys) < least:
            problem = Errors.R602 if count else Errors.R613
            raise ValueError(problem.format(name=self.name, pairs=len(table.keys), count=least, where=self._where))
        if not count:
            from .clustering.count import choose_count, count_grid

            counts = count_grid(least, self.cfg["most_clusters"])
            choice = choose_count(table.vectors, counts, seed=seed, settings=self.clustering)
            logger.info("%s: %d clusters, of %s", self.name, choice.number, choice.tried)
            count = choice.number
        known_seeds = seeds if known else None
        found = find_clusters(table.vectors, count, seed=seed, settings=self.clustering, seeds=known_seeds)
        found, changed = self._aligned(found, table, count, known=len(known))
        module_of(self.model).set_head(*found.space.head())
        smoothing = self.clustering["smoothing"]
        self.cfg["certainty"] = fit_scale(table.vectors, found.labels, found.space, smoothing=smoothing)
        self._cluster_of = dict(zip(table.keys, found.labels.tolist()))
        kept, fit = cluster_fit(table.vectors, found.labels, found.space, **self._parts())
        module_of(self.model).set_fit(*kept)
        learned = most_confident(found.labels, fit, share=self.clustering["confident"])
        self._unsure = {
            key for key, sure, said in zip(table.keys, learned.tolist(), table.said) if not sure and said is None
        }
        self.freeze_encoder(self.clustering["freeze_epochs"] > 0)
        self._take_down(found, table, changed, fit, known)
        return changed

    def freeze_encoder(self, frozen: bool) -> None:
        """Let the classifier learn alone, or with the encoder.

        frozen (bool): Whether the encoder stays as it is.
        """
        module_of(self.model).frozen = frozen

    def _check_known(self, known: Sequence[PairClass]) -> None:
        """Check that gold names relations, and that there is room for others beside them."""
        if not known:
            raise ValueError(Errors.R610.format(name=self.name, where=self._where))
        if self.clustering["method"] != "discriminant" or self.clustering["over"] > 1:
            found = f"{self.clustering['method']}, over = {self.clustering['over']}"
            raise ValueError(Errors.R007.format(key="clustering method", found=found, expected=KNOWN_METHOD))
        key = "n_clusters" if self.cfg["n_clusters"] else "most_clusters"
        if self.cfg[key] <= len(known):
            names = ", ".join(f"{each.relation} (backwards)" if each.backwards else each.relation for each in known)
            options = {"name": self.name, "where": self._where, "count": len(known), "names": names}
            raise ValueError(Errors.R611.format(key=key, found=self.cfg[key], **options))

    def read_table(self, examples: Iterable[Example]) -> PairTable:
        """Read pairs, each once.

        examples (Iterable[Example]): The corpus.
        RETURNS (PairTable): Ordered by their keys.
        """
        keys: List[bytes] = []
        said: Dict[bytes, PairClass] = {}
        gaps: List[Words] = []
        types: List[Tuple[str, str]] = []
        backwards: List[bool] = []
        parts: List[Any] = []
        seen: Set[bytes] = set()
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs = self.suggest_gold(batch)
            names = keys_of(pairs)
            for key, relations in zip(names, match_gold(pairs, batch)[0]) if self.cfg["known"] else ():
                if relations:  # of several the first, in whichever text it stands
                    said[key] = min(relations | ({said[key]} if key in said else set()))
            first = {key: number for number, key in reversed(list(enumerate(names))) if key not in seen}
            new = sorted(first.values())
            seen.update(first)
            if new:
                pairs = pairs.take(new).with_own_docs()
                keys.extend(names[number] for number in new)
                gaps.extend(words_between(pairs))
                types.extend(pairs.types)
                backwards.extend((pairs.subject[:, 0] > pairs.object[:, 0]).tolist())
                parts.append(self.read(pairs).vector.astype("float16"))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        vectors = numpy.concatenate(parts) if parts else numpy.zeros((0, 1), dtype="float16")
        parts.clear()  # not a third copy of them
        vectors = vectors[order]
        keys = [keys[n] for n in order]
        columns = ([gaps[n] for n in order], [types[n] for n in order], [said.get(key) for key in keys])
        return PairTable(keys, vectors, *columns, [backwards[n] for n in order])

    def _aligned(self, found: "Clustering", table: PairTable, count: int, *, known: int) -> Tuple["Clustering", float]:
        """Give clusters the numbers they had in the loop before."""

        if not self._cluster_of:
            return found, 1.0
        shared = [n for n, key in enumerate(table.keys) if key in self._cluster_of]
        before = [self._cluster_of[table.keys[n]] for n in shared]
        alignment = align(before, found.labels[shared].tolist(), count=count, fixed=known)
        centroids = numpy.empty_like(found.space.centroids)
        centroids[alignment.numbers] = found.space.centroids
        space = found.space._replace(centroids=centroids)
        return found._replace(labels=alignment.numbers[found.labels], space=space), alignment.changed

    def _take_down(
        self, found: "Clustering", table: PairTable, changed: float, fit: Any, known: Sequence[PairClass]
    ) -> None:
        """Keep names, sizes and how well pairs fit, and say what was found."""
        from .clustering.autoencoder import check_sizes

        self.cfg["fits"] = numpy.quantile(fit, numpy.linspace(0, 1, QUANTILES)).round(DIGITS).tolist()
        sizes = numpy.bincount(found.labels, minlength=len(found.space.centroids)).tolist()
        labels = found.labels.tolist()
        turned = object_first_clusters(table.backwards, labels, count=len(sizes))
        rows = zip(table.gaps, table.backwards, labels)
        gaps = [words if backwards == turned[label] else () for words, backwards, label in rows]
        names = name_clusters(gaps, labels, count=len(sizes), stop=self.vocab_stop_words())
        kinds = name_types(table.types, labels, count=len(sizes))
        scores = numpy.bincount(found.labels, weights=self.rank(fit), minlength=len(sizes)) / numpy.maximum(sizes, 1)
        self.cfg["clusters"] = self._named(names, sizes, kinds, known, turned)
        for cluster, score in zip(self.cfg["clusters"], scores.tolist()):
            cluster["fit"] = round(score, 3)
        self.cfg["labels"] = [each["name"] for each in self.cfg["clusters"]]
        collapse = check_sizes(sizes).reasons
        if collapse:
            self.warn_once("collapse", Warnings.W600.format(name=self.name, reasons="; ".join(collapse)))
        history = {"pairs": len(table.keys), "changed": round(changed, 4), "information": round(found.information, 4)}
        self.cfg["history"] = [*self.cfg["history"], history]
        loops = len(self.cfg["history"]) - 1
        self.cfg["settled"] = loops >= self.clustering["loops"] or (loops > 0 and changed < self.clustering["stop"])
        logger.info(self.loop_report())

    def loop_report(self) -> str:
        """RETURNS (str): One line on the last loop: what was found, and how good it is as far as can be said without
        gold."""
        if not self.cfg["history"]:
            return f"{self.name}: no clusters yet"
        last, loop = self.cfg["history"][-1], len(self.cfg["history"]) - 1
        moved = f", {last['changed']:.1%} of them in another than before" if loop else ""
        told = f"a cluster tells {last['information']:.1%} of a pair's neighbours"
        return f"{self.name}, loop {loop}: {last['pairs']} pairs in {len(self.labels)} clusters{moved}; {told}"

    def fit(self, vectors: Any, logits: Any) -> Tuple[Any, Any]:
        """Find pairs' clusters, and how well they fit there.

        vectors (NDArray): Shape (N, F)
        logits (NDArray): Shape (N, K)
        RETURNS (Tuple[NDArray, NDArray]): From 0; see `clustering.fit.ClusterFit`. Shapes (N,)
        """
        from .clustering.fit import ClusterFit

        statistics = ClusterFit(*map(to_numpy, module_of(self.model).fit))
        return statistics.assign(vectors, logits, empty=self.empty_clusters, **self._parts())

    @property
    def empty_clusters(self) -> List[int]:
        """RETURNS (List[int]): Numbers of the clusters in which no pair was found."""
        return [number for number, each in enumerate(self.cfg["clusters"]) if not each["size"]]

    def rank(self, fit: Any) -> Any:
        """Say which share of the training pairs fits worse into its cluster, and half of those alike. Shape (N,)"""
        fits, fit = numpy.asarray(self.cfg["fits"]), numpy.round(fit, DIGITS)
        alike = [numpy.searchsorted(fits, fit, side) for side in ("left", "right")]
        middle = (alike[0] + alike[1] - 1) / 2 / (len(fits) - 1)
        between = numpy.interp(fit, fits, numpy.linspace(0, 1, len(fits)))
        return numpy.where(alike[1] > alike[0], middle, between)

    def _parts(self) -> Dict[str, int]:
        """Say of how many parts of the text a pair's vector is, and how wide each is."""
        module = module_of(self.model)
        return {"parts": module.n_parts, "width": module.encoder.output_width}

    def vocab_stop_words(self) -> List[str]:
        """RETURNS (List[str]): Words of the language that name nothing."""

        return sorted(get_lang_class(self.vocab.lang).Defaults.stop_words) if self.vocab.lang else []

    def _named(
        self, names: Any, sizes: List[int], types: Sequence[str], known: Sequence[PairClass], turned: Sequence[bool]
    ) -> List[Dict[str, Any]]:
        """Describe clusters; known ones have the name of their relation, a name that a person has given stays, and two
        never have the same but for the two directions of a known relation. Words that lead from the object to the
        subject are marked."""
        before = {each["id"]: each for each in self.cfg["clusters"] if each.get("renamed")}
        taken = {each["name"] for each in before.values()} | {each.relation for each in known}
        found = []
        for number, (ngrams, size, kinds) in enumerate(zip(names, sizes, types)):
            best = [" ".join(each.words) for each in ngrams[:SHOWN_NGRAMS]]
            cluster: Dict[str, Any] = {"id": id_of(number), "size": size, "ngrams": best, "types": kinds}
            cluster["object_first"] = turned[number]
            if number < len(known):
                cluster.update(name=known[number].relation, known=True, backwards=known[number].backwards)
            if id_of(number) in before:
                cluster.update(name=before[id_of(number)]["name"], renamed=True)
            elif number < len(known):
                pass
            else:
                said = f"{best[0]}{OBJECT_FIRST if turned[number] else ''}" if best else ""
                name = said or kinds or id_of(number)
                cluster["name"] = f"{name} #{number}" if name in taken else name
                taken.add(cluster["name"])
            found.append(cluster)
        return found


def id_of(number: int) -> str:
    """RETURNS (str): Id of a cluster."""
    return f"cluster_{number}"


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
