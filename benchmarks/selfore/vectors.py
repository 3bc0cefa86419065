"""Clustering methods on the same vectors: those of a pipeline before any learning, computed once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import spacy
import torch
from spacy.util import minibatch

from benchmarks.harness.pairs import read_examples
from benchmarks.harness.runs import digest
from benchmarks.selfore.abstain import BATCH, NONE
from spacy_relext.scoring.clusters import score_clusters
from spacy_relext.selfore.clustering.count import Choice, choose_count, count_grid
from spacy_relext.selfore.loop import find_clusters
from spacy_relext.selfore.settings import SelforeClustering
from spacy_relext.selfore.table import keys_of


class Vectors(NamedTuple):
    """The pairs of a corpus, in its order.

    pairs (numpy.ndarray): Vectors in half precision. Shape (N, F)
    gold (list[str]): Relation of each pair.
    distinct (numpy.ndarray): Numbers of the pairs that training clusters, each text and pair once, in its order.
    settings (SelforeClustering): How they are clustered.
    """

    pairs: numpy.ndarray
    gold: list[str]
    distinct: numpy.ndarray
    settings: SelforeClustering


def read_vectors(pipeline: Path, corpus: Path, *, threads: int) -> Vectors:
    """Encode pairs with the encoder of a pipeline, or read their stored vectors."""
    nlp = spacy.load(pipeline)
    clusterer: Any = nlp.get_pipe("selfore_clusterer")
    path = pipeline.parent.parent / f"vectors-{digest(corpus)}.npz"
    if not path.exists():
        torch.set_num_threads(threads)
        rows, gold, keys = [], [], []
        for batch in minibatch(read_examples(nlp, corpus), BATCH):
            pairs = clusterer.suggest([example.predicted for example in batch])
            rows.append(clusterer.forward(pairs).vector.astype("float16"))
            relations = [[triple.relation for triple in example.reference._.triples] for example in batch]
            gold += [next(iter(relations[doc]), NONE) for doc in pairs.doc.tolist()]
            keys += keys_of(pairs)
        first = {key: number for number, key in reversed(list(enumerate(keys)))}
        distinct = numpy.asarray([first[key] for key in sorted(first)])
        numpy.savez(path, pairs=numpy.concatenate(rows), gold=numpy.asarray(gold), distinct=distinct)
    arrays = numpy.load(path)
    return Vectors(arrays["pairs"], arrays["gold"].tolist(), arrays["distinct"], clusterer.clustering)


def cluster_vectors(vectors: Vectors, count: int, changes: Mapping[str, Any], *, seed: int) -> dict[str, float]:
    """Cluster with some settings, and score the clusters to which the resulting model assigns the same pairs.

    changes (Mapping[str, Any]): Settings of the clustering that replace those of the vectors.
    RETURNS (dict[str, float]): Scores of clusters, `information`, and `cluster_seconds` of processor time.
    """
    start = time.process_time()
    settings, distinct = replace(vectors.settings, seed=seed, **changes), vectors.pairs[vectors.distinct]
    clustering = find_clusters(distinct, count, settings=settings)
    seconds = time.process_time() - start
    clusters = clustering.space.logits(clustering.space.codes(vectors.pairs)).argmax(1).tolist()
    scores = score_clusters(vectors.gold, clusters)
    return {**scores, "information": clustering.information, "cluster_seconds": seconds}


def count_clusters(vectors: Vectors, most: int, *, seed: int) -> Choice:
    """Choose the number of clusters as the component does.

    most (int): The largest number that is tried.
    RETURNS (Choice): The number, and what was tried.
    """
    pairs = vectors.pairs[vectors.distinct]
    return choose_count(pairs, count_grid(2, most), seed=seed)
