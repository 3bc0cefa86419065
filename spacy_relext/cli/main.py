"""Entry point of `spacy_cli`: importing the commands puts them under `spacy relext`."""

from . import convert, drop_triples, evaluate, extract, folds, rules, teach, tune, type_patterns, view  # noqa: F401
from .app import relext

__all__ = ["relext"]
