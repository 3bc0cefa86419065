"""Candidate rules: frequent patterns between two entities, for a person to label.

A candidate is the types of two entities and the words between them.
"""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Counter as CounterType
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from spacy.tokens import Doc
from spacy.util import minibatch

from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .patterns import SUBJECT, Pattern
from .rules import TABLE_COLUMNS, write_table

BATCH = 256

# Type of the left entity, words between, type of the right entity.
Key = Tuple[str, Tuple[str, ...], str]


class MinedPattern(NamedTuple):
    """A frequent pattern, with the left entity as subject."""

    pattern: Pattern
    times: int
    examples: Tuple[str, ...]  # sentences


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
    RETURNS (List[MinedPattern]): The most frequent first.
    """
    counts: CounterType[Key] = Counter()
    sentences: Dict[Key, List[str]] = defaultdict(list)
    for batch in minibatch(docs, BATCH):
        pairs = suggester(batch)
        for number, key in _pair_keys(pairs, longest):
            counts[key] += 1
            _add_sentence(sentences[key], pairs, number, examples)
    # with a word between the entities, not only punctuation and numbers
    frequent = [key for key, count in counts.items() if count >= least and any(map(str.isalpha, "".join(key[1])))]
    ranked = sorted(frequent, key=lambda key: (-counts[key], key))[: top or None]
    return [MinedPattern(_key_pattern(key), counts[key], tuple(sentences[key])) for key in ranked]


def write_patterns(mined: Sequence[MinedPattern], path: Path) -> None:
    """Write patterns as a table: a person fills in `relation`, or `reversed` if the right entity is the subject."""
    rows = [("", "", str(each.pattern), str(each.times), " | ".join(each.examples)) for each in mined]
    write_table(path, (*TABLE_COLUMNS, "count", "examples"), rows)


def _pair_keys(pairs: Pairs, longest: int) -> Iterator[Tuple[int, Key]]:
    """Yield pairs and their keys, without the white space that patterns do not contain."""
    for number, left, right, types in pairs.by_position():
        if left[1] <= right[0]:
            between = pairs.docs[pairs.doc[number]][left[1] : right[0]]
            words = tuple(token.text for token in between if not token.is_space)
            if len(words) <= longest:
                yield number, (types[0], words, types[1])


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
