"""Names of clusters of entity pairs, from the words between the two entities.

The score of an n-gram is its share of the cluster's texts times ln(1 + n), which is SelfORE's most frequent n-gram with
a preference for longer ones; with `others` also times its rarity in other clusters (class-based TF-IDF), so that "of
the" is no name. Names are for people: they may be wrong, and two clusters may have the same one.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020,
section 3.4, which specifies neither the length of n-grams nor how ties are broken.
"""

from collections import Counter
from math import log
from typing import Collection, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy

from ..pairs.pairs import Pairs

MAX_NGRAM = 5

# More words between two entities say little about the two.
MAX_GAP = 10

# Texts, and share of the texts, in which an n-gram has to occur.
MIN_TEXTS, MIN_SHARE = 3, 0.1

Words = Tuple[str, ...]


class NGram(NamedTuple):
    """A candidate for a name.

    words (Tuple[str, ...]): In lower case.
    texts (int): Number of the cluster's texts with it.
    score (float): The higher, the better.
    """

    words: Words
    texts: int
    score: float


def words_between(pairs: Pairs) -> List[Words]:
    """Collect the words between the arguments of pairs, in text order.

    pairs (Pairs): The pairs.
    RETURNS (List[Tuple[str, ...]]): Words in lower case, one tuple a pair; empty if there are none or too many.
    """
    gaps = []
    for number in range(len(pairs)):
        doc, _, end, start, _ = pairs.place(number)
        words = tuple(token.lower_ for token in pairs.docs[doc][end : max(end, start)] if not token.is_space)
        gaps.append(words if len(words) <= MAX_GAP else ())
    return gaps


def count_ngrams(gaps: Iterable[Words]) -> "Counter[Words]":
    """Count the texts with each n-gram.

    gaps (Iterable[Tuple[str, ...]]): Words between arguments.
    RETURNS (Counter[Tuple[str, ...]]): Number of texts.
    """
    counts: Counter[Words] = Counter()
    for words in gaps:
        counts.update({words[i : i + n] for n in range(1, MAX_NGRAM + 1) for i in range(len(words) - n + 1)})
    return counts


def rank_ngrams(
    counts: Mapping[Words, int],
    *,
    texts: int,
    stop: Collection[str] = (),
    others: Optional[Mapping[Words, int]] = None,
    clusters: int = 1,
) -> List[NGram]:
    """Rank the n-grams of a cluster.

    counts (Mapping[Tuple[str, ...], int]): From `count_ngrams`.
    texts (int): Number of texts with words between the arguments.
    stop (Collection[str]): Stop words: n-grams of only these and punctuation are left out.
    others (Optional[Mapping[Tuple[str, ...], int]]): Counts over all clusters, including this one; None: ignored.
    clusters (int): Number of clusters in `others`.
    RETURNS (List[NGram]): The best first; ties: longer ones first, then alphabetically.
    """
    ngrams = []
    for words, count in counts.items():
        if all(word in stop or not _is_word(word) for word in words):
            continue
        score = count / texts * log(1 + len(words))
        if others is not None:
            # its share in this cluster, relative to that in equal clusters
            score *= log(1 + clusters * count / others[words]) / log(1 + clusters)
        ngrams.append(NGram(words, count, score))
    return sorted(ngrams, key=lambda each: (-each.score, -len(each.words), each.words))


def name_clusters(
    gaps: Sequence[Words], labels: Sequence[int], *, count: int, stop: Collection[str] = ()
) -> List[List[NGram]]:
    """Find names of clusters.

    gaps (Sequence[Tuple[str, ...]]): Words between the arguments of N pairs, from `words_between`.
    labels (Sequence[int]): Cluster of each; below 0 for none.
    count (int): K.
    stop (Collection[str]): Stop words.
    RETURNS (List[List[NGram]]): Names of each cluster, the best first; empty if no n-gram is frequent enough.
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
        least = max(MIN_TEXTS, MIN_SHARE * texts)
        frequent = {words: n for words, n in own.items() if n >= least and _is_name(words)}
        names.append(rank_ngrams(frequent, texts=texts, stop=stop, others=total, clusters=count))
    return names


def object_first_clusters(backwards: Sequence[bool], labels: Sequence[int], *, count: int) -> List[bool]:
    """Find the clusters in which the object of most pairs comes before their subject.

    backwards (Sequence[bool]): Whether it does in each of N pairs.
    labels (Sequence[int]): Cluster of each.
    count (int): K.
    RETURNS (List[bool]): One for each cluster; False if there are as many of both.
    """
    balance = numpy.bincount(labels, weights=numpy.where(backwards, 1.0, -1.0), minlength=count)
    return [number > 0 for number in balance.tolist()]


def name_types(types: Sequence[Tuple[str, str]], labels: Sequence[int], *, count: int) -> List[str]:
    """Find the entity types of the pairs of each cluster.

    types (Sequence[Tuple[str, str]]): Of both arguments of N pairs; "" for none.
    labels (Sequence[int]): Cluster of each; below 0 for none.
    count (int): K.
    RETURNS (List[str]): Such as "PERSON PLACE"; "" if no two types are those of half of the pairs.
    """
    members: List[Counter[Tuple[str, str]]] = [Counter() for _ in range(count)]
    for kinds, label in zip(types, labels):
        if label >= 0:
            members[label][kinds] += 1
    names = []
    for each in members:
        kinds, most = max(each.items(), key=lambda item: (item[1], item[0]), default=(("", ""), 0))
        names.append(" ".join(kinds) if all(kinds) and 2 * most >= sum(each.values()) else "")
    return names


def _is_name(words: Words) -> bool:
    """Return True if an n-gram neither starts nor ends with punctuation."""
    return _is_word(words[0]) and _is_word(words[-1])


def _is_word(token: str) -> bool:
    """Return True if a token has a letter or digit."""
    return any(map(str.isalnum, token))
