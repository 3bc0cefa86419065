"""What rules do on a corpus: where they fire, whether they are right, whom they contradict, and what they just miss."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Counter as Counted
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.util import minibatch

from ..instances.pairs import Pairs, Suggester
from ..triples.store import get_records, has_triples
from .rule_index import RuleIndex
from .rule_patterns import SUBJECT, Part
from .rules import NO_RELATION, Rule

BATCH = 256
Words = Tuple[Part, ...]
Said = Tuple[Tuple[int, int], str, Tuple[int, int]]


@dataclass
class RuleReport:
    """What one rule does.

    rule (Rule): The rule.
    fires (int): Pairs at which it fires.
    alone (int): Those of them at which no other rule fires.
    judged (int): Those whose text has gold triples.
    correct (int): Those of the judged ones where gold says the same.
    against (Counter[str]): Ids of rules that say something else at the same pair, with the number of pairs.
    other_types (Counter[Tuple[str, str]]): Types of pairs with its words, which its masks do not allow.
    near (List[str]): Texts of pairs one word away from it.
    """

    rule: Rule
    fires: int = 0
    alone: int = 0
    judged: int = 0
    correct: int = 0
    against: Counted[str] = field(default_factory=Counter)
    other_types: Counted[Tuple[str, str]] = field(default_factory=Counter)
    near: List[str] = field(default_factory=list)


class CheckReport(NamedTuple):
    """What all rules do.

    rules (List[RuleReport]): One each, in their order.
    pairs (int): Pairs of entities.
    matched (int): Pairs at which a rule fires.
    contradicted (int): Pairs at which rules say different things.
    """

    rules: List[RuleReport]
    pairs: int
    matched: int
    contradicted: int


def check_rules(
    rules: Sequence[Rule],
    docs: Iterable[Doc],
    *,
    suggester: Suggester,
    form: str = "text",
    max_gap: int = 0,
    samples: int = 2,
) -> CheckReport:
    """Let rules fire on a corpus.

    rules (Sequence[Rule]): The rules.
    docs (Iterable[Doc]): The corpus, with entities; gold triples are read where there are any.
    suggester (Suggester): Chooses the pairs.
    form (str): As for `RuleIndex`.
    max_gap (int): As for `RuleIndex`.
    samples (int): How many texts that a rule just misses are kept.
    RETURNS (CheckReport): What they do.
    """
    checker = _Checker(rules, form=form, max_gap=max_gap, samples=samples)
    for batch in minibatch(docs, BATCH):
        checker.add(suggester(batch))
    return CheckReport(checker.reports, checker.pairs, checker.matched, checker.contradicted)


class _Checker:
    """Adds up what rules do, a batch of Docs at a time."""

    def __init__(self, rules: Sequence[Rule], *, form: str, max_gap: int, samples: int) -> None:
        self.reports = [RuleReport(rule) for rule in rules]
        self.pairs = self.matched = self.contradicted = 0
        self.samples = samples
        free = [replace(r, pattern=replace(r.pattern, subject_types=None, object_types=None)) for r in rules]
        # finds all pairs with a rule's words; which types it allows is asked then
        self.index = RuleIndex(free, form=form, max_gap=max_gap)
        self.neighbours = _Neighbours(rules, lower=form == "lower")

    def add(self, pairs: Pairs) -> None:
        """Count a batch."""
        self.pairs += len(pairs)
        firing: Dict[int, List[Tuple[int, bool]]] = defaultdict(list)
        for number, rule, backwards in zip(*(column.tolist() for column in self.index.match(pairs))):
            kinds = pairs.types[number][:: -1 if backwards else 1]
            if self.reports[rule].rule.pattern.allows(*kinds):
                firing[number].append((rule, backwards))
            else:
                self.reports[rule].other_types[kinds] += 1
        gold = [_gold_of(doc) for doc in pairs.docs]
        for number, found in firing.items():
            self._count(pairs, number, found, gold[int(pairs.doc[number])])
        for number, rule in self.neighbours.of(pairs):
            report = self.reports[rule]
            if len(report.near) < self.samples and all(rule != other for other, _ in firing.get(number, ())):
                report.near.append(_excerpt(pairs, number))

    def _count(self, pairs: Pairs, number: int, found: List[Tuple[int, bool]], gold: Optional[Set[Said]]) -> None:
        """Count the rules that fire at one pair."""
        self.matched += 1
        answers = {(self.reports[rule].rule.relation, backwards) for rule, backwards in found}
        self.contradicted += len(answers) > 1
        for rule, backwards in found:
            report = self.reports[rule]
            report.fires += 1
            report.alone += len(found) == 1
            for other, turned in found:
                if (self.reports[other].rule.relation, turned) != (report.rule.relation, backwards):
                    report.against[self.reports[other].rule.id] += 1
            if gold is not None:
                report.judged += 1
                report.correct += _agrees(pairs, number, report.rule.relation, backwards, gold)


class _Neighbours:
    """Finds rules whose words between the masks are one word away from those of a pair, by leaving words out."""

    def __init__(self, rules: Sequence[Rule], *, lower: bool) -> None:
        self.rules, self.lower = rules, lower
        self.table: Dict[Words, List[int]] = defaultdict(list)
        self.longest = 0
        for number, rule in enumerate(rules):
            if not rule.pattern.has_gap and rule.pattern.between:
                words = self._form(rule.pattern.between)
                self.longest = max(self.longest, len(words))
                for variant in _without_one(words):
                    self.table[variant].append(number)

    def of(self, pairs: Pairs) -> Iterator[Tuple[int, int]]:
        """Yield pairs and rules."""
        for number, left, right, kinds in pairs.by_position():
            if not 0 < right[0] - left[1] <= self.longest + 1:
                continue
            between = pairs.docs[pairs.doc[number]][left[1] : right[0]]
            words = self._form(tuple(token.text for token in between))
            near = {rule for variant in _without_one(words) for rule in self.table.get(variant, ())}
            for rule in sorted(near):
                pattern = self.rules[rule].pattern
                roles = kinds if pattern.first == SUBJECT else kinds[::-1]
                if pattern.allows(*roles) and _one_apart(words, self._form(pattern.between)):
                    yield number, rule

    def _form(self, words: Words) -> Words:
        """Words as they are compared; lemmas are compared as they are written."""
        return tuple(word.lower() if word and self.lower else word for word in words)


def _without_one(words: Words) -> Set[Words]:
    """The words, and the words without one of them."""
    return {words, *(words[:place] + words[place + 1 :] for place in range(len(words)))}


def _one_apart(left: Words, right: Words) -> bool:
    """Say whether one word is replaced, missing or too many."""
    if len(left) == len(right):
        return sum(a != b for a, b in zip(left, right)) == 1
    short, long = sorted((left, right), key=len)
    return len(long) == len(short) + 1 and short in _without_one(long)


def _gold_of(doc: Doc) -> Optional[Set[Said]]:
    """Read gold triples as offsets; None where a text is not annotated."""
    if not has_triples(doc):
        return None
    return {(tuple(r["subject"]), r["relation"], tuple(r["object"])) for r in get_records(doc, source="") or ()}


def _agrees(pairs: Pairs, number: int, relation: str, backwards: bool, gold: Set[Said]) -> bool:
    """Say whether gold states the same of a pair; a rule for no relation is right where it states nothing."""
    spans = [(span.start_char, span.end_char) for span in pairs.spans(number)]
    subject, obj = spans[::-1] if backwards else spans
    if relation == NO_RELATION:
        return not any({subject, obj} == {first, second} for first, _, second in gold)
    return (subject, relation, obj) in gold


def _excerpt(pairs: Pairs, number: int) -> str:
    """The text from one argument to the other."""
    subject, obj = pairs.spans(number)
    first, last = sorted((subject, obj), key=lambda span: span.start)
    return subject.doc[first.start : last.end].text
