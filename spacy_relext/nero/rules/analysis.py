"""Analysis of labelling rules on a corpus: coverage, overlaps, conflicts, precision, near misses, and a report."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Collection, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple
from typing import Counter as CounterType

from spacy.tokens import Doc
from spacy.util import minibatch
from wasabi import table

from ...annotations.entities import doc_entities
from ...annotations.store import get_records, has_triples, widen_records
from ...annotations.triple import CharSpan
from ...corpora.report import format_table
from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .index import RuleIndex, RuleMatches
from .patterns import OBJECT, SUBJECT, TREEBANK, UNTYPED, Part
from .rules import NO_RELATION_LABEL, Rule

BATCH = 256

_EXTRA_GAP = 3  # additional tokens of a gap in a near miss
_MAX_RULES = 3  # that `nearest_misses` lists

_HEADER = ("rule", "relation", "matches", "alone", "correct", "against", "pattern")
_WIDEST = 60  # characters of a column

Words = Tuple[Part, ...]
Gold = Set[Tuple[CharSpan, str, CharSpan]]

# Relation, subject and object; for no relation its label alone, since it holds in both directions.
Label = Tuple[object, ...]


@dataclass
class RuleReport:
    """Analysis of one rule."""

    rule: Rule
    matches: int = 0  # pairs
    unique: int = 0  # pairs that no other rule matches
    labelled: int = 0  # matched pairs in texts with gold triples
    correct: int = 0  # those whose gold agrees
    # pairs with another label, by the id of the conflicting rule
    conflicts: CounterType[str] = field(default_factory=Counter)
    # pairs with the rule's tokens but other types, by these types
    type_mismatches: CounterType[Tuple[str, str]] = field(default_factory=Counter)
    # texts that differ in one token between the masks, in case, by a longer gap, or in the tokens outside of the masks
    near_misses: List[str] = field(default_factory=list)


@dataclass
class AnalysisReport:
    """Analysis of all rules, in their order."""

    rules: List[RuleReport]
    pairs: int = 0  # unordered, of entities
    covered: int = 0  # pairs that a rule matches
    conflicting: int = 0  # pairs with conflicting rules
    docs: int = 0
    lemmatized: int = 0  # Docs with lemmas
    types: Set[str] = field(default_factory=set)  # of entities
    relations: Set[str] = field(default_factory=set)  # of gold triples


def analyze_rules(
    rules: Sequence[Rule],
    docs: Iterable[Doc],
    *,
    suggester: Suggester,
    form: str = "text",
    max_gap: int = 0,
    samples: int = 2,
) -> AnalysisReport:
    """Match rules with a corpus.

    docs (Iterable[Doc]): The corpus, with entities and, if there are any, gold triples.
    form, max_gap: See `RuleIndex`.
    samples (int): Maximum number of near misses of each rule.
    """
    analyzer = _Analyzer(rules, form=form, max_gap=max_gap, samples=samples)
    for batch in minibatch(docs, BATCH):
        analyzer.add(suggester(batch))
    return analyzer.report


def unseen_types(rules: Sequence[Rule], types: Collection[str]) -> Dict[str, List[Rule]]:
    """Group rules by those of their entity types that no entity has: often a typo."""
    unseen: Dict[str, List[Rule]] = defaultdict(list)
    for rule in rules:
        allowed = {kind for role in (SUBJECT, OBJECT) for kind in rule.pattern.types_of(role) or ()}
        for kind in sorted(allowed - {*types, UNTYPED}):
            unseen[kind].append(rule)
    return dict(unseen)


def nearest_misses(rules: Sequence[Rule], docs: Sequence[Doc], *, suggester: Suggester, form: str, max_gap: int) -> str:
    """Describe at most `_MAX_RULES` rules that nearly match, each with a near miss or with the types of a mismatch."""
    report = analyze_rules(rules, docs, suggester=suggester, form=form, max_gap=max_gap, samples=1)
    if form == "lemma" and not report.lemmatized:
        return 'the texts have no lemmas to compare (form = "lemma"): put a lemmatizer before the component'
    missed = [each for each in report.rules if each.near_misses or each.type_mismatches]
    return "; ".join(map(_describe_miss, missed[:_MAX_RULES])) or f"none comes near in the first {len(docs)} texts"


def _describe_miss(report: RuleReport) -> str:
    """Describe the nearest miss of a rule."""
    name = f"{report.rule.id!r} ({report.rule.pattern})"
    if report.type_mismatches:
        (subject, obj), _ = report.type_mismatches.most_common(1)[0]
        return f"the words of {name} stand between {subject or 'no type'!r} and {obj or 'no type'!r}"
    return f"{name} just misses {report.near_misses[0]!r}"


class _Analyzer:
    """Counts the matches of rules, batch by batch."""

    def __init__(self, rules: Sequence[Rule], *, form: str, max_gap: int, samples: int) -> None:
        self.report = AnalysisReport([RuleReport(rule) for rule in rules])
        self.samples = samples
        # without types: type mismatches are matches too
        untyped = [replace(r, pattern=replace(r.pattern, subject_types=None, object_types=None)) for r in rules]
        self.index = RuleIndex(untyped, form=form, max_gap=max_gap)
        inner = [replace(r, pattern=replace(r.pattern, before=(), after=())) for r in untyped]
        wider = max_gap + _EXTRA_GAP if max_gap else 0
        self.inner = RuleIndex(inner, form=form, max_gap=wider) if wider or inner != untyped else None
        self.neighbours = _Neighbours(rules)

    def add(self, pairs: Pairs) -> None:
        """Count a batch."""
        report = self.report
        for doc in pairs.docs:
            report.docs += 1
            report.lemmatized += doc.has_annotation("LEMMA")
            report.types.update(kind for _, kind in doc_entities(doc) if kind)
            report.relations.update(record["relation"] for record in get_records(doc, source="") or ())
        report.pairs += len({pairs.place(number) for number in range(len(pairs))})
        # rules by unordered pair; a rule counts once, even if a pair is marked twice
        matched: Dict[Tuple[int, ...], Dict[int, Label]] = defaultdict(dict)
        for number, rule, types, subject, obj in _iter_matches(pairs, self.index.match(pairs)):
            each = report.rules[rule]
            if each.rule.pattern.allows(*types):
                relation = each.rule.relation
                label = (relation,) if relation == NO_RELATION_LABEL else (relation, subject, obj)
                matched[pairs.place(number)][rule] = label
            else:
                each.type_mismatches[types] += 1
        gold = [_read_gold(doc) for doc in pairs.docs]
        for place, labels in matched.items():
            self._count(labels, gold[place[0]], pairs, place)
        self._add_misses(pairs, {(place, rule) for place, labels in matched.items() for rule in labels})

    def _count(self, labels: Dict[int, Label], gold: Optional[Gold], pairs: Pairs, place: Tuple[int, ...]) -> None:
        """Count the rules that match one pair."""
        self.report.covered += 1
        self.report.conflicting += len(set(labels.values())) > 1
        doc = pairs.docs[place[0]]
        spans = (doc[place[1] : place[2]], doc[place[3] : place[4]])
        arguments = {(span.start_char, span.end_char) for span in spans}
        for rule, label in labels.items():
            each = self.report.rules[rule]
            each.matches += 1
            each.unique += len(labels) == 1
            each.conflicts.update(self.report.rules[other].rule.id for other in labels if labels[other] != label)
            if gold is not None:
                each.labelled += 1
                relation, *roles = label
                related = any({subject, obj} == arguments for subject, _, obj in gold)
                each.correct += not related if relation == NO_RELATION_LABEL else (roles[0], relation, roles[1]) in gold

    def _add_misses(self, pairs: Pairs, matched: Set[Tuple[Tuple[int, ...], int]]) -> None:
        """Add texts that rules nearly match."""
        for number, rule in (*self._inner_matches(pairs), *self.neighbours.find(pairs)):
            report = self.report.rules[rule]
            texts = report.near_misses
            if len(texts) < self.samples and (pairs.place(number), rule) not in matched:
                text = _excerpt(pairs, number, report.rule)
                if text not in texts:
                    texts.append(text)

    def _inner_matches(self, pairs: Pairs) -> Iterator[Tuple[int, int]]:
        """Yield pairs and rules that match between the masks, with longer gaps; not rules with enough near misses."""
        full = {rule for rule, each in enumerate(self.report.rules) if len(each.near_misses) >= self.samples}
        matches = self.inner.match(pairs, without=full) if self.inner else None
        for number, rule, types, _, _ in _iter_matches(pairs, matches) if matches else ():
            pattern = self.report.rules[rule].rule.pattern
            # without tokens between its masks, `SUBJ OBJ wedding` would nearly match all adjacent entities
            if pattern.between and pattern.allows(*types):
                yield number, rule


def _iter_matches(pairs: Pairs, matches: RuleMatches) -> Iterator[Tuple[int, int, Tuple[str, str], CharSpan, CharSpan]]:
    """Yield pair, rule, and types and offsets of the rule's subject and object."""
    for number, rule, is_reversed in zip(*(column.tolist() for column in matches)):
        if is_reversed and pairs.both_orders:  # a rule for no relation, which has matched the other order
            continue
        step = -1 if is_reversed else 1
        subject, obj = ((span.start_char, span.end_char) for span in pairs.spans(number)[::step])
        yield number, rule, pairs.types[number][::step], subject, obj


class _Neighbours:
    """Index of rules by the lower-case tokens between their masks: all of them, and with each one left out."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.table: Dict[Words, List[int]] = defaultdict(list)
        self.longest = 0
        for number, rule in enumerate(rules):
            if not rule.pattern.has_gap and rule.pattern.between:
                words = _normalize(rule.pattern.between)
                self.longest = max(self.longest, len(words))
                for variant in _deletions(words):
                    self.table[variant].append(number)

    def find(self, pairs: Pairs) -> Iterator[Tuple[int, int]]:
        """Yield pair and rule with allowed types and tokens at edit distance 0 or 1."""
        for number, left, right, types in pairs.by_position():
            if not 0 < right[0] - left[1] <= self.longest + 1:
                continue
            words = _normalize([token.text for token in pairs.docs[pairs.doc[number]][left[1] : right[0]]])
            for rule in sorted({rule for variant in _deletions(words) for rule in self.table.get(variant, ())}):
                pattern = self.rules[rule].pattern
                between = _normalize(pattern.between)
                is_near = words == between or _is_one_edit(words, between)
                if is_near and pattern.allows(*(types if pattern.first == SUBJECT else types[::-1])):
                    yield number, rule


def _normalize(words: Sequence[Part]) -> Words:
    """Lower-case tokens and replace Treebank ones; the text is compared, even if rules consist of lemmas."""
    return tuple(word and TREEBANK.get(word, word).lower() for word in words)


def _deletions(words: Words) -> Set[Words]:
    """Return the tokens, and the tokens without one of them."""
    return {words, *(words[:place] + words[place + 1 :] for place in range(len(words)))}


def _is_one_edit(left: Words, right: Words) -> bool:
    """Return True if one token is replaced, missing or inserted."""
    if len(left) == len(right):
        return sum(a != b for a, b in zip(left, right)) == 1
    short, long = sorted((left, right), key=len)
    return len(long) == len(short) + 1 and short in _deletions(long)


def _read_gold(doc: Doc) -> Optional[Gold]:
    """Read gold triples as offsets; None if a text is not annotated."""
    if not has_triples(doc):
        return None
    gold = widen_records(doc, get_records(doc, source="") or ())
    return {(tuple(r["subject"]), r["relation"], tuple(r["object"])) for r in gold}


def _excerpt(pairs: Pairs, number: int, rule: Rule) -> str:
    """Return the text from one argument to the other, with as many tokens around as the rule has there."""
    first, last = sorted(pairs.spans(number), key=lambda span: span.start)
    start, end = pairs.text[number].tolist()
    start, end = max(start, first.start - len(rule.pattern.before)), min(end, last.end + len(rule.pattern.after))
    return " ".join(first.doc[start:end].text.split())


def unknown_labels(report: AnalysisReport) -> Iterator[str]:
    """Yield a line for each type and relation of rules that does not occur in the corpus: it may be misspelt."""
    rules = [each.rule for each in report.rules]
    for kind, those in unseen_types(rules, report.types).items():
        near = get_close_matches(kind, report.types, n=1)
        meant = f"; {near[0]!r}?" if near else ""
        yield f"{those[0].where}: no entity of the corpus has the type {kind!r} ({len(those)} rules){meant}"
    foreign = {rule.relation: rule for rule in reversed(rules)}
    for relation, rule in foreign.items() if report.relations else ():
        if relation not in report.relations and relation != NO_RELATION_LABEL:
            yield f"{rule.where}: no gold triple of the corpus has the relation {relation!r}"


def format_check(report: AnalysisReport) -> str:
    """Format totals, then a line for each rule, the most frequent matches first."""
    labelled, correct = (sum(getattr(each, name) for each in report.rules) for name in ("labelled", "correct"))
    totals = [
        ("rules", f"{len(report.rules):,}"),
        ("rules that match", f"{sum(each.matches > 0 for each in report.rules):,}"),
        ("pairs of entities", f"{report.pairs:,}"),
        ("pairs that a rule matches", f"{report.covered:,} ({report.covered / max(report.pairs, 1):.1%})"),
        ("pairs at which rules contradict each other", f"{report.conflicting:,}"),
        (
            "correct, where there is gold",
            f"{correct:,} of {labelled:,} ({correct / labelled:.1%})" if labelled else "no gold",
        ),
    ]
    rows = [_row(each) for each in sorted(report.rules, key=lambda each: -each.matches) if each.matches]
    if not rows:
        return format_table(totals) + "\n\nNo rule matches."
    lines: str = table(rows, header=_HEADER, aligns=("l", "l", "r", "r", "r", "l", "l"), divider=True, max_col=_WIDEST)
    return f"{format_table(totals)}\n{lines}".rstrip("\n")


def format_idle(reports: Sequence[RuleReport]) -> str:
    """List the rules that match nowhere, each with its near misses."""
    idle = [each for each in reports if not each.matches]
    lines = [f"\n{len(idle)} rules match nowhere:"] if idle else []
    for each in idle:
        lines.append(f"  {each.rule.id}  {each.rule.pattern}")
        for kinds, count in each.type_mismatches.most_common(2):
            lines.append(
                f"      has these words between {' and '.join(kind or 'no type' for kind in kinds)}: {count:,}"
            )
        lines.extend(f"      just misses: {text[:100]}" for text in each.near_misses)
    return "\n".join(lines)


def _row(report: RuleReport) -> Sequence[str]:
    """Format a rule as a row of the table."""
    correct = f"{report.correct / report.labelled:.0%}" if report.labelled else ""
    against = ", ".join(f"{name} ×{count}" for name, count in report.conflicts.most_common(2))
    rule = report.rule
    return (rule.id, rule.relation, f"{report.matches:,}", f"{report.unique:,}", correct, against, str(rule.pattern))
