"""Adapters to other tools, each an extra of its own."""

from .doc_graph import doc_graph
from .langchain import GraphDocumentConverter
from .neo4j_graphrag import make_entity_relation_extractor

__all__ = ["GraphDocumentConverter", "doc_graph", "make_entity_relation_extractor"]
