"""Candidate rules: frequent patterns between two entities, for a person to label.

A candidate is the types of two entities and the words between them. Candidates are ranked by frequency times
max(G², 1), with the log-likelihood ratio G² of words and types against their independence (Dunning, Computational
Linguistics 1993). Candidates with similar words are grouped, so that a group can be reviewed at once.
"""

from collections import Counter, defaultdict
from math import log
from pathlib import Path
from typing import Counter as CounterType
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.util import minibatch

from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .patterns import SUBJECT, Pattern
from .rules import TABLE_COLUMNS, write_table

BATCH = 256

_MIN_SIMILARITY = 0.5  # of a candidate to the first one of its group

# Type of the left entity, words between, type of the right entity.
Key = Tuple[str, Tuple[str, ...], str]


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
    columns = (*TABLE_COLUMNS, "count", "association", "group", "examples")
    rows = [(str(m.pattern), str(m.times), f"{m.association:.1f}", str(m.group), " | ".join(m.examples)) for m in mined]
    write_table(path, columns, [("", "", *row) for row in rows])


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
