"""The component behind `rere_extractor`: subject and object of each detected relation."""

from typing import ClassVar, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.assertion import gold_assertions
from ..annotations.entities import has_entity_annotation
from ..annotations.near_miss import NearMiss
from ..annotations.schema import readable_label
from ..annotations.store import has_relations, set_predicted
from ..annotations.triple import Record
from ..errors import Warnings
from ..pipeline.assertions import KNOWN, adopt_assertions, head_size
from ..pipeline.pipe import LEAST_SCORE, Outputs, Prediction, Scorer, Targets, Tensors
from ..pipeline.requirements import RELATIONS
from ..pipeline.settings import TOK2VEC, Settings, plain_settings
from ..scoring.probabilities import calibrate
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import Priors, RerePipe, most_probable_relation
from .decode import (
    Candidate,
    CandidateTable,
    Floats,
    candidates_by_doc,
    decode_pointers,
    decode_scored_pairs,
    non_max_suppression,
)
from .losses import extractor_loss
from .near_misses import missing_spans, rejected_candidates, unqueried_relations
from .rows import QueryRows, all_rows, detected_rows, gold_rows, number_assertions
from .settings import RereDecoding, RereExtractorLoss, RereSampling
from .span_pairs import SpanLimits
from .windows import TokenBatch, entity_windows


class RereExtractor(RerePipe):
    """Subject and object of each detected relation. Writes `doc._.triples`."""

    architectures = ("relext_rere_extractor",)
    ranks_candidates = True
    learns_rejected = True
    fitted: ClassVar[Settings] = {**RerePipe.fitted, "entity_labels": []}
    blocks = {"loss": RereExtractorLoss, "sampling": RereSampling, "decoding": RereDecoding}

    @property
    def loss_settings(self) -> RereExtractorLoss:
        """RETURNS (RereExtractorLoss): The section `loss` of the settings."""
        return RereExtractorLoss.of(self.cfg["loss"])

    @property
    def sampling(self) -> RereSampling:
        """RETURNS (RereSampling): The section `sampling` of the settings."""
        return RereSampling.of(self.cfg["sampling"])

    @property
    def decoding(self) -> RereDecoding:
        """RETURNS (RereDecoding): The section `decoding` of the settings."""
        return RereDecoding.of(self.cfg["decoding"])

    def adopt(self, collected: Priors) -> None:
        """Set labels, class priors and, if they are learned, entity types of arguments and assertions."""
        super().adopt(collected)
        loss = self.loss_settings
        self.cfg["entity_labels"] = collected.entity_labels if loss.type_weight else []
        if lost := adopt_assertions(self.cfg, collected.assertions, weight=loss.assertion_weight):
            self.warn_once("assertions", Warnings.W362.format(name=self.name, found=lost))

    def model_sizes(self) -> Settings:
        """Return the width of the token vectors, the number of relations, of entity types and of assertions."""
        return {**super().model_sizes(), "n_types": len(self.cfg["entity_labels"]), **head_size(self.cfg)}

    def suggest(self, docs: Sequence[Doc]) -> QueryRows:
        """Query the detected relations of each sentence, or all relations if no detector ran."""
        windows = self.windows(docs)
        if not any(has_relations(doc) for doc in docs):
            if any(map(len, docs)):
                self.warn_once(RELATIONS, Warnings.W007.format(name=self.name))
            return all_rows(windows, n_labels=len(self.labels))
        return detected_rows(windows, labels=self.labels, threshold=self.decoding.query_threshold)

    def suggest_gold(self, examples: Sequence[Example]) -> QueryRows:
        """Query the gold relations and a sample of absent ones."""
        windows, gold = self.gold(examples)
        sampling, types = self.sampling, {label: index for index, label in enumerate(self.cfg["entity_labels"])}
        labelled = entity_windows(windows, examples) if sampling.hard_negatives or types else []
        rows = gold_rows(windows, gold, self.labels, sampling, entities=labelled)
        for window, spans in enumerate(labelled):
            rows.entities += [(window, first, last, types[label]) for first, last, label in spans if label in types]
            if types and not has_entity_annotation(examples[windows.doc[window]].reference):
                rows.untyped.append(window)
        if known := self.cfg.get(KNOWN):
            rows.assertions = number_assertions(rows, gold_assertions(examples), labels=self.labels, known=known)
        return rows

    def split(self, instances: QueryRows) -> Iterator[QueryRows]:
        """Yield the rows of some windows at a time."""
        return instances.parts()

    def join(self, parts: Sequence[QueryRows], outputs: Sequence[Outputs]) -> Outputs:
        """Concatenate the outputs of several parts, and number rows and windows through all of them."""
        joined = super().join(parts, outputs)
        for column, counts in ("pairs", map(len, parts)), ("spans", (len(part.windows) for part in parts)):
            first = numpy.cumsum([0, *counts])[:-1]
            getattr(joined, column)[:, 0] += numpy.repeat(first, [len(getattr(each, column)) for each in outputs])
        return joined

    def features(self, instances: QueryRows) -> TokenBatch:
        """Lay out windows and rows as arrays."""
        decoding = self.decoding
        limits = SpanLimits(decoding.span_threshold, decoding.max_span_length, decoding.top_k)
        windows, queries = instances.windows, [readable_label(label) for label in self.labels]
        return TokenBatch(windows.docs, instances.arrays(), windows, queries, options={"limits": limits})

    def targets(self, instances: QueryRows) -> Targets:
        """Return the targets of the loss; see `QueryRows.targets`."""
        return instances.targets()

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the terms of the loss; see `extractor_loss`."""
        return extractor_loss(outputs, targets, self.loss_settings)

    def decode(self, instances: QueryRows, outputs: Optional[Outputs]) -> List[Prediction]:
        """Score candidates and keep the best ones that reach their relation's threshold."""
        if outputs is None:
            return [[] for _ in instances.windows.docs]
        table = self._table(instances, outputs)
        return self._select(instances, table, self._calibrated(table.scores()), self._limits())

    def candidates(self, instances: QueryRows, outputs: Optional[Outputs]) -> List[List[Record]]:
        """List all candidates that do not overlap better ones; see `RelationPipe.candidates`."""
        if outputs is None:
            return [[] for _ in instances.windows.docs]
        table = self._table(instances, outputs)
        limits = numpy.full(len(self.labels), LEAST_SCORE)
        return [list(map(vars, each)) for each in self._select(instances, table, table.scores(), limits)]

    def _calibrated(self, scores: Floats) -> Floats:
        return calibrate(scores, scale=self.cfg["scale"], shift=self.cfg["shift"])

    def _limits(self) -> Floats:
        """Look up the threshold of each relation. Shape (R,)"""
        thresholds = self.cfg["thresholds"]
        return numpy.asarray([thresholds.get(label, self.cfg["threshold"]) for label in self.labels])

    def _table(self, instances: QueryRows, outputs: Outputs) -> CandidateTable:
        """List the candidates of the pair scorer, or of the paper's pairing rule."""
        decoding = self.decoding
        if decoding.pairing == "scored":
            return decode_scored_pairs(instances, outputs)
        return decode_pointers(instances, outputs, decoding)

    def _select(
        self, instances: QueryRows, table: CandidateTable, scores: Floats, limits: Floats
    ) -> List[List[Candidate]]:
        known = self.cfg.get(KNOWN, ())
        by_doc = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=limits, assertions=known)
        return [non_max_suppression(candidates) for candidates in by_doc]

    def store(self, doc: Doc, prediction: Prediction) -> None:
        """Write the triples of this component."""
        set_predicted(doc, [vars(candidate) for candidate in prediction], source=self.name)

    def explain_no_miss(self, doc: Doc, nlp: Language) -> str:
        """Return that no detector has stored a relation, or that none has arguments."""
        pipes: Iterable[Tuple[str, object]] = nlp.pipeline
        detectors = ", ".join(name for name, pipe in pipes if getattr(pipe, "writes", "") == "relations")
        if detectors and not most_probable_relation(doc)[1]:
            return f"{detectors} finds no relation likely enough to be stored (min_probability)"
        return f"no subject and object of a relation reach the threshold of {self.name}"

    def rejected(self, doc: Doc, instances: QueryRows, outputs: Optional[Outputs]) -> List[NearMiss]:
        """List relations that were not queried, queries without spans, and candidates that became no triples."""
        decoding = self.decoding
        misses = unqueried_relations(doc, labels=self.labels, threshold=decoding.query_threshold, name=self.name)
        if outputs is None:
            return misses
        table, limits = self._table(instances, outputs), self._limits()
        scores, least = self._calibrated(table.scores()), numpy.full(len(limits), LEAST_SCORE)
        (candidates,) = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=least)
        by_label = dict(zip(self.labels, limits.tolist()))
        misses += missing_spans(
            instances,
            outputs,
            table,
            limits=by_label,
            calibrated=self._calibrated,
            max_length=decoding.max_span_length,
            name=self.name,
        )
        return misses + rejected_candidates(
            candidates, doc, limits=by_label, calibrated=self._calibrated, name=self.name
        )


CONFIG = f"""
[component]
threshold = 0.5

[component.loss]
@misc = "spacy_relext.RereExtractorLoss.v1"

[component.sampling]
@misc = "spacy_relext.RereSampling.v1"

[component.decoding]
@misc = "spacy_relext.RereDecoding.v1"

[component.model]
@architectures = "spacy_relext.RereExtractor.v1"

[component.model.encoder]
{TOK2VEC}
[component.scorer]
@scorers = "spacy_relext.triple_scorer.v1"
"""


@Language.factory(
    "rere_extractor",
    requires=["token.is_sent_start", "span._.relations"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_rere_extractor(
    nlp: Language,
    name: str,
    model: Model,
    loss: RereExtractorLoss,
    sampling: RereSampling,
    decoding: RereDecoding,
    threshold: float,
    scorer: Optional[Scorer],
) -> RereExtractor:
    """Create an extractor of subject and object spans.

    loss (RereExtractorLoss): Form and weights of the terms of the loss.
    sampling (RereSampling): What is learned besides gold triples.
    decoding (RereDecoding): How candidate triples are made.
    threshold (float): Lowest score of a triple; `spacy relext tune` fits one per relation.
    """
    return RereExtractor(nlp.vocab, model, name, scorer=scorer, settings=plain_settings(locals()))
