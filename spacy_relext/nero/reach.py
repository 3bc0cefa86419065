"""Leave-one-out check of rules: do soft matches of the others find the pairs that only one rule matches?"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Counter as CounterType
from typing import Dict, Iterable, List, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from spacy.util import minibatch

from .component import NeroGrounder
from .grounding import NO_CLASS, Floats, IntArray
from .rulebook import Rulebook
from .rules.index import RuleIndex
from .rules.rules import Rule, to_records

BATCH = 256


@dataclass
class RuleReach:
    """What a rule's pairs would be assigned to without the rule."""

    rule: Rule
    alone: int = 0  # pairs that it matches, and no other rule with the same answer
    found: int = 0  # those whose most similar other rule has the same answer
    instead: CounterType[str] = field(default_factory=Counter)  # relations of that other rule, for the rest


def leave_one_out(component: NeroGrounder, rules: Sequence[Rule], docs: Iterable[Doc]) -> List[RuleReach]:
    """Leave each rule out in turn, and let the soft matcher of a trained component find its pairs by other rules.

    Only pairs whose answer a single rule gives count: the others would still have an exact match. Nothing is retrained,
    so the matcher may have learned from the rule that is left out.

    rules (Sequence[Rule]): They need not be those of the component.
    docs (Iterable[Doc]): With entities, sentences, and the vocabulary of the component.
    RETURNS (List[RuleReach]): One for each rule, in their order.
    """
    options = {"form": component.cfg["form"], "max_gap": component.cfg["max_gap"]}
    book = Rulebook(to_records(rules), classes=component.classes, **options)
    index = RuleIndex(book.rules, **options)
    bodies = component.forward(book.bodies(component.vocab))
    assert bodies is not None
    reports = [RuleReach(rule) for rule in rules]
    for batch in minibatch(docs, BATCH):
        pairs = component.suggest_pairs(batch)
        matches = index.match(pairs)
        matched, numbers = numpy.unique(matches.pair, return_inverse=True)
        if len(matched):
            pairs = pairs.take(matched).with_own_docs()
            outputs = component.forward(pairs)
            assert outputs is not None
            grid = book.classes.grid(pairs)
            scores = numpy.where(grid == NO_CLASS, -numpy.inf, outputs.unit @ bodies.unit.T)
            _count(reports, zip(numbers.tolist(), matches.rule.tolist()), grid, scores)
    return reports


def _count(reports: List[RuleReach], matches: Iterable[Tuple[int, int]], grid: IntArray, scores: Floats) -> None:
    """Add the pairs of a batch.

    matches (Iterable[Tuple[int, int]]): Pair and rule.
    grid (IntArray): Answer of each rule for each pair. Shape (P, J)
    scores (Floats): Soft matches; -inf where a rule has no answer. Shape (P, J)
    """
    by_answer: Dict[Tuple[int, int], List[int]] = defaultdict(list)
    for pair, rule in matches:
        by_answer[pair, int(grid[pair, rule])].append(rule)
    for (pair, answer), rules in by_answer.items():
        if len(rules) == 1:
            report, others = reports[rules[0]], scores[pair].copy()
            others[rules[0]] = -numpy.inf
            best = int(others.argmax())
            report.alone += 1
            if others[best] > -numpy.inf and grid[pair, best] == answer:
                report.found += 1
            else:
                report.instead[reports[best].rule.relation if others[best] > -numpy.inf else "no rule"] += 1
