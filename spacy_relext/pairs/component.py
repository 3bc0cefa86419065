"""What components share that classify pairs of entities."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.entities import NOMINAL
from ..annotations.store import has_triples, set_triples
from ..bridge.modules import module_of, to_numpy
from ..errors import Errors, Warnings
from ..pipeline.initialize import annotated, start_from
from ..pipeline.pipe import RelationPipe
from ..scoring.probabilities import calibrate, softmax
from .diagnosis import Read, unsearched, why_no_pairs
from .encoders.models import encoder_sizes
from .gold import GoldPairs, PairClass, gold_pairs, list_classes, turned_classes
from .pairs import Pairs
from .suggesters import Suggester
from .type_lexicon import TypeLexicon

LEAST_ATTENTION = 0.02

MOST_ATTENDED = 8


def most_attended(pairs: Pairs, weights: Any, number: int) -> List[List[Any]]:
    """List the tokens that the attention looks at most.

    pairs (Pairs): The pairs.
    weights (NDArray): Of the tokens of the pair's text. Shape (T,)
    number (int): Which pair.
    RETURNS (List[List[Any]]): First character, character after the last, weight; the heaviest first. Empty where
        there is no attention.
    """
    doc, start = pairs.docs[pairs.doc[number]], int(pairs.text[number, 0])
    best = sorted(numpy.flatnonzero(weights >= LEAST_ATTENTION).tolist(), key=lambda token: -weights[token])
    tokens = [(doc[start + token], float(weights[token])) for token in best[:MOST_ATTENDED]]
    return [[token.idx, token.idx + len(token), round(weight, 4)] for token, weight in tokens]


# What training and tuning fill in.
FITTED: Dict[str, Any] = {"classes": [], "types": [], "lexicon": {}, "scale": 1.0, "shift": 0.0, "thresholds": {}}

DATA = "the training data"

COLLECT_BATCH = 256

# Labels of entities that say nothing of what they are: that of all of SemEval's nominals is no type.
_UNTYPED = frozenset({"", NOMINAL})

# Tokens that the texts of the pairs of one call may have side by side: with eight times as many, a BiLSTM reads half as
# many pairs a second on a CPU, and a transformer four fifths, for their states no longer fit into its caches.
CELLS = 2**14


class PairPipe(RelationPipe):
    """Base of components that say which relation, if any, holds between two entities."""

    def __init__(self, *args: Any, suggester: Suggester, **kwargs: Any) -> None:
        """Create a component; see `RelationPipe`.

        suggester (Suggester): Chooses the pairs.
        """
        super().__init__(*args, **kwargs)
        self.suggester = suggester
        self._where, self._labels_given = DATA, False
        self._lexicon: Optional[Tuple[Dict[str, str], TypeLexicon]] = None
        self._collected: Tuple[List[Set[PairClass]], List[Tuple[str, str]]] = ([], [])
        self._missed = 0

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
    ) -> None:
        """Find relations and entity types, give the model its sizes, and load the weights it starts from.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data.
        nlp (Optional[Language]): The pipeline; what comes before the component annotates the data, as in training.
        labels (Optional[List[str]]): The relations, where the data does not show all of them.
        lexicon (Optional[TypeLexicon]): Types of nouns, for arguments that no entity types, or only as SemEval's
            "NOMINAL"; saved with the component.
        start (Optional[List[Path]]): Folders of trained pipelines with one component of this kind each, teacher or
            student: training starts from the mean of their weights, where both have them. None: from the encoder's
            checkpoint.
        RAISES (ValueError): Where there are no relations or no pairs, or a pipeline does not fit.
        """
        self._where, self._labels_given = training_data(nlp), labels is not None
        # what was fitted before is put back by the base, so that it gets the lexicon as a part of that
        self._fitted["lexicon"] = {} if lexicon is None else lexicon.to_dict()
        super().initialize(annotated(get_examples, nlp, self.name), nlp=nlp, labels=labels)
        if start:
            start_from(module_of(self.model), start, kind=PairPipe, classes=self.classes, name=self.name)

    @property
    def classes(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): Relations with their direction, without class 0 of the model, no relation."""
        return [PairClass(relation, bool(backwards)) for relation, backwards in self.cfg["classes"]]

    @property
    def listens(self) -> bool:
        """RETURNS (bool): Whether the encoder is a listener, which gets its vectors from another component."""
        return any("listener" in layer.name for layer in self.model.walk())

    def suggest(self, docs: Sequence[Doc]) -> Pairs:
        """Choose the pairs of a batch, each once where relations are read backwards: then it was trained on such."""
        pairs = self.suggester(docs)
        if any(backwards for _, backwards in self.cfg["classes"]):
            pairs = pairs.in_text_order()
        if self.cfg["lexicon"]:
            pairs = self._typed(pairs)
        if pairs.lost:
            self.warn_once("lost", Warnings.W400.format(name=self.name, count=pairs.lost))
        return pairs

    def predict(self, docs: Iterable[Doc]) -> List[Any]:
        """Score a batch of Docs without changing them, in parts: a long sentence can have thousands of pairs.

        docs (Iterable[Doc]): The batch.
        RETURNS (List[Any]): One prediction per Doc, for `set_annotations`.
        RAISES (ValueError): Where the component is not initialized.
        """
        docs = list(docs)
        self.require_initialized()
        pairs = self.suggest(docs)
        missing = unsearched(docs, self.suggester) if docs and not len(pairs) else ""
        if missing:
            self.warn_once("entities", missing.format(name=self.name))
        return self.decode(pairs, self.say(docs, lambda: self.run(pairs)))

    def run(self, instances: Any) -> Any:
        """Score pairs; those that stand there in one order also from the other side, where that is asked for.

        instances (Any): `Pairs` or `GoldPairs`.
        RETURNS (Any): What the model returns, or the mean of both readings; None without pairs.
        """
        pairs = instances.pairs if isinstance(instances, GoldPairs) else instances
        turned = turned_classes(self.classes) if self.cfg.get("average_orders") else None
        if turned is None or pairs.both_orders or not len(pairs):
            return self.read(instances)
        return mean_of_readings(self.read(instances.in_both_orders()), turned)

    def read(self, instances: Any) -> Any:
        """Score pairs as they stand, in parts.

        instances (Any): `Pairs` or `GoldPairs`.
        RETURNS (Any): What the model returns; None without pairs.
        """
        parts = [
            # an encoder reads all Docs that it is shown: those of one part only
            to_numpy(self.model.predict(self.features(instances.take(part).with_own_docs())))
            for part in parts_of(instances)
        ]
        return join_outputs(parts) if parts else None

    def _typed(self, pairs: Pairs) -> Pairs:
        """Let the lexicon type arguments that have no type, or one that only says what a data set marks."""
        stored = self.cfg["lexicon"]
        if self._lexicon is None or self._lexicon[0] is not stored:
            self._lexicon = (stored, TypeLexicon.from_dict(stored))
        look_up = self._lexicon[1].type_of
        types = []
        for number, kinds in enumerate(pairs.types):
            if not _UNTYPED.isdisjoint(kinds):
                looked = (look_up(span) if kind in _UNTYPED else kind for span, kind in zip(pairs.spans(number), kinds))
                kinds = (next(looked), next(looked))
            types.append(kinds)
        return replace(pairs, types=types)

    def suggest_gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose the pairs of a batch, with gold."""
        found = self._gold(examples)
        self._warn_gold(found.missed, found.unannotated, len(examples), "a batch")
        return found

    def drop_unknown(self, gold: GoldPairs) -> GoldPairs:
        """Leave out pairs of which gold says nothing but relations that are not known, with a warning for each.

        gold (GoldPairs): Pairs with gold.
        RETURNS (GoldPairs): The others; all of them while labels are collected.
        """
        if not self.cfg["labels"]:
            return gold
        known, unknown = gold.known(self.classes)
        for label in unknown:
            self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return known

    def _gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose pairs with gold, in both orders where that is asked for."""
        found = gold_pairs(self.suggest, examples)
        return found.in_both_orders() if self.cfg.get("both_orders") else found

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read relations and entity types, and what a method wants to know of each pair.

        RAISES (ValueError): Where there is no pair, and so no relation unless some were given.
        """
        said: List[Set[PairClass]] = []
        types: List[Tuple[str, str]] = []
        missed, unannotated, total, read = 0, 0, 0, Read()
        for batch in minibatch(examples, COLLECT_BATCH):
            found = self._gold(batch)
            self.note(found)
            if not types and not len(found.pairs):
                read.add([example for example in batch if has_triples(example.reference)])
            said.extend(found.found)
            types.extend(found.pairs.types)
            missed, unannotated, total = missed + found.missed, unannotated + found.unannotated, total + len(batch)
        self._warn_gold(missed, unannotated, total, DATA)
        if read.docs and not (types or self._labels_given):
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=self._where))
        self.cfg["types"] = sorted({kind for pair in types for kind in pair if kind})
        self._collected, self._missed = (said, types), missed
        return sorted({each.relation for pair in said for each in pair})

    def note(self, gold: GoldPairs) -> None:
        """Take down what else a method wants to know of the training data, a batch at a time."""

    def without_labels(self) -> str:
        """Say why training data has shown no relation: there is none, or none between the pairs."""
        if not self._missed:
            return super().without_labels()
        pairs = len(self._collected[0])
        return Errors.R416.format(name=self.name, where=self._where, missed=self._missed, pairs=pairs)

    def settle(self) -> None:
        """List the classes, now that the labels are known; a method adds what it counts."""
        (said, _), self._collected = self._collected, ([], [])
        self.cfg["classes"] = [list(each) for each in list_classes(said, self.labels)]

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): Numbers of classes, entity types and tags, no relation and none included."""
        n_types, n_tags = len(self.cfg["types"]) + 1, len(self.cfg.get("tags", ())) + 1
        found: Dict[str, Any] = {"n_classes": len(self.cfg["classes"]) + 1, "n_types": n_types}
        return {**found, **encoder_sizes(self.model, n_types=n_types, n_tags=n_tags)}

    def decode(self, instances: Pairs, outputs: Any) -> List[Any]:
        """Take each pair's best relation where it is likely enough beside no relation."""
        # a pair that is marked in both orders may say the same twice
        found: List[Dict[Any, Dict[str, Any]]] = [{} for _ in instances.docs]
        if outputs is None:
            return [[] for _ in found]
        outputs = self.complete(instances, outputs)
        best, score = self.choose(instances, outputs)
        classes, limits = self.answers, self.limits()
        for number in numpy.flatnonzero(score >= limits[best - 1]).tolist():
            triple = self._triple(instances, number, classes[best[number] - 1], float(score[number]))
            triple["evidence"] = self.evidence(instances, outputs, number, int(best[number]))
            self.add_triple(found[int(instances.doc[number])], triple)
        return [list(each.values()) for each in found]

    @staticmethod
    def add_triple(found: Dict[Any, Dict[str, Any]], triple: Dict[str, Any]) -> None:
        """Put a triple among those of its Doc, unless the same is there with as high a score."""
        key = (*_bounds(triple["subject"]), triple["relation"], *_bounds(triple["object"]))
        if key not in found or found[key]["score"] < triple["score"]:
            found[key] = triple

    def closest(self, instances: Pairs) -> Dict[str, Any]:
        """Find the pair whose relation comes nearest to its threshold, above or below.

        instances (Pairs): At least one.
        RETURNS (Dict[str, Any]): The triple: `subject`, `relation`, `object`, `score`; and its `threshold`.
        """
        best, score = self.choose(instances, self.complete(instances, self.run(instances)))
        limits = self.limits()[best - 1]
        number = int((score - limits).argmax())
        triple = self._triple(instances, number, self.answers[best[number] - 1], float(score[number]))
        return {**triple, "threshold": float(limits[number])}

    def _triple(self, pairs: Pairs, number: int, answer: PairClass, score: float) -> Dict[str, Any]:
        """Make the triple that an answer stands for."""
        subject, obj = pairs.spans(number)[:: -1 if answer.backwards else 1]
        return {"subject": subject, "relation": answer.relation, "object": obj, "score": score}

    def limits(self) -> Any:
        """RETURNS (NDArray): The score that each of `answers` needs. Shape (R,)"""
        thresholds, common = self.cfg["thresholds"], self.cfg["threshold"]
        return numpy.asarray([thresholds.get(each.relation, common) for each in self.answers])

    def complete(self, instances: Pairs, outputs: Any) -> Any:
        """Put what else a method decides by beside what the model returned."""
        return outputs

    @property
    def answers(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): What the numbers that `choose` gives stand for, from 1."""
        return self.classes

    def choose(self, instances: Pairs, outputs: Any) -> Tuple[Any, Any]:
        """Find each pair's best relation, from 1, and the score that a threshold is compared with. Shapes (P,)"""
        logits, allowed = self.logits(outputs), self.allowed(instances)
        best, score = best_relation(softmax(logits if allowed is None else numpy.where(allowed, logits, -numpy.inf)))
        return best, calibrate(score, scale=self.cfg["scale"], shift=self.cfg["shift"])

    def logits(self, outputs: Any) -> Any:
        """Find the logits of the classes in what the model returned. Shape (P, R)"""
        return outputs.logits

    def allowed(self, pairs: Pairs) -> Any:
        """Say which classes a pair may have; class 0 always. None: all. Shape (P, R)"""
        return None

    def evidence(self, instances: Pairs, outputs: Any, number: int, answer: int) -> Dict[str, Any]:
        """Say what one pair's relation, a number from `choose`, is based on, in plain values."""
        return {}

    def store(self, doc: Doc, prediction: List[Dict[str, Any]]) -> None:
        """Write the triples of this component."""
        set_triples(doc, prediction, source=self.name)

    def _warn_gold(self, missed: int, unannotated: int, total: int, where: str) -> None:
        """Say once what cannot be learned from."""
        if unannotated:
            message = Warnings.W360.format(name=self.name, count=unannotated, total=total, where=where)
            self.warn_once("not annotated", message)
        if missed:
            self.warn_once("missed", Warnings.W401.format(name=self.name, count=missed, where=where))


def training_data(nlp: Optional[Language]) -> str:
    """Name the training corpus, for messages.

    nlp (Optional[Language]): The pipeline.
    RETURNS (str): With the path that its config has, if it has one.
    """
    path = None if nlp is None else (nlp.config.get("paths") or {}).get("train")
    return f"{DATA} ({path})" if path else DATA


def _bounds(span: Span) -> Tuple[int, int]:
    """Where a span lies."""
    return span.start, span.end


def parts_of(instances: Any) -> Iterator[Any]:
    """Split pairs into runs whose texts, side by side, have a bounded number of tokens.

    instances (Any): `Pairs` or `GoldPairs`.
    YIELDS (NDArray): Numbers of the pairs of a part.
    """
    pairs = instances.pairs if isinstance(instances, GoldPairs) else instances
    if not len(pairs):
        return
    longest = max(1, int((pairs.text[:, 1] - pairs.text[:, 0]).max()))
    size = max(1, CELLS // longest)
    for begin in range(0, len(pairs), size):
        yield numpy.arange(begin, min(begin + size, len(pairs)))


def join_outputs(parts: Sequence[Any]) -> Any:
    """Put the outputs of parts one below the other; rows that are shorter in some parts are filled with 0.

    parts (Sequence[Any]): Named tuples of arrays.
    RETURNS (Any): One such tuple.
    """
    if len(parts) == 1:
        return parts[0]
    columns = []
    for arrays in zip(*parts):
        width = max(array.shape[1] for array in arrays)
        columns.append(numpy.concatenate([numpy.pad(a, ((0, 0), (0, width - a.shape[1]))) for a in arrays]))
    return type(parts[0])(*columns)


def best_relation(probs: Any) -> Tuple[Any, Any]:
    """Find each pair's best relation, and its probability where only it and no relation are possible.

    A pair whose best class is a relation has a probability above 0.5, any other below: a threshold of 0.5 is the
    decision by the best class.

    probs (NDArray): Class 0 is no relation. Shape (P, R)
    RETURNS (Tuple[NDArray, NDArray]): Class, from 1; probability. Shapes (P,)
    """
    best = probs[:, 1:].argmax(axis=1) + 1
    chosen = probs[numpy.arange(len(probs)), best]
    return best, chosen / (chosen + probs[:, 0])


def certainty(probs: Any) -> Any:
    """1 − H / ln R: 1 where one class has all, 0 where all have the same.

    probs (NDArray): Shape (P, R)
    RETURNS (NDArray): Shape (P,)
    """
    logs = numpy.log(numpy.maximum(probs, 1e-12))
    return 1.0 + (probs * logs).sum(axis=1) / numpy.log(probs.shape[1])


# What of a model's output has a column for each class, and what is about the order that a pair has.
BY_CLASS = ("logits", "local", "auxiliary", "text", "types")

BY_ORDER = ("unit",)


def mean_of_readings(outputs: Any, turned: Any) -> Any:
    """Average what a model says of pairs and of the same pairs read from the other side.

    outputs (Any): Named tuple of arrays; the turned pairs are the second half of each. Shapes (2 P, ...)
    turned (NDArray): Class that each class is from the other side. Shape (R,)
    RETURNS (Any): The same, classes being those of the first reading. Shapes (P, ...)
    """
    columns = []
    for name, array in zip(outputs._fields, outputs):
        first, second = numpy.split(array, 2)
        if name in BY_CLASS:
            second = second[:, turned]
        columns.append(first if name in BY_ORDER else (first + second) / 2)
    return type(outputs)(*columns)
