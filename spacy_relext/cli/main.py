"""Entry point of `spacy_cli`: importing the commands puts them under `spacy relext`."""

from . import (
    align,  # noqa: F401
    clusters,  # noqa: F401
    convert,  # noqa: F401
    drop_triples,  # noqa: F401
    evaluate,  # noqa: F401
    explain,  # noqa: F401
    extract,  # noqa: F401
    folds,  # noqa: F401
    kb,  # noqa: F401
    rules,  # noqa: F401
    teach,  # noqa: F401
    tune,  # noqa: F401
    type_patterns,  # noqa: F401
    view,  # noqa: F401
)
from .app import relext

__all__ = ["relext"]
