"""k-means of scikit-learn, which would warn of fewer different points than clusters in every start."""

import warnings
from typing import Any

from ..optional import require


def fit_quietly(estimator: Any, vectors: Any, **options: Any) -> Any:
    """Fit an estimator; that clusters stay empty is told once, by who looks at their sizes.

    estimator (Any): Of scikit-learn.
    vectors (NDArray): Shape (N, D)
    options (Any): Of `fit`.
    RETURNS (Any): The estimator.
    """
    exceptions = require("sklearn.exceptions", purpose="clustering", extra="cluster")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        return estimator.fit(vectors, **options)
