"""The component behind `selfore_clusterer`: learns clusters of pairs as relations, and assigns new pairs to them."""

import warnings
from functools import partial
from pathlib import Path
from typing import Callable, ClassVar, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Type

import numpy
import srsly
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Config, Model, Optimizer
from wasabi import msg

from ..annotations.near_miss import NearMiss
from ..annotations.triple import Record
from ..bridge.modules import module_of, to_numpy
from ..errors import Errors, Warnings, check_range
from ..pairs.component import COLLECT_BATCH, Floats, PairPipe, make_triple, to_json
from ..pairs.diagnosis import EntityCounts, make_near_miss, why_no_pairs
from ..pairs.gold import UNLABELLED, CollectedPairs, PairClass
from ..pairs.pairs import IntArray, Pairs
from ..pairs.suggesters import Suggester
from ..pairs.type_lexicon import TypeLexicon
from ..pipeline.initialize import GetExamples, annotated, describe_corpus, upstream_of
from ..pipeline.pipe import Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import Block, Callback, Ranges, Settings, find_pipe, plain_settings
from ..scoring.probabilities import softmax
from .clusters import Clusters, cluster_id
from .loop import ClusterLoop, run_loop
from .losses import selfore_loss
from .settings import SelforeClustering, SelforeTraining
from .table import keys_of

CLUSTERS = "clusters.json"
RECLUSTER = "spacy_relext.recluster.v1"

CONFIG = """
[component]
n_clusters = 0
threshold = 0.0

[component.model]
@architectures = "spacy_relext.SelforeClusterer.v1"

[component.model.encoder]
@architectures = "spacy_relext.PieceEncoder.v1"
case_features = false
mix_from = 3
freeze_embeddings = true
name = "assets/encoder/all-MiniLM-L6-v2"

[component.suggester]
@misc = "spacy_relext.EntityPairs.v1"
max_distance = 20

[component.clustering]
@misc = "spacy_relext.SelforeClustering.v1"

[component.training]
@misc = "spacy_relext.SelforeTraining.v1"

[component.scorer]
@scorers = "spacy_relext.cluster_scorer.v1"
"""

# Scores that read gold relations have no weight, so that they do not select the best model.
_UNWEIGHTED = ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari", "clusters", "clusters_coverage")
WEIGHTS: Dict[str, Optional[float]] = {"clusters_information": 1.0, **dict.fromkeys(_UNWEIGHTED)}


class SelforeClusterer(PairPipe):
    """Predicts which of its induced relations holds between two entities. Writes `doc._.triples`."""

    architectures = ("relext_selfore_clusterer",)
    needs_triples = False
    ranks_candidates = False  # its scores compare clusters
    starts_with_classes = False  # its classes are the clusters that it will find
    ranges: ClassVar[Ranges] = {**PairPipe.ranges, "n_clusters": (0, 100_000)}
    blocks: ClassVar[Mapping[str, Type[Block]]] = {"clustering": SelforeClustering, "training": SelforeTraining}

    def reset(self) -> None:
        """Create an empty lexicon, no clusters, and a loop without data."""
        super().reset()
        self.clusters, self.loop = Clusters(), ClusterLoop()

    @property
    def clustering(self) -> SelforeClustering:
        """RETURNS (SelforeClustering): How pairs are clustered."""
        return SelforeClustering.of(self.cfg["clustering"])

    @property
    def training(self) -> SelforeTraining:
        """RETURNS (SelforeTraining): How the encoder learns the clusters."""
        return SelforeTraining.of(self.cfg["training"])

    @property
    def has_converged(self) -> bool:  # type: ignore[override]
        """RETURNS (bool): True if the clusters no longer change."""
        return self.clusters.has_converged

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): Names of the clusters, in the order of their ids."""
        return tuple(self.clusters.names) or tuple(self.cfg["labels"])

    @property
    def classes(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): Clusters in the model's order: name and, of known relations, direction."""
        records = self.clusters.records or [{"name": label} for label in self.labels]
        return [PairClass(each["name"], each.get("backwards", False)) for each in records]

    def rename_cluster(self, cluster: str, name: str, *, merge: bool = False) -> None:
        """Give a cluster a name of your own; its id stays.

        cluster (str): Its id, such as "cluster_3".
        name (str): The relation of its triples from now on; one line.
        merge (bool): Whether another cluster may have the name: both are then one relation.
        RAISES (ValueError): If there is no such cluster, the name is empty or too long, or another cluster has it.
        """
        self.clusters.rename(cluster, name, merge=merge)
        self.cfg["labels"] = self.clusters.names

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return lexicon and clusters."""
        return {**super().knowledge_files(), CLUSTERS: to_json(self.clusters.to_dict())}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read lexicon and clusters."""
        super().load_knowledge(files)
        self.clusters = Clusters(**srsly.json_loads(files[CLUSTERS]))

    # Initialization

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        corpus: Optional[Callable[[Language], Iterable[Example]]] = None,
    ) -> None:
        """Read all pairs of the training data and cluster them: the first loop.

        labels (Optional[List[str]]): Not read: relations are induced.
        corpus (Optional[Callable[[Language], Iterable[Example]]]): Reader of the texts to cluster, instead of the
            training data; required if the training data is a stream.
        start (Optional[List[Path]]): Folders of trained pipelines with one component over pairs each, for any
            relations: pairs are encoded with the mean of their encoders' weights. None: with the encoder's checkpoint.
        lexicon: As for `PairPipe.initialize`.
        RAISES (ValueError): If there are too few pairs, the training data is a stream without `corpus`, or the encoder
            listens to a component that is not frozen.
        """
        if self.is_listener and upstream_of(nlp, self.name, is_frozen=True) is None:
            raise ValueError(Errors.R608.format(name=self.name))
        training = {} if nlp is None else nlp.config.get("training") or {}
        self._check_loops(training)
        if corpus is not None and nlp is not None:
            get_examples = partial(corpus, nlp)
        elif training.get("max_epochs") == -1:
            raise ValueError(Errors.R600.format(name=self.name))
        self.clusters = Clusters()
        self.loop = ClusterLoop(annotated(get_examples, nlp, self.name), describe_corpus(nlp))
        super().initialize(get_examples, nlp=nlp, lexicon=lexicon, start=start)
        self.recluster()

    def _check_loops(self, training: Settings) -> None:
        """Warn if training will run fewer loops than the setting `loops`."""
        loops, before = self.training.loops, training.get("before_update")
        if not loops or not training or (before is not None and before.get("@callbacks") != RECLUSTER):
            return
        if before is None or before.get("component") != self.name:
            callback = "null" if before is None else f"that of {before.get('component')!r}"
            warnings.warn(Warnings.W601.format(name=self.name, loops=loops, found=callback), stacklevel=2)
            return
        epochs, most = before.get("epochs", 1), training.get("max_epochs", 0)
        if 0 < most <= loops * epochs:
            options = {"loops": loops, "epochs": epochs, "end": loops * epochs, "found": most}
            message = Warnings.W602.format(name=self.name, expected=loops * epochs + 1, **options)
            warnings.warn(message, stacklevel=2)

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> CollectedPairs:
        """Count pairs and entity types; gold is not read here."""
        types: Set[Tuple[str, str]] = set()
        read, total = EntityCounts(), 0
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs = self.suggest_pairs([example.predicted for example in batch])
            types.update(pairs.types)
            total += len(pairs)
            if not total:
                read.add(batch)
        if not total:
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=where))
        # if the number is to be chosen, there is one cluster until then
        ids = [cluster_id(number) for number in range(self.cfg["n_clusters"] or 1)]
        return CollectedPairs(ids, types=sorted(types))

    def adopt(self, collected: CollectedPairs) -> None:
        """Set entity types, and labels, which are ids until there are clusters; the classes are the clusters."""
        super().adopt(collected)
        self.cfg["classes"] = []

    def model_sizes(self) -> Settings:
        """Count types, tags and clusters; there is no class for no relation."""
        return {**super().model_sizes(), "n_classes": len(self.labels)}

    def recluster(self) -> float:
        """Cluster all pairs with the encoder as it is, and return the share of those whose cluster has changed."""
        return run_loop(self, self.loop, self.clusters, settings=self.clustering, training=self.training)

    def loop_report(self) -> str:
        """Describe the last loop in one line."""
        return self.clusters.report(self.name)

    def suggest_pairs(self, docs: Sequence[Doc]) -> Pairs:
        """Choose the pairs of a batch, each in one order: as in the text, or as marked.

        Unmarked entities that overlap form no pair, since no words are between them.
        """
        pairs = super().suggest_pairs(docs)
        if not pairs.both_orders:
            return pairs
        pairs = pairs.in_text_order()
        return pairs.take(numpy.flatnonzero(pairs.subject[:, 1] <= pairs.object[:, 0]))

    def arrays(self, instances: Instances) -> Dict[str, numpy.ndarray]:
        """Add the entity types of the arguments: their tokens may be in an entity nested in an argument."""
        number = {kind: index for index, kind in enumerate(self.cfg["entity_types"], start=1)}
        kinds = [[number.get(kind, 0) for kind in pair] for pair in instances.pairs.types]
        return {**super().arrays(instances), "kinds": numpy.asarray(kinds, dtype="int64").reshape(-1, 2)}

    def suggest_gold(self, examples: Sequence[Example]) -> Pairs:
        """Choose the pairs of a batch; gold is not read."""
        return self.suggest_pairs([example.predicted for example in examples])

    # Training

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, but no thinc layers of a frozen encoder: momentum would move them without a gradient.

        RAISES (ValueError): If the optimizer averages weights, which change their meaning in each loop.
        """
        if sgd.averages is not None:
            raise ValueError(Errors.R007.format(key="training.optimizer.use_averages", found=True, expected=False))
        if not module_of(self.model).frozen:
            super().finish_update(sgd)
            return
        for shim in self.model.shims:
            shim.finish_update(sgd)

    def freeze_encoder(self, frozen: bool) -> None:
        """Train the classifier alone, or with the encoder."""
        module_of(self.model).frozen = frozen

    def targets(self, instances: Instances) -> Targets:
        """Return clusters of the pairs, and weights of the clusters, √(mean size / size).

        A loaded pipeline does not know the clusters of its texts, and learns from its own predictions.
        """
        keys, cluster_of = keys_of(instances), self.loop.cluster_of
        if cluster_of or not keys:
            clusters = [cluster_of.get(key, UNLABELLED) for key in keys]
        else:
            outputs = self.forward(instances)
            assert outputs is not None
            clusters = outputs.scores.argmax(1).tolist()
        is_weighted = self.training.class_weights and self.clusters.sizes
        sizes = numpy.asarray([max(size, 1) for size in self.clusters.sizes] if is_weighted else [1] * len(self.labels))
        weights = numpy.sqrt(sizes.mean() / sizes).astype("float32")
        return {"clusters": numpy.asarray(clusters, dtype="int64"), "weights": weights}

    def score(self, examples: Iterable[Example], **kwargs: object) -> Settings:
        """Evaluate predictions; the scorer also reads the history of the loops."""
        return super().score(examples, history=self.clusters.history, **kwargs)

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the cross-entropy with the clusters."""
        return selfore_loss(outputs, targets, smoothing=self.training.smoothing, scale=self.clusters.scale)

    # Prediction

    def choose(self, pairs: Pairs, outputs: Outputs) -> Tuple[IntArray, Floats]:
        """Find each pair's cluster, from 1, and its score: the share of training pairs that fit worse into theirs."""
        clusters, fit = self.fit(outputs.vector, outputs.scores, outputs.products)
        return clusters + 1, self.clusters.rank(fit)

    def fit(self, vectors: Floats, scores: Floats, products: Floats) -> Tuple[IntArray, Floats]:
        """Find pairs' clusters, from 0, and how well they fit there; see `clustering.fit.ClusterFit`.

        Shapes: (N, F), (N, K), (N, K) → (N,), (N,)
        """
        from .clustering.fit import ClusterFit

        statistics = ClusterFit(*map(to_numpy, module_of(self.model).fit))
        parts = module_of(self.model).vector_parts
        return statistics.assign(vectors, products, empty=self.clusters.empty, scores=scores, **parts)

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the entity types, and the cluster: its id, its probability, and its most characteristic phrases."""
        cluster = self.clusters.records[answer - 1]
        probability = float(softmax(self.clusters.scale * outputs.logits[number : number + 1])[0, answer - 1])
        evidence = {
            "entity_types": list(pairs.types[number]),
            "cluster": cluster["id"],
            "probability": round(probability, 4),
            "ngrams": cluster["ngrams"],
        }
        return {**evidence, "known": True} if cluster.get("known") else evidence

    def rejected_answers(self, pairs: Pairs, outputs: Outputs) -> List[NearMiss]:
        """List the pairs that fit too badly into their cluster."""
        best, score = self.choose(pairs, outputs)
        thresholds, misses = self.answer_thresholds()[best - 1], []
        for number in numpy.flatnonzero(score < thresholds).tolist():
            text = (
                f"of the training pairs {score[number]:.1%} fit worse into their cluster, {thresholds[number]:.1%} must"
            )
            triple = make_triple(pairs, number, self.answers[best[number] - 1], float(score[number]))
            misses.append(make_near_miss(triple, thresholds[number], "threshold", text, name=self.name))
        return misses


@registry.callbacks("spacy_relext.recluster.v1")
def create_recluster(component: str, epochs: int = 1) -> Callback:
    """Let a `selfore_clusterer` cluster its pairs again after each loop, with what its encoder has learned.

    The first clusters are those of `initialize`. In the first `freeze_epochs` epochs of each loop, the encoder is
    frozen. After each loop, the share of the pairs whose cluster has changed and the information of clusters on
    neighbours are printed. For `[training.before_update]`.

    component (str): A `selfore_clusterer`.
    epochs (int): Epochs per loop.
    """
    check_range("epochs", epochs, 1, 1_000_000)
    done = {"epoch": 0}

    def recluster(nlp: Language, info: Settings) -> None:
        pipe = find_pipe(nlp, component, "recluster", problem=Errors.R603)
        if info["step"] == 0:
            done["epoch"] = 0
            msg.info(pipe.loop_report())
        if info["epoch"] >= done["epoch"] + epochs:
            done["epoch"] = info["epoch"]
            if not pipe.has_converged:
                pipe.recluster()
                msg.info(pipe.loop_report())
        frozen = pipe.training.freeze_epochs
        if frozen >= epochs and pipe.training.loops > 0:
            raise ValueError(Errors.R607.format(name=component, epochs=epochs, frozen=frozen))
        pipe.freeze_encoder(info["epoch"] - done["epoch"] < frozen)

    return recluster


@Language.factory(
    "selfore_clusterer",
    requires=["doc.ents", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=WEIGHTS,
)
def make_selfore_clusterer(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    clustering: SelforeClustering,
    training: SelforeTraining,
    n_clusters: int,
    threshold: float,
    scorer: Optional[Scorer],
) -> SelforeClusterer:
    """Create a component that finds relations in raw text without labels.

    suggester (Suggester): `spacy_relext.EntityPairs.v1`: pairs in the order of the text, or
        `spacy_relext.AnnotatedPairs.v1`: in the order in which they are marked.
    clustering (SelforeClustering): How pairs are clustered.
    training (SelforeTraining): How the encoder learns the clusters.
    n_clusters (int): K; 0: the number with the best product of information on neighbours and stability.
    threshold (float): Share of the training pairs, those that fit worst; pairs that fit no better get no triple.
    """
    settings = plain_settings(locals())
    return SelforeClusterer(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
