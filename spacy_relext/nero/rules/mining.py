"""Frequent words between two entities: candidates for rules, for a person to name.

A candidate is the types of two entities and the words between them. Candidates are ranked by how often they occur and
by how much words and types belong together: G², the log-likelihood ratio of both against their independence (Dunning,
Computational Linguistics 1993). Those whose words are alike stand together, so that a group can be named at once.
"""

import csv
from collections import Counter, defaultdict
from math import log
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple
from typing import Counter as Counted

from spacy.tokens import Doc
from spacy.util import minibatch

from ...corpora.formats.sources import Item, read_lines
from ...pairs.pairs import Pairs
from ...pairs.suggesters import Suggester
from .patterns import SUBJECT, Pattern

BATCH = 256

ALIKE = 0.5

COLUMNS = ("relation", "reversed", "pattern", "count", "association", "group", "examples")

BETWEEN_EXAMPLES = " | "

Key = Tuple[str, Tuple[str, ...], str]


def association(both: int, first: int, second: int, total: int) -> float:
    """G² of a table of two by two, negative where both occur together less than by chance.

    both (int): How often both occur.
    first (int): How often the first occurs.
    second (int): How often the second occurs.
    total (int): Of how many.
    RETURNS (float): 0 for independence.
    """
    cells = ((both, first, second), (first - both, first, total - second))
    rest = ((second - both, total - first, second), (total - first - second + both, total - first, total - second))
    ratio = 2 * sum(found * log(found * total / (row * column)) for found, row, column in (*cells, *rest) if found > 0)
    return max(ratio, 0.0) if both * total >= first * second else -max(ratio, 0.0)


class MinedPattern(NamedTuple):
    """A candidate.

    pattern (Pattern): With the left entity as subject.
    times (int): How often it occurs.
    association (float): G² of its words and its types, with the sign of the association; 0 where all pairs have the
        same types.
    group (int): Candidates with like words have the same number, from 1, the group that occurs most first.
    examples (Tuple[str, ...]): Sentences with it.
    """

    pattern: Pattern
    times: int
    association: float
    group: int
    examples: Tuple[str, ...]


def mine_patterns(
    docs: Iterable[Doc],
    *,
    suggester: Suggester,
    longest: int = 6,
    least: int = 3,
    top: int = 0,
    examples: int = 2,
) -> List[MinedPattern]:
    """Find what stands between entities again and again.

    docs (Iterable[Doc]): The corpus, with entities.
    suggester (Suggester): Chooses the pairs; of both orders of a pair, that of the text counts.
    longest (int): Most words between two entities.
    least (int): How often a candidate must occur.
    top (int): How many are kept; 0 for all.
    examples (int): Sentences kept for each.
    RETURNS (List[MinedPattern]): Group by group.
    """
    counts: Counted[Key] = Counter()
    seen: Dict[Key, List[str]] = defaultdict(list)
    for batch in minibatch(docs, BATCH):
        pairs = suggester(batch)
        for number, key in keys_of(pairs, longest=longest):
            counts[key] += 1
            keep_sentence(seen[key], pairs, number, most=examples)
    words, kinds = Counter[Tuple[str, ...]](), Counter[Tuple[str, str]]()
    for (left, between, right), count in counts.items():
        words[between] += count
        kinds[left, right] += count
    total = sum(counts.values())
    kept = [key for key, count in counts.items() if count >= least and says_something(key)]
    strength = {k: association(counts[k], words[k[1]], kinds[k[0], k[2]], total) for k in kept}
    ranked = sorted(kept, key=lambda key: (-counts[key] * max(strength[key], 1.0), key))[: top or None]
    mined = []
    for number, members in enumerate(group_keys(ranked, counts), start=1):
        for key in members:
            mined.append(MinedPattern(pattern_of(key), counts[key], strength[key], number, tuple(seen[key])))
    return mined


def write_patterns(mined: Sequence[MinedPattern], path: Path) -> None:
    """Write candidates for a person to name: `relation` from left to right, or `reversed` from right to left.

    mined (Sequence[MinedPattern]): The candidates.
    path (Path): Gets tab-separated lines.
    """
    rows = []
    for each in mined:
        examples = BETWEEN_EXAMPLES.join(each.examples)
        figures = (str(each.times), f"{each.association:.1f}", str(each.group))
        rows.append(("", "", str(each.pattern), *figures, examples))
    write_table(path, COLUMNS, rows)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write what `read_patterns` reads.

    path (Path): Gets tab-separated lines.
    columns (Sequence[str]): Names of the columns.
    rows (Iterable[Sequence[str]]): A cell for each; spaces of any kind become single ones, so that no tab is left.
        Those with a quotation mark are quoted, as spreadsheet programs read and write them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([" ".join(cell.split()) for cell in cells] for cells in (columns, *rows))


def read_patterns(path: Path) -> Iterator[Item]:
    """Read what a person has filled in.

    path (Path): What `write_patterns` wrote; `id` and `weight` are read too, further columns and their order do not
        matter.
    YIELDS (Item): With `relation`, `pattern` and, where they are given, `id` and `weight`, for each line that names a
        relation; one that names two gives two.
    """
    header: Optional[List[str]] = None
    for item in read_lines(path, comment="#"):
        if item.error:
            yield item
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([item.value], delimiter="\t"))]
        except csv.Error as error:
            yield Item(item.path, item.line, error=f"no line of a table: {error}")
            continue
        if header is None:
            header = cells
            if "pattern" not in header or not {"relation", "reversed"} & set(header):
                yield Item(
                    item.path, item.line, error=f"columns: {', '.join(header)}; expected {', '.join(COLUMNS[:3])}"
                )
                return
            continue
        row = dict(zip(header, cells))
        for column, turned in (("relation", False), ("reversed", True)):
            if row.get(column):
                yield _rule_of(item, row, column, turned=turned)


def _rule_of(item: Item, row: Mapping[str, str], column: str, *, turned: bool) -> Item:
    """Make a rule of a line."""
    pattern = row.get("pattern", "")
    rule: Dict[str, Any] = {"relation": row[column], "pattern": _turn(pattern) if turned else pattern}
    if row.get("id"):
        # a line that names two relations is two rules
        rule["id"] = f"{row['id']}-reversed" if turned and row.get("relation") else row["id"]
    if row.get("weight"):
        try:
            rule["weight"] = float(row["weight"])
        except ValueError:
            return Item(item.path, item.line, error=f"weight is {row['weight']!r}; expected a number above 0")
    return Item(item.path, item.line, rule)


def _turn(pattern: str) -> str:
    """Exchange the masks of a pattern."""
    roles = {"SUBJ-": "OBJ-", "OBJ-": "SUBJ-"}
    words = [next((new + w[len(old) :] for old, new in roles.items() if w.startswith(old)), w) for w in pattern.split()]
    return " ".join(words)


def keys_of(pairs: Pairs, *, longest: int) -> Iterator[Tuple[int, Key]]:
    """Find types and words of pairs, in the order of the text.

    pairs (Pairs): The pairs; of both orders of a pair, that of the text counts.
    longest (int): Most words between two entities.
    YIELDS (Tuple[int, Key]): Number of a pair, type of the left entity, words, type of the right one. A pair with a
        line break or further spaces between its entities is left out: no rule can say them.
    """
    for number, left, right, kinds in pairs.by_position():
        if 0 <= right[0] - left[1] <= longest:
            between = pairs.docs[pairs.doc[number]][left[1] : right[0]]
            if not any(token.is_space for token in between):
                yield number, (kinds[0], tuple(token.text for token in between), kinds[1])


def says_something(key: Key) -> bool:
    """RETURNS (bool): Whether there is a letter in a candidate's words."""
    return any(_is_word(word) for word in key[1])


def pattern_of(key: Key) -> Pattern:
    """RETURNS (Pattern): A candidate's types and words, the left entity as subject."""
    left, words, right = key
    return Pattern(SUBJECT, (), words, (), *(frozenset([kind]) if kind else None for kind in (left, right)))


def keep_sentence(kept: List[str], pairs: Pairs, number: int, *, most: int) -> None:
    """Keep the sentence of a pair as an example, unless it is there or there are enough.

    kept (List[str]): Gets it.
    pairs (Pairs): The pairs.
    number (int): Which.
    most (int): How many are enough.
    """
    if len(kept) < most:
        start, end = pairs.text[number].tolist()
        sentence = pairs.docs[pairs.doc[number]][start:end].text
        if sentence not in kept:
            kept.append(sentence)


def _is_word(word: str) -> bool:
    """Say whether there is a letter in a word."""
    return any(character.isalpha() for character in word)


def group_keys(ranked: Sequence[Key], counts: Mapping[Key, int]) -> List[List[Key]]:
    """Put candidates together whose words are like those of a group's first one; words that many have count less.

    ranked (Sequence[Key]): The candidates, the best first.
    counts (Mapping[Key, int]): How often each occurs.
    RETURNS (List[List[Key]]): The groups, the one that occurs most first.
    """
    spread = Counter(word for key in ranked for word in _words(key))
    weights = {word: log(1 + len(ranked) / found) for word, found in spread.items()}
    groups: List[List[Key]] = []
    by_word: Dict[str, List[int]] = defaultdict(list)
    for key in ranked:
        words = _words(key)
        near = sorted({number for word in words for number in by_word[word]})
        number = next((n for n in near if _overlap(words, _words(groups[n][0]), weights) >= ALIKE), len(groups))
        if number == len(groups):
            groups.append([])
            for word in words:
                by_word[word].append(number)
        groups[number].append(key)
    return sorted(groups, key=lambda group: -sum(counts[key] for key in group))


def _words(key: Key) -> Set[str]:
    """The words of a candidate without its punctuation."""
    return {word.lower() for word in key[1] if _is_word(word)}


def _overlap(words: Set[str], others: Set[str], weights: Mapping[str, float]) -> float:
    """Jaccard's measure of two sets of words with weights."""
    return sum(weights[word] for word in words & others) / sum(weights[word] for word in words | others)
