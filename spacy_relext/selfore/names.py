"""Names of clusters of entity pairs, from the words between the two entities.

The score of an n-gram is its share of the cluster's texts times ln(1 + n): SelfORE's most frequent n-gram with a
preference for longer ones. With `others` it is also multiplied by its rarity in other clusters (class-based TF-IDF).

Source: Hu et al., EMNLP 2020, section 3.4, which specifies neither the length of n-grams nor how ties are broken.
"""

from collections import Counter
from math import log
from typing import Collection, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy

from ..pairs.pairs import Pairs

MAX_NGRAM = 5

# Longer gaps say little about the two entities.
MAX_GAP = 10

# Least number, and least share, of a cluster's texts with a name's n-gram.
MIN_TEXTS, MIN_SHARE = 3, 0.1

Words = Tuple[str, ...]


class NGram(NamedTuple):
    """A candidate for a name: words in lower case, number of the cluster's texts with them, and score."""

    words: Words
    texts: int
    score: float


def words_between(pairs: Pairs) -> List[Words]:
    """Collect the lower-case words between the arguments of each pair, in text order; none if there are too many."""
    gaps = []
    for number in range(len(pairs)):
        doc, _, end, start, _ = pairs.place(number)
        words = tuple(token.lower_ for token in pairs.docs[doc][end : max(end, start)] if not token.is_space)
        gaps.append(words if len(words) <= MAX_GAP else ())
    return gaps


def count_ngrams(gaps: Iterable[Words]) -> "Counter[Words]":
    """Count the texts with each n-gram in the words between arguments."""
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
    """Rank the n-grams of a cluster by their score; ties: longer ones first, then alphabetically.

    counts (Mapping[Words, int]): From `count_ngrams`.
    texts (int): Number of texts with words between the arguments.
    stop (Collection[str]): Stop words; n-grams of only these and punctuation are left out.
    others (Optional[Mapping[Words, int]]): Counts over all clusters, including this one; None: ignored.
    clusters (int): Number of clusters in `others`.
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
    """Rank the frequent n-grams of each cluster as its names.

    gaps (Sequence[Words]): From `words_between`. Shape (N,)
    labels (Sequence[int]): Cluster of each pair; below 0 for none. Shape (N,)
    count (int): Number of clusters.
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
        frequent = {w: n for w, n in own.items() if n >= least and _is_word(w[0]) and _is_word(w[-1])}
        names.append(rank_ngrams(frequent, texts=texts, stop=stop, others=total, clusters=count))
    return names


def object_first_clusters(backwards: Sequence[bool], labels: Sequence[int], *, count: int) -> List[bool]:
    """Mark the clusters with more pairs whose object comes first, `backwards`, than others."""
    balance = numpy.bincount(labels, weights=numpy.where(backwards, 1.0, -1.0), minlength=count)
    return [number > 0 for number in balance.tolist()]


def name_types(types: Sequence[Tuple[str, str]], labels: Sequence[int], *, count: int) -> List[str]:
    """Return the entity types of each cluster, such as "PERSON PLACE"; "" if no two are those of half of its pairs.

    types (Sequence[Tuple[str, str]]): Of both arguments of each pair; "" for none. Shape (N,)
    labels (Sequence[int]): Cluster of each pair; below 0 for none. Shape (N,)
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


def _is_word(token: str) -> bool:
    """Return True if a token has a letter or digit."""
    return any(map(str.isalnum, token))
