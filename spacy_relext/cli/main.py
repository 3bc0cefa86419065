"""Entry point of `spacy_cli`: importing the commands puts them under `spacy relext`."""

from . import (  # noqa: F401
    align,
    clusters,
    convert,
    drop_triples,
    evaluate,
    explain,
    extract,
    folds,
    kb,
    rules,
    rules_suggest,
    teach,
    tune,
    type_patterns,
    view,
)
from .app import relext

__all__ = ["relext"]
