"""Names of clusters of entity pairs, from what stands between the two.

An n-gram of a cluster is scored by its share of the cluster's texts times ln(1 + n), which is SelfORE's most frequent
n-gram with a preference for longer ones; with `others` also by how rare it is elsewhere (class TF-IDF), so that "of
the" names nothing. Names are for people: they may be wrong, and two clusters may have the same one.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020,
section 3.4, which says neither how long an n-gram may be nor what decides between equals.
"""

from collections import Counter
from math import log
from typing import Collection, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ..pairs.pairs import Pairs

LONGEST_NGRAM = 5

# Words between two entities beyond which an n-gram says little of the two.
LONGEST_GAP = 10

# An n-gram that fewer texts of a cluster have, or a smaller share of them, does not name it.
LEAST_TEXTS, LEAST_SHARE = 3, 0.1

Words = Tuple[str, ...]


class NGram(NamedTuple):
    """A candidate for a name.

    words (Tuple[str, ...]): In lower case.
    texts (int): How many texts of the cluster have it.
    share (float): Of all texts of the cluster that have words between.
    score (float): The higher, the better.
    """

    words: Words
    texts: int
    share: float
    score: float


def words_between(pairs: Pairs) -> List[Words]:
    """Read what stands between the arguments of pairs, in the order of the text.

    pairs (Pairs): The pairs.
    RETURNS (List[Tuple[str, ...]]): Words in lower case, one tuple a pair; empty where there are none or too many.
    """
    found = []
    for number in range(len(pairs)):
        doc, _, end, start, _ = pairs.place(number)
        gap = pairs.docs[doc][end : max(end, start)]
        words = tuple(token.lower_ for token in gap if not token.is_space)
        found.append(words if len(words) <= LONGEST_GAP else ())
    return found


def count_ngrams(gaps: Iterable[Words], *, longest: int = LONGEST_NGRAM) -> "Counter[Words]":
    """Count in how many texts each n-gram is.

    gaps (Iterable[Tuple[str, ...]]): Words between arguments.
    longest (int): Most words of an n-gram.
    RETURNS (Counter[Tuple[str, ...]]): Each text counts once for an n-gram.
    """
    counts: Counter[Words] = Counter()
    for words in gaps:
        counts.update(_ngrams(words, longest))
    return counts


def rank_ngrams(
    counts: Mapping[Words, int],
    *,
    texts: int,
    stop: Collection[str] = (),
    others: Optional[Mapping[Words, int]] = None,
    clusters: int = 1,
) -> List[NGram]:
    """Rank the n-grams of one cluster.

    counts (Mapping[Tuple[str, ...], int]): From `count_ngrams`.
    texts (int): Texts of the cluster with words between.
    stop (Collection[str]): Words that say nothing: n-grams of them and of punctuation alone are left out.
    others (Optional[Mapping[Tuple[str, ...], int]]): Counts over all clusters, this one included; None: not compared.
    clusters (int): How many clusters these are of.
    RETURNS (List[NGram]): The best first; of equal ones the longer, then by the alphabet.
    """
    found = []
    for words, count in counts.items():
        if all(word in stop or not any(map(str.isalnum, word)) for word in words):
            continue
        score = count / texts * log(1 + len(words))
        if others is not None:
            # the share of its occurrences that is here, against one of equal clusters
            score *= log(1 + clusters * count / others[words]) / log(1 + clusters)
        found.append(NGram(words, count, count / texts, score))
    return sorted(found, key=lambda each: (-each.score, -len(each.words), each.words))


def name_clusters(
    gaps: Sequence[Words], labels: Sequence[int], *, count: int, stop: Collection[str] = ()
) -> List[List[NGram]]:
    """Name clusters.

    gaps (Sequence[Tuple[str, ...]]): What stands between the arguments of N pairs, from `words_between`.
    labels (Sequence[int]): Cluster of each; below 0 for none.
    count (int): K.
    stop (Collection[str]): As for `rank_ngrams`.
    RETURNS (List[List[NGram]]): Names of each cluster, the best first; none where nothing is said often enough.
    """
    members: List[List[Words]] = [[] for _ in range(count)]
    for words, label in zip(gaps, labels):
        if words and label >= 0:
            members[label].append(words)
    counts = [count_ngrams(each) for each in members]
    total: Counter[Words] = Counter()
    for each in counts:
        total.update(each)
    names = []
    for own, texts in zip(counts, map(len, members)):
        least = max(LEAST_TEXTS, LEAST_SHARE * texts)
        frequent = {words: found for words, found in own.items() if found >= least and _is_whole(words)}
        names.append(rank_ngrams(frequent, texts=texts, stop=stop, others=total, clusters=count))
    return names


def turned_clusters(backwards: Sequence[bool], labels: Sequence[int], *, count: int) -> List[bool]:
    """Say in which clusters most pairs have their object before their subject.

    backwards (Sequence[bool]): Whether each of N pairs has.
    labels (Sequence[int]): Cluster of each; below 0 for none.
    count (int): K.
    RETURNS (List[bool]): Of each cluster; of equally many it is false.
    """
    found = [0] * count
    for turned, label in zip(backwards, labels):
        if label >= 0:
            found[label] += 1 if turned else -1
    return [number > 0 for number in found]


def name_types(types: Sequence[Tuple[str, str]], labels: Sequence[int], *, count: int) -> List[str]:
    """Say which entity types the pairs of each cluster mostly have.

    types (Sequence[Tuple[str, str]]): Of both arguments of N pairs; "" for none.
    labels (Sequence[int]): Cluster of each; below 0 for none.
    count (int): K.
    RETURNS (List[str]): Such as "PERSON PLACE"; "" where no two types are those of half of the pairs.
    """
    members: List[Counter[Tuple[str, str]]] = [Counter() for _ in range(count)]
    for kinds, label in zip(types, labels):
        if label >= 0:
            members[label][kinds] += 1
    found = []
    for each in members:
        kinds, most = max(each.items(), key=lambda item: (item[1], item[0]), default=(("", ""), 0))
        found.append(" ".join(kinds) if all(kinds) and 2 * most >= sum(each.values()) else "")
    return found


def _is_whole(words: Words) -> bool:
    """Say whether an n-gram neither begins nor ends with punctuation."""
    return all(any(map(str.isalnum, word)) for word in (words[0], words[-1]))


def _ngrams(words: Words, longest: int) -> Set[Words]:
    """The different n-grams of a text."""
    return {words[first : first + size] for size in range(1, longest + 1) for first in range(0, len(words) - size + 1)}
