"""Rules in the terms of a classifier: their classes, targets, votes, and texts."""

from collections import defaultdict
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from .rules.index import RuleMatches
from .rules.patterns import SUBJECT
from .rules.rules import NO_RELATION_LABEL, Rule

IntArray = NDArray[numpy.int64]
Floats = NDArray[numpy.floating]

# Two meanings of -1: a class that a rule cannot give a pair, and the rule of a pair that none matches.
NO_CLASS = -1
NO_RULE = -1


class RuleClasses:
    """Class numbers of the rules' answers; 0 is no relation.

    rules (Sequence[Rule]): J rules.
    classes (Sequence[PairClass]): The classes after no relation.
    """

    def __init__(self, rules: Sequence[Rule], classes: Sequence[PairClass]) -> None:
        self.rules = list(rules)
        self._number = {each: index + 1 for index, each in enumerate(classes)}
        self._subject_first = numpy.asarray([rule.pattern.first == SUBJECT for rule in self.rules], dtype=bool)
        forwards = [PairClass(rule.relation) for rule in self.rules]
        both = [list(map(self.number, forwards)), [self.number(each.reversed()) for each in forwards]]
        self._classes = numpy.asarray(both, dtype="int64")  # (2, J)
        self._allowed: Dict[Tuple[str, str], NDArray[numpy.bool_]] = {}

    def number(self, answer: PairClass) -> int:
        """Return the class of a rule's answer; `NO_CLASS` if the classifier has none for it."""
        return 0 if answer.relation == NO_RELATION_LABEL else self._number.get(answer, NO_CLASS)

    def targets(self, answers: Sequence[Mapping[PairClass, float]]) -> NDArray[numpy.float32]:
        """Normalize the weights of the answers for P pairs; a row is 0 if no answer is a class. Shape (P, R)"""
        targets = numpy.zeros((len(answers), len(self._number) + 1), dtype="float32")
        for row, weights in enumerate(answers):
            for answer, weight in weights.items():
                column = self.number(answer)
                if column != NO_CLASS:
                    targets[row, column] += weight
        return targets / numpy.maximum(targets.sum(axis=1, keepdims=True), 1e-9)

    def grid(self, pairs: Pairs) -> IntArray:
        """Find the class that each rule would give each pair if it matched. Shape (P, J)

        `NO_CLASS` if types or classes exclude it, or if it is for the reversed pair, which `pairs` contains too.
        """
        forwards = (pairs.subject[:, 0] <= pairs.object[:, 0])[:, None]  # (P, 1)
        is_reversed = forwards != self._subject_first[None]  # (P, J)
        grid = numpy.where(is_reversed, self._classes[1], self._classes[0])
        if pairs.both_orders:
            grid = numpy.where(is_reversed & (grid != 0), NO_CLASS, grid)
        if not len(pairs):
            return grid
        allowed = numpy.stack([self._both_ways(kinds) for kinds in pairs.types])  # (P, 2, J)
        return numpy.where(numpy.where(is_reversed, allowed[:, 1], allowed[:, 0]), grid, NO_CLASS)

    def allowed(self, types: Sequence[Tuple[str, str]]) -> NDArray[numpy.bool_]:
        """Mark no relation and the classes that some rule states between the types of a pair. Shape (P, R)"""
        allowed = numpy.zeros((len(types), len(self._number) + 1), dtype=bool)
        allowed[:, 0] = True
        for row, kinds in enumerate(types):
            for ways, classes in zip(self._both_ways(kinds), self._classes):
                allowed[row, classes[ways & (classes != NO_CLASS)]] = True
        return allowed

    def _both_ways(self, kinds: Tuple[str, str]) -> NDArray[numpy.bool_]:
        """Return which rules allow two types, in this order and reversed. Shape (2, J)"""
        if kinds not in self._allowed:
            rows = [[rule.pattern.allows(*order) for rule in self.rules] for order in (kinds, kinds[::-1])]
            self._allowed[kinds] = numpy.asarray(rows, dtype=bool).reshape(2, -1)
        return self._allowed[kinds]


class Grounding(NamedTuple):
    """A training batch: M matched pairs, U unmatched pairs and the bodies of K rules, in this order."""

    pairs: Pairs
    matched: int
    unmatched: int
    targets: NDArray[numpy.float32]  # shares of the rules' answers for matched pairs (M, R)
    grid: IntArray  # class that each rule would give each unmatched pair (U, J)
    rules: IntArray  # numbers of the rules (K,)

    def __len__(self) -> int:
        return self.matched + self.unmatched


def relations_of(rules: Sequence[Rule]) -> List[str]:
    """Return the sorted relations that rules state, without no relation."""
    return sorted({rule.relation for rule in rules} - {NO_RELATION_LABEL})


Arguments = Tuple[Sequence[str], Sequence[str]]


def rule_pairs(
    rules: Sequence[Rule], vocab: Vocab, *, placeholder: str, arguments: Sequence[Optional[Arguments]] = ()
) -> Pairs:
    """Make a text from each rule: its words, without its gaps, around two entities.

    placeholder (str): The word for an entity.
    arguments (Sequence[Optional[Arguments]]): Words of the subject and of the object of each rule's text; None, or
        none at all: the placeholder.
    RETURNS (Pairs): One for each rule. An entity has its mask's type, or none if the mask allows several.
    """
    docs: List[Doc] = []
    rows: List[Tuple[int, int, int, int, int]] = []
    for number, rule in enumerate(rules):
        given = arguments[number] if arguments else None
        subject_words, object_words = given or ([placeholder], [placeholder])
        pattern = rule.pattern
        before, between, after = ([word for word in segment if word is not None] for segment in pattern.segments)
        is_reversed = pattern.first != SUBJECT
        names = (object_words, subject_words) if is_reversed else (subject_words, object_words)
        words = [*before, *names[0], *between, *names[1], *after]
        starts: List[Union[bool, int, None]] = [place == 0 for place in range(len(words))]
        docs.append(Doc(vocab, words=words, sent_starts=starts))
        left, right = len(before), len(before) + len(names[0]) + len(between)
        places = [(left, left + len(names[0])), (right, right + len(names[1]))]
        rows.append((len(words), *places[is_reversed], *places[not is_reversed]))
    table = numpy.asarray(rows, dtype="int64").reshape(-1, 5)
    text, subject, obj = numpy.stack([table[:, 0] * 0, table[:, 0]], axis=1), table[:, 1:3], table[:, 3:5]
    types = [(_only(r.pattern.subject_types), _only(r.pattern.object_types)) for r in rules]
    return Pairs(docs, numpy.arange(len(docs)), text, subject, obj, types, both_orders=False)


def _only(types: Optional[FrozenSet[str]]) -> str:
    """Return the one type of a mask; "" if it allows none, several or any."""
    return next(iter(types)) if types is not None and len(types) == 1 else ""


class RuleVotes(NamedTuple):
    """Answers of the rules for P pairs.

    rule (IntArray): The first rule that gives the answer with the highest weight, so that rule and answer agree;
        `NO_RULE` if none matches. Shape (P,)
    """

    answers: List[Dict[PairClass, float]]  # weight of each answer, summed over its rules; empty if none matches
    rule: IntArray
    reversed: NDArray[numpy.bool_]  # whether that rule's subject is the pair's object (P,)

    def answer(self, number: int, rules: Sequence[Rule]) -> PairClass:
        """Return the answer with the highest weight for a pair that a rule matches."""
        return PairClass(rules[int(self.rule[number])].relation, bool(self.reversed[number]))


class GroundedOutput(NamedTuple):
    """The model's output for P pairs, with soft and exact matches of J rules."""

    logits: Floats  # (P, R)
    attention: Floats  # (P, T)
    grid: IntArray  # answer that each rule would give (P, J)
    scores: Floats  # soft matches (P, J)
    votes: RuleVotes  # exact matches


def best_matches(outputs: GroundedOutput, n_answers: int) -> Floats:
    """Find the highest soft match of the rules with each answer, -1 if there is none. Shape (P, A)"""
    columns = [numpy.where(outputs.grid == answer, outputs.scores, -1.0) for answer in range(1, n_answers + 1)]
    return numpy.stack([column.max(axis=1, initial=-1.0) for column in columns], axis=1)


def score_late_rules(outputs: GroundedOutput, scores: Floats, *, n_classes: int, threshold: float) -> None:
    """Let each pair's most similar rule decide if its relation was added later and its soft match is high enough.

    scores (Floats): Changed in place. Shape (P, A)
    """
    rows = numpy.arange(len(scores))
    rule = outputs.scores.argmax(axis=1)
    match, late = outputs.scores[rows, rule], outputs.grid[rows, rule]
    chosen = (late > n_classes) & (match >= threshold)
    scores[chosen] = 0.0
    scores[rows[chosen], late[chosen] - 1] = match[chosen]


def vote(matches: RuleMatches, rules: Sequence[Rule], *, pairs: int) -> RuleVotes:
    """Let rules vote on `pairs` pairs. If answers have equal weights, that of the first rule in the file wins."""
    answers: List[Dict[PairClass, float]] = [defaultdict(float) for _ in range(pairs)]
    first: List[Dict[PairClass, int]] = [{} for _ in range(pairs)]
    for pair, number, is_reversed in zip(*(column.tolist() for column in matches)):
        relation = rules[number].relation
        answer = PairClass(relation, is_reversed and relation != NO_RELATION_LABEL)
        answers[pair][answer] += rules[number].weight
        first[pair].setdefault(answer, number)  # matches are ordered by rule
    chosen, reversals = numpy.full(pairs, NO_RULE, dtype="int64"), numpy.zeros(pairs, dtype=bool)
    for pair, weights in enumerate(answers):
        if weights:
            best = min(weights, key=lambda answer: (-weights[answer], first[pair][answer]))
            chosen[pair], reversals[pair] = first[pair][best], best.backwards
    return RuleVotes([dict(weights) for weights in answers], chosen, reversals)


def entropy_confidence(probs: Floats) -> Floats:
    """Compute 1 − H / ln R: 1 if one class has probability 1, 0 if all are equal. Shapes (P, R) → (P,)"""
    logs = numpy.log(numpy.maximum(probs, 1e-12))
    return 1.0 + (probs * logs).sum(axis=1) / numpy.log(probs.shape[1])
