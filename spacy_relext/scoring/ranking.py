"""Facts ranked by score: average precision, precision at n (P@n), precision at a recall.

A cell is one relation of one unit. The unit is a bag (an ordered pair of entities with all its sentences) or a mention
(the pair in one sentence). A pair with many sentences counts once as a bag and often as mentions, so scores of
different units are not comparable. Every key names its unit.

Two different measures are called "P@10%": `p_at_recall_10` is the precision at a recall of 10 %, `p_at_share_10` that
of the first n places, n being a tenth of the number of positives.

No result depends on the order of equal scores: in the curve, in average precision and in precision at a recall they
are accepted together; if the first n places end among them, their positives are spread evenly, which gives the mean
over all their orders (McSherry and Najork, ECIR 2008). Positives that were never scored count in every recall.
"""

from typing import Dict, Hashable, Iterable, NamedTuple, Optional, Tuple

import numpy

from ..errors import Errors
from .probabilities import Bools, Floats
from .thresholds import RecallCurve, average_precision, recall_curve

UNITS = ("bag", "mention")

_PLACES = (100, 200, 300)

_PERCENTS = (10, 30, 50)

# Keys of `score_ranking`.
RANKING_SCORES = tuple(
    f"{unit}_{name}"
    for unit in UNITS
    for name in (
        "ap",
        *(f"p_at_{places}" for places in _PLACES),
        *(f"p_at_{kind}_{percent}" for kind in ("recall", "share") for percent in _PERCENTS),
        "positives",
        "unscored",
    )
)

Fact = Tuple[Hashable, str]


class Cell(NamedTuple):
    """One relation of one unit; "no relation" has no cell.

    key (Hashable): The unit, unique among bags or mentions.
    score (float): Any finite number.
    gold (bool): True if the unit has the relation.
    """

    key: Hashable
    relation: str
    score: float
    gold: bool


class Ranking(NamedTuple):
    """Scored cells of one unit, in any order.

    unit (str): "bag" or "mention".
    scores, gold (Floats, Bools): Score of each cell, and which are true. Shape (N,)
    unscored (int): Positives without a cell.
    """

    unit: str
    scores: Floats
    gold: Bools
    unscored: int

    @property
    def positives(self) -> int:
        """RETURNS (int): True cells and positives that were never scored."""
        return int(self.gold.sum()) + self.unscored

    def curve(self) -> RecallCurve:
        """Compute precision and recall; recall ends below 1 if positives were never scored."""
        return recall_curve(self.scores, self.gold, n_gold=self.positives)


def rank_cells(cells: Iterable[Cell], *, unit: str, facts: Iterable[Fact] = ()) -> Ranking:
    """Collect cells in their order, and count the positives that have none.

    cells (Iterable[Cell]): Each unit and relation once.
    unit (str): What their keys name: "bag" or "mention".
    facts (Iterable[Fact]): Key and relation of all positives of the data, those without a cell included.
    """
    listed = list(cells)
    unscored = len(set(facts) - {(cell.key, cell.relation) for cell in listed})
    scores, gold = (numpy.asarray([cell[column] for cell in listed]) for column in (2, 3))
    return Ranking(unit, scores.astype("float64"), gold.astype(bool), unscored=unscored)


def precision_at(ranking: Ranking, places: int) -> float:
    """Compute the precision of the first places (P@n); for ties at the last place, the mean over their orders.

    Places beyond the last cell count as wrong.
    """
    if places < 1:
        raise ValueError(Errors.R209.format(what="places", found=places, expected="1 or more"))
    if places >= len(ranking.scores):
        return float(ranking.gold.sum()) / places
    last = numpy.partition(ranking.scores, -places)[-places]
    above, equal = ranking.scores > last, ranking.scores == last
    open_places = places - int(above.sum())
    return float(ranking.gold[above].sum() + open_places * ranking.gold[equal].mean()) / places


def precision_at_recall(curve: RecallCurve, percent: float) -> float:
    """Compute the precision at the first point of the curve that reaches a recall.

    percent (float): The recall, more than 0 and up to 100.
    RETURNS (float): 0 to 1; 0 if the curve does not reach it, as in average precision.
    """
    reached = numpy.flatnonzero(100 * curve.recall >= percent - 1e-9)
    return float(curve.precision[reached[0]]) if len(reached) else 0.0


def precision_at_share(ranking: Ranking, percent: int) -> float:
    """Compute the precision of the first n places: n is a percentage of the positives, rounded down, at least 1."""
    return precision_at(ranking, max(ranking.positives * percent // 100, 1))


def score_ranking(ranking: Ranking) -> Dict[str, Optional[float]]:
    """Compute all scores of a ranking, under keys that begin with its unit.

    RETURNS (Dict[str, Optional[float]]): For bags `bag_ap`, `bag_p_at_100`, `_200`, `_300`, `bag_p_at_recall_10`,
        `_30`, `_50` (percent), `bag_p_at_share_10`, `_30`, `_50`, and the numbers of positives, `bag_positives`, and
        of those without a score, `bag_unscored`. All None without positives.
    """
    curve = ranking.curve()
    scores = {
        "ap": average_precision(ranking.scores, ranking.gold, n_gold=ranking.positives),
        **{f"p_at_{places}": precision_at(ranking, places) for places in _PLACES},
        **{f"p_at_recall_{percent}": precision_at_recall(curve, percent) for percent in _PERCENTS},
        **{f"p_at_share_{percent}": precision_at_share(ranking, percent) for percent in _PERCENTS},
        "positives": float(ranking.positives),
        "unscored": float(ranking.unscored),
    }
    return {f"{ranking.unit}_{name}": value if ranking.positives else None for name, value in scores.items()}
