"""Relation extraction for spaCy: trainable components that write `doc._.triples`."""

from .annotations.store import get_records, has_triples, register_extensions, set_triples
from .annotations.triple import Triple

__version__ = "0.1.0"
__all__ = ["Triple", "get_records", "has_triples", "register_extensions", "set_triples", "__version__"]
