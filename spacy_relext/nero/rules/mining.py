"""Candidate rules: frequent patterns for a person to label, and patterns that a trained component labels consistently.

A candidate is the types of two entities and the words between them. Mined candidates are ranked by frequency times
max(G², 1), with the log-likelihood ratio G² of words and types against their independence (Dunning, Computational
Linguistics 1993).
Suggested candidates have a relation: the one that a component predicts for the pairs that no rule matches. Candidates
with similar words are grouped, so that a group can be reviewed at once.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain, repeat
from math import log
from pathlib import Path
from typing import Counter as CounterType
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple, Union

from spacy.tokens import Doc
from spacy.util import minibatch

from ...annotations.store import get_records
from ...annotations.triple import CharSpan
from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .index import RuleIndex
from .patterns import SUBJECT, Pattern
from .rules import TABLE_COLUMNS, write_table

BATCH = 256

_MIN_SIMILARITY = 0.5  # of a candidate to the first one of its group

# Type of the left entity, words between, type of the right entity.
Key = Tuple[str, Tuple[str, ...], str]

# Relations and scores by the character offsets of subject and object.
Predictions = Dict[Tuple[CharSpan, CharSpan], List[Tuple[str, float]]]


class MinedPattern(NamedTuple):
    """A frequent pattern, with the left entity as subject.

    association (float): G² of its words and its types, with the sign of the association; 0 if all pairs have the same
        types.
    group (int): Number of its group, from 1, the most frequent group first.
    """

    pattern: Pattern
    times: int
    association: float
    group: int
    examples: Tuple[str, ...]  # sentences


class SuggestedRule(NamedTuple):
    """A predicted relation and a pattern, with the roles of the prediction, for a person to review."""

    relation: str
    pattern: Pattern
    times: int  # pairs with the prediction
    agreement: float  # their share of the unmatched pairs with this pattern
    score: float  # mean score of the predictions
    group: int  # as in `MinedPattern`
    examples: Tuple[str, ...]  # sentences


class SuggestionReport(NamedTuple):
    """Suggested rules, group by group, and numbers of unordered pairs of entities."""

    rules: List[SuggestedRule]
    pairs: int
    matched: int  # by a rule
    stated: int  # unmatched, with few words between them, and with a predicted relation


def association(both: int, first: int, second: int, total: int) -> float:
    """Compute G² of two events from their frequencies: 0 if independent, negative if they co-occur less often."""
    cells = ((both, first, second), (first - both, first, total - second))
    rest = ((second - both, total - first, second), (total - first - second + both, total - first, total - second))
    ratio = 2 * sum(seen * log(seen * total / (row * column)) for seen, row, column in (*cells, *rest) if seen > 0)
    return max(ratio, 0.0) if both * total >= first * second else -max(ratio, 0.0)


def mine_patterns(
    docs: Iterable[Doc],
    *,
    suggester: Suggester,
    longest: int = 6,
    least: int = 3,
    top: int = 0,
    examples: int = 2,
) -> List[MinedPattern]:
    """Mine frequent patterns between entities.

    docs (Iterable[Doc]): The corpus, with entities.
    suggester (Suggester): Suggests the pairs; each is counted once, in the order of the text.
    longest (int): Maximum number of words between two entities.
    least (int): Lowest frequency.
    top (int): Number of patterns; 0 for all.
    examples (int): Largest number of sentences of each.
    RETURNS (List[MinedPattern]): Group by group.
    """
    counts: CounterType[Key] = Counter()
    sentences: Dict[Key, List[str]] = defaultdict(list)
    for batch in minibatch(docs, BATCH):
        pairs = suggester(batch)
        for number, key in _pair_keys(pairs, longest):
            counts[key] += 1
            _add_sentence(sentences[key], pairs, number, examples)
    words, types = Counter[Tuple[str, ...]](), Counter[Tuple[str, str]]()
    for (left, between, right), count in counts.items():
        words[between] += count
        types[left, right] += count
    total = sum(counts.values())
    frequent = [key for key, count in counts.items() if count >= least and _has_letters(key)]
    strength = {k: association(counts[k], words[k[1]], types[k[0], k[2]], total) for k in frequent}
    ranked = sorted(frequent, key=lambda key: (-counts[key] * max(strength[key], 1.0), key))[: top or None]
    return [
        MinedPattern(_key_pattern(key), counts[key], strength[key], number, tuple(sentences[key]))
        for number, group in enumerate(_group(ranked, counts), start=1)
        for key in group
    ]


def write_patterns(mined: Sequence[MinedPattern], path: Path) -> None:
    """Write patterns as a table: a person fills in `relation`, or `reversed` if the right entity is the subject."""
    _write_candidates(path, mined, repeat(""), {"association": [f"{each.association:.1f}" for each in mined]})


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
    """Suggest rules from the predictions of a trained component.

    docs (Iterable[Doc]): A corpus with the component's predictions.
    suggester, index: The component's suggester and rules.
    source (str): The component's name in the pipeline.
    score (float): Lowest score of a prediction, 0 to 1.
    longest (int): Maximum number of words between two entities.
    least (int): Lowest number of pairs with the prediction.
    agreement (float): Lowest share of them among the pairs with the same pattern, 0 to 1.
    top (int): Number of rules, those with the highest sum of scores; 0 for all.
    examples (int): Largest number of sentences of each.
    """
    collector = _Collector(index, source=source, score=score, longest=longest, examples=examples)
    for batch in minibatch(docs, BATCH):
        collector.add(suggester(batch))
    counts: CounterType[Key] = Counter()
    by_key: Dict[Key, List[_Selected]] = defaultdict(list)
    for selected in collector.select(least=least, agreement=agreement)[: top or None]:
        counts[selected.key] += selected.prediction.times
        by_key[selected.key].append(selected)
    rules = []
    for number, group in enumerate(_group(list(by_key), counts), start=1):
        for key, is_reversed, relation, each in chain.from_iterable(by_key[key] for key in group):
            pattern = _key_pattern(key).swap_roles() if is_reversed else _key_pattern(key)
            statistics = (each.times, each.times / collector.unmatched[key], each.total / each.times)
            rules.append(SuggestedRule(relation, pattern, *statistics, number, tuple(each.examples)))
    return SuggestionReport(rules, collector.pairs, collector.matched, collector.stated)


def write_suggestions(rules: Sequence[SuggestedRule], path: Path) -> None:
    """Write rules as a table, which is a file of rules: a person deletes the wrong lines."""
    agreement, score = [f"{each.agreement:.2f}" for each in rules], [f"{each.score:.3f}" for each in rules]
    _write_candidates(path, rules, [each.relation for each in rules], {"agreement": agreement, "score": score})


def _write_candidates(
    path: Path,
    candidates: Sequence[Union[MinedPattern, SuggestedRule]],
    relations: Iterable[str],
    statistics: Mapping[str, Sequence[str]],
) -> None:
    """Write a table of candidates with further columns."""
    columns = (*TABLE_COLUMNS, "count", *statistics, "group", "examples")
    rows = zip(relations, candidates, zip(*statistics.values()))
    cells = ((r, "", str(c.pattern), str(c.times), *more, str(c.group), " | ".join(c.examples)) for r, c, more in rows)
    write_table(path, columns, cells)


@dataclass
class _Prediction:
    """One relation of one candidate: frequency, sum of scores, and sentences."""

    times: int = 0
    total: float = 0.0
    examples: List[str] = field(default_factory=list)


class _Selected(NamedTuple):
    """A candidate, whether its right entity is the subject, and its most frequent relation."""

    key: Key
    is_reversed: bool
    relation: str
    prediction: _Prediction


class _Collector:
    """Counts a component's predictions for unmatched pairs, batch by batch."""

    def __init__(self, index: RuleIndex, *, source: str, score: float, longest: int, examples: int) -> None:
        self.index, self.source, self.score = index, source, score
        self.longest, self.examples = longest, examples
        self.pairs = self.matched = self.stated = 0
        self.unmatched: CounterType[Key] = Counter()
        self.predictions: Dict[Tuple[Key, bool], Dict[str, _Prediction]] = defaultdict(lambda: defaultdict(_Prediction))

    def add(self, pairs: Pairs) -> None:
        """Count a batch."""
        matched = {pairs.place(number) for number in set(self.index.match(pairs).pair.tolist())}
        self.pairs += len({pairs.place(number) for number in range(len(pairs))})
        self.matched += len(matched)
        predicted = [self._read(doc) for doc in pairs.docs]
        seen: Set[Tuple[int, ...]] = set()
        for number, key in _pair_keys(pairs, self.longest):
            place = pairs.place(number)
            # a pair may be marked twice
            if place in matched or place in seen or not _has_letters(key):
                continue
            seen.add(place)
            self.unmatched[key] += 1
            left, right = sorted((span.start_char, span.end_char) for span in pairs.spans(number))
            doc = predicted[place[0]]
            stated = [(False, *each) for each in doc.get((left, right), ())]
            stated += [(True, *each) for each in doc.get((right, left), ())]
            self.stated += bool(stated)
            for is_reversed, relation, score in stated:
                each = self.predictions[key, is_reversed][relation]
                each.times, each.total = each.times + 1, each.total + score
                _add_sentence(each.examples, pairs, number, self.examples)

    def select(self, *, least: int, agreement: float) -> List[_Selected]:
        """Select the most frequent relation of each candidate and direction, if frequent enough; the best first."""
        rows = []
        for (key, is_reversed), relations in self.predictions.items():
            # two relations of the same pattern would be conflicting rules
            relation, each = min(relations.items(), key=lambda item: (-item[1].times, -item[1].total, item[0]))
            if each.times >= least and each.times >= agreement * self.unmatched[key]:
                rows.append(_Selected(key, is_reversed, relation, each))
        return sorted(rows, key=lambda row: (-row.prediction.total, row.key, row.is_reversed))

    def _read(self, doc: Doc) -> Predictions:
        """Read the predictions with high enough scores."""
        predictions: Predictions = defaultdict(list)
        for record in get_records(doc, source=self.source) or ():
            if record["score"] >= self.score:
                predictions[record["subject"], record["object"]].append((record["relation"], record["score"]))
        return predictions


def _pair_keys(pairs: Pairs, longest: int) -> Iterator[Tuple[int, Key]]:
    """Yield pairs and their keys, but no pairs around white space tokens, which patterns cannot contain."""
    for number, left, right, types in pairs.by_position():
        if 0 <= right[0] - left[1] <= longest:
            between = pairs.docs[pairs.doc[number]][left[1] : right[0]]
            if not any(token.is_space for token in between):
                yield number, (types[0], tuple(token.text for token in between), types[1])


def _is_word(token: str) -> bool:
    """Return True if a token has a letter."""
    return any(map(str.isalpha, token))


def _has_letters(key: Key) -> bool:
    """Return True if a candidate has a word between its entities."""
    return any(map(_is_word, key[1]))


def _key_pattern(key: Key) -> Pattern:
    """Make the pattern of a candidate, with the left entity as subject."""
    left, words, right = key
    return Pattern(SUBJECT, (), words, (), *(frozenset([kind]) if kind else None for kind in (left, right)))


def _add_sentence(sentences: List[str], pairs: Pairs, number: int, limit: int) -> None:
    """Add the sentence of a pair to at most `limit` distinct ones."""
    if len(sentences) < limit:
        start, end = pairs.text[number].tolist()
        sentence = pairs.docs[pairs.doc[number]][start:end].text
        if sentence not in sentences:
            sentences.append(sentence)


def _group(ranked: Sequence[Key], counts: Mapping[Key, int]) -> List[List[Key]]:
    """Group candidates by the similarity of their words to a group's first candidate; most frequent group first."""
    words = {key: {word.lower() for word in key[1] if _is_word(word)} for key in ranked}
    frequency = Counter(word for key in ranked for word in words[key])
    weights = {word: log(1 + len(ranked) / count) for word, count in frequency.items()}
    groups: List[List[Key]] = []
    by_word: Dict[str, List[int]] = defaultdict(list)
    for key in ranked:
        near = sorted({number for word in words[key] for number in by_word[word]})
        similar = (n for n in near if _similarity(words[key], words[groups[n][0]], weights) >= _MIN_SIMILARITY)
        number = next(similar, len(groups))
        if number == len(groups):
            groups.append([])
            for word in words[key]:
                by_word[word].append(number)
        groups[number].append(key)
    return sorted(groups, key=lambda group: -sum(counts[key] for key in group))


def _similarity(words: Set[str], others: Set[str], weights: Mapping[str, float]) -> float:
    """Compute the weighted Jaccard index."""
    return sum(weights[word] for word in words & others) / sum(weights[word] for word in words | others)
