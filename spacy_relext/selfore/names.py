"""Names of clusters of entity pairs: phrases that are characteristic of the contexts of the pairs, else a sample.

How characteristic a phrase is of a cluster is its keyness: the root of the log-likelihood ratio of two rates, those of
texts with the phrase in the cluster and in all others (Dunning, "Accurate Methods for the Statistics of Surprise and
Coincidence", Computational Linguistics 1993), below 0 if it is rarer in the cluster:

    G² = 2 Σ O log (O / E)        over the texts in and outside of the cluster, with the phrase and without

Hu et al., EMNLP 2020, section 3.4, take the most frequent n-gram between the arguments instead, such as "of the".
"""

from collections import Counter
from math import copysign, log, sqrt
from typing import Collection, Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from spacy.util import get_lang_class

Words = Tuple[str, ...]

# Maximum number of words in a phrase.
MAX_WORDS = 4

# Minimum keyness of a phrase (2: p < 0.05), and minimum number of a cluster's texts with it.
MIN_KEYNESS, MIN_TEXTS = 2.0, 3

# A phrase with more function words is preferred if this share of the texts contains it, too: "born in" to "born".
LONGER = 0.6

# Phrases are added to a name until this share of the texts contains one; none are used if fewer than MIN_SHARE do.
ENOUGH, MIN_SHARE = 0.5, 0.1

# Maximum number of phrases in a name, of characters in these, and of phrases in a cluster's record.
MAX_PHRASES, MAX_CHARACTERS, SHOWN_PHRASES = 3, 40, 5

SEPARATOR, SAMPLE = " / ", "like "

# Function words that may end a phrase.
ENDINGS: Dict[str, str] = {
    "de": "an auf aus bei durch für gegen in mit nach neben über um unter von vor zu zwischen",
    "en": "about after against among as at before behind between by during for from in inside into near of off on onto "
    "out over through to toward towards under up upon with within without",
    "es": "a ante bajo con contra de desde en entre hacia hasta para por según sobre",
    "fr": "à avec chez contre dans de depuis en entre par pour sous sur vers",
}


class Phrase(NamedTuple):
    """Words that may name a cluster, the number of the cluster's texts with them, and their keyness."""

    words: Words
    texts: int
    keyness: float

    def __str__(self) -> str:
        return " ".join(self.words)


class Lexicon(NamedTuple):
    """Stop words of a language, and those of them that may end a phrase."""

    stop: Collection[str]
    endings: Collection[str]

    def content(self, phrase: Phrase) -> List[str]:
        """Return the content words."""
        return [word for word in phrase.words if is_content(word, self.stop)]


class Cluster(NamedTuple):
    """Summary of a cluster, from which its name is made.

    texts (Dict[int, List[Words]]): Words of the pairs of each text.
    types (str): Entity types of at least half of its pairs, such as "PERSON PLACE"; "" for none.
    sample (str): The pair that fits best; "" if there is no pair.
    object_first (bool): Whether the object comes first in most of its pairs.
    """

    texts: Dict[int, List[Words]]
    types: str = ""
    sample: str = ""
    object_first: bool = False


def is_content(word: str, stop: Collection[str]) -> bool:
    """Return True for a content word."""
    return bool(word) and word not in stop


def lexicon_of(lang: str) -> Lexicon:
    """Return the lexicon of a language code; "" for none."""
    endings = frozenset(ENDINGS.get(lang, "").split())
    return Lexicon(endings.union(get_lang_class(lang).Defaults.stop_words if lang else ()), endings)


def count_phrases(texts: Iterable[Sequence[Words]], lexicon: Lexicon) -> "Counter[Words]":
    """Count the texts with each phrase: it begins with a content word, and ends with one or with one of `endings`."""
    counts: Counter[Words] = Counter()
    for pairs in texts:
        counts.update({phrase for words in pairs for phrase in _phrases(words, lexicon)})
    return counts


def keyness(own: int, texts: int, total: int, all_texts: int) -> float:
    """Compute the root of G², below 0 if the phrase is rarer in the cluster than in the others.

    own, total (int): Texts with the phrase, of the cluster and of all clusters.
    texts, all_texts (int): Texts of the cluster, and of all clusters.
    """
    share = total / all_texts
    cells = [
        (own, texts * share),
        (texts - own, texts * (1 - share)),
        (total - own, (all_texts - texts) * share),
        (all_texts - texts - total + own, (all_texts - texts) * (1 - share)),
    ]
    g2 = 2 * sum(observed * log(observed / expected) for observed, expected in cells if observed)
    return copysign(sqrt(max(g2, 0.0)), own - texts * share)


def rank_phrases(clusters: Sequence[Cluster], lexicon: Lexicon) -> List[List[Phrase]]:
    """Rank the characteristic phrases of each cluster; no two of a cluster share a content word."""
    counts = [count_phrases(each.texts.values(), lexicon) for each in clusters]
    total: Counter[Words] = Counter()
    for each in counts:
        total.update(each)
    all_texts = sum(len(each.texts) for each in clusters)
    ranked = []
    for cluster, own in zip(clusters, counts):
        sizes = len(cluster.texts), all_texts
        phrases = [
            Phrase(words, number, keyness(number, sizes[0], total[words], sizes[1]))
            for words, number in own.items()
            if number >= MIN_TEXTS
        ]
        phrases.sort(key=lambda each: (-each.keyness, len(lexicon.content(each)), -len(each.words), each.words))
        ranked.append(_distinct([each for each in phrases if each.keyness >= MIN_KEYNESS], lexicon))
    return ranked


def name_clusters(
    clusters: Sequence[Cluster], phrases: Sequence[Sequence[Phrase]], lexicon: Lexicon, *, taken: Collection[str] = ()
) -> List[str]:
    """Name each cluster by its characteristic phrases, else by its sample; "" if it has no pair.

    Names are unique. Clusters are named in the order of their highest keyness; later ones may use the same words only
    with other entity types, which are then part of the name.

    phrases (Sequence[Sequence[Phrase]]): From `rank_phrases`.
    taken (Collection[str]): Names that are already in use.
    """
    names, used = [""] * len(clusters), set(taken)
    owners: Dict[str, Set[str]] = {}  # entity types of the clusters that each word names
    keyness_of = [max((phrase.keyness for phrase in each), default=0.0) for each in phrases]
    for number in sorted(range(len(clusters)), key=lambda number: (-keyness_of[number], number)):
        cluster = clusters[number]
        if not cluster.sample:
            continue
        free = [each for each in phrases[number] if not any(cluster.types in owners.get(w, ()) for w in each.words)]
        chosen = _choose(free, cluster)
        content = {word for each in chosen for word in lexicon.content(each)}
        name = SEPARATOR.join(map(str, chosen)) or SAMPLE + cluster.sample
        if cluster.types and any(word in owners for word in content):
            name += f" ({cluster.types})"
        if cluster.object_first:
            name += " (object first)"
        names[number] = name if name not in used else f"{name} #{number}"
        used.add(names[number])
        for word in content:
            owners.setdefault(word, set()).add(cluster.types)
    return names


def _choose(phrases: Sequence[Phrase], cluster: Cluster) -> List[Phrase]:
    """Choose phrases greedily, each the one in most of the remaining texts; none if few texts contain one."""
    chosen: List[Phrase] = []
    left = list(cluster.texts.values())
    while len(chosen) < MAX_PHRASES and len(left) > (1 - ENOUGH) * len(cluster.texts):
        best, rest = None, left
        for phrase in phrases:
            without = [words for words in left if not any(_contains(each, phrase.words) for each in words)]
            fits = len(SEPARATOR.join(map(str, [*chosen, phrase]))) <= MAX_CHARACTERS
            if fits and len(without) < len(rest):
                best, rest = phrase, without
        if best is None or len(left) - len(rest) < MIN_TEXTS:
            break
        chosen.append(best)
        left = rest
    return chosen if len(cluster.texts) - len(left) >= MIN_SHARE * len(cluster.texts) else []


def _distinct(phrases: Sequence[Phrase], lexicon: Lexicon) -> List[Phrase]:
    """Leave out phrases that share a content word with a better one; prefer longer ones if that costs few texts."""
    distinct: List[Phrase] = []
    seen: Set[str] = set()
    for phrase in phrases:
        content = lexicon.content(phrase)
        if len(distinct) == SHOWN_PHRASES or not seen.isdisjoint(content):
            continue
        longer = [p for p in phrases if lexicon.content(p) == content and p.texts >= LONGER * phrase.texts]
        distinct.append(max(longer, key=lambda each: (len(each.words), each.keyness)))
        seen.update(content)
    return distinct


def _phrases(words: Words, lexicon: Lexicon) -> Iterable[Words]:
    for start, first in enumerate(words):
        if not is_content(first, lexicon.stop):
            continue
        for end in range(start + 1, min(start + MAX_WORDS, len(words)) + 1):
            last = words[end - 1]
            if not last:
                break
            if last not in lexicon.stop or last in lexicon.endings:
                yield words[start:end]


def _contains(words: Words, phrase: Words) -> bool:
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1))
