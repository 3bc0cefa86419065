"""The component behind `rere_extractor`: subject and object of each detected relation."""

from pathlib import Path
from typing import ClassVar, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.assertion import gold_assertions
from ..annotations.entities import has_entity_annotation
from ..annotations.near_miss import NearMiss
from ..annotations.schema import Schema, read_schema, readable_label
from ..annotations.store import has_relations, set_triples
from ..annotations.triple import Record
from ..annotations.type_rules import TypeRow
from ..errors import Warnings, check_range
from ..pipeline.assertions import KNOWN, adopt_assertions, head_size
from ..pipeline.initialize import GetExamples
from ..pipeline.pipe import LEAST_SCORE, Outputs, Prediction, Scorer, Targets, Tensors
from ..pipeline.requirements import RELATIONS
from ..pipeline.settings import CONFIGURED, TOK2VEC, Ranges, Settings, plain_settings
from ..scoring.probabilities import calibrate
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import Priors, RerePipe, likeliest_relation
from .decode import (
    PAIRINGS,
    SPAN_RULES,
    Candidate,
    CandidateTable,
    Floats,
    candidates_by_doc,
    decode_pointers,
    decode_scored_pairs,
    drop_forbidden,
    non_max_suppression,
)
from .detector import MAX_MISSING_RATE
from .losses import POINTER_LOSSES, extractor_loss
from .near_misses import missing_spans, rejected_candidates, unasked_relations
from .rows import QueryRows, all_rows, detected_rows, gold_rows, number_assertions
from .windows import TokenBatch, entity_windows

# Settings that are weights in the loss.
WEIGHTS = ("absent_weight", "pointer_weight", "pair_weight", "rank_weight", "type_weight", "assertion_weight")


class RereExtractor(RerePipe):
    """Subject and object of each detected relation. Writes `doc._.triples`."""

    architectures = ("relext_rere_extractor",)
    ranks_candidates = True
    learns_rejected = True
    fitted: ClassVar[Settings] = {**RerePipe.fitted, "entity_labels": []}
    ranges: ClassVar[Ranges] = {
        **RerePipe.ranges,
        "ask_threshold": (0.0, 1.0),
        "pointer_threshold": (0.0, 1.0),
        "max_span_length": (1, 1_000_000),
        "absent_rows": (0.0, 1_000_000.0),
        "rivals": (0, 1_000_000),
        **dict.fromkeys(WEIGHTS, (0.0, 1_000.0)),
        "pairing": PAIRINGS,
        "span_rule": SPAN_RULES,
        "pointer_loss": POINTER_LOSSES,
        "pointer_missing_rate": (0.0, MAX_MISSING_RATE),
    }

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        schema_path: Optional[Path] = None,
    ) -> None:
        """Collect the labels, give the model its sizes, and load the encoder's weights.

        labels (Optional[List[str]]): The labels, if the data does not show all of them.
        schema_path (Optional[Path]): YAML or JSON file of relations, whose descriptions a piece encoder reads after the
            label; `label_queries` takes precedence.
        RAISES (ValueError): See `RelationPipe.initialize`; if the schema is missing or malformed.
        """
        schema = Schema(relations={}) if schema_path is None else read_schema(schema_path)
        self.cfg["label_queries"] = {
            label: f"{readable_label(label)}: {relation.description}"
            for label, relation in schema.relations.items()
            if relation.description
        }
        self.cfg["label_queries"].update(self.cfg[CONFIGURED].get("label_queries", {}))
        super().initialize(get_examples, nlp=nlp, labels=labels)

    def adopt(self, collected: Priors) -> None:
        """Set labels, class priors and, if they are learned, entity types of arguments and assertions."""
        super().adopt(collected)
        self.cfg["entity_labels"] = collected.entity_labels if self.cfg["type_weight"] else []
        if lost := adopt_assertions(self.cfg, collected.assertions):
            self.warn_once("assertions", Warnings.W362.format(name=self.name, found=lost))
        self.type_rules(collected.entity_labels)

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
        return detected_rows(windows, labels=self.labels, threshold=self.cfg["ask_threshold"])

    def suggest_gold(self, examples: Sequence[Example]) -> QueryRows:
        """Query the gold relations and a sample of absent ones."""
        windows, gold = self.gold(examples)
        absent, weight = self.cfg["absent_rows"], self.cfg["absent_weight"]
        rivals, types = self.cfg["rivals"], {label: index for index, label in enumerate(self.cfg["entity_labels"])}
        labelled = entity_windows(windows, examples) if rivals or types else []
        entities = [[span[:2] for span in spans] for spans in labelled] if rivals else None
        rows = gold_rows(
            windows, gold, self.labels, absent_rows=absent, absent_weight=weight, rivals=rivals, entities=entities
        )
        for window, spans in enumerate(labelled):
            rows.entities += [(window, first, last, types[label]) for first, last, label in spans if label in types]
            if gold.refused[window] is not None and not has_entity_annotation(examples[windows.doc[window]].reference):
                rows.untyped.append(window)
        if known := self.cfg.get(KNOWN):
            rows.assertions = number_assertions(rows, gold_assertions(examples), labels=self.labels, known=known)
        return rows

    def features(self, instances: QueryRows) -> TokenBatch:
        """Lay out windows and rows as arrays."""
        return TokenBatch(instances.windows.docs, instances.arrays(), instances.windows, self._queries())

    def targets(self, instances: QueryRows) -> Targets:
        """Return the targets of the loss; see `QueryRows.targets`."""
        return instances.targets()

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the terms of the loss; see `extractor_loss`."""
        return extractor_loss(
            outputs,
            targets,
            pointer_loss=self.cfg["pointer_loss"],
            pointer_missing=self.cfg["pointer_missing_rate"],
            pointer_weight=self.cfg["pointer_weight"],
            pair_weight=self.cfg["pair_weight"],
            rank_weight=self.cfg["rank_weight"],
            type_weight=self.cfg["type_weight"],
            assertion_weight=self.cfg["assertion_weight"],
        )

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
        """Calibrate scores."""
        return calibrate(scores, scale=self.cfg["scale"], shift=self.cfg["shift"])

    def _limits(self) -> Floats:
        """Look up the threshold of each relation. Shape (R,)"""
        thresholds = self.cfg["thresholds"]
        return numpy.asarray([thresholds.get(label, self.cfg["threshold"]) for label in self.labels])

    def _table(self, instances: QueryRows, outputs: Outputs) -> CandidateTable:
        """List the candidates of the pair scorer, or of the paper's pairing rule."""
        if self.cfg["pairing"] == "scored":
            return decode_scored_pairs(instances, outputs)
        return decode_pointers(
            instances,
            outputs,
            threshold=self.cfg["pointer_threshold"],
            max_length=self.cfg["max_span_length"],
            span_rule=self.cfg["span_rule"],
        )

    def _select(
        self, instances: QueryRows, table: CandidateTable, scores: Floats, limits: Floats
    ) -> List[List[Candidate]]:
        """Keep the best candidates that reach the limit of their relation and that entity types do not forbid."""
        known = self.cfg.get(KNOWN, ())
        by_doc = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=limits, assertions=known)
        if len(rules := self.type_rules()):
            by_doc = [drop_forbidden(each, doc, rules) for each, doc in zip(by_doc, instances.windows.docs)]
        return [non_max_suppression(candidates) for candidates in by_doc]

    def store(self, doc: Doc, prediction: Prediction) -> None:
        """Write the triples of this component."""
        set_triples(doc, [vars(candidate) for candidate in prediction], source=self.name)

    def explain_no_triple(self, doc: Doc, nlp: Language) -> str:
        """Return the detectors' likeliest relation, and whether it reaches `ask_threshold`."""
        pipes: Iterable[Tuple[str, object]] = nlp.pipeline
        detectors = ", ".join(name for name, pipe in pipes if getattr(pipe, "writes", "") == "relations")
        if not detectors:
            return f"no subject and object of a relation reach the threshold of {self.name}"
        probability, label = likeliest_relation(doc)
        ask = self.cfg["ask_threshold"]
        if not label:
            return f"{detectors} finds no relation likely enough to be stored (min_probability)"
        if probability < ask:
            return (
                f"{detectors} finds no relation likely enough; the likeliest is {label} with {probability:.3f}, "
                f"{self.name} reads on from {ask:.3f} (ask_threshold)"
            )
        threshold = self.threshold_of(label)
        return (
            f"the likeliest relation is {label} with {probability:.3f}, but no subject and object of it reach the "
            f"threshold of {self.name}, {threshold:.3f} (`spacy relext tune` fits that)"
        )

    def rejected(self, doc: Doc, instances: QueryRows, outputs: Optional[Outputs]) -> List[NearMiss]:
        """List relations that were not queried, queries without spans, and candidates that became no triples."""
        ask = self.cfg["ask_threshold"]
        misses = unasked_relations(doc, labels=self.labels, threshold=ask, name=self.name)
        if outputs is None:
            return misses
        table, limits = self._table(instances, outputs), self._limits()
        scores, least = self._calibrated(table.scores()), numpy.full(len(limits), LEAST_SCORE)
        (candidates,) = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=least)
        rules = self.type_rules()
        allowed = drop_forbidden(candidates, doc, rules) if len(rules) else candidates
        by_label = dict(zip(self.labels, limits.tolist()))
        misses += missing_spans(
            instances,
            outputs,
            table,
            limits=by_label,
            calibrated=self._calibrated,
            max_length=self.cfg["max_span_length"],
            name=self.name,
        )
        return misses + rejected_candidates(
            candidates, allowed, doc, limits=by_label, calibrated=self._calibrated, name=self.name
        )

    def _queries(self) -> List[str]:
        """Return the readable text of each relation, for encoders that read it."""
        given = self.cfg["label_queries"]
        return [given.get(label) or readable_label(label) for label in self.labels]


CONFIG = f"""
[component]
pairing = "scored"
span_rule = "mutual"
threshold = 0.5
ask_threshold = 0.05
pointer_threshold = 0.5
max_span_length = 15
absent_rows = 6.0
absent_weight = 0.5
rivals = 0
pointer_loss = "bce"
pointer_missing_rate = 0.05
pointer_weight = 40.0
pair_weight = 1.0
rank_weight = 0.0
type_weight = 0.0
assertion_weight = 1.0
label_queries = {{}}
types = []
max_length = 256
stride = 128

[component.model]
@architectures = "spacy_relext.RereExtractor.v1"
hidden = 128
pair_hidden = 256
between = false
dropout = 0.1
span_threshold = 0.05
max_span_length = 15
top_k = 6

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
    pairing: str,
    span_rule: str,
    threshold: float,
    ask_threshold: float,
    pointer_threshold: float,
    max_span_length: int,
    absent_rows: float,
    absent_weight: float,
    rivals: int,
    pointer_loss: str,
    pointer_missing_rate: float,
    pointer_weight: float,
    pair_weight: float,
    rank_weight: float,
    type_weight: float,
    assertion_weight: float,
    label_queries: Dict[str, str],
    types: List[TypeRow],
    max_length: int,
    stride: int,
    scorer: Optional[Scorer],
) -> RereExtractor:
    """Create an extractor of subject and object spans.

    pairing (str): "scored" (learned) or "nearest" (the paper's sweep).
    span_rule (str): How "nearest" finds spans: "mutual" (a start with its nearest end, unless another start lies
        between) or "nearest" (without that condition).
    threshold (float): Lowest score of a triple; `spacy relext tune` fits one per relation.
    ask_threshold (float): Lowest probability of a detected relation that is queried. Without a detector in the pipeline
        every relation is queried.
    pointer_threshold (float): Lowest probability of a span's ends, for "nearest".
    max_span_length (int): Longest argument, in tokens, for "nearest".
    absent_rows (float): Number of absent relations sampled in training per relation present.
    absent_weight (float): Their weight in the loss.
    rivals (int): Most entities of a sentence that are sampled in training as candidates besides the arguments, if the
        data has entities: pairs across neighbouring clauses are hard negatives.
    pointer_loss (str): "bce", or "collective", which is robust to arguments that the labels miss.
    pointer_missing_rate (float): τ of the latter, the share of missing arguments.
    rank_weight (float): Weight of the listwise loss, which ranks a gold pair above the other objects of its subject and
        the other subjects of its object.
    type_weight (float): Weight of the arguments' entity types as an auxiliary target, if the data has entities; the
        pair scorer reads them. Not with a piece encoder.
    assertion_weight (float): Weight of the loss of assertions (the attribute `assertion` of triples), if the training
        data has two or more; 0: they are not learned. Only the pairing "scored" finds them.
    label_queries (Dict[str, str]): Readable text of relations, if splitting the label does not give it.
    types (List[List[str]]): Between which entity types a relation may hold, as rows of subject type, relation and
        object type, "*" for any type; relations without a row may hold between all. An argument that is no entity
        has no type, and is allowed.
    max_length (int): Longest sentence that is read in one piece, in tokens.
    stride (int): Distance between the window starts of longer ones, in tokens.
    """
    settings = plain_settings(locals())
    check_range("stride", stride, 1, max_length or stride)
    return RereExtractor(nlp.vocab, model, name, scorer=scorer, settings=settings)
