"""Evaluation of link prediction: filtered, realistic ranks of entities and relations, MRR and hits@k."""

from typing import Dict, List, Optional, Sequence

import numpy
import torch
from numpy.typing import ArrayLike, NDArray

from .embeddings import KbEmbeddings
from .facts import Triples

QUERIES_AT_ONCE = 256
HITS = (1, 3, 10)

Integers = NDArray[numpy.int64]
Floats = NDArray[numpy.float64]


class KnownAnswers:
    """All true facts, which filtered ranks leave out. Shape (N, 3); r + R is the reciprocal of relation r of R."""

    def __init__(self, triples: Triples, *, n_relations: int) -> None:
        subject, relation, obj = triples.astype(numpy.int64).T
        self._width = 2 * n_relations
        keys = numpy.concatenate([subject * self._width + relation, obj * self._width + relation + n_relations])
        order = numpy.argsort(keys, kind="stable")
        self._keys, self._answers = keys[order], numpy.concatenate([obj, subject])[order]
        self._span = int(max(subject.max(initial=0), obj.max(initial=0))) + 1
        pairs = subject * self._span + obj
        order = numpy.argsort(pairs, kind="stable")
        self._pairs, self._relations = pairs[order], relation[order]

    def of_queries(self, entities: Integers, relations: Integers) -> List[Integers]:
        """Look up the answers to (entity, relation, ?); relations may be reciprocal."""
        return _look_up(entities * self._width + relations, self._keys, self._answers)

    def of_pairs(self, subjects: Integers, objects: Integers) -> List[Integers]:
        """Look up the relations between entities."""
        return _look_up(subjects * self._span + objects, self._pairs, self._relations)


def _look_up(wanted: Integers, keys: Integers, values: Integers) -> List[Integers]:
    """Return the values of each wanted key; the keys are sorted."""
    starts, ends = (numpy.searchsorted(keys, wanted, side=side).tolist() for side in ("left", "right"))
    return [values[start:end] for start, end in zip(starts, ends)]


@torch.no_grad()
def evaluate_links(model: KbEmbeddings, triples: Triples, known: KnownAnswers) -> Dict[str, Optional[float]]:
    """Predict the object, the subject and the relation of facts, and score the ranks of the true ones. Shape (N, 3)

    RETURNS (Dict[str, Optional[float]]): `entities_mrr`, `entities_hits_1` and so on, over objects and subjects, and
        the same for `relations`.
    """
    entities: List[Floats] = []
    relations: List[Floats] = []
    for start in range(0, len(triples), QUERIES_AT_ONCE):
        batch = triples[start : start + QUERIES_AT_ONCE].astype(numpy.int64)
        subject, relation, obj = batch.T
        subjects, names, objects = torch.from_numpy(batch).to(model.entities.device).unbind(1)
        scores = model.score_objects(subjects, names).cpu().numpy()
        entities.append(realistic_ranks(scores, obj, known.of_queries(subject, relation)))
        scores = model.score_subjects(names, objects).cpu().numpy()
        entities.append(realistic_ranks(scores, subject, known.of_queries(obj, relation + model.n_relations)))
        scores = model.score_relations(subjects, objects).cpu().numpy()
        relations.append(realistic_ranks(scores, relation, known.of_pairs(subject, obj)))
    none = numpy.zeros(0)
    return {
        **rank_metrics(numpy.concatenate(entities or [none]), kind="entities"),
        **rank_metrics(numpy.concatenate(relations or [none]), kind="relations"),
    }


def realistic_ranks(scores: NDArray[numpy.floating], gold: ArrayLike, known: Sequence[ArrayLike] = ()) -> Floats:
    """Rank the gold answer of each query, from 1; among equal scores it has the mean rank. Shapes (B, E), (B,) → (B,)

    known (Sequence[ArrayLike]): True answers of each query, which are filtered; empty: raw ranks.
    """
    answers = numpy.asarray(gold)
    rows = numpy.arange(len(answers))
    own = scores[rows, answers][:, None]
    better, equal = scores > own, scores == own
    if len(known):
        queries = numpy.repeat(rows, [numpy.size(each) for each in known])
        others = numpy.concatenate([numpy.asarray(each, dtype=numpy.int64) for each in known])
        better[queries, others] = equal[queries, others] = False
    equal[rows, answers] = False
    ranks: Floats = 1.0 + better.sum(1) + equal.sum(1) / 2.0
    return ranks


def rank_metrics(ranks: ArrayLike, *, kind: str) -> Dict[str, Optional[float]]:
    """Compute mean reciprocal rank and hits@k: `KIND_mrr`, `KIND_hits_1`, `_3` and `_10`; None without ranks."""
    values = numpy.asarray(ranks, dtype=numpy.float64)
    names = [f"{kind}_mrr", *(f"{kind}_hits_{k}" for k in HITS)]
    if not values.size:
        return dict.fromkeys(names)
    return dict(zip(names, [float((1.0 / values).mean()), *(float((values <= k).mean()) for k in HITS)]))
