"""What `import spacy_relext` offers, and that it stays quick."""

import pathlib
import re
import subprocess
import sys

import pytest

import spacy_relext

HEAVY = ("pandas", "networkx", "IPython", "matplotlib", "spacy_relext.visuals", "spacy_relext.export")


@pytest.mark.parametrize("name", spacy_relext.__all__)
def test_each_name_is_there(name: str) -> None:
    value = getattr(spacy_relext, name)
    assert name in dir(spacy_relext) and getattr(spacy_relext, name) is value
    assert name == "__version__" or value.__module__.startswith("spacy_relext.") and value.__doc__


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'spacy_relext' has no attribute 'to_parquet'"):
        getattr(spacy_relext, "to_parquet")  # noqa: B009
    with pytest.raises(ImportError, match="cannot import name 'to_parquet'"):
        from spacy_relext import to_parquet  # type: ignore[attr-defined]  # noqa: F401


def test_the_import_loads_nothing_that_is_not_used() -> None:
    # Both times after spacy and torch, which may import networkx themselves.
    code = f"""
import sys, spacy, thinc.api
before = set(sys.modules)
import spacy_relext
new = set(sys.modules) - before
print([name for name in new if name.startswith({HEAVY!r})])
from spacy_relext import render, to_frame, to_networkx
print([name for name in set(sys.modules) - before if name.startswith({HEAVY[:4]!r})])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_the_page_of_the_api_has_each_function(project_root: pathlib.Path) -> None:
    page = (project_root / "docs" / "reference" / "api.md").read_text(encoding="utf8")
    names = set(spacy_relext.__all__) - {"__version__"}
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []
