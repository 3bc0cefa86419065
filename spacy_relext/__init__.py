"""Relation extraction for spaCy: trainable components that write `doc._.triples`."""

from .extensions import register_extensions
from .triples.store import get_records, has_triples, set_triples
from .types import Triple

__version__ = "0.1.0"
__all__ = ["Triple", "get_records", "has_triples", "register_extensions", "set_triples", "__version__"]
