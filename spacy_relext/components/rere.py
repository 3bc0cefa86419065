"""`rere_detector` and `rere_extractor`: RERE (Xie et al., ACL 2021) as two spaCy components.

The networks are in `models/rere.py`; what they depart from the paper in is listed there.
"""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..bridge import width_of
from ..errors import Warnings, check_choice, check_range
from ..instances.batch import TokenBatch
from ..instances.gold import GoldWindows, gold_windows, label_matrix
from ..instances.queries import readable_label
from ..instances.rows import QueryRows, all_rows, detected_rows, gold_rows
from ..instances.sentences import SentenceWindows, make_windows
from ..models.losses import SCOPES
from ..models.rere import detector_loss, extractor_loss
from ..triples.candidates import PAIRINGS, SPAN_RULES, candidates_by_doc, ruled_candidates, scored_candidates
from ..triples.decode import calibrate, keep_best_candidates
from ..triples.store import has_relations, set_relations, set_triples
from ..types import CharSpan
from . import rere_defaults as defaults
from .base import RelationPipe
from .priors import estimate_priors


class RerePipe(RelationPipe):
    """What detector and extractor share: sentence windows, and labels from gold triples."""

    def windows(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Cut Docs into sentence windows.

        docs (Sequence[Doc]): The batch.
        RETURNS (SentenceWindows): The windows.
        """
        return make_windows(docs, max_length=self.cfg["max_length"], stride=self.cfg["stride"])

    def gold(self, windows: SentenceWindows, examples: Sequence[Example]) -> GoldWindows:
        """Align the gold with windows; what cannot be learned from is reported once.

        windows (SentenceWindows): Over the predicted Docs.
        examples (Sequence[Example]): The batch.
        RETURNS (GoldWindows): The gold of each window.
        """
        gold = gold_windows(windows, examples)
        if gold.lost:
            self.warn_once("lost", Warnings.W002.format(name=self.name, count=gold.lost))
        for label in {t.relation for triples in gold.triples for t in triples}.difference(self.labels):
            if self.labels:
                self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return gold

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read the relations of gold triples, and how often sentences state them.

        examples (Iterable[Example]): Training data.
        RETURNS (List[str]): The relations.
        """
        labels, self.cfg["prior"], self.cfg["label_prior"] = estimate_priors(examples)
        return labels

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): Width of the token vectors and number of relations."""
        return {"width": width_of(self.model), "n_relations": len(self.labels)}


def plain_settings(arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Pick what a component saves from the arguments of its factory, and add what training and tuning fill in.

    arguments (Dict[str, Any]): The factory's arguments.
    RETURNS (Dict[str, Any]): Plain values.
    """
    given = {key: value for key, value in arguments.items() if key not in ("nlp", "name", "model", "scorer")}
    return {**given, "scale": 1.0, "shift": 0.0, "thresholds": {}, "prior": 0.0, "label_prior": {}}


class RereDetector(RerePipe):
    """Which relations does a sentence state? Writes `sent._.relations`."""

    architectures = ("relext_shared_detector", "relext_marked_detector")

    def suggest(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Take every sentence window."""
        return self.windows(docs)

    def suggest_gold(self, examples: Sequence[Example]) -> Any:
        """Take every sentence window, with its gold."""
        windows = self.windows([example.predicted for example in examples])
        windows.gold = self.gold(windows, examples)
        return windows

    def features(self, instances: SentenceWindows) -> TokenBatch:
        """Lay the windows' tokens out as an index."""
        return TokenBatch(instances.docs, {"index": instances.token_index()}, instances)

    def targets(self, instances: SentenceWindows) -> Dict[str, Any]:
        """Mark the relations that each window states."""
        assert instances.gold is not None
        return {"relations": label_matrix(instances.gold, self.labels), "label_prior": self._label_prior()}

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Binary cross-entropy or the collective loss."""
        return detector_loss(
            outputs,
            targets,
            kind=self.cfg["loss"],
            scope=self.cfg["collective_scope"],
            missing=self.cfg["missing_rate"],
            gamma=self.cfg["gamma"],
            weight=self.cfg["loss_weight"],
        )

    def decode(self, instances: SentenceWindows, outputs: Any) -> List[Any]:
        """Take each sentence's best window for every relation."""
        found: List[List[Tuple[CharSpan, Dict[str, float]]]] = [[] for _ in instances.docs]
        if outputs is None:
            return found
        logits = numpy.full((len(instances.bounds), len(self.labels)), -numpy.inf)
        numpy.maximum.at(logits, instances.sentence, outputs)
        probs = calibrate(0.5 * (1.0 + numpy.tanh(0.5 * logits)), scale=self.cfg["scale"], shift=self.cfg["shift"])
        for (number, start, end), row in zip(instances.bounds, probs):
            doc = instances.docs[number]
            offsets = (doc[start].idx, doc[end - 1].idx + len(doc[end - 1]))
            kept = numpy.flatnonzero(row >= self.cfg["min_probability"]).tolist()
            found[number].append((offsets, {self.labels[label]: float(row[label]) for label in kept}))
        return found

    def store(self, doc: Doc, prediction: List[Tuple[CharSpan, Dict[str, float]]]) -> None:
        """Write the probabilities of every sentence."""
        set_relations(doc, prediction)

    def _label_prior(self) -> Any:
        """π_o of each label, in the model's order."""
        prior = self.cfg["label_prior"]
        return numpy.asarray([prior.get(label, self.cfg["prior"]) for label in self.labels], dtype="float32")


class RereExtractor(RerePipe):
    """Subject and object of each detected relation. Writes `doc._.triples`."""

    architectures = ("relext_shared_extractor", "relext_marked_extractor")

    def suggest(self, docs: Sequence[Doc]) -> QueryRows:
        """Ask the detected relations of each sentence, or all of them where no detector ran."""
        windows = self.windows(docs)
        if not any(has_relations(doc) for doc in docs):
            return all_rows(windows, n_labels=len(self.labels))
        return detected_rows(windows, labels=self.labels, threshold=self.cfg["ask_threshold"])

    def suggest_gold(self, examples: Sequence[Example]) -> QueryRows:
        """Ask the gold relations and some absent ones."""
        windows = self.windows([example.predicted for example in examples])
        gold = self.gold(windows, examples)
        absent, weight = self.cfg["absent_rows"], self.cfg["absent_weight"]
        return gold_rows(windows, gold, self.labels, absent_rows=absent, absent_weight=weight)

    def features(self, instances: QueryRows) -> TokenBatch:
        """Lay out windows and rows as arrays."""
        return TokenBatch(instances.windows.docs, instances.arrays(), instances.windows, self._queries())

    def targets(self, instances: QueryRows) -> Dict[str, Any]:
        """Mark pointers and pairs."""
        return instances.targets()

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Binary cross-entropy of pointers and pairs."""
        return extractor_loss(
            outputs, targets, pointer_weight=self.cfg["pointer_weight"], pair_weight=self.cfg["pair_weight"]
        )

    def decode(self, instances: QueryRows, outputs: Any) -> List[Any]:
        """Score candidates and keep the best above their relation's threshold."""
        if outputs is None:
            return [[] for _ in instances.windows.docs]
        if self.cfg["pairing"] == "scored":
            table = scored_candidates(instances, outputs)
        else:
            table = ruled_candidates(
                instances,
                outputs,
                pairing=self.cfg["pairing"],
                threshold=self.cfg["pointer_threshold"],
                max_length=self.cfg["max_span_length"],
                span_rule=self.cfg["span_rule"],
            )
        scores = calibrate(table.scores(), scale=self.cfg["scale"], shift=self.cfg["shift"])
        thresholds = self.cfg["thresholds"]
        limits = numpy.asarray([thresholds.get(label, self.cfg["threshold"]) for label in self.labels])
        found = candidates_by_doc(instances, table, scores, labels=self.labels, thresholds=limits)
        return [keep_best_candidates(candidates) for candidates in found]

    def store(self, doc: Doc, prediction: List[Any]) -> None:
        """Write the triples of this component."""
        set_triples(doc, [vars(candidate) for candidate in prediction], source=self.name)

    def _queries(self) -> List[str]:
        """Readable text of each relation, for encoders that read it."""
        given = self.cfg["label_queries"]
        return [given.get(label) or readable_label(label) for label in self.labels]


@Language.factory(
    "rere_detector",
    assigns=["span._.relations"],
    default_config={
        "model": Config().from_str(defaults.DETECTOR_CONFIG)["model"],
        "loss": "bce",
        "collective_scope": "batch",
        "missing_rate": 0.05,
        "gamma": None,
        "loss_weight": 10.0,
        "min_probability": 0.01,
        "max_length": 256,
        "stride": 128,
        "scorer": {"@scorers": "spacy_relext.relation_scorer.v1"},
    },
    default_score_weights=defaults.DETECTOR_WEIGHTS,
)
def make_rere_detector(
    nlp: Language,
    name: str,
    model: Model,
    loss: str,
    collective_scope: str,
    missing_rate: float,
    gamma: Optional[float],
    loss_weight: float,
    min_probability: float,
    max_length: int,
    stride: int,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> RereDetector:
    """Create a relation detector.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.SharedDetector.v1` or `spacy_relext.MarkedDetector.v1`.
    loss (str): "bce", "collective", or "printed" (the released code's form of the collective loss).
    collective_scope (str): Over what the collective loss takes its means: "row", "batch" or "label".
    missing_rate (float): τ, the share of true relations that the labels miss.
    gamma (Optional[float]): Weight of the collective loss's positive term; null takes it from the data.
    loss_weight (float): Weight of the loss, for an encoder shared with other components.
    min_probability (float): Relations less probable than this are not stored.
    max_length (int): Longest sentence that is read in one piece, in tokens.
    stride (int): Distance of the windows of longer ones, in tokens.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (RereDetector): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("loss", loss, ("bce", "collective", "printed"))
    check_choice("collective_scope", collective_scope, SCOPES)
    check_range("missing_rate", missing_rate, 0.0, 0.99)
    check_range("stride", stride, 1, max_length or stride)
    return RereDetector(nlp.vocab, model, name, scorer=scorer, settings=settings)


@Language.factory(
    "rere_extractor",
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": Config().from_str(defaults.EXTRACTOR_CONFIG)["model"],
        "pairing": "scored",
        "span_rule": "mutual",
        "threshold": 0.3,
        "ask_threshold": 0.05,
        "pointer_threshold": 0.5,
        "max_span_length": 15,
        "absent_rows": 3.0,
        "absent_weight": 1.0,
        "pointer_weight": 10.0,
        "pair_weight": 1.0,
        "label_queries": {},
        "max_length": 256,
        "stride": 128,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=defaults.EXTRACTOR_WEIGHTS,
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
    pointer_weight: float,
    pair_weight: float,
    label_queries: Dict[str, str],
    max_length: int,
    stride: int,
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> RereExtractor:
    """Create an extractor of subject and object spans.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.SharedExtractor.v1` or `spacy_relext.MarkedExtractor.v1`.
    pairing (str): "scored" (learned), "nearest" (the paper's sweep) or "product" (the released code).
    span_rule (str): How "nearest" and "product" find spans: "mutual" (a start with its nearest end, unless another
        start lies between), "nearest" (without that condition) or "code" (the released code's strings).
    threshold (float): Score that a triple needs; `spacy relext tune` fits one per relation.
    ask_threshold (float): Relations less probable than this are not asked for. With no detector in the pipeline every
        relation is asked.
    pointer_threshold (float): Probability of a span's ends, for "nearest" and "product".
    max_span_length (int): Longest argument, in tokens, for "nearest" and "product".
    absent_rows (float): Absent relations drawn in training per relation present.
    absent_weight (float): Their weight in the loss.
    pointer_weight (float): Weight of the pointers' loss.
    pair_weight (float): Weight of the pairs' loss.
    label_queries (Dict[str, str]): Readable text of relations, where splitting the label does not give it.
    max_length (int): Longest sentence that is read in one piece, in tokens.
    stride (int): Distance of the windows of longer ones, in tokens.
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (RereExtractor): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("pairing", pairing, PAIRINGS)
    check_choice("span_rule", span_rule, SPAN_RULES)
    check_range("stride", stride, 1, max_length or stride)
    return RereExtractor(nlp.vocab, model, name, scorer=scorer, settings=settings)
