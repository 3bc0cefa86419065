"""A spaCy pipeline as a LangChain converter: documents become graph documents without an LLM."""

import asyncio
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, List, Sequence

from spacy.language import Language

from ..errors import check_range, require
from .doc_graph import doc_graph

if TYPE_CHECKING:
    from langchain_community.graphs.graph_document import GraphDocument
    from langchain_core.documents import Document


class GraphDocumentConverter:
    """Converts LangChain documents, with the methods of LLMGraphTransformer.

    Nodes are named as in the text, and have `kb_id` if the pipeline links entities. Relationships have `score`,
    `source`, `sentence`, and the characters of both arguments in the document.

    nlp (Language): A trained pipeline that writes `doc._.triples`.
    min_score (float): Leave out triples with a lower score, 0 to 1.
    batch_size (int): Documents per batch of the pipeline.
    RAISES (ImportError): If langchain-community is not installed.

    >>> import spacy
    >>> from langchain_core.documents import Document
    >>> from spacy.language import Language
    >>> from spacy_relext import set_triples
    >>> from spacy_relext.integrations.langchain import GraphDocumentConverter
    >>> @Language.component("first_saw_last")
    ... def first_saw_last(doc):  # a trained pipeline has rere_extractor here
    ...     set_triples(doc, [(doc[0:1], "saw", doc[2:3])], source="first_saw_last")
    ...     return doc
    >>> nlp = spacy.blank("en")
    >>> pipe = nlp.add_pipe("first_saw_last")
    >>> converter = GraphDocumentConverter(nlp)
    >>> (graph,) = converter.convert_to_graph_documents([Document(page_content="Ada saw Bo")])
    >>> [(edge.source.id, edge.type, edge.target.id) for edge in graph.relationships]
    [('Ada', 'saw', 'Bo')]
    """

    def __init__(self, nlp: Language, *, min_score: float = 0.0, batch_size: int = 64) -> None:
        check_range("min_score", min_score, 0.0, 1.0)
        self.nlp = nlp
        self.min_score = min_score
        self.batch_size = batch_size
        self._lock = Lock()  # a pipeline is not safe to use in two threads at once
        self._types: ModuleType = require(
            "langchain_community.graphs.graph_document", purpose="GraphDocumentConverter", extra="langchain"
        )

    def convert_to_graph_documents(self, documents: Sequence["Document"]) -> List["GraphDocument"]:
        """Convert documents.

        documents (Sequence[Document]): Their `page_content` is read.
        RETURNS (List[GraphDocument]): One for each document, in order, with the document as its `source`.
        """
        types, graphs = self._types, []
        with self._lock:
            texts = [document.page_content for document in documents]
            docs = list(self.nlp.pipe(texts, batch_size=self.batch_size))
        for document, doc in zip(documents, docs):
            nodes, edges = doc_graph(doc, min_score=self.min_score)
            made = {
                node.id: types.Node(id=node.name, type=node.type, properties=dict(node.properties)) for node in nodes
            }
            relationships = [
                types.Relationship(
                    source=made[edge.subject.id],
                    target=made[edge.object.id],
                    type=edge.relation,
                    properties=dict(edge.properties),
                )
                for edge in edges
            ]
            graphs.append(types.GraphDocument(nodes=list(made.values()), relationships=relationships, source=document))
        return graphs

    async def aconvert_to_graph_documents(self, documents: Sequence["Document"]) -> List["GraphDocument"]:
        """Convert documents as `convert_to_graph_documents` does, in a thread: the event loop is not blocked."""
        return await asyncio.to_thread(self.convert_to_graph_documents, documents)
