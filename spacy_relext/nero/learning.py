"""How a `nero_grounder` learns: a pool of matched pairs, and training batches."""

import random
from collections import defaultdict
from contextlib import nullcontext
from typing import Callable, ContextManager, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from ..bridge.modules import module_of
from ..bridge.weights import EmaWeights
from ..corpora.shards import Reservoir
from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs, stack_pairs
from .grounding import NO_CLASS, NO_RULE, Grounding, IntArray, RuleVotes, rule_pairs
from .rulebook import PLACEHOLDER, Rulebook
from .rules.rules import NO_RELATION_LABEL
from .settings import RuleLearning

Floats = NDArray[numpy.float32]

_MAX_RECENT = 2000  # number of unmatched pairs whose confidences a new one's is compared with

ANSWER_NONE = {PairClass(NO_RELATION_LABEL): 1.0}

Answers = Mapping[PairClass, float]
_Key = Tuple[str, Tuple[int, ...]]


class _Entry(NamedTuple):
    """One pair, and the weights of its answers."""

    pair: Pairs
    answers: Answers


class MatchedPool(Reservoir[_Entry]):
    """A uniform sample of all matched pairs.

    size (int): Largest number of pairs in the pool.
    balance (float): 0: pairs are drawn as often as they occur; 1: all answers are drawn equally often.
    seed (int): Seed of the sample and of all draws.
    """

    def __init__(self, *, size: int, balance: float, seed: int) -> None:
        self._random = random.Random(seed)
        super().__init__(size, self._random.randrange)
        self.balance = balance
        self._known: Set[_Key] = set()
        self._groups: Dict[PairClass, List[int]] = {}
        self._chances: List[float] = []

    def add(self, pairs: Pairs, answers: Sequence[Answers]) -> None:
        """Add matched pairs to the sample, each once, with their answers."""
        for number, weights in enumerate(answers):
            doc = pairs.docs[pairs.doc[number]]
            key = _key(doc, pairs, number)
            if key in self._known:
                continue
            place = self.next_place()
            if place is None:
                continue
            for replaced in self.items[place : place + 1]:
                self._known.discard(_key(replaced.pair.docs[0], replaced.pair, 0))
            self.items[place : place + 1] = [_Entry(_alone(pairs, number), weights)]
            self._known.add(key)
            self._groups = {}

    def draw(self, count: int) -> Tuple[Pairs, List[Answers]]:
        """Draw an answer, then one of its pairs, `count` times; return the whole pool if it has no more pairs."""
        if count >= len(self):
            chosen = list(range(len(self)))
        else:
            self._sort()
            groups = self._random.choices(list(self._groups.values()), weights=self._chances, k=count)
            chosen = [self._random.choice(group) for group in groups]
        entries = [self.items[number] for number in chosen]
        return stack_pairs([entry.pair for entry in entries]), [entry.answers for entry in entries]

    def draw_arguments(self, relation: str) -> Optional[Tuple[List[str], List[str]]]:
        """Draw a pair of a relation, in either order; return the words of subject and object, None without pairs."""
        self._sort()
        groups = [(answer, group) for answer, group in self._groups.items() if answer.relation == relation]
        if not groups:
            return None
        answer, group = self._random.choices(groups, weights=[len(group) for _, group in groups])[0]
        subject, obj = self.items[self._random.choice(group)].pair.spans(0)[:: -1 if answer.backwards else 1]
        return [token.text for token in subject], [token.text for token in obj]

    def _sort(self) -> None:
        """Group pairs by their heaviest answer; a group of n pairs is drawn with weight n ** (1 - balance)."""
        if not self._groups:
            groups: Dict[PairClass, List[int]] = defaultdict(list)
            for number, entry in enumerate(self.items):
                groups[max(sorted(entry.answers), key=lambda answer: entry.answers[answer])].append(number)
            self._groups = dict(groups)
            self._chances = [len(group) ** (1.0 - self.balance) for group in groups.values()]


def _alone(pairs: Pairs, number: int) -> Pairs:
    """Select one pair, with a copy of its Doc only: the batch's Docs get tensors and other annotation."""
    one = pairs.take([number])
    doc = one.docs[int(one.doc[0])]
    return Pairs([doc.copy()], one.doc * 0, one.text, one.subject, one.object, one.types, pairs.both_orders)


def _key(doc: Doc, pairs: Pairs, number: int) -> _Key:
    """Return the key of a pair, its text and arguments: each epoch reads new copies of the Docs."""
    return doc.text, (*pairs.subject[number].tolist(), *pairs.object[number].tolist())


class Learner:
    """State of the training of a `nero_grounder` besides the model; it is not saved."""

    def __init__(self, settings: RuleLearning) -> None:
        self.settings = settings
        self.pool = MatchedPool(size=settings.pool_size, balance=settings.balance, seed=settings.seed)
        self.steps = 0
        self._random = numpy.random.default_rng(settings.seed)
        self._teacher: Optional[EmaWeights] = None
        self._recent_confidences: List[float] = []

    @property
    def has_begun(self) -> bool:
        """Return True if unmatched pairs are already learned from."""
        return self.steps >= self.settings.unmatched_from

    @property
    def has_teacher(self) -> bool:
        """Return True if the EMA teacher is used."""
        return self.settings.teacher_share > 0 or self.settings.negative_share > 0

    def finish_step(self, model: Model) -> None:
        """Count an update, and add the new weights to the EMA."""
        self.steps += 1
        if self.has_teacher:
            if self._teacher is None:
                self._teacher = EmaWeights(module_of(model), decay=self.settings.mean_decay)
            self._teacher.update()

    def as_teacher(self) -> ContextManager[None]:
        """Let the module compute with the EMA weights inside the context."""
        return nullcontext() if self._teacher is None else self._teacher.applied()

    def add_to_pool(self, pairs: Pairs, votes: RuleVotes, rulebook: Rulebook) -> None:
        """Add matched pairs and, as negative samples, those of their reversed pairs that no rule matches."""
        matched = numpy.flatnonzero(votes.rule != NO_RULE).tolist()
        self.pool.add(pairs.take(matched), [votes.answers[n] for n in matched])
        if pairs.both_orders and matched:
            stated = [n for n in matched if rulebook.rules[int(votes.rule[n])].relation != NO_RELATION_LABEL]
            reversed_pairs = pairs.take(stated).reversed()
            unmatched = numpy.flatnonzero(rulebook.vote(reversed_pairs).rule == NO_RULE)
            self.pool.add(reversed_pairs.take(unmatched), [ANSWER_NONE] * len(unmatched))

    def draw_batch(
        self,
        unmatched: Pairs,
        rulebook: Rulebook,
        *,
        n_classes: int,
        vocab: Vocab,
        annotate: Callable[[Pairs], Pairs] = lambda pairs: pairs,
    ) -> Grounding:
        """Draw matched pairs and rules, and some of the unmatched pairs of a batch.

        unmatched (Pairs): The pairs of the batch that no rule matches.
        n_classes (int): Classes of the model, without no relation.
        annotate (Callable[[Pairs], Pairs]): Is given the texts of rules.
        """
        unmatched, _ = self._reverse_some(unmatched)
        grid = rulebook.classes.grid(unmatched)
        grid = numpy.where(grid > n_classes, NO_CLASS, grid)  # relations that were added later are not learned
        useful = (grid > 0).any(axis=1) & (self.settings.w_unmatched > 0)
        unmatched, grid = unmatched.take(numpy.flatnonzero(useful)), grid[useful]
        most = self.settings.unmatched_batch
        if most and len(unmatched) > most:
            rows = numpy.sort(self._random.choice(len(unmatched), most, replace=False))
            unmatched, grid = unmatched.take(rows).with_own_docs(), grid[rows]
        parts: List[Pairs] = [unmatched]
        answers: List[Answers] = []
        if len(self.pool):
            matched, answers = self.pool.draw(self.settings.matched_batch)
            matched, which = self._reverse_some(matched)
            for number in numpy.flatnonzero(which).tolist():
                answers[number] = {each.reversed(): weight for each, weight in answers[number].items()}
            parts.insert(0, matched)
        rules = self._choose_rules(len(rulebook))
        if len(rules):
            parts.append(annotate(self.rule_texts(rules, rulebook, vocab)))
        return Grounding(
            stack_pairs(parts),
            len(answers),
            len(unmatched),
            rulebook.classes.targets(answers),
            grid,
            rules,
        )

    def rule_texts(self, numbers: IntArray, rulebook: Rulebook, vocab: Vocab) -> Pairs:
        """Make texts from rules; with `fill_arguments`, they have the arguments of matched pairs of their relation.

        A relation that texts mostly state in one order is thus also learned in the other one.
        """
        if not self.settings.fill_arguments:
            return rulebook.bodies(vocab).take(numbers)
        rules = [rulebook.rules[number] for number in numbers.tolist()]
        arguments = [self.pool.draw_arguments(rule.relation) for rule in rules]
        return rule_pairs(rules, vocab, placeholder=PLACEHOLDER, arguments=arguments)

    def low_confidence(self, teacher: Floats) -> NDArray[numpy.bool_]:
        """Choose negative samples: unmatched pairs with a low confidence, compared with recent ones.

        teacher (Floats): The EMA teacher's probabilities. Shape (U, R)
        """
        confidences = teacher[:, 1:].max(axis=1)
        self._recent_confidences = [*self._recent_confidences, *confidences.tolist()][-_MAX_RECENT:]
        share = self.settings.negative_share
        if not share:
            return numpy.zeros(len(confidences), dtype=bool)
        return confidences < numpy.quantile(self._recent_confidences, share)

    def _reverse_some(self, pairs: Pairs) -> Tuple[Pairs, List[bool]]:
        """With the setting `both_orders`, reverse pairs at random; also return which."""
        if pairs.both_orders or not self.settings.both_orders:
            return pairs, [False] * len(pairs)
        which = self._random.random(len(pairs)) < 0.5
        return pairs.reversed(which), which.tolist()

    def _choose_rules(self, n_rules: int) -> IntArray:
        """Draw `rule_batch` rules, or all if there are no more; none if no term of the loss uses them."""
        most = self.settings.rule_batch
        if not (self.settings.w_rules or self.settings.w_clus):
            return numpy.arange(0)
        if not 0 < most < n_rules:
            return numpy.arange(n_rules)
        return numpy.sort(self._random.choice(n_rules, most, replace=False))
