"""What figures come from: the commit, the libraries and the corpora."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from benchmarks.harness.datasets import DataSet
from benchmarks.harness.runs import ROOT, digest, fingerprint

LIBRARIES = ("spacy", "thinc", "torch", "transformers", "tokenizers", "numpy")


@cache
def commit() -> str:
    """Name the commit of the checkout. RETURNS (str): With a "+" where files differ from it; "unknown" without git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + "+" * bool(changed)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@cache
def libraries() -> str:
    """Name the libraries whose versions may change a figure, such as "spacy 3.8.18, torch 2.13.0"."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def corpora_digest(data: DataSet) -> str:
    """Hash the content of all corpora of a data set. RETURNS (str): The same for the same content."""
    return fingerprint([digest(path) for path in (data.train, data.dev, *data.tests.values())])
