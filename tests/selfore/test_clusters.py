"""Stored clusters are checked before they are used."""

from typing import Any

import pytest

from spacy_relext.selfore.clusters import Clusters

RECORD = {"id": "cluster_0", "name": "born in", "size": 2, "ngrams": ["born in"], "types": "A B", "fit": 0.5}
VALUES = {"records": [RECORD], "quantiles": [0.0, 1.0], "history": [{"pairs": 2}], "has_converged": True, "scale": 2.0}


def test_what_is_written_is_read() -> None:
    assert Clusters.from_dict(Clusters.from_dict(VALUES).to_dict()).to_dict() == VALUES


@pytest.mark.parametrize(
    "change",
    [
        {"records": [{**RECORD, "name": 5}]},
        {"records": [{**RECORD, "size": "2"}]},
        {"records": [{**RECORD, "fit": None}]},
        {"records": [{key: value for key, value in RECORD.items() if key != "ngrams"}]},
        {"quantiles": ["a", "b"]},
        {"quantiles": []},
        {"scale": float("nan")},
        {"history": 5},
        {"other": 1},
    ],
)
def test_other_values(change: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Clusters.from_dict({**VALUES, **change})
