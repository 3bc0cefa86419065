"""A spaCy pipeline as an extractor for neo4j-graphrag: entities and relations without an LLM."""

import asyncio
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, List, Optional, Type

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import check_range, require
from .doc_graph import doc_graph

if TYPE_CHECKING:
    from neo4j_graphrag.components.entity_relation_extractor import EntityRelationExtractor


def make_entity_relation_extractor(
    nlp: Language, *, min_score: float = 0.0, create_lexical_graph: bool = True, batch_size: int = 64
) -> "EntityRelationExtractor":
    """Make a component for a neo4j-graphrag pipeline that replaces its LLMEntityRelationExtractor.

    Nodes have the property `name`, by which the resolvers of neo4j-graphrag merge them, and `kb_id` if the pipeline
    links entities. Relationships have `score`, `source`, `sentence`, and the characters of both arguments in the chunk.
    A schema or examples, which guide an LLM, are accepted but ignored.

    nlp (Language): A trained pipeline that writes `doc._.triples`.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    create_lexical_graph (bool): Add nodes of the document and its chunks, and link entities to their chunk.
    batch_size (int): Chunks per batch of the pipeline.
    RETURNS (EntityRelationExtractor): An instance of a subclass.
    RAISES (ImportError): If neo4j-graphrag is not installed.

    >>> import asyncio, spacy
    >>> from spacy.language import Language
    >>> from neo4j_graphrag.components.types import TextChunk, TextChunks
    >>> from spacy_relext import set_triples
    >>> from spacy_relext.integrations.neo4j_graphrag import make_entity_relation_extractor
    >>> @Language.component("first_met_last")
    ... def first_met_last(doc):  # a trained pipeline has rere_extractor here
    ...     set_triples(doc, [(doc[0:1], "met", doc[2:3])], source="first_met_last")
    ...     return doc
    >>> nlp = spacy.blank("en")
    >>> pipe = nlp.add_pipe("first_met_last")
    >>> extractor = make_entity_relation_extractor(nlp, create_lexical_graph=False)
    >>> chunks = TextChunks(chunks=[TextChunk(text="Ada met Bo", index=0, uid="c0")])
    >>> graph = asyncio.run(extractor.run(chunks))
    >>> [(node.id, node.label, node.properties["name"]) for node in graph.nodes]
    [('c0:Entity:ada', 'Entity', 'Ada'), ('c0:Entity:bo', 'Entity', 'Bo')]
    >>> [(edge.start_node_id, edge.type, edge.end_node_id) for edge in graph.relationships]
    [('c0:Entity:ada', 'met', 'c0:Entity:bo')]
    """
    check_range("min_score", min_score, 0.0, 1.0)
    extractor = _extractor_class()(create_lexical_graph=create_lexical_graph)
    extractor.nlp, extractor.min_score, extractor.batch_size = nlp, min_score, batch_size
    extractor.lock = Lock()
    return extractor


@cache
def _extractor_class() -> Type[Any]:
    """Define the class, which needs neo4j-graphrag for its base."""
    components = "neo4j_graphrag.components"
    purpose, extra = "make_entity_relation_extractor", "graphrag"
    base = require(f"{components}.entity_relation_extractor", purpose=purpose, extra=extra).EntityRelationExtractor
    builder = require(f"{components}.lexical_graph", purpose=purpose, extra=extra).LexicalGraphBuilder
    types = require(f"{components}.types", purpose=purpose, extra=extra)

    class SpacyEntityRelationExtractor(base):  # type: ignore[misc, valid-type]
        """Extracts entities and relations with a spaCy pipeline."""

        async def run(
            self,
            chunks: types.TextChunks,  # type: ignore[name-defined]
            document_info: Optional[types.DocumentInfo] = None,  # type: ignore[name-defined]
            lexical_graph_config: Optional[types.LexicalGraphConfig] = None,  # type: ignore[name-defined]
            **kwargs: Any,
        ) -> types.Neo4jGraph:  # type: ignore[name-defined]
            """Extract from all chunks of a document; see EntityRelationExtractor.run."""
            lexical: Any = None
            graph = types.Neo4jGraph()
            if self.create_lexical_graph or lexical_graph_config:
                lexical = builder(config=lexical_graph_config or types.LexicalGraphConfig())
            if self.create_lexical_graph:
                graph = (await lexical.run(text_chunks=chunks, document_info=document_info)).graph
            docs = await asyncio.to_thread(self._read, [chunk.text for chunk in chunks.chunks])
            for chunk, doc in zip(chunks.chunks, docs):
                part = self.update_ids(_chunk_graph(doc, types, min_score=self.min_score), chunk)
                if lexical is not None:
                    await lexical.process_chunk_extracted_entities(part, chunk)
                graph.nodes.extend(part.nodes)
                graph.relationships.extend(part.relationships)
            return graph

        def _read(self, texts: List[str]) -> List[Doc]:
            # a pipeline is not safe to use in two threads at once
            with self.lock:
                return list(self.nlp.pipe(texts, batch_size=self.batch_size))

    return SpacyEntityRelationExtractor


def _chunk_graph(doc: Doc, types: Any, *, min_score: float) -> Any:
    nodes, edges = doc_graph(doc, min_score=min_score)
    return types.Neo4jGraph(
        nodes=[
            types.Neo4jNode(id=node.id, label=node.type, properties={"name": node.name, **node.properties})
            for node in nodes
        ],
        relationships=[
            types.Neo4jRelationship(
                start_node_id=edge.subject.id,
                end_node_id=edge.object.id,
                type=edge.relation,
                properties=edge.properties,
            )
            for edge in edges
        ],
    )
