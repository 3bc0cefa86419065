"""The component behind `rere_detector`: which relations does a sentence state?"""

from typing import ClassVar, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.store import set_relations
from ..annotations.triple import CharSpan
from ..errors import Errors, check_range
from ..pipeline.initialize import GetExamples
from ..pipeline.pipe import Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import TOK2VEC, Ranges, plain_settings
from ..scoring.probabilities import calibrate, sigmoid
from ..scoring.relations import RELATION_SCORE_WEIGHTS
from .component import RerePipe, most_probable_relation
from .losses import detector_loss
from .settings import MAX_MISSING_RATE, RereDetectorLoss
from .windows import SentenceWindows, TokenBatch, judged_matrix, label_matrix

# Offsets of each sentence, and the probabilities of its relations.
SentenceRelations = List[Tuple[CharSpan, Dict[str, float]]]

DEFAULT_MISSING_RATE = 0.05


class RereDetector(RerePipe):
    """Which relations does a sentence state? Writes `sent._.relations`."""

    architectures = ("relext_rere_detector",)
    writes = "relations"
    ranges: ClassVar[Ranges] = {**RerePipe.ranges, "min_probability": (0.0, 1.0)}
    blocks = {"loss": RereDetectorLoss}

    @property
    def loss_settings(self) -> RereDetectorLoss:
        """RETURNS (RereDetectorLoss): The section `loss` of the settings."""
        return RereDetectorLoss.of(self.cfg["loss"])

    def reset(self) -> None:
        """Create empty estimates of missing labels."""
        self.cfg.update(label_frequency={}, missing_rates={})

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        missing_rates: Optional[Dict[str, float]] = None,
    ) -> None:
        """Find the labels, give the model its sizes, and load the encoder's weights.

        missing_rates (Optional[Dict[str, float]]): τ of each relation, such as `spacy relext tune` estimates; read by
            all losses but "bce" if their setting `missing_rate` is null. None: the previous estimates, if any.
        RAISES (ValueError): If there are no labels, or a rate is out of range or of an unknown label.
        """
        for label, rate in (missing_rates or {}).items():
            check_range(f"missing_rates of {self.name}: {label}", rate, 0.0, MAX_MISSING_RATE)
        super().initialize(get_examples, nlp=nlp, labels=labels)
        unknown = sorted(set(missing_rates or {}).difference(self.labels))
        if unknown:
            raise ValueError(Errors.R362.format(name=self.name, unknown=", ".join(unknown)))
        if missing_rates is not None:
            self.cfg["missing_rates"] = dict(missing_rates)

    def suggest(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Take every sentence window."""
        return self.windows(docs)

    def suggest_gold(self, examples: Sequence[Example]) -> SentenceWindows:
        """Take every sentence window of annotated Docs, with its gold."""
        windows, gold = self.gold(examples)
        windows.gold = gold
        return windows

    def split(self, instances: SentenceWindows) -> Iterator[SentenceWindows]:
        """Yield some windows at a time."""
        return map(instances.take, instances.cut(numpy.zeros(len(instances), dtype="int64")))

    def features(self, instances: SentenceWindows) -> TokenBatch:
        """Lay the windows' tokens out as an index."""
        return TokenBatch(instances.docs, {"index": instances.token_index()}, instances)

    def targets(self, instances: SentenceWindows) -> Targets:
        """Return the relations that each window states, and the observed and missing rates of all relations."""
        assert instances.gold is not None
        return {
            "relations": label_matrix(instances.gold, self.labels),
            "judged": judged_matrix(instances.gold, self.labels),
            "label_prior": self._per_label(self.cfg["label_prior"], self.cfg["prior"]),
            "missing_rates": self.missing_rates(),
        }

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute binary cross-entropy, or a loss that is robust to missing labels."""
        return detector_loss(outputs, targets, self.loss_settings)

    def decode(self, instances: SentenceWindows, outputs: Optional[Outputs]) -> List[SentenceRelations]:
        """Score every relation of each sentence by its best window."""
        relations: List[SentenceRelations] = [[] for _ in instances.docs]
        if outputs is None:
            return relations
        logits = numpy.full((len(instances.bounds), len(self.labels)), -numpy.inf)
        numpy.maximum.at(logits, instances.sentence, outputs)
        probs = calibrate(sigmoid(logits), scale=self.cfg["scale"], shift=self.cfg["shift"])
        for (number, start, end), row in zip(instances.bounds, probs):
            doc = instances.docs[number]
            offsets = (doc[start].idx, doc[end - 1].idx + len(doc[end - 1]))
            likely = numpy.flatnonzero(row >= self.cfg["min_probability"]).tolist()
            relations[number].append((offsets, {self.labels[label]: float(row[label]) for label in likely}))
        return relations

    def store(self, doc: Doc, prediction: SentenceRelations) -> None:
        """Write the probabilities of every sentence."""
        set_relations(doc, prediction)

    def explain_no_miss(self, doc: Doc, nlp: Language) -> str:
        """Return the most probable relation: a detector states no triples."""
        probability, label = most_probable_relation(doc)
        best = f"; the most probable is {label} with {probability:.3f}" if label else ""
        return f"{self.name} finds the relations of sentences, not their arguments: add a rere_extractor{best}"

    def missing_rates(self) -> NDArray[numpy.float32]:
        """Return τ of each relation: the setting, else the estimate, else the default. Shape (R,)"""
        missing_rate = self.loss_settings.missing_rate
        if missing_rate is not None:
            return self._per_label({}, missing_rate)
        return self._per_label(self.cfg["missing_rates"], DEFAULT_MISSING_RATE)

    def _per_label(self, values: Dict[str, float], default: float) -> NDArray[numpy.float32]:
        return numpy.asarray([values.get(label, default) for label in self.labels], dtype="float32")


CONFIG = f"""
[component]
threshold = 0.5
min_probability = 0.01

[component.loss]
@misc = "spacy_relext.RereDetectorLoss.v1"

[component.model]
@architectures = "spacy_relext.RereDetector.v1"

[component.model.encoder]
{TOK2VEC}
[component.scorer]
@scorers = "spacy_relext.relation_scorer.v1"
"""

# Every key of the scorers, since `spacy train` reports those listed here; None hides one, 0 shows it.
# The triples are what counts: with both components in a pipeline, the detector's F has a quarter of the weight.
DETECTOR_WEIGHTS = {**RELATION_SCORE_WEIGHTS, "relations_micro_f": 0.33}


@Language.factory(
    "rere_detector",
    requires=["token.is_sent_start"],
    assigns=["span._.relations"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=DETECTOR_WEIGHTS,
)
def make_rere_detector(
    nlp: Language,
    name: str,
    model: Model,
    loss: RereDetectorLoss,
    threshold: float,
    min_probability: float,
    scorer: Optional[Scorer],
) -> RereDetector:
    """Create a relation detector.

    loss (RereDetectorLoss): Kind and weight of the loss.
    threshold (float): Lowest probability at which the scorer counts a relation as detected; `spacy relext tune` fits
        one per relation. The extractor has its own `query_threshold`.
    min_probability (float): Lowest probability of a relation that is stored.
    """
    return RereDetector(nlp.vocab, model, name, scorer=scorer, settings=plain_settings(locals()))
