"""Pairs that state nothing, mixed into a corpus, and the clusters to which pairs are assigned.

A pair without a relation keeps one argument of a text of the data set, and has a run of capitalised tokens in place of
the other, both chosen at random. The run overlaps no mention of an argument, is more than the first token of the text,
and not a single letter. Nobody has checked that the text states nothing about such a pair: some state a relation that
the data set does not have, and some one that it has.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.util import minibatch

from benchmarks.harness.pairs import read_examples
from benchmarks.selfore.corpora import ClusterMaker, Marked

SHARE = 0.3
BATCH = 256
NONE = ""
Place = tuple[int, int]


def mixed_corpus(maker: ClusterMaker, name: str) -> Path:
    """Write a corpus in which three pairs in ten state nothing."""
    return maker.written(f"{name}-mixed", lambda: with_unrelated(maker.pairs(name)))


def with_unrelated(pairs: Sequence[Marked]) -> list[Marked]:
    """RETURNS (list[Marked]): These pairs, then pairs that state nothing, up to three in ten of all."""
    others = list(unrelated(pairs, seed=0))
    return [*pairs, *others[: round(len(pairs) * SHARE / (1 - SHARE))]]


def unrelated(pairs: Sequence[Marked], *, seed: int) -> Iterator[Marked]:
    """Yield a pair without a relation for each text that allows one."""
    rng = random.Random(seed)
    annotated = {(*each.words, places) for each in pairs for places in [frozenset((each.subject, each.object))]}
    for pair in pairs:
        capitals = capitalised(pair.words, (pair.subject, pair.object, *pair.mentions))
        if not capitals:
            continue
        place = rng.choice(capitals)
        subject, obj = (place, pair.object) if rng.random() < 0.5 else (pair.subject, place)
        if (*pair.words, frozenset((subject, obj))) not in annotated:
            yield Marked(pair.words, subject, obj, NONE)


def capitalised(words: Sequence[str], taken: Sequence[Place]) -> list[Place]:
    """RETURNS (list[Place]): Runs of capitalised tokens that overlap no place in `taken`."""
    upper = [word[:1].isupper() for word in words]
    starts = [at for at, is_upper in enumerate(upper) if is_upper and not (at and upper[at - 1])]
    runs = [(at, next((end for end in range(at, len(upper)) if not upper[end]), len(upper))) for at in starts]
    return [
        (start, end)
        for start, end in runs
        if end > 1 and len(" ".join(words[start:end])) > 1 and not any(start < e and s < end for s, e in taken)
    ]


def evaluate_pairs(nlp: Language, corpus: Path) -> dict[str, Any]:
    """Assign the pairs of a corpus to clusters.

    RETURNS (dict[str, Any]): `gold`, `clusters` and `score`, each a list with one entry per pair; `names` of the
        clusters, from 1.
    """
    clusterer: Any = nlp.get_pipe("selfore_clusterer")
    evaluated: dict[str, list[Any]] = {key: [] for key in ("gold", "clusters", "score")}
    evaluated["names"] = list(clusterer.labels)
    for batch in minibatch(read_examples(nlp, corpus), BATCH):
        pairs = clusterer.suggest([example.predicted for example in batch])
        outputs = clusterer.run(pairs)
        clusters, score = clusterer.choose(pairs, outputs)
        gold = [[triple.relation for triple in example.reference._.triples] for example in batch]
        evaluated["gold"] += [next(iter(gold[doc]), NONE) for doc in pairs.doc.tolist()]
        evaluated["clusters"] += clusters.tolist()
        evaluated["score"] += score.tolist()
    return evaluated
