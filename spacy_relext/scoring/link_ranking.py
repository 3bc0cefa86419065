"""Link prediction: where the true answer of a question stands among all entities, or all relations.

Ranks are filtered (other answers that are known to be true do not count) and realistic (of equally good answers the
mean rank counts: the mean of the optimistic and the pessimistic one), after Berrendorf et al., 2020, "On the ambiguity
of rank-based evaluation of entity alignment or link prediction methods".
"""

from typing import Dict, Optional, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ranks = npt.NDArray[np.float64]
HITS = (1, 3, 10)


def realistic_ranks(scores: Floats, gold: Sequence[int], known: Sequence[npt.ArrayLike] = ()) -> Ranks:
    """Rank the true answer of each question.

    scores (NDArray): The higher the better. Shape (B, E)
    gold (Sequence[int]): Number of the answer that is asked for. Shape (B,)
    known (Sequence[ArrayLike]): Of each question the answers that are true, the one that is asked for or others.
        Empty: nothing is left out.
    RETURNS (NDArray): From 1. Shape (B,)
    """
    asked, rows = np.asarray(gold), np.arange(len(gold))
    own = scores[rows, asked][:, None]
    better, equal = scores > own, scores == own
    if len(known):
        at = np.repeat(rows, [np.size(each) for each in known])
        others = np.concatenate([np.asarray(each, dtype=np.int64) for each in known]) if len(at) else at
        better[at, others] = equal[at, others] = False
    equal[rows, asked] = False
    found: Ranks = 1.0 + better.sum(1) + equal.sum(1) / 2.0
    return found


def rank_scores(ranks: npt.ArrayLike, *, kind: str) -> Dict[str, Optional[float]]:
    """Summarise ranks.

    ranks (ArrayLike): From `realistic_ranks`.
    kind (str): What was ranked, "entities" or "relations": part of the names.
    RETURNS (Dict[str, Optional[float]]): `KIND_mrr`, and `KIND_hits_1`, `_3` and `_10`: share of ranks up to that; None
        without ranks.
    """
    found = np.asarray(ranks, dtype=np.float64)
    names = [f"{kind}_mrr", *(f"{kind}_hits_{most}" for most in HITS)]
    if not found.size:
        return dict.fromkeys(names)
    values = [float((1.0 / found).mean()), *(float((found <= most).mean()) for most in HITS)]
    return dict(zip(names, values))
