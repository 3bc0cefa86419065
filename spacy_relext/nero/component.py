"""The component behind `nero_grounder`: learns from rules and from texts that no rule matches."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import (
    Callable,
    ClassVar,
    Collection,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
    Union,
)

import numpy
import srsly
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Config, Model, Optimizer

from ..annotations.triple import Record
from ..annotations.type_rules import LEARNED, TypeSetting
from ..errors import Errors, Warnings
from ..pairs.component import COLLECT_BATCH, Bools, Floats, PairPipe, best_answer, most_attended, to_json
from ..pairs.diagnosis import EntityCounts, why_no_pairs
from ..pairs.gold import CollectedPairs, PairClass, gold_pairs, mark_known, reversed_classes
from ..pairs.pairs import IntArray, Pairs
from ..pairs.suggesters import Suggester
from ..pairs.type_lexicon import TypeLexicon
from ..pipeline.initialize import GetExamples, upstream_of
from ..pipeline.pipe import Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import TOK2VEC, Block, plain_settings
from ..scoring.probabilities import calibrate, softmax
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .grounding import (
    NO_CLASS,
    NO_RULE,
    GroundedOutput,
    Grounding,
    RuleVotes,
    best_matches,
    entropy_confidence,
    relations_of,
    score_late_rules,
)
from .learning import ANSWER_NONE, Learner
from .losses import nero_loss
from .rulebook import Rulebook, load_rules, rename_duplicates
from .rules.analysis import nearest_misses, unseen_types
from .rules.rules import NO_RELATION_LABEL, Rule, to_records
from .settings import RuleGrounding, RuleLearning
from .vectors import RuleVectors

RULES, VECTORS = "rules.json", "vectors.npy"

RuleSource = Union[str, Path, Sequence[Record]]

CONFIG = f"""
[component]
rules = []
types = "learned"
threshold = 0.5

[component.model]
@architectures = "spacy_relext.NeroGrounder.v1"

[component.model.encoder]
{TOK2VEC}
[component.suggester]
@misc = "spacy_relext.EntityPairs.v1"

[component.grounding]
@misc = "spacy_relext.RuleGrounding.v1"

[component.learning]
@misc = "spacy_relext.RuleLearning.v1"

[component.scorer]
@scorers = "spacy_relext.triple_scorer.v1"
"""


@dataclass
class CollectedMatches(CollectedPairs):
    """What the training data of a grounder contains; relations are those of the rules or the given labels."""

    learner: Optional[Learner] = None  # with the matched pairs in its pool


class NeroGrounder(PairPipe):
    """Predicts the relation between two entities, and the rule behind it. Writes `doc._.triples`."""

    architectures = ("relext_nero_grounder",)
    blocks: ClassVar[Mapping[str, Type[Block]]] = {"grounding": RuleGrounding, "learning": RuleLearning}

    def reset(self) -> None:
        """Create an empty lexicon, no rules and a learner."""
        super().reset()
        self.vectors = RuleVectors(self, self._read_rules)
        self._set_rules([])
        self.learner = Learner(self.learning)

    @property
    def grounding(self) -> RuleGrounding:
        """RETURNS (RuleGrounding): How rules and model decide."""
        return RuleGrounding.of(self.cfg["grounding"])

    @property
    def learning(self) -> RuleLearning:
        """RETURNS (RuleLearning): How the model learns."""
        return RuleLearning.of(self.cfg["learning"])

    @property
    def needs_triples(self) -> bool:  # type: ignore[override]
        """RETURNS (bool): True with `learn_gold`; learning from rules alone needs no gold triples."""
        return self.learning.learn_gold

    @property
    def rules(self) -> List[Rule]:
        """RETURNS (List[Rule]): The rules in use, those that were added later last."""
        return self.rulebook.rules

    @property
    def answers(self) -> List[PairClass]:
        """RETURNS (List[PairClass]): The classes, then the answers for relations that only later rules have."""
        return self.rulebook.answers

    # Rules

    def _set_rules(self, records: Sequence[Record], late: Sequence[Record] = ()) -> None:
        """Make the rulebook."""
        grounding = self.grounding
        self.rulebook = Rulebook(records, late, form=grounding.form, max_gap=grounding.max_gap, classes=self.classes)
        self.vectors.forget()

    def add_rules(self, rules: RuleSource, *, nlp: Optional[Language] = None) -> List[str]:
        """Add rules to a trained component, also for new relations, which only exact and soft matches find.

        rules (RuleSource): A file, or records of `relation` and `pattern`; known patterns are skipped with a warning.
        nlp (Optional[Language]): The pipeline, whose tokenizer splits the patterns; None: they are split at spaces.
        RETURNS (List[str]): The relations that are new.
        RAISES (ValueError): If a rule cannot be used or contradicts another, or the component is not initialized.
        """
        self.require_initialized()
        self.vectors.upstream = upstream_of(nlp, self.name) or self.vectors.upstream
        added = self.read_rules(rules, nlp, known=self.rules)
        late = [*self.rulebook.late, *to_records(rename_duplicates(added, self.rules))]
        self._set_rules(self.rulebook.records, late)
        new = sorted(set(relations_of(added)) - set(self.labels))
        self.cfg["labels"] = sorted({*self.labels, *new})
        return new

    def read_rules(
        self,
        rules: RuleSource,
        nlp: Optional[Language],
        *,
        relations: Optional[Sequence[str]] = None,
        known: Sequence[Rule] = (),
    ) -> List[Rule]:
        """Read rules from a file or from records, and warn about those that are left out.

        relations (Optional[Sequence[str]]): All relations; None: the relations of the rules.
        known (Sequence[Rule]): Rules in use, which are not returned again.
        RAISES (ValueError): If a rule cannot be used.
        """
        where = str(rules) if isinstance(rules, (str, Path)) else f"the rules of {self.name}"
        usable, problem = load_rules(
            rules, nlp, name=self.name, grounding=self.grounding, relations=relations, known=known
        )
        if problem:
            self.warn_once(f"rules {where}", problem)
        return usable

    def _read_rules(self) -> Pairs:
        """Make a text of each rule."""
        return self.rulebook.bodies(self.vocab)

    def _warn_of_types(self, types: Collection[str], where: str) -> None:
        """Warn about entity types in rules that no entity of the training data has."""
        known = ", ".join(sorted(types)) or "none"
        for kind, rules in unseen_types(self.rules, types).items():
            counts = {"kind": kind, "count": len(rules), "rule": rules[0].id, "types": known}
            self.warn_once(f"type {kind}", Warnings.W509.format(name=self.name, where=where, **counts))

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return lexicon and rules; with a listener also their vectors, since what it listens to is not there later."""
        rules = {"rules": self.rulebook.records, "late": self.rulebook.late}
        files = {**super().knowledge_files(), RULES: to_json(rules)}
        if self.is_listener and len(self.rulebook):
            files[VECTORS] = self.vectors.to_bytes()
        return files

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read lexicon and rules."""
        super().load_knowledge(files)
        stored = srsly.json_loads(files[RULES])
        self._set_rules(stored["rules"], stored["late"])
        if VECTORS in files:
            self.vectors.from_bytes(files[VECTORS])
        self.learner = Learner(self.learning)

    # Initialization

    def initialize(
        self,
        get_examples: GetExamples,
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        rules: Optional[Path] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        corpus: Optional[Callable[[Language], Iterable[Example]]] = None,
    ) -> None:
        """Read the rules, collect the pairs that they match, and give the model its sizes.

        labels (Optional[List[str]]): All relations, if some have no rule yet; a rule for another one is an error.
        rules (Optional[Path]): File of rules, in addition to the rules of the config.
        corpus (Optional[Callable[[Language], Iterable[Example]]]): Reader of a corpus that is searched for matched
            pairs instead of the training data, of which a stream (`max_epochs = -1`) gives only 100 texts.
        lexicon, start: As for `PairPipe.initialize`.
        RAISES (ValueError): If there are no rules or no pairs, or no rule matches or names a relation, or the encoder
            listens to a component that is not frozen.
        """
        self.vectors.upstream = upstream_of(nlp, self.name, is_frozen=True)
        if self.is_listener and self.vectors.upstream is None:
            raise ValueError(Errors.R505.format(name=self.name))
        usable = self.read_rules(self.cfg["rules"], nlp, relations=labels) if self.cfg["rules"] else []
        if rules is not None:
            usable += rename_duplicates(self.read_rules(rules, nlp, relations=labels, known=usable), usable)
        if usable and labels is None and not relations_of(usable):
            where = str(rules) if rules is not None else f"[components.{self.name}] rules"
            raise ValueError(Errors.R518.format(name=self.name, where=where, rules=len(usable)))
        self._set_rules(to_records(usable))
        if corpus is not None and nlp is not None:
            get_examples = partial(corpus, nlp)
        super().initialize(get_examples, nlp=nlp, labels=labels, lexicon=lexicon, start=start)
        self.vectors.forget()

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> CollectedMatches:
        """Find the pairs that rules match, and read entity types; gold is read with `learn_gold` only."""
        if not self.rules:
            raise ValueError(Errors.R503.format(name=self.name))
        types: Set[Tuple[str, str]] = set()
        orders: Set[bool] = set()
        learner, read, total = Learner(self.learning), EntityCounts(), 0
        for batch in minibatch(examples, COLLECT_BATCH):
            pairs, _ = self._split_batch(batch, learner)
            orders.add(pairs.both_orders)
            types.update(pairs.types)
            total += len(pairs)
            if not len(learner.pool):
                read.add(batch)
        if not total:
            raise ValueError(why_no_pairs(read, suggester=self.suggester, name=self.name, where=where))
        if not len(learner.pool):
            near = nearest_misses(
                self.rules,
                read.sample,
                suggester=self.suggest_pairs,
                form=self.grounding.form,
                max_gap=self.grounding.max_gap,
            )
            raise ValueError(
                Errors.R504.format(name=self.name, where=where, near=near, pairs=total, rules=len(self.rules))
            )
        self._warn_of_types({kind for pair in types for kind in pair if kind}, where)
        relations = relations_of(self.rules) if labels is None else labels
        # each relation also has a backwards class if pairs are suggested in one order only
        gold = [] if True in orders else [{PairClass("", backwards=True)}]
        return CollectedMatches(relations, gold, sorted(types), learner=learner)

    def adopt(self, collected: CollectedMatches) -> None:  # type: ignore[override]
        """Set labels, classes and entity types, and the learner with its pool."""
        super().adopt(collected)
        self.rulebook.set_classes(self.classes)
        self.learner = collected.learner or Learner(self.learning)

    # Training

    def suggest_gold(self, examples: Sequence[Example]) -> Grounding:
        """Choose what is learned from: matched pairs, unmatched pairs of the batch, and rules."""
        pairs, unmatched = self._split_batch(examples, self.learner)
        return self.learner.draw_batch(
            pairs.take(unmatched),
            self.rulebook,
            n_classes=len(self.classes),
            vocab=self.vocab,
            annotate=self.vectors.annotate,
        )

    def _split_batch(self, examples: Sequence[Example], learner: Learner) -> Tuple[Pairs, IntArray]:
        """Add labelled and matched pairs of a batch to the pool; return all, and which are neither."""
        pairs = self.suggest_pairs([example.predicted for example in examples])
        votes = self.rulebook.vote(pairs)
        unmatched = votes.rule == NO_RULE
        if not self.learning.learn_gold:
            learner.add_to_pool(pairs, votes, self.rulebook)
            return pairs, numpy.flatnonzero(unmatched)
        labelled = mark_known(pairs, examples, labels=self.labels)
        gold = gold_pairs(lambda _: pairs, examples, labels=self.labels)
        learner.pool.add(gold.pairs, [dict.fromkeys(classes, 1.0) or ANSWER_NONE for classes in gold.gold])
        others = pairs.take(numpy.flatnonzero(~labelled))
        learner.add_to_pool(others, self.rulebook.vote(others), self.rulebook)
        return pairs, numpy.flatnonzero(unmatched & ~labelled)

    def targets(self, instances: Grounding) -> Targets:
        """Return the rules' answers for all pairs, and for unmatched ones also the EMA teacher's probabilities."""
        begun = self.learner.has_begun and instances.unmatched > 0
        teacher = numpy.zeros((instances.unmatched, len(self.classes) + 1), dtype="float32")
        low_confidence = numpy.zeros(len(teacher), dtype=bool)
        if begun and self.learner.has_teacher:
            teacher = self._teacher_probs(instances)
            low_confidence = self.learner.low_confidence(teacher)
        return {
            "matched": instances.targets,
            "grid": instances.grid,
            "teacher": teacher,
            "low_confidence": low_confidence,
            "rules": self.vectors.recent() if begun else numpy.zeros((0, 1), dtype="float32"),
            "relations": self.rulebook.rule_classes[instances.rules],
            "unmatched": numpy.asarray(begun),
        }

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute L_matched, L_rules, L_clus and L_unmatched."""
        learning = self.learning
        return nero_loss(
            outputs,
            targets,
            w_rules=learning.w_rules,
            w_clus=learning.w_clus,
            w_unmatched=learning.w_unmatched,
            margin=learning.margin,
            sharpness=learning.sharpness,
            temperature=learning.temperature,
            teacher_share=learning.teacher_share,
        )

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, and the EMA teacher."""
        super().finish_update(sgd)
        self.learner.finish_step(self.model)
        self.vectors.weights_changed(steps=self.learner.steps)

    def _teacher_probs(self, instances: Grounding) -> Floats:
        """Compute the EMA teacher's probabilities for unmatched pairs. Shape (U, R)"""
        pairs = instances.pairs.take(numpy.arange(instances.matched, len(instances))).with_own_docs()
        with self.learner.as_teacher():
            outputs = self.run(pairs)
        assert outputs is not None
        return self._probabilities(outputs.logits, self.allowed(pairs))

    # Prediction

    def run(self, instances: Instances) -> Optional[Outputs]:
        """Score pairs; with `average_orders`, also score marked pairs reversed, and average both."""
        reversing = reversed_classes(self.classes)
        if not self.grounding.average_orders or reversing is None or instances.pairs.both_orders or not len(instances):
            return super().run(instances)
        outputs: Outputs = self.forward(instances.pairs.augment_with_reversed())
        logits, unit, attention = (numpy.split(array, 2) for array in outputs)  # the reversed pairs come second
        return outputs._replace(
            logits=(logits[0] + logits[1][:, reversing]) / 2, unit=unit[0], attention=(attention[0] + attention[1]) / 2
        )

    def complete(self, pairs: Pairs, outputs: Outputs) -> GroundedOutput:
        """Compare pairs with rules, and let rules vote."""
        grid = self.rulebook.classes.grid(pairs)
        scores = numpy.where(grid == NO_CLASS, -1.0, outputs.unit @ self.vectors.current().T)
        return GroundedOutput(outputs.logits, outputs.attention, grid, scores, self.rulebook.vote(pairs))

    def choose(self, pairs: Pairs, outputs: GroundedOutput) -> Tuple[IntArray, Floats]:
        """Find each pair's best relation and its score, see `PairPipe.choose`; exact matches stay uncalibrated."""
        best, score = best_answer(self.answer_scores(pairs, outputs))
        calibrated = calibrate(score, scale=self.cfg["scale"], shift=self.cfg["shift"])
        return best, numpy.where(self._decided_by_rules(outputs.votes), score, calibrated)

    def answer_scores(self, pairs: Pairs, outputs: GroundedOutput) -> Floats:
        """Score all of `answers` for each pair; see `PairPipe.answer_scores`. Shape (P, A)"""
        allowed, grounding = self.allowed(pairs), self.grounding
        scores = self._class_scores(outputs, allowed)
        if grounding.match_floor > -1.0:
            scores[best_matches(outputs, len(self.answers)) < grounding.match_floor] = 0.0
        for number in numpy.flatnonzero(self._decided_by_rules(outputs.votes)).tolist():
            scores[number] = 0.0
            column = self.rulebook.classes.number(outputs.votes.answer(number, self.rules))
            scores[number, max(column - 1, 0)] = float(column > 0)
        return numpy.where(allowed[:, 1:], scores, 0.0)

    def _class_scores(self, outputs: GroundedOutput, allowed: Bools) -> Floats:
        """Score `answers` by the classifier, and those of later rules by soft matches. Shapes (P, 1 + A) → (P, A)"""
        probs = self._probabilities(outputs.logits, allowed)
        scores = numpy.zeros((len(probs), len(self.answers)))
        scores[:, : probs.shape[1] - 1] = probs[:, 1:]
        if self.grounding.no_relation == "entropy":
            best, score = best_answer(scores)
            scores[:] = 0.0
            scores[numpy.arange(len(best)), best - 1] = numpy.where(probs[:, 0] < score, entropy_confidence(probs), 0.0)
        if self.rulebook.late:
            score_late_rules(outputs, scores, n_classes=len(self.classes), threshold=self.grounding.match_threshold)
        return scores

    def unrestricted_scores(self, pairs: Pairs, outputs: GroundedOutput) -> Floats:
        """Score `answers` as if no types, exact matches or `match_floor` ruled any out. Shape (P, A)"""
        return self._class_scores(outputs, numpy.ones((len(pairs), 1 + len(self.answers)), dtype=bool))

    def explain_ruled_out(self, pairs: Pairs, outputs: GroundedOutput, number: int, column: int) -> Tuple[str, str]:
        """Return what rules an answer out, see `PairPipe.explain_ruled_out`: a rule, types or a setting."""
        if self._decided_by_rules(outputs.votes)[number]:
            rule, (subject, obj) = self.rules[int(outputs.votes.rule[number])], pairs.spans(number)
            if rule.relation != NO_RELATION_LABEL:
                return "pair", f'rule {rule.id} "{rule.pattern}" matches and says {rule.relation}'
            return "pair", (
                f'rule {rule.id} "{rule.pattern}" says that {subject.text} and {obj.text} have no relation; '
                "where that is wrong, correct the rule and train anew"
            )
        if not self.allowed(pairs)[number, column + 1]:
            return super().explain_ruled_out(pairs, outputs, number, column)
        match, floor = best_matches(outputs, len(self.answers))[number, column], self.grounding.match_floor
        return "pair", f"the most similar of its rules matches with {match:.3f}, match_floor is {floor:.3f}"

    def allowed(self, pairs: Pairs) -> Bools:
        """Mark no relation and the `answers` that the types of each pair allow, by default the types in rules."""
        if self.cfg["types"] == LEARNED:
            return self.rulebook.classes.allowed(pairs.types)
        return super().allowed(pairs)

    def _probabilities(self, logits: Floats, allowed: Bools) -> Floats:
        """Return probabilities of classes, 0 for those that the types of a pair forbid. Shapes (P, R), (P, 1 + A)"""
        return softmax(numpy.where(allowed[:, : logits.shape[1]], logits, -numpy.inf))

    def _decided_by_rules(self, votes: RuleVotes) -> Bools:
        """Mark the pairs that a matching rule decides. Shape (P,)"""
        return (votes.rule != NO_RULE) & self.grounding.exact_wins

    def evidence(self, pairs: Pairs, outputs: GroundedOutput, number: int, answer: int) -> Record:
        """Return the rule behind a triple: one that matches, or else the most similar one with the same answer."""
        evidence: Record = {"entity_types": list(pairs.types[number])}
        matching, votes = int(outputs.votes.rule[number]), outputs.votes
        is_exact = matching != NO_RULE and self.rulebook.classes.number(votes.answer(number, self.rules)) == answer
        nearest = self.rulebook.nearest_rule(answer, outputs.grid[number], outputs.scores[number])
        if is_exact:
            nearest = (self.rules[matching], 1.0)
        if nearest is not None:
            rule, score = nearest
            evidence.update(rule=rule.id, pattern=str(rule.pattern), match=round(score, 4))
        evidence["how"] = "exact" if is_exact else "soft"
        return {**evidence, "attention": most_attended(pairs, outputs.attention[number], number)}

    def explain_no_relation(self, pairs: Pairs, outputs: GroundedOutput) -> str:
        """Return why pairs are scored for no relation: a rule for no relation that matches, or else their types."""
        for number in numpy.flatnonzero(self._decided_by_rules(outputs.votes)).tolist():
            if self.rules[int(outputs.votes.rule[number])].relation == NO_RELATION_LABEL:
                return self.explain_ruled_out(pairs, outputs, number, 0)[1]
        return super().explain_no_relation(pairs, outputs)


@Language.factory(
    "nero_grounder",
    requires=["doc.ents", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_nero_grounder(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    rules: List[Record],
    types: TypeSetting,
    grounding: RuleGrounding,
    learning: RuleLearning,
    threshold: float,
    scorer: Optional[Scorer],
) -> NeroGrounder:
    """Create a classifier that learns from rules and from texts that no rule matches.

    rules (List[Record]): Rules, as the lines of a file of rules; more may come from a file at initialize.
    types (Union[str, List[List[str]]]): Between which entity types a relation may hold, as rows of subject type,
        relation and object type, "*" for any type; relations without a row may hold between all. "learned": those
        that some rule for the relation allows.
    grounding (RuleGrounding): How rules match, and how their matches and the model decide.
    learning (RuleLearning): How the model learns.
    threshold (float): Lowest score of a triple.
    """
    settings = plain_settings(locals())
    return NeroGrounder(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
