"""The component behind `selfore_clusterer`: learns the clusters that are found, and puts new pairs into them."""

import warnings
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy
from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Config, Model, Optimizer
from wasabi import msg

from ..errors import Errors, Warnings, check_range
from ..pairs.component import COLLECT_BATCH
from ..pairs.component import FITTED as PAIR_FITTED
from ..pairs.diagnosis import Read, why_no_pairs
from ..pairs.encoders.features import PairBatch
from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pairs.type_lexicon import TypeLexicon
from ..pipeline.initialize import annotated
from ..pipeline.settings import Callback, find_pipe, plain_settings
from ..scoring.probabilities import softmax
from .loop import ClusterLoop, id_of
from .losses import selfore_loss
from .table import keys_of

# Clusters with their names; how well training pairs fit in; what was found in each loop; whether it has settled; by how
# much the classifier's word is scaled.
FITTED: Dict[str, Any] = {**PAIR_FITTED, "clusters": [], "fits": [], "history": [], "settled": False, "certainty": 1.0}

UNKNOWN = -1

RECLUSTER = "spacy_relext.recluster.v1"

CLUSTERER_CONFIG = """
[model]
@architectures = "spacy_relext.PieceClusterer.v1"
name = "assets/encoder/all-MiniLM-L6-v2"

[suggester]
@misc = "spacy_relext.EntityPairs.v1"

[clustering]
@misc = "spacy_relext.Clustering.v1"
"""

# Scores that read gold relations choose nothing: they have no weight.
WEIGHTS: Dict[str, Optional[float]] = {
    "clusters_information": 1.0,
    **dict.fromkeys(
        ("b3_p", "b3_r", "b3_f", "homogeneity", "completeness", "v", "ari", "clusters", "clusters_coverage")
    ),
}

_CLUSTERER = Config().from_str(CLUSTERER_CONFIG)


class SelforeClusterer(ClusterLoop):
    """Says which of the relations that it has found itself holds between two entities. Writes `doc._.triples`."""

    architectures = ("relext_selfore_piece_clusterer", "relext_selfore_shared_clusterer")
    needs_triples = False

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): Names of the clusters, in the order of their ids."""
        return tuple(each["name"] for each in self.cfg["clusters"]) or tuple(self.cfg["labels"])

    @property
    def classes(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): The clusters in the order of the model's classes, by name and, of known relations,
        direction."""
        clusters = self.cfg["clusters"] or [{"name": label} for label in self.labels]
        return [PairClass(each["name"], each.get("backwards", False)) for each in clusters]

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
        if not name.strip():
            raise ValueError(Errors.R007.format(key="name", found=name, expected="a name"))
        for each in clusters:  # the two directions of a known relation have one name
            same_way = each.get("backwards", False) == found[0].get("backwards", False)
            if each["name"] == name and each["id"] != cluster and same_way:
                raise ValueError(Errors.R612.format(cluster=each["id"], name=name, other=cluster))
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
        RAISES (ValueError): Where there are too few pairs, the training data is a stream, or the encoder a listener.
        """
        if self.listens:
            raise ValueError(Errors.R608.format(name=self.name))
        training = {} if nlp is None else nlp.config.get("training") or {}
        self._check_loops(training)
        if corpus is not None and nlp is not None:
            get_examples = partial(corpus, nlp)
        elif training.get("max_epochs") == -1:
            raise ValueError(Errors.R600.format(name=self.name))
        self._cluster_of = {}
        self._read = annotated(get_examples, nlp, self.name)
        super().initialize(get_examples, nlp=nlp, lexicon=lexicon, start=start)
        self.recluster()

    def _check_loops(self, training: Dict[str, Any]) -> None:
        """Warn where training does not do what `loops` promises."""
        loops, before = self.clustering["loops"], training.get("before_update")
        if not loops or not training:
            return
        known = before is None or before.get("@callbacks") == RECLUSTER
        if known and (before is None or before.get("component") != self.name):
            found = "null" if before is None else f"that of {before.get('component')!r}"
            warnings.warn(Warnings.W601.format(name=self.name, loops=loops, found=found), stacklevel=2)
        elif known and before is not None:
            epochs, most = before.get("epochs", 1), training.get("max_epochs", 0)
            if 0 < most <= loops * epochs:
                options = {"loops": loops, "epochs": epochs, "end": loops * epochs, "found": most}
                said = Warnings.W602.format(name=self.name, expected=loops * epochs + 1, **options)
                warnings.warn(said, stacklevel=2)

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Count pairs and entity types; gold is not read here."""
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
        return [id_of(number) for number in range(self.cfg["n_clusters"] or 1)]

    def settle(self) -> None:
        """Nothing follows from the labels: they are ids until there are clusters."""

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): As for `PairPipe`, with the number of clusters: none of them is no relation."""
        return {**super().model_sizes(), "n_classes": len(self.labels)}

    # Pairs

    def suggest(self, docs: Sequence[Any]) -> Pairs:
        """Choose the pairs of a batch: of two orders the one in which the text has them, so that a relation has one."""
        return super().suggest(docs).in_text_order()

    def features(self, instances: Any) -> PairBatch:
        """Lay the pairs out for the encoder."""
        return PairBatch(instances, self.cfg["types"])

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
        keys = keys_of(instances)
        if self._cluster_of or not keys:
            clusters = [UNKNOWN if key in self._unsure else self._cluster_of.get(key, UNKNOWN) for key in keys]
        else:
            clusters = self.read(instances).logits.argmax(1).tolist()
        sizes = numpy.asarray([max(each["size"], 1) for each in self.cfg["clusters"]] or [1] * len(self.labels))
        weights = numpy.sqrt(sizes.mean() / sizes).astype("float32")
        pairs = numpy.unique(numpy.asarray(keys, dtype=object), return_inverse=True)[1]
        return {"clusters": numpy.asarray(clusters, dtype="int64"), "weights": weights, "pairs": pairs}

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Cross-entropy with the clusters, and what compares two readings of a pair."""
        settings = {key: self.clustering[key] for key in ("smoothing", "contrast")}
        return selfore_loss(outputs, targets, scale=self.cfg["certainty"], **settings)

    # Prediction

    def choose(self, instances: Pairs, outputs: Any) -> Tuple[Any, Any]:
        """Find each pair's cluster, from 1, and its score: the share of training pairs that fit worse into theirs."""
        clusters, fit = self.fit(outputs.vector, outputs.logits)
        return clusters + 1, self.rank(fit)

    def evidence(self, instances: Pairs, outputs: Any, number: int, answer: int) -> Dict[str, Any]:
        """The cluster: its id, its probability, and what is often said in it."""
        cluster = self.cfg["clusters"][answer - 1]
        probability = float(softmax(self.cfg["certainty"] * outputs.logits[number : number + 1])[0, answer - 1])
        found = {
            "entity_types": list(instances.types[number]),
            "cluster": cluster["id"],
            "probability": round(probability, 4),
            "ngrams": cluster["ngrams"],
        }
        return {**found, "known": True} if cluster.get("known") else found


@registry.callbacks("spacy_relext.recluster.v1")
def create_recluster(component: str, epochs: int = 1) -> Callback:
    """Let a `selfore_clusterer` find its clusters anew after so many epochs, with what its encoder has learned.

    The first clusters are those of `initialize`. In the first epochs of each loop, as many as the clusterer's
    `freeze_epochs` says, the encoder stays as it is. After each loop it prints how many pairs have changed their
    cluster, and what clusters tell of neighbours. For `[training.before_update]`.

    component (str): A `selfore_clusterer`.
    epochs (int): Epochs of a loop.
    RETURNS (Callback): Called before each step with the pipeline, `step` and `epoch`.
    RAISES (ValueError): Where a value is out of its range, or the pipeline has no such component.
    """
    check_range("epochs", epochs, 1, 1_000_000)
    done = {"epoch": 0}

    def recluster(nlp: Language, info: Dict[str, Any]) -> None:
        pipe = find_pipe(nlp, component, "recluster", problem=Errors.R603)
        if info["step"] == 0:
            done["epoch"] = 0
            msg.info(pipe.loop_report())
        if info["epoch"] >= done["epoch"] + epochs:
            done["epoch"] = info["epoch"]
            if not pipe.cfg["settled"]:
                pipe.recluster()
                msg.info(pipe.loop_report())
        frozen = pipe.clustering["freeze_epochs"]
        if frozen >= epochs and pipe.clustering["loops"] > 0:
            raise ValueError(Errors.R607.format(name=component, epochs=epochs, frozen=frozen))
        pipe.freeze_encoder(info["epoch"] - done["epoch"] < frozen)

    return recluster


@Language.factory(
    "selfore_clusterer",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _CLUSTERER["model"],
        "suggester": _CLUSTERER["suggester"],
        "clustering": _CLUSTERER["clustering"],
        "n_clusters": 0,
        "most_clusters": 120,
        "threshold": 0.0,
        "known": False,
        "scorer": {"@scorers": "spacy_relext.cluster_scorer.v1"},
    },
    default_score_weights=WEIGHTS,
)
def make_selfore_clusterer(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    clustering: Dict[str, Any],
    n_clusters: int,
    most_clusters: int,
    threshold: float,
    known: bool,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> SelforeClusterer:
    """Create a component that finds relations in raw text without labels.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceClusterer.v1` or `SharedClusterer.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1`, in the order of the text, or
        `spacy_relext.AnnotatedPairs.v1`, in the order in which they are marked.
    clustering (Dict[str, Any]): Made by `spacy_relext.Clustering.v1`.
    n_clusters (int): K; 0: the number whose clusters tell most of neighbours and come out most alike.
    most_clusters (int): The largest number that is tried then.
    threshold (float): Share of the training pairs, those that fit worst, whose like get no triple.
    known (bool): Whether relations that gold triples of the training data name are clusters that their pairs keep, and
        new ones are found beside them. Otherwise gold is not read.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (SelforeClusterer): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_range("n_clusters", n_clusters, 0, 100_000)
    check_range("most_clusters", most_clusters, 2, 100_000)
    check_range("threshold", threshold, 0.0, 1.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return SelforeClusterer(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
