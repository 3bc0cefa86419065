"""What rules do on a corpus: where they fire, whether they are right, whom they contradict, and what they just miss."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Collection, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple
from typing import Counter as Counted

from spacy.tokens import Doc
from spacy.util import minibatch

from ...annotations.entities import doc_entities
from ...annotations.store import get_records, has_triples
from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .index import RuleIndex
from .patterns import OBJECT, SUBJECT, TREEBANK, UNTYPED, Part
from .rules import NO_RELATION, Rule

BATCH = 256

# How much longer a gap may be for a rule to have been missed by little.
FURTHER = 3

Words = Tuple[Part, ...]

Chars = Tuple[int, int]

Said = Tuple[Chars, str, Chars]

# Relation, subject and object.
Answer = Tuple[str, Chars, Chars]


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
    near (List[str]): Texts that it just misses: one word is another, a gap is longer, upper case is lower, or what it
        says outside of the masks is not there.
    far (List[str]): Texts that it misses by a word and by the types of the arguments.
    """

    rule: Rule
    fires: int = 0
    alone: int = 0
    judged: int = 0
    correct: int = 0
    against: Counted[str] = field(default_factory=Counter)
    other_types: Counted[Tuple[str, str]] = field(default_factory=Counter)
    near: List[str] = field(default_factory=list)
    far: List[str] = field(default_factory=list)


class CheckReport(NamedTuple):
    """What all rules do.

    rules (List[RuleReport]): One each, in their order.
    pairs (int): Pairs of entities, each in one order.
    matched (int): Pairs at which a rule fires.
    contradicted (int): Pairs at which rules say different things.
    docs (int): Texts.
    lemmas (int): Texts with lemmas.
    types (Set[str]): Types of entities.
    relations (Set[str]): Relations of gold triples.
    """

    rules: List[RuleReport]
    pairs: int
    matched: int
    contradicted: int
    docs: int
    lemmas: int
    types: Set[str]
    relations: Set[str]


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
    return checker.report()


def unseen_types(rules: Sequence[Rule], types: Collection[str]) -> Dict[str, List[Rule]]:
    """Find types of rules that no entity has: often a slip of the pen.

    rules (Sequence[Rule]): The rules.
    types (Collection[str]): Types of entities.
    RETURNS (Dict[str, List[Rule]]): Such a type, and the rules with it.
    """
    found: Dict[str, List[Rule]] = defaultdict(list)
    for rule in rules:
        said = {kind for role in (SUBJECT, OBJECT) for kind in rule.pattern.types_of(role) or ()}
        for kind in sorted(said - {*types, UNTYPED}):
            found[kind].append(rule)
    return dict(found)


class _Checker:
    """Adds up what rules do, a batch of Docs at a time."""

    def __init__(self, rules: Sequence[Rule], *, form: str, max_gap: int, samples: int) -> None:
        self.reports = [RuleReport(rule) for rule in rules]
        self.pairs = self.matched = self.contradicted = self.docs = self.lemmas = 0
        self.types: Set[str] = set()
        self.relations: Set[str] = set()
        self.samples = samples
        free = [replace(r, pattern=replace(r.pattern, subject_types=None, object_types=None)) for r in rules]
        # finds all pairs with a rule's words; which types it allows is asked then
        self.index = RuleIndex(free, form=form, max_gap=max_gap)
        inner = [replace(r, pattern=replace(r.pattern, before=(), after=())) for r in free]
        further = max_gap + FURTHER if max_gap else 0
        self.inner = RuleIndex(inner, form=form, max_gap=further) if further or inner != free else None
        self.neighbours = _Neighbours(rules)

    def report(self) -> CheckReport:
        """RETURNS (CheckReport): What was counted."""
        counts = (self.pairs, self.matched, self.contradicted, self.docs, self.lemmas)
        return CheckReport(self.reports, *counts, self.types, self.relations)

    def add(self, pairs: Pairs) -> None:
        """Count a batch."""
        self._look(pairs.docs)
        self.pairs += len({pairs.place(number) for number in range(len(pairs))})
        # what fires at a pair in either order, by its place
        firing: Dict[Tuple[int, ...], List[Tuple[int, int, bool]]] = defaultdict(list)
        for number, rule, backwards in zip(*(column.tolist() for column in self.index.match(pairs))):
            kinds = pairs.types[number][:: -1 if backwards else 1]
            if self.reports[rule].rule.pattern.allows(*kinds):
                firing[pairs.place(number)].append((rule, number, backwards))
            else:
                self.reports[rule].other_types[kinds] += 1
        gold = [_gold_of(doc) for doc in pairs.docs]
        for where, found in firing.items():
            self._count(pairs, found, gold[where[0]])
        self._miss(pairs, {(where, rule) for where, found in firing.items() for rule, _, _ in found})

    def _look(self, docs: Sequence[Doc]) -> None:
        """See what the corpus has."""
        for doc in docs:
            self.docs += 1
            self.lemmas += doc.has_annotation("LEMMA")
            self.types.update(kind for _, kind in doc_entities(doc) if kind)
            self.relations.update(record["relation"] for record in get_records(doc, source="") or ())

    def _count(self, pairs: Pairs, found: List[Tuple[int, int, bool]], gold: Optional[Set[Said]]) -> None:
        """Count the rules that fire at one pair."""
        # a rule fires once, also where a data set marks a pair twice
        by_rule = {rule: (number, backwards) for rule, number, backwards in found}
        said: Dict[int, Answer] = {}
        for rule, (number, backwards) in by_rule.items():
            subject, obj = ((s.start_char, s.end_char) for s in pairs.spans(number)[:: -1 if backwards else 1])
            said[rule] = (self.reports[rule].rule.relation, subject, obj)
        self.matched += 1
        self.contradicted += len({_meant(each) for each in said.values()}) > 1
        for rule, (relation, subject, obj) in said.items():
            report = self.reports[rule]
            report.fires += 1
            report.alone += len(said) == 1
            for other, answer in said.items():
                if _meant(answer) != _meant(said[rule]):
                    report.against[self.reports[other].rule.id] += 1
            if gold is not None:
                report.judged += 1
                report.correct += _agrees(relation, subject, obj, gold)

    def _miss(self, pairs: Pairs, fired: Set[Tuple[Tuple[int, ...], int]]) -> None:
        """Keep texts that rules just miss."""
        missed = [(number, rule, True) for number, rule in self._nearly_outside(pairs)]
        for number, rule, near in (*missed, *self.neighbours.of(pairs)):
            report = self.reports[rule]
            kept = report.near if near else report.far
            if len(kept) < self.samples and (pairs.place(number), rule) not in fired:
                text = _excerpt(pairs, number, report.rule)
                if text not in kept:
                    kept.append(text)

    def _nearly_outside(self, pairs: Pairs) -> Iterator[Tuple[int, int]]:
        """Yield pairs and rules whose words stand between the masks, with gaps that may be longer."""
        if self.inner is None:
            return
        for number, rule, backwards in zip(*(column.tolist() for column in self.inner.match(pairs))):
            kinds = pairs.types[number][:: -1 if backwards else 1]
            pattern = self.reports[rule].rule.pattern
            # `SUBJ OBJ wedding` has nothing between its masks, and would miss all neighbours by little
            if pattern.between and pattern.allows(*kinds):
                yield number, rule


class _Neighbours:
    """Finds rules whose words between the masks are those of a pair but for one of them, or for upper case, by leaving
    words out.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.table: Dict[Words, List[int]] = defaultdict(list)
        self.longest = 0
        for number, rule in enumerate(rules):
            if not rule.pattern.has_gap and rule.pattern.between:
                words = _form(rule.pattern.between)
                self.longest = max(self.longest, len(words))
                for variant in _without_one(words):
                    self.table[variant].append(number)

    def of(self, pairs: Pairs) -> Iterator[Tuple[int, int, bool]]:
        """Yield pairs and rules, and whether the types fit."""
        for number, left, right, kinds in pairs.by_position():
            if not 0 < right[0] - left[1] <= self.longest + 1:
                continue
            between = pairs.docs[pairs.doc[number]][left[1] : right[0]]
            words = _form([token.text for token in between])
            near = {rule for variant in _without_one(words) for rule in self.table.get(variant, ())}
            for rule in sorted(near):
                pattern = self.rules[rule].pattern
                roles = kinds if pattern.first == SUBJECT else kinds[::-1]
                fits = pattern.allows(*roles)
                if (fits and words == _form(pattern.between)) or _one_apart(words, _form(pattern.between)):
                    yield number, rule, fits


def _form(words: Sequence[Part]) -> Words:
    """Words as near misses compare them: in lower case; lemmas are compared as they are written."""
    return tuple(word and TREEBANK.get(word, word).lower() for word in words)


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


def _agrees(relation: str, subject: Chars, obj: Chars, gold: Set[Said]) -> bool:
    """Say whether gold states the same of a pair; a rule for no relation is right where it states nothing."""
    if relation == NO_RELATION:
        return not any({subject, obj} == {first, second} for first, _, second in gold)
    return (subject, relation, obj) in gold


def _meant(answer: Answer) -> Tuple[object, ...]:
    """What a rule says; that there is no relation holds in both directions."""
    return answer[:1] if answer[0] == NO_RELATION else answer


def _excerpt(pairs: Pairs, number: int, rule: Rule) -> str:
    """The text from one argument to the other, with as many words on either side as the rule has there."""
    first, last = sorted(pairs.spans(number), key=lambda span: span.start)
    start, end = pairs.text[number].tolist()
    start, end = max(start, first.start - len(rule.pattern.before)), min(end, last.end + len(rule.pattern.after))
    return " ".join(first.doc[start:end].text.split())


# Rules that are named.
MOST_RULES = 3


def nearest_misses(rules: Sequence[Rule], docs: Sequence[Doc], *, suggester: Suggester, form: str, max_gap: int) -> str:
    """Say which rules nearly fire.

    rules (Sequence[Rule]): The rules.
    docs (Sequence[Doc]): Texts with entities.
    suggester (Suggester): Chooses the pairs.
    form (str): As for `RuleIndex`.
    max_gap (int): As for `RuleIndex`.
    RETURNS (str): A few of them, each with a text that it just misses or with the types that keep it from firing.
    """
    report = check_rules(rules, docs, suggester=suggester, form=form, max_gap=max_gap, samples=1)
    if form == "lemma" and not report.lemmas:
        return 'the texts have no lemmas to compare (form = "lemma"): put a lemmatizer before the component'
    told = [_tell(each) for each in report.rules if each.near or each.other_types or each.far][:MOST_RULES]
    return "; ".join(told) or f"none comes near in the first {len(docs)} texts"


def _tell(report: RuleReport) -> str:
    """Say what one rule just misses."""
    name = f"{report.rule.id!r} ({report.rule.pattern})"
    if report.other_types:
        (subject, obj), _ = report.other_types.most_common(1)[0]
        return f"the words of {name} stand between {subject or 'no type'!r} and {obj or 'no type'!r}"
    if report.near:
        return f"{name} just misses {report.near[0]!r}"
    return f"{name} misses {report.far[0]!r} by a word and by the types of its arguments"
