"""Rules that a trained component would write: what stands between entities of which it says what no rule says.

A component that was trained on rules also finds relations that no rule states. Where it says the same of the same
words again and again, these words are a rule for a person to accept or to delete: the other half of the work that
`rule_mining` leaves to people, the name of the relation, is done.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Counter as Counted
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.util import minibatch

from ...annotations.store import get_records
from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .index import RuleIndex
from .mining import (
    BATCH,
    BETWEEN_EXAMPLES,
    Key,
    group_keys,
    keep_sentence,
    keys_of,
    pattern_of,
    says_something,
    write_table,
)
from .patterns import Pattern

COLUMNS = ("relation", "reversed", "pattern", "count", "agreement", "score", "group", "examples")

Chars = Tuple[int, int]

# A candidate, and whether its right entity is the subject.
Way = Tuple[Key, bool]


class SuggestedRule(NamedTuple):
    """A rule for a person to judge.

    relation (str): What the component says.
    pattern (Pattern): Where it says so; the masks stand as the relation has them.
    times (int): Of how many pairs it says so.
    agreement (float): Their share of all pairs with this pattern at which no rule fires.
    score (float): Mean score of what it says.
    group (int): Patterns with like words have the same number, from 1, the group that occurs most first.
    examples (Tuple[str, ...]): Sentences with it.
    """

    relation: str
    pattern: Pattern
    times: int
    agreement: float
    score: float
    group: int
    examples: Tuple[str, ...]


class SuggestionReport(NamedTuple):
    """What was found.

    rules (List[SuggestedRule]): Group by group.
    pairs (int): Pairs of entities, each in one order.
    matched (int): Those at which a rule fires.
    stated (int): Those of the others with few words between them of which the component states a relation.
    """

    rules: List[SuggestedRule]
    pairs: int
    matched: int
    stated: int


def suggest_rules(
    docs: Iterable[Doc],
    *,
    suggester: Suggester,
    index: RuleIndex,
    source: str,
    score: float = 0.8,
    longest: int = 6,
    least: int = 3,
    agreement: float = 0.5,
    top: int = 0,
    examples: int = 1,
) -> SuggestionReport:
    """Find the rules that a component would add.

    docs (Iterable[Doc]): A corpus that the component has read.
    suggester (Suggester): Chooses the pairs, as it does for the component.
    index (RuleIndex): The component's rules.
    source (str): The component's name in the pipeline.
    score (float): What it says with a lower score does not count, 0 to 1.
    longest (int): Most words between two entities.
    least (int): Of how many pairs it must say the same.
    agreement (float): Of which share of the pairs with the same pattern, 0 to 1.
    top (int): How many rules are kept, those with the highest sum of scores; 0 for all.
    examples (int): Sentences kept for each.
    RETURNS (SuggestionReport): The rules, and of how many pairs they were made.
    """
    collected = _Statements(index, source=source, score=score, longest=longest, examples=examples)
    for batch in minibatch(docs, BATCH):
        collected.add(suggester(batch))
    rows = collected.chosen(least=least, agreement=agreement)[: top or None]
    counts: Counted[Key] = Counter()
    by_key: Dict[Key, List[Tuple[bool, str, _Stated]]] = defaultdict(list)
    for (key, backwards), relation, stated in rows:
        counts[key] += stated.times
        by_key[key].append((backwards, relation, stated))
    rules = []
    for number, members in enumerate(group_keys(list(by_key), counts), start=1):
        for key in members:
            for backwards, relation, stated in by_key[key]:
                pattern = pattern_of(key).turned() if backwards else pattern_of(key)
                figures = (stated.times, stated.times / collected.asked[key], stated.total / stated.times)
                rules.append(SuggestedRule(relation, pattern, *figures, number, tuple(stated.examples)))
    return SuggestionReport(rules, collected.pairs, collected.matched, collected.stated)


def write_suggestions(rules: Sequence[SuggestedRule], path: Path) -> None:
    """Write rules as a table that is a file of rules: a person deletes the lines that are wrong.

    rules (Sequence[SuggestedRule]): The rules.
    path (Path): Gets tab-separated lines, with the columns of `rule_mining.write_patterns`, agreement and score instead
        of the association.
    """
    rows = []
    for each in rules:
        figures = (str(each.times), f"{each.agreement:.2f}", f"{each.score:.3f}", str(each.group))
        rows.append((each.relation, "", str(each.pattern), *figures, BETWEEN_EXAMPLES.join(each.examples)))
    write_table(path, COLUMNS, rows)


@dataclass
class _Stated:
    """One relation of one candidate: how often, the sum of its scores, and sentences."""

    times: int = 0
    total: float = 0.0
    examples: List[str] = field(default_factory=list)


class _Statements:
    """Adds up what a component says of pairs at which no rule fires, a batch of Docs at a time."""

    def __init__(self, index: RuleIndex, *, source: str, score: float, longest: int, examples: int) -> None:
        self.index, self.source, self.score = index, source, score
        self.longest, self.examples = longest, examples
        self.pairs = self.matched = self.stated = 0
        self.asked: Counted[Key] = Counter()
        self.found: Dict[Way, Dict[str, _Stated]] = defaultdict(lambda: defaultdict(_Stated))

    def add(self, pairs: Pairs) -> None:
        """Count a batch."""
        matched = {pairs.place(number) for number in set(self.index.match(pairs).pair.tolist())}
        self.pairs += len({pairs.place(number) for number in range(len(pairs))})
        self.matched += len(matched)
        said = [self._said(doc) for doc in pairs.docs]
        seen: Set[Tuple[int, ...]] = set()
        for number, key in keys_of(pairs, longest=self.longest):
            place = pairs.place(number)
            # a pair may be marked twice
            if place not in matched and place not in seen and says_something(key):
                seen.add(place)
                self.asked[key] += 1
                statements = list(_statements(pairs, number, said[place[0]]))
                self.stated += bool(statements)
                for backwards, relation, score in statements:
                    stated = self.found[key, backwards][relation]
                    stated.times, stated.total = stated.times + 1, stated.total + score
                    keep_sentence(stated.examples, pairs, number, most=self.examples)

    def chosen(self, *, least: int, agreement: float) -> List[Tuple[Way, str, _Stated]]:
        """Choose each candidate's best relation, in each direction, where it is said often enough; the best first."""
        rows = []
        for (key, backwards), relations in self.found.items():
            # two relations for the same pattern would be rules that contradict each other
            relation, stated = min(relations.items(), key=lambda item: (-item[1].times, -item[1].total, item[0]))
            if stated.times >= least and stated.times >= agreement * self.asked[key]:
                rows.append(((key, backwards), relation, stated))
        return sorted(rows, key=lambda row: (-row[2].total, row[0]))

    def _said(self, doc: Doc) -> Dict[Tuple[Chars, Chars], List[Tuple[str, float]]]:
        """What the component says surely enough, by the characters of subject and object."""
        found: Dict[Tuple[Chars, Chars], List[Tuple[str, float]]] = defaultdict(list)
        for record in get_records(doc, source=self.source) or ():
            if record["score"] >= self.score:
                found[record["subject"], record["object"]].append((record["relation"], record["score"]))
        return found


def _statements(
    pairs: Pairs, number: int, said: Dict[Tuple[Chars, Chars], List[Tuple[str, float]]]
) -> Iterator[Tuple[bool, str, float]]:
    """Yield what is said of a pair: whether its right entity is the subject, the relation and the score."""
    left, right = sorted((span.start_char, span.end_char) for span in pairs.spans(number))
    for backwards, roles in ((False, (left, right)), (True, (right, left))):
        for relation, score in said.get(roles, ()):
            yield backwards, relation, score
