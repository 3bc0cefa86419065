"""The component behind `selfore_clusterer`: finds clusters of entity pairs, learns them, and finds them anew."""

from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger, minibatch
from thinc.api import Optimizer

from ..bridge import module_of
from ..clustering.alignment import align
from ..clustering.count import choose_count, count_grid
from ..clustering.discriminant import Clustering, discriminant_kmeans
from ..errors import Errors, Warnings
from ..instances.pair_classes import PairClass
from ..instances.pair_features import PairBatch
from ..instances.pairs import Pairs
from ..knowledge.cluster_names import Words, name_clusters, words_between
from ..knowledge.type_lexicon import TypeLexicon
from ..models.adaptive_clustering import check_sizes
from ..models.selfore import selfore_loss
from .annotation import annotated
from .no_pairs import Read, why_no_pairs
from .pair_base import COLLECT_BATCH, PairPipe, softmax
from .pair_base import FITTED as PAIR_FITTED

# Clusters with their names; how sure it is of training pairs; what was found in each loop; whether it has settled.
FITTED: Dict[str, Any] = {**PAIR_FITTED, "clusters": [], "sureness": [], "history": [], "settled": False}
QUANTILES = 201
SHOWN_NGRAMS = 5
LEAST_CLUSTERS = 2
UNKNOWN = -1


class PairTable(NamedTuple):
    """The pairs of a corpus, each once, ordered by their keys: the order of the corpus changes nothing.

    keys (List[bytes]): Text and places of each.
    vectors (NDArray): h, in half precision. Shape (N, F)
    gaps (List[Tuple[str, ...]]): What stands between the arguments.
    """

    keys: List[bytes]
    vectors: Any
    gaps: List[Words]


class SelforeClusterer(PairPipe):
    """Says which of the relations that it has found itself holds between two entities. Writes `doc._.triples`."""

    architectures = ("relext_selfore_piece_clusterer", "relext_selfore_shared_clusterer")
    needs_triples = False

    # Of training, and not saved: what reads its corpus, and the cluster of each pair by its key.
    _read: Optional[Callable[[], Iterable[Example]]] = None
    _cluster_of: Dict[bytes, int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a clusterer; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self._cluster_of = {}

    def __getstate__(self) -> Dict[str, Any]:
        """Leave out what belongs to training: another process only predicts."""
        return {**self.__dict__, "_read": None, "_cluster_of": {}}

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): Names of the clusters, in the order of their ids."""
        return tuple(each["name"] for each in self.cfg["clusters"]) or tuple(self.cfg["labels"])

    @property
    def classes(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): The clusters by their names, in the order of the model's classes."""
        return [PairClass(name) for name in self.labels]

    @property
    def clustering(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): How it clusters; see `spacy_relext.Clustering.v1`."""
        found: Dict[str, Any] = self.cfg["clustering"]
        return found

    def rename_cluster(self, cluster: str, name: str) -> None:
        """Give a cluster a name of your own; its id stays.

        cluster (str): Its id, such as "cluster_3".
        name (str): What its triples are called from now on.
        RAISES (ValueError): Where there is no such cluster, or another one has the name.
        """
        clusters = [dict(each) for each in self.cfg["clusters"]]
        found = [each for each in clusters if each["id"] == cluster]
        if not found:
            known = ", ".join(each["id"] for each in clusters) or "none"
            raise ValueError(Errors.R007.format(key="cluster", found=cluster, expected=f"one of: {known}"))
        if not name.strip() or any(each["name"] == name and each["id"] != cluster for each in clusters):
            raise ValueError(Errors.R007.format(key="name", found=name, expected="a name that no other cluster has"))
        found[0].update(name=name, renamed=True)
        self.cfg["clusters"], self.cfg["labels"] = clusters, [each["name"] for each in clusters]

    # Initialization

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        corpus: Optional[Callable[[Language], Iterable[Example]]] = None,
    ) -> None:
        """Read all pairs of the training data and cluster them: the first loop.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data.
        nlp (Optional[Language]): The pipeline; what comes before the component annotates the data, as in training.
        labels (Optional[List[str]]): Not read: clusters are found.
        lexicon (Optional[TypeLexicon]): Types of nouns, for arguments that no entity types.
        start (Optional[List[Path]]): As for `PairPipe.initialize`.
        corpus (Optional[Callable[[Language], Iterable[Example]]]): Reader of what shall be clustered, instead of the
            training data; needed where that is a stream.
        RAISES (ValueError): Where there are too few pairs, or the training data is a stream.
        """
        training = {} if nlp is None else nlp.config.get("training") or {}
        if corpus is not None and nlp is not None:
            get_examples = partial(corpus, nlp)
        elif training.get("max_epochs") == -1:
            raise ValueError(Errors.R600.format(name=self.name))
        self._cluster_of = {}
        self._read = annotated(get_examples, nlp, self.name)
        super().initialize(get_examples, nlp=nlp, lexicon=lexicon, start=start)
        self.recluster()

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Count pairs and entity types; gold is not read."""
        types: Set[str] = set()
        read, pairs_seen = Read(), 0
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs = self.suggest_gold(batch)
            types.update(kind for kinds in pairs.types for kind in kinds if kind)
            pairs_seen += len(pairs)
            if not pairs_seen:
                read.add(batch)
        if not pairs_seen:
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=self._where))
        self.cfg["types"] = sorted(types)
        # where the number is to be found, there is one until it is
        return [_id(number) for number in range(self.cfg["n_clusters"] or 1)]

    def settle(self) -> None:
        """Nothing follows from the labels: they are ids until there are clusters."""

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): As for `PairPipe`, with the number of clusters: none of them is no relation."""
        return {**super().model_sizes(), "n_classes": len(self.labels)}

    # Pairs

    def suggest(self, docs: Sequence[Any]) -> Pairs:
        """Choose the pairs of a batch: of two orders the one in which the text has them, so that a relation has one."""
        pairs = super().suggest(docs)
        if not pairs.both_orders or not len(pairs):
            return pairs
        forwards = numpy.flatnonzero(pairs.subject[:, 0] <= pairs.object[:, 0])
        found = pairs.take(forwards)
        found.both_orders = False
        return found

    def suggest_gold(self, examples: Sequence[Example]) -> Any:
        """Choose the pairs of a batch; gold is not read."""
        return self.suggest([example.predicted for example in examples])

    def features(self, instances: Any) -> PairBatch:
        """Lay the pairs out for the encoder."""
        return PairBatch(instances, self.cfg["types"])

    # Clustering

    def recluster(self) -> float:
        """Read all pairs with the encoder as it is, cluster them, and let the classifier begin at these clusters.

        RETURNS (float): Share of the pairs whose cluster has changed; 1 in the first loop.
        RAISES (ValueError): Where there are fewer pairs than clusters, or the training data is not known any more.
        """
        if self._read is None:
            raise ValueError(Errors.R601.format(name=self.name))
        table, seed = self.read_table(self._read()), self.clustering["seed"]
        options = {key: self.clustering[key] for key in ("reduce", "whiten", "shrinkage", "rounds")}
        count = len(self.cfg["clusters"]) or self.cfg["n_clusters"]
        least = count or LEAST_CLUSTERS
        if len(table.keys) < least:
            raise ValueError(Errors.R602.format(name=self.name, pairs=len(table.keys), count=least, where=self._where))
        if not count:
            choice = choose_count(table.vectors, count_grid(least, self.cfg["most_clusters"]), seed=seed, **options)
            logger.info("%s: %d clusters, of %s", self.name, choice.number, choice.tried)
            count = choice.number
        found = discriminant_kmeans(table.vectors, count, seed=seed, restarts=self.clustering["restarts"], **options)
        found, changed = self._aligned(found, table, count)
        module_of(self.model).set_head(*found.space.head())
        self._cluster_of = dict(zip(table.keys, found.labels.tolist()))
        self._take_down(found, table, changed)
        return changed

    def read_table(self, examples: Iterable[Example]) -> PairTable:
        """Read pairs, each once.

        examples (Iterable[Example]): The corpus.
        RETURNS (PairTable): Ordered by their keys.
        """
        keys: List[bytes] = []
        gaps: List[Words] = []
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
                parts.append(self.read(pairs).vector.astype("float16"))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        vectors = numpy.concatenate(parts)[order] if parts else numpy.zeros((0, 1), dtype="float16")
        return PairTable([keys[n] for n in order], vectors, [gaps[n] for n in order])

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

    def _take_down(self, found: Clustering, table: PairTable, changed: float) -> None:
        """Keep names, sizes and how sure it is, and say what was found."""
        codes = found.space.codes(table.vectors)
        probs = softmax(found.space.logits(codes))
        sure = numpy.sort(margins(probs))
        self.cfg["sureness"] = numpy.quantile(sure, numpy.linspace(0, 1, QUANTILES)).round(6).tolist()
        sizes = numpy.bincount(found.labels, minlength=len(found.space.centroids)).tolist()
        names = name_clusters(table.gaps, found.labels.tolist(), count=len(sizes), stop=self.vocab_stop_words())
        self.cfg["clusters"] = self._named(names, sizes)
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
        from spacy.util import get_lang_class

        return sorted(get_lang_class(self.vocab.lang).Defaults.stop_words) if self.vocab.lang else []

    def _named(self, names: Any, sizes: List[int]) -> List[Dict[str, Any]]:
        """Describe clusters; a name that a person has given stays, and two never have the same."""
        before = {each["id"]: each for each in self.cfg["clusters"] if each.get("renamed")}
        taken = {each["name"] for each in before.values()}
        found = []
        for number, (ngrams, size) in enumerate(zip(names, sizes)):
            best = [" ".join(each.words) for each in ngrams[:SHOWN_NGRAMS]]
            cluster: Dict[str, Any] = {"id": _id(number), "size": size, "ngrams": best}
            if _id(number) in before:
                cluster.update(name=before[_id(number)]["name"], renamed=True)
            else:
                name = best[0] if best else _id(number)
                cluster["name"] = f"{name} #{number}" if name in taken else name
                taken.add(cluster["name"])
            found.append(cluster)
        return found

    # Training

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn the clusters of a batch, unless they have settled; see `RelationPipe.update`."""
        if self.cfg["settled"]:
            losses = {} if losses is None else losses
            losses.setdefault(self.name, 0.0)
            return losses
        return super().update(examples, drop=drop, sgd=sgd, losses=losses)

    def targets(self, instances: Any) -> Dict[str, Any]:
        """Clusters of the pairs, and weights of the clusters: the root of a fair share by their size.

        A pipeline that was loaded, and has no clusters of its texts, goes on with its own word.
        """
        if self._cluster_of or not len(instances):
            clusters = [self._cluster_of.get(key, UNKNOWN) for key in keys_of(instances)]
        else:
            clusters = self.read(instances).logits.argmax(1).tolist()
        sizes = numpy.asarray([max(each["size"], 1) for each in self.cfg["clusters"]] or [1] * len(self.labels))
        weights = numpy.sqrt(sizes.mean() / sizes).astype("float32")
        return {"clusters": numpy.asarray(clusters, dtype="int64"), "weights": weights}

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Cross-entropy with the clusters."""
        return selfore_loss(outputs, targets, smoothing=self.clustering["smoothing"])

    # Prediction

    def choose(self, instances: Pairs, outputs: Any) -> Tuple[Any, Any]:
        """Find each pair's cluster, from 1, and its score: the share of training pairs of which it was less sure."""
        probs = softmax(outputs.logits)
        known = self.cfg["sureness"]
        score = numpy.interp(margins(probs), known, numpy.linspace(0, 1, len(known))) if known else probs.max(1)
        return probs.argmax(axis=1) + 1, score

    def evidence(self, instances: Pairs, outputs: Any, number: int, answer: int) -> Dict[str, Any]:
        """The cluster: its id, its probability, and what is often said in it."""
        cluster = self.cfg["clusters"][answer - 1]
        probability = float(softmax(outputs.logits[number : number + 1])[0, answer - 1])
        return {
            "entity_types": list(instances.types[number]),
            "cluster": cluster["id"],
            "probability": round(probability, 4),
            "ngrams": cluster["ngrams"],
        }


def keys_of(pairs: Pairs) -> List[bytes]:
    """Name pairs by their text and the places of their arguments: spaCy copies Docs before every update.

    pairs (Pairs): The pairs.
    RETURNS (List[bytes]): One for each; equal for the same pair of the same text.
    """
    texts = [blake2b(doc.text.encode(), digest_size=12) for doc in pairs.docs]
    found = []
    for number in range(len(pairs)):
        name = texts[int(pairs.doc[number])].copy()
        name.update(numpy.stack([pairs.subject[number], pairs.object[number]]).astype("<i8").tobytes())
        found.append(name.digest())
    return found


def margins(probs: Any) -> Any:
    """How much more likely the best cluster is than the second, as a logarithm. Shapes (N, K) → (N,)"""
    if probs.shape[1] < 2:
        return numpy.zeros(len(probs))
    best = numpy.log(numpy.maximum(-numpy.partition(-probs, 1, axis=1)[:, :2], 1e-12))
    return best[:, 0] - best[:, 1]


def _id(number: int) -> str:
    return f"cluster_{number}"
