"""The loop of `selfore_clusterer`: reads all pairs with the encoder as it is, and clusters them."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.training import Example
from spacy.util import get_lang_class, logger, minibatch
from thinc.api import Optimizer

from ..bridge import module_of
from ..clustering.alignment import align
from ..clustering.count import choose_count, count_grid
from ..clustering.discriminant import Clustering
from ..clustering.methods import find_clusters
from ..errors import Errors, Warnings
from ..instances.pairs import Pairs
from ..knowledge.cluster_names import Words, name_clusters, name_types, words_between
from ..models.adaptive_clustering import check_sizes
from .pair_base import COLLECT_BATCH, PairPipe, softmax
from .pair_table import PairTable, keys_of, margins, surest

QUANTILES = 201
SHOWN_NGRAMS = 5
LEAST_CLUSTERS = 2


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
        if self._read is None:
            raise ValueError(Errors.R601.format(name=self.name))
        table, seed = self.read_table(self._read()), self.clustering["seed"]
        count = len(self.cfg["clusters"]) or self.cfg["n_clusters"]
        least = count or LEAST_CLUSTERS
        if len(table.keys) < least:
            raise ValueError(Errors.R602.format(name=self.name, pairs=len(table.keys), count=least, where=self._where))
        if not count:
            options = {key: self.clustering[key] for key in ("reduce", "whiten", "shrinkage", "rounds")}
            choice = choose_count(table.vectors, count_grid(least, self.cfg["most_clusters"]), seed=seed, **options)
            logger.info("%s: %d clusters, of %s", self.name, choice.number, choice.tried)
            count = choice.number
        found = find_clusters(table.vectors, count, seed=seed, settings=self.clustering)
        found, changed = self._aligned(found, table, count)
        module_of(self.model).set_head(*found.space.head())
        self._cluster_of = dict(zip(table.keys, found.labels.tolist()))
        sure = margins(softmax(found.space.logits(found.space.codes(table.vectors))))
        learned = surest(found.labels, sure, share=self.clustering["confident"])
        self._unsure = {table.keys[number] for number in numpy.flatnonzero(~learned).tolist()}
        self.freeze_encoder(self.clustering["freeze_epochs"] > 0)
        self._take_down(found, table, changed, sure)
        return changed

    def freeze_encoder(self, frozen: bool) -> None:
        """Let the classifier learn alone, or with the encoder.

        frozen (bool): Whether the encoder stays as it is.
        """
        module_of(self.model).frozen = frozen

    def read_table(self, examples: Iterable[Example]) -> PairTable:
        """Read pairs, each once.

        examples (Iterable[Example]): The corpus.
        RETURNS (PairTable): Ordered by their keys.
        """
        keys: List[bytes] = []
        gaps: List[Words] = []
        types: List[Tuple[str, str]] = []
        parts: List[Any] = []
        seen: Set[bytes] = set()
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs = self.suggest_gold(batch)
            names = keys_of(pairs)
            first = {key: number for number, key in reversed(list(enumerate(names))) if key not in seen}
            new = sorted(first.values())
            seen.update(first)
            if new:
                pairs = pairs.take(new).with_own_docs()
                keys.extend(names[number] for number in new)
                gaps.extend(words_between(pairs))
                types.extend(pairs.types)
                parts.append(self.read(pairs).vector.astype("float16"))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        vectors = numpy.concatenate(parts)[order] if parts else numpy.zeros((0, 1), dtype="float16")
        return PairTable([keys[n] for n in order], vectors, [gaps[n] for n in order], [types[n] for n in order])

    def _aligned(self, found: Clustering, table: PairTable, count: int) -> Tuple[Clustering, float]:
        """Give clusters the numbers they had in the loop before."""
        if not self._cluster_of:
            return found, 1.0
        shared = [n for n, key in enumerate(table.keys) if key in self._cluster_of]
        before = [self._cluster_of[table.keys[n]] for n in shared]
        alignment = align(before, found.labels[shared].tolist(), count=count)
        centroids = numpy.empty_like(found.space.centroids)
        centroids[alignment.numbers] = found.space.centroids
        space = found.space._replace(centroids=centroids)
        return found._replace(labels=alignment.numbers[found.labels], space=space), alignment.changed

    def _take_down(self, found: Clustering, table: PairTable, changed: float, sure: Any) -> None:
        """Keep names, sizes and how sure it is, and say what was found."""
        self.cfg["sureness"] = numpy.quantile(numpy.sort(sure), numpy.linspace(0, 1, QUANTILES)).round(6).tolist()
        sizes = numpy.bincount(found.labels, minlength=len(found.space.centroids)).tolist()
        labels = found.labels.tolist()
        names = name_clusters(table.gaps, labels, count=len(sizes), stop=self.vocab_stop_words())
        self.cfg["clusters"] = self._named(names, sizes, name_types(table.types, labels, count=len(sizes)))
        self.cfg["labels"] = [each["name"] for each in self.cfg["clusters"]]
        collapse = check_sizes(sizes).reasons
        if collapse:
            self.warn_once("collapse", Warnings.W600.format(name=self.name, reasons="; ".join(collapse)))
        history = {"pairs": len(table.keys), "changed": round(changed, 4), "information": round(found.information, 4)}
        self.cfg["history"] = [*self.cfg["history"], history]
        loops = len(self.cfg["history"]) - 1
        self.cfg["settled"] = loops >= self.clustering["loops"] or (loops > 0 and changed < self.clustering["stop"])
        logger.info(
            "%s: %d pairs in %d clusters, %.1f %% of them moved; a cluster tells %.1f %% of its neighbours'",
            *(self.name, len(table.keys), len(sizes), 100 * changed, 100 * found.information),
        )

    def vocab_stop_words(self) -> List[str]:
        """RETURNS (List[str]): Words of the language that name nothing."""

        return sorted(get_lang_class(self.vocab.lang).Defaults.stop_words) if self.vocab.lang else []

    def _named(self, names: Any, sizes: List[int], types: Sequence[str]) -> List[Dict[str, Any]]:
        """Describe clusters; a name that a person has given stays, and two never have the same."""
        before = {each["id"]: each for each in self.cfg["clusters"] if each.get("renamed")}
        taken = {each["name"] for each in before.values()}
        found = []
        for number, (ngrams, size, kinds) in enumerate(zip(names, sizes, types)):
            best = [" ".join(each.words) for each in ngrams[:SHOWN_NGRAMS]]
            cluster: Dict[str, Any] = {"id": id_of(number), "size": size, "ngrams": best, "types": kinds}
            if id_of(number) in before:
                cluster.update(name=before[id_of(number)]["name"], renamed=True)
            else:
                name = best[0] if best else kinds or id_of(number)
                cluster["name"] = f"{name} #{number}" if name in taken else name
                taken.add(cluster["name"])
            found.append(cluster)
        return found


def id_of(number: int) -> str:
    """RETURNS (str): Id of a cluster."""
    return f"cluster_{number}"
