"""Relation extraction for spaCy: trainable components that write `doc._.triples`."""

from importlib import import_module
from typing import TYPE_CHECKING, List

from .annotations.extensions import register_extensions
from .annotations.parts import merge_docs, span_to_doc
from .annotations.store import get_records, get_triples, has_triples, set_triples
from .annotations.triple import Triple

if TYPE_CHECKING:
    from .bridge.shipped import load
    from .export.columns import to_frame
    from .export.network import to_networkx
    from .visuals.page import render

__version__ = "0.1.0"
__all__ = [
    "Triple",
    "get_records",
    "get_triples",
    "has_triples",
    "load",
    "merge_docs",
    "register_extensions",
    "render",
    "set_triples",
    "span_to_doc",
    "to_frame",
    "to_networkx",
    "__version__",
]

# Imported at the first use: spacy.blank() imports this file.
_LAZY = {
    "load": ".bridge.shipped",
    "render": ".visuals.page",
    "to_frame": ".export.columns",
    "to_networkx": ".export.network",
}


def __getattr__(name: str) -> object:
    """Import a name of `_LAZY`."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name], __name__), name)
    return value


def __dir__() -> List[str]:
    """List the public names, those of `_LAZY` too."""
    return sorted({*globals(), *__all__})
