"""Risk and coverage: how many of the most certain predictions are wrong (El-Yaniv and Wiener, JMLR 2010)."""

from typing import Dict, Optional

import numpy

from .probabilities import Bools, Floats

# In percent: shares of the predictions, the most certain first, and wanted precisions.
COVERAGES, PRECISIONS = (10, 25, 50, 75), (80, 90, 95)


def score_risk(scores: Floats, correct: Bools) -> Dict[str, Optional[float]]:
    """Compute the area under the curve of risk over coverage, precisions at coverages, and thresholds for precisions.

    Predictions of one score are in no order: each counts as correct as their mean.

    scores (Floats), correct (Bools): Of each prediction. Shape (N,)
    RETURNS (Dict[str, Optional[float]]): `aurc`, 0 to 1, the lower the better; `precision_at_coverage_C`, of the most
        certain C % of the predictions; `threshold_at_precision_P`, the lowest score from which on P % are correct. None
        without predictions, and for a precision that no threshold reaches.
    """
    empty: Dict[str, Optional[float]] = {"aurc": None}
    empty.update({f"precision_at_coverage_{each}": None for each in COVERAGES})
    empty.update({f"threshold_at_precision_{each}": None for each in PRECISIONS})
    if not len(scores):
        return empty
    distinct, groups, counts = numpy.unique(-numpy.asarray(scores, "float64"), return_inverse=True, return_counts=True)
    shares = numpy.bincount(groups, weights=numpy.asarray(correct, "float64")) / counts
    right = numpy.cumsum(numpy.repeat(shares, counts))
    precision = right / numpy.arange(1, len(right) + 1)
    found = {**empty, "aurc": float(numpy.mean(1 - precision))}
    for each in COVERAGES:
        found[f"precision_at_coverage_{each}"] = float(precision[max(1, round(len(right) * each / 100)) - 1])
    at_score = precision[numpy.cumsum(counts) - 1]
    for each in PRECISIONS:
        reached = numpy.flatnonzero(at_score >= each / 100 - 1e-12)
        if len(reached):
            found[f"threshold_at_precision_{each}"] = float(-distinct[reached[-1]])
    return found
