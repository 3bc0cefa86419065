"""The base of components that classify pairs of entities."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

import numpy
import srsly
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.assertion import ASSERTION
from ..annotations.entities import NOMINAL
from ..annotations.near_miss import NearMiss
from ..annotations.store import has_triples, set_predicted
from ..annotations.triple import Record
from ..annotations.type_rules import learn_type_rules
from ..bridge.modules import modules_of
from ..encoders.adversary import AdversarialPerturber, PerturbationCache
from ..errors import Errors, Warnings
from ..pipeline.assertions import KNOWN, adopt_assertions, best_assertions
from ..pipeline.initialize import DATA, GetExamples, annotated, start_from
from ..pipeline.pipe import LEAST_SCORE, Instances, Outputs, RelationPipe
from ..pipeline.settings import Ranges, Settings
from ..scoring.probabilities import calibrate, softmax
from .architectures import encoder_sizes
from .diagnosis import (
    EntityCounts,
    explain_no_pair,
    explain_no_relation,
    make_near_miss,
    unsearched,
    why_no_pairs,
)
from .encoders.features import PairBatch
from .gold import CollectedPairs, GoldPairs, MarkPairs, PairClass, gold_pairs
from .pairs import IntArray, Pairs
from .suggesters import Suggester
from .type_lexicon import TypeLexicon

Floats = NDArray[numpy.floating]
Bools = NDArray[numpy.bool_]

# Triples of a Doc by subject, relation and object.
DocTriples = Dict[Tuple[object, ...], Record]

LEAST_ATTENTION, MOST_ATTENDED = 0.02, 8
LEXICON = "lexicon.json"
COLLECT_BATCH = 256

# Labels of entities that are no types, such as the one label of all of SemEval's nominals.
_UNTYPED = frozenset({"", NOMINAL})

# Most tokens, padding included, in the texts of the pairs of one call: with eight times as many, a BiLSTM reads half as
# many pairs per second on a CPU, and a transformer four fifths, as their states no longer fit into its caches.
CELLS = 2**14


class PairPipe(RelationPipe):
    """Base of components that predict which relation, if any, holds between two entities."""

    ranks_candidates = True
    starts_with_classes: ClassVar[bool] = True  # whether pipelines to start from need the same classes
    assertion_weight: float = 0.0  # of the loss of assertions; 0: they are not learned
    ranges: ClassVar[Ranges] = {"threshold": (0.0, 1.0)}
    fitted: ClassVar[Settings] = {
        "classes": [],
        "entity_types": [],
        "learned_types": [],
        "scale": 1.0,
        "shift": 0.0,
        "thresholds": {},
    }
    collected: ClassVar[Type[CollectedPairs]] = CollectedPairs

    def __init__(self, *args: Any, suggester: Suggester, **kwargs: Any) -> None:
        """Create a component whose suggester chooses the pairs; see `RelationPipe`."""
        super().__init__(*args, **kwargs)
        self.suggester = suggester

    def reset(self) -> None:
        """Create an empty lexicon and an empty cache of perturbations."""
        self.lexicon = TypeLexicon({})
        self.perturbations = PerturbationCache()

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
    ) -> None:
        """Collect relations and entity types, give the model its sizes, and load the weights it starts from.

        get_examples (GetExamples): Returns the training data, which the components before this one annotate.
        labels (Optional[List[str]]): The relations, if the data does not show all of them.
        lexicon (Optional[TypeLexicon]): Types of nouns, for arguments that have no entity type, or only SemEval's
            "NOMINAL"; saved with the component.
        start (Optional[List[Path]]): Folders of trained pipelines, each with one component over pairs: training starts
            from the mean of the weights that all of them have. None: from the encoder's checkpoint.
        RAISES (ValueError): If there are no relations or no pairs, or a pipeline does not fit.
        """
        self.lexicon = TypeLexicon({}) if lexicon is None else lexicon
        super().initialize(annotated(get_examples, nlp, self.name), nlp=nlp, labels=labels)
        if start:
            classes = self.classes if self.starts_with_classes else None
            start_from(self.model, start, kind=PairPipe, classes=classes, name=self.name)

    @property
    def classes(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): Relations with their direction; class 0 of the model, no relation, is left out."""
        return [PairClass(relation, bool(backwards)) for relation, backwards in self.cfg["classes"]]

    @property
    def answers(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): Meaning of the numbers that `choose` returns, from 1."""
        return self.classes

    @property
    def adversarial(self) -> Tuple[float, bool]:
        """RETURNS (Tuple[float, bool]): Radius of adversarial perturbations, 0 for none, and whether to reuse them."""
        learning: Settings = self.cfg.get("learning", {})
        return float(learning.get("adversarial_radius", 0.0)), bool(learning.get("adversarial_reuse"))

    @property
    def is_listener(self) -> bool:
        """RETURNS (bool): True if the encoder gets its vectors from another component."""
        return any("listener" in layer.name for layer in self.model.walk())

    # What is classified

    def suggest(self, docs: Sequence[Doc]) -> Instances:
        """Choose the pairs of a batch."""
        return self.suggest_pairs(docs)

    def suggest_pairs(self, docs: Sequence[Doc]) -> Pairs:
        """Choose the pairs of a batch, typed by the lexicon; if there are backwards classes, each in one order only."""
        pairs = self.suggester(docs)
        if any(backwards for _, backwards in self.cfg["classes"]):
            pairs = pairs.in_text_order()
        if len(self.lexicon):
            pairs = self._typed(pairs)
        if pairs.dropped:
            self.warn_once("dropped", Warnings.W409.format(name=self.name, count=pairs.dropped))
        if pairs.lost:
            self.warn_once("lost", Warnings.W400.format(name=self.name, count=pairs.lost))
        return pairs

    def _typed(self, pairs: Pairs) -> Pairs:
        """Take from the lexicon the types of arguments that have none, or only a label that is no type."""
        types = []
        for number, kinds in enumerate(pairs.types):
            if not _UNTYPED.isdisjoint(kinds):
                spans = zip(pairs.spans(number), kinds)
                subject, obj = (self.lexicon.type_of(span) if kind in _UNTYPED else kind for span, kind in spans)
                kinds = (subject, obj)
            types.append(kinds)
        return replace(pairs, types=types)

    def suggest_gold(self, examples: Sequence[Example]) -> Instances:
        """Choose the pairs of a batch with known gold, without those of whose gold classes the model knows none."""
        gold = self.gold(examples)
        self._warn_gold(gold.missed, gold.unannotated, len(examples), "a batch")
        known, unknown = gold.known(self.classes)
        for label in unknown:
            self.warn_once(label, Warnings.W001.format(name=self.name, label=label))
        return known

    def gold(self, examples: Sequence[Example], *, unlabelled: Optional[MarkPairs] = None) -> GoldPairs:
        """Choose pairs with known gold, and those that `unlabelled` marks."""
        return gold_pairs(self.suggest_pairs, examples, labels=self.labels, unlabelled=unlabelled)

    def features(self, instances: Instances) -> PairBatch:
        """Lay the pairs out for the encoder."""
        arrays = self.arrays(instances)
        return PairBatch(instances.pairs, self.cfg["entity_types"], self.cfg.get("tags", ()), arrays)

    def arrays(self, instances: Instances) -> Dict[str, numpy.ndarray]:
        """Return what the module reads besides the encoder's input."""
        return {}

    def split(self, instances: Instances) -> Iterator[Instances]:
        """Yield parts whose padded texts have a bounded number of tokens: a sentence can have thousands of pairs.

        An encoder reads all Docs of its input, so each part has only the Docs of its pairs.
        """
        if len(instances):
            text = instances.pairs.text
            size = max(1, CELLS // max(1, int((text[:, 1] - text[:, 0]).max())))
            for begin in range(0, len(instances), size):
                yield instances.take(numpy.arange(begin, min(begin + size, len(instances)))).with_own_docs()

    # What training data contains

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> CollectedPairs:
        """Read relations and entity types; raise a ValueError if no labels are given and no gold triple has a pair."""
        collected, read = self.collected(where=where), EntityCounts()
        for batch in minibatch(examples, COLLECT_BATCH):
            collected.add(self.gold(batch))
            if not collected.types:
                read.add([example for example in batch if has_triples(example.reference)])
        self._warn_gold(collected.missed, collected.unannotated, collected.docs, DATA)
        if read.docs and not collected.types and labels is None:
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=where))
        relations = {each.relation for classes in collected.gold for each in classes}
        collected.labels = sorted(relations if labels is None else set(labels))
        if not collected.labels and collected.missed:
            counts = {"missed": collected.missed, "pairs": len(collected.gold)}
            raise ValueError(Errors.R416.format(name=self.name, where=where, **counts))
        return collected

    def adopt(self, collected: CollectedPairs) -> None:
        """Set labels, classes, entity types, and the argument types of each relation in the training data."""
        super().adopt(collected)
        self.perturbations = PerturbationCache()
        if lost := adopt_assertions(self.cfg, collected.assertions, weight=self.assertion_weight):
            self.warn_once("assertions", Warnings.W362.format(name=self.name, found=lost))
        self.cfg["entity_types"] = sorted({kind for pair in collected.types for kind in pair if kind})
        self.cfg["classes"] = [list(each) for each in collected.classes(self.labels)]
        self.cfg["learned_types"] = learn_type_rules(collected.argument_types(self.classes))
        self.type_rules(self.cfg["entity_types"])

    def model_sizes(self) -> Settings:
        """Count classes, entity types and tags; 0 stands for no relation, no type and no tag."""
        n_types, n_tags = len(self.cfg["entity_types"]) + 1, len(self.cfg.get("tags", ())) + 1
        sizes: Settings = {"n_classes": len(self.cfg["classes"]) + 1, "n_types": n_types}
        return {**sizes, **encoder_sizes(self.model, n_types=n_types, n_tags=n_tags)}

    def learn(self, instances: Instances, *, share: float = 1.0) -> Dict[str, float]:
        """Learn from pairs, with adversarial perturbations if their radius is above 0; see `adversarial`."""
        radius, reuse = self.adversarial
        if not radius:
            return super().learn(instances, share=share)
        # the encoder that reads the text itself is innermost
        perturbers = [AdversarialPerturber(module) for layer in self.model.walk() for module in modules_of(layer)]
        perturber = next(filter(None, reversed(perturbers)), None)
        if self.is_listener or perturber is None:
            raise ValueError(Errors.R417.format(name=self.name, found=radius))
        if reuse and perturber.can_reuse:
            with perturber.reusing(self.perturbations, radius):
                return super().learn(instances, share=share)
        with perturber.recording():
            clean = super().learn(instances, share=share / 2)
            perturber.perturb_next(radius)
            moved = super().learn(instances, share=share / 2)
        return {term: value + moved[term] for term, value in clean.items()}

    def _warn_gold(self, missed: int, unannotated: int, total: int, where: str) -> None:
        """Warn once about what cannot be learned from."""
        self.warn_unannotated(unannotated, total, where)
        if missed:
            self.warn_once("missed", Warnings.W401.format(name=self.name, count=missed, where=where))

    # Prediction

    def decode(self, instances: Instances, outputs: Optional[Outputs]) -> List[List[Record]]:
        """List the likely relations of each Doc; warn if Docs could have no pair at all."""
        pairs: Pairs = instances.pairs
        # a pair that is marked in both orders may yield the same triple twice
        triples: List[DocTriples] = [{} for _ in pairs.docs]
        if outputs is not None:
            self.add_triples(triples, pairs, outputs)
        elif pairs.docs and (missing := unsearched(pairs.docs, self.suggester)):
            self.warn_once("entities", missing.format(name=self.name))
        return [list(each.values()) for each in triples]

    def add_triples(self, triples: List[DocTriples], pairs: Pairs, outputs: Outputs) -> None:
        """Add each pair's best relation to the triples of its Doc, if its score reaches the threshold."""
        outputs = self.complete(pairs, outputs)
        best, score = self.choose(pairs, outputs)
        answers, thresholds = self.answers, self.answer_thresholds()
        asserted = best_assertions(outputs.assertions, self.cfg[KNOWN]) if self.cfg.get(KNOWN) else []
        for number in numpy.flatnonzero(score >= thresholds[best - 1]).tolist():
            triple = make_triple(pairs, number, answers[best[number] - 1], float(score[number]))
            triple["evidence"] = self.evidence(pairs, outputs, number, int(best[number]))
            if asserted:
                triple["attributes"], triple["evidence"][ASSERTION] = asserted[number]
            add_triple(triples[int(pairs.doc[number])], triple)

    def complete(self, pairs: Pairs, outputs: Outputs) -> Outputs:
        """Add to the model's output whatever else a method bases its decisions on."""
        return outputs

    def choose(self, pairs: Pairs, outputs: Outputs) -> Tuple[IntArray, Floats]:
        """Find each pair's best relation, from 1, and the score that a threshold is compared with. Shapes (P,)"""
        best, score = best_answer(self.answer_scores(pairs, outputs))
        return best, calibrate(score, scale=self.cfg["scale"], shift=self.cfg["shift"])

    def answer_scores(self, pairs: Pairs, outputs: Outputs) -> Floats:
        """Score all of `answers` for each pair, without calibration; 0 for those its types forbid. Shape (P, R)"""
        return relation_scores(softmax(numpy.where(self.allowed(pairs), outputs.logits, -numpy.inf)))

    def allowed(self, pairs: Pairs) -> Bools:
        """Mark no relation and the `answers` that the entity types of each pair allow. Shape (P, 1 + R)"""
        rules, answers = self.type_rules(self.cfg["entity_types"]), self.answers
        distinct = {kinds: number for number, kinds in enumerate(dict.fromkeys(pairs.types))}
        table = numpy.ones((len(distinct), 1 + len(answers)), dtype=bool)
        for kinds, row in distinct.items() if len(rules) else ():
            table[row, 1:] = [rules.allows(each.relation, *kinds[:: -1 if each.backwards else 1]) for each in answers]
        return table[[distinct[kinds] for kinds in pairs.types]]

    def candidates(self, instances: Instances, outputs: Optional[Outputs]) -> List[List[Record]]:
        """List all relations of each pair, see `RelationPipe.candidates`."""
        pairs: Pairs = instances.pairs
        triples: List[DocTriples] = [{} for _ in pairs.docs]
        if outputs is not None:
            self.add_candidates(triples, pairs, outputs)
        return [[to_offsets(triple) for triple in each.values()] for each in triples]

    def add_candidates(self, triples: List[DocTriples], pairs: Pairs, outputs: Outputs) -> None:
        """Add all relations of each pair to the triples of its Doc."""
        scores, answers = self.answer_scores(pairs, self.complete(pairs, outputs)), self.answers
        for number, column in numpy.argwhere(scores >= LEAST_SCORE).tolist():
            triple = make_triple(pairs, number, answers[column], float(scores[number, column]))
            add_triple(triples[int(pairs.doc[number])], triple)

    def answer_thresholds(self) -> NDArray[numpy.float64]:
        """Look up the threshold of each of `answers`. Shape (R,)"""
        thresholds, common = self.cfg["thresholds"], self.cfg["threshold"]
        return numpy.asarray([thresholds.get(each.relation, common) for each in self.answers])

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return what one pair's relation, a number from `choose`, is based on, in plain values."""
        return {}

    def store(self, doc: Doc, prediction: List[Record]) -> None:
        """Write the triples of this component."""
        set_predicted(doc, prediction, source=self.name)

    def explain_no_miss(self, doc: Doc, nlp: Language) -> str:
        """Return why there is no pair, or why no pair is scored for any relation."""
        instances = self.suggest([doc])
        if not len(instances):
            return explain_no_pair(doc, nlp, suggester=self.suggester, name=self.name)
        return self.explain_no_relation(instances.pairs, self.complete(instances.pairs, self.run(instances)))

    def explain_no_relation(self, pairs: Pairs, outputs: Outputs) -> str:
        """Return, as a clause, why pairs are scored for no relation."""
        return explain_no_relation(pairs, name=self.name)

    def rejected(self, doc: Doc, instances: Instances, outputs: Optional[Outputs]) -> List[NearMiss]:
        """List the relations of pairs that were too unlikely, lost against another, or were ruled out."""
        return (
            [] if outputs is None else self.rejected_answers(instances.pairs, self.complete(instances.pairs, outputs))
        )

    def rejected_answers(self, pairs: Pairs, outputs: Outputs) -> List[NearMiss]:
        """List the answers that yield no triple of a Doc; ruled-out ones only if they would yield one otherwise."""
        best, score = self.choose(pairs, outputs)
        raw, free = self.answer_scores(pairs, outputs), self.unrestricted_scores(pairs, outputs)
        scores, free_scores = (calibrate(x, scale=self.cfg["scale"], shift=self.cfg["shift"]) for x in (raw, free))
        thresholds, free_best = self.answer_thresholds(), free.argmax(axis=1)
        misses = []
        for number, column in numpy.argwhere((raw >= LEAST_SCORE) | (free >= LEAST_SCORE)).tolist():
            value, chosen = float(scores[number, column]), int(best[number]) - 1
            if not raw[number, column]:
                value = float(free_scores[number, column])
                if free_best[number] != column or value < thresholds[column]:
                    continue
                stage, text = self.explain_ruled_out(pairs, outputs, number, column)
            elif column != chosen:
                rival = f"{self.answers[chosen].relation} with {float(score[number]):.3f}"
                stage, text = "pair", f"of the relations of this pair only the likeliest counts, {rival}"
            elif (value := float(score[number])) < thresholds[column]:
                stage, text = "threshold", self.explain_score(pairs, outputs, number, column)
            else:
                continue
            triple = make_triple(pairs, number, self.answers[column], value)
            misses.append(make_near_miss(triple, thresholds[column], stage, text, name=self.name))
        return misses

    def unrestricted_scores(self, pairs: Pairs, outputs: Outputs) -> Floats:
        """Score all of `answers` for each pair as if nothing ruled one out. Shape (P, R)"""
        return relation_scores(softmax(outputs.logits))

    def explain_ruled_out(self, pairs: Pairs, outputs: Outputs, number: int, column: int) -> Tuple[str, str]:
        """Return the stage at which an answer about a pair is ruled out, and why, as a clause."""
        kinds = pairs.types[number][:: -1 if self.answers[column].backwards else 1]
        return "type", f"the types {' → '.join(kind or 'no type' for kind in kinds)} are not among its own (types)"

    def explain_score(self, pairs: Pairs, outputs: Outputs, number: int, column: int) -> str:
        """Return, as a clause, what makes up the score, which is too low, of a pair's likeliest answer."""
        evidence = self.evidence(pairs, outputs, number, column + 1)
        figures = [f"{key} {value:.3f}" for key, value in evidence.items() if isinstance(value, float)]
        return "its score beside no relation is too low" + (f": {', '.join(figures)}" if figures else "")

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return the lexicon."""
        return {LEXICON: to_json(self.lexicon.to_dict())}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read the lexicon."""
        types = srsly.json_loads(files[LEXICON])
        if not isinstance(types, dict) or not all(isinstance(each, str) for each in types.values()):
            raise ValueError(f"{LEXICON} is no mapping of nouns to types")
        self.lexicon = TypeLexicon(types)


def to_json(value: object) -> bytes:
    """Write a plain value as JSON, for `knowledge_files`."""
    return srsly.json_dumps(value).encode("utf8")


def make_triple(pairs: Pairs, number: int, answer: PairClass, score: float) -> Record:
    """Make the triple that an answer about a pair means: `subject`, `relation`, `object`, `score`."""
    subject, obj = pairs.spans(number)[:: -1 if answer.backwards else 1]
    return {"subject": subject, "relation": answer.relation, "object": obj, "score": score}


def to_offsets(triple: Record) -> Record:
    """Return a triple with character offsets instead of spans."""
    places = {key: (triple[key].start_char, triple[key].end_char) for key in ("subject", "object")}
    return {**triple, **places}


def add_triple(triples: DocTriples, triple: Record) -> None:
    """Add a triple to those of its Doc, unless the same one is there with at least the same score."""
    subject, obj = triple["subject"], triple["object"]
    key = (subject.start, subject.end, triple["relation"], obj.start, obj.end)
    if key not in triples or triples[key]["score"] < triple["score"]:
        triples[key] = triple


def most_attended(pairs: Pairs, weights: Floats, number: int) -> List[List[float]]:
    """List the tokens of a pair's text with most attention, the heaviest first.

    weights (Floats): Attention of each token. Shape (T,)
    RETURNS (List[List[float]]): First character, character after the last, weight. Empty if no weight is large enough.
    """
    doc, start = pairs.docs[pairs.doc[number]], int(pairs.text[number, 0])
    best = sorted(numpy.flatnonzero(weights >= LEAST_ATTENTION).tolist(), key=lambda token: -weights[token])
    tokens = [(doc[start + token], float(weights[token])) for token in best[:MOST_ATTENDED]]
    return [[token.idx, token.idx + len(token), round(weight, 4)] for token, weight in tokens]


def relation_scores(probs: Floats) -> Floats:
    """Compute p(r) / (p(r') + p(no relation)) with the likeliest relation r'.

    The score of r' is its probability given that either it or no relation holds: above 0.5 if it is the likeliest
    class, else below, so that a threshold of 0.5 decides as the argmax over classes does. Equally likely relations of a
    pair have equal scores, as if each stood alone; a relation less likely than r' has a lower score.
    Shapes (P, 1 + R) → (P, R)
    """
    relations = probs[:, 1:]
    return relations / numpy.maximum(relations.max(axis=1, keepdims=True, initial=0.0) + probs[:, :1], 1e-300)


def best_answer(scores: Floats) -> Tuple[IntArray, Floats]:
    """Find the best answer about each pair, from 1, and its score. Shapes (P, R) → (P,), (P,)"""
    best = scores.argmax(axis=1)
    return best + 1, scores[numpy.arange(len(scores)), best]
