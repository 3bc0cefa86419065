"""What needs a package that is not installed says which extra has it."""

import sys
from pathlib import Path
from typing import Callable

import pytest

from spacy_relext.graph.across import join_groups
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.query import GraphQuery
from spacy_relext.graph.within import group_mentions

CALLS = [
    ("pyarrow", lambda: build_graph([])),
    ("duckdb", lambda: GraphQuery.open(Path())),
    ("rapidfuzz", lambda: group_mentions([])),
    ("rapidfuzz", lambda: join_groups([])),
]


@pytest.mark.parametrize("package, call", CALLS)
def test_a_package_that_is_missing(package: str, call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"R006.*{package}.*\[export\]"):
        call()
