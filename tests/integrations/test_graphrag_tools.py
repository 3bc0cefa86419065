"""The adapters, against the real packages where they are installed; the examples of their docstrings run as well."""

import asyncio
import builtins
import doctest
from typing import Any, Callable

import pytest
import spacy

from spacy_relext.integrations import langchain, neo4j_agent_memory, neo4j_graphrag
from tests.cli.fake_pipeline import make_pipeline


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a package look as if it were not installed."""

    def hide(package: str) -> None:
        real = builtins.__import__

        def fake(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.split(".")[0] == package:
                raise ImportError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", fake)
        monkeypatch.setattr("importlib.import_module", lambda name: fake(name))

    return hide


def test_a_missing_package_is_one_line(without: Callable[[str], None]) -> None:
    without("langchain_community")
    with pytest.raises(ImportError, match=r"^\[R006\] langchain_community is needed .*spacy-relext\[langchain\]'\.$"):
        langchain.GraphDocumentConverter(spacy.blank("en"))
    without("neo4j_agent_memory")
    with pytest.raises(ImportError, match=r"^\[R006\] neo4j_agent_memory is needed .*\[agent-memory\]'\.$"):
        neo4j_agent_memory.MemoryExtractor(spacy.blank("en"))
    without("neo4j_graphrag")
    neo4j_graphrag.make_entity_relation_extractor.__globals__["_extractor_class"].cache_clear()
    with pytest.raises(ImportError, match=r"^\[R006\] neo4j_graphrag is needed .*spacy-relext\[graphrag\]'\.$"):
        neo4j_graphrag.make_entity_relation_extractor(spacy.blank("en"))


@pytest.mark.parametrize(
    "adapter",
    [
        langchain.GraphDocumentConverter,
        neo4j_graphrag.make_entity_relation_extractor,
        neo4j_agent_memory.MemoryExtractor,
    ],
)
def test_scores_are_checked(adapter: Any) -> None:
    with pytest.raises(ValueError, match="R007.*min_score is 2"):
        adapter(spacy.blank("en"), min_score=2)


def run_examples(module: Any) -> None:
    results = doctest.testmod(module)
    assert results.attempted and not results.failed


TEXTS = ["Ada met Bo.", "Nobody came.", "Cy saw Di. Cy met Ada."]


def test_agent_memory() -> None:
    base = pytest.importorskip("neo4j_agent_memory.extraction.base")
    run_examples(neo4j_agent_memory)
    nlp = make_pipeline()
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in (("Ada", "PERSON"), ("Bo", "WORK"))])
    extractor: base.EntityExtractor = neo4j_agent_memory.MemoryExtractor(nlp)
    found = asyncio.run(extractor.extract("So Ada met Bo."))
    assert isinstance(found, base.ExtractionResult) and found.source_text == "So Ada met Bo."
    assert [(each.name, each.type, each.subtype, each.start_pos, each.end_pos) for each in found.entities] == [
        *(("Ada", "PERSON", "PERSON", 3, 6), ("Bo", "OBJECT", "WORK", 11, 13)),
    ]
    (relation,) = found.relations
    assert relation.as_triple == ("Ada", "met", "Bo") and 0 < relation.confidence <= 1 and not relation.derived
    assert (relation.source_id, relation.target_id) == tuple(each.id for each in found.entities)
    people = asyncio.run(extractor.extract("So Ada met Bo.", entity_types=["person"]))
    assert [each.name for each in people.entities] == ["Ada"] and people.relations == []
    assert asyncio.run(extractor.extract("So Ada met Bo.", extract_relations=False)).relations == []
    assert asyncio.run(extractor.extract("")).entities == []


def test_langchain() -> None:
    types = pytest.importorskip("langchain_community.graphs.graph_document")
    documents_module = pytest.importorskip("langchain_core.documents")
    documents = [documents_module.Document(page_content=text, metadata={"n": n}) for n, text in enumerate(TEXTS)]
    converter = langchain.GraphDocumentConverter(make_pipeline(), min_score=0.3)
    graphs = converter.convert_to_graph_documents(documents)
    assert all(isinstance(graph, types.GraphDocument) for graph in graphs)
    assert [graph.source for graph in graphs] == documents
    assert [[(e.source.id, e.type, e.target.id) for e in graph.relationships] for graph in graphs] == [
        [("Ada", "met", "Bo")],
        [],
        [("Cy", "saw", "Di"), ("Cy", "met", "Ada")],
    ]
    assert [node.id for node in graphs[2].nodes] == ["Cy", "Di", "Ada"]
    assert graphs[2].relationships[1].properties["sentence"] == "Cy met Ada."
    assert asyncio.run(converter.aconvert_to_graph_documents(documents)) == graphs
    assert converter.convert_to_graph_documents([]) == []
    run_examples(langchain)


def test_neo4j_graphrag() -> None:
    base = pytest.importorskip("neo4j_graphrag.components.entity_relation_extractor")
    types = pytest.importorskip("neo4j_graphrag.components.types")
    extractor = neo4j_graphrag.make_entity_relation_extractor(make_pipeline(), min_score=0.3)
    assert isinstance(extractor, base.EntityRelationExtractor)
    chunks = types.TextChunks(chunks=[types.TextChunk(text=t, index=n, uid=f"c{n}") for n, t in enumerate(TEXTS)])
    info = types.DocumentInfo(path="a.txt", uid="d")
    graph = asyncio.run(extractor.run(chunks, info, schema=None, examples=""))
    entities = [node for node in graph.nodes if node.label == "Entity"]
    assert [(node.id, node.properties["name"]) for node in entities] == [
        ("c0:Entity:ada", "Ada"),
        ("c0:Entity:bo", "Bo"),
        ("c2:Entity:cy", "Cy"),
        ("c2:Entity:di", "Di"),
        ("c2:Entity:ada", "Ada"),
    ]
    assert {node.label for node in graph.nodes} == {"Entity", "Document", "Chunk"}
    facts = [each for each in graph.relationships if each.type in ("met", "saw")]
    assert [(each.start_node_id, each.type, each.end_node_id) for each in facts] == [
        ("c0:Entity:ada", "met", "c0:Entity:bo"),
        ("c2:Entity:cy", "saw", "c2:Entity:di"),
        ("c2:Entity:cy", "met", "c2:Entity:ada"),
    ]
    assert facts[2].properties["sentence"] == "Cy met Ada." and facts[2].properties["score"] == 0.9
    ids = {node.id for node in graph.nodes}
    assert all({each.start_node_id, each.end_node_id} <= ids for each in graph.relationships)
    assert sum(each.type == "FROM_CHUNK" for each in graph.relationships) == len(entities)
    run_examples(neo4j_graphrag)


def test_neo4j_graphrag_in_its_pipeline() -> None:
    """As a component of the package's own pipeline, which reads the signature of run()."""
    pipeline_module = pytest.importorskip("neo4j_graphrag.experimental.pipeline")
    types = pytest.importorskip("neo4j_graphrag.components.types")
    extractor = neo4j_graphrag.make_entity_relation_extractor(make_pipeline(), create_lexical_graph=False)
    pipeline = pipeline_module.Pipeline()
    pipeline.add_component(extractor, "extractor")
    chunks = types.TextChunks(chunks=[types.TextChunk(text=TEXTS[0], index=0, uid="c0")])
    result = asyncio.run(pipeline.run({"extractor": {"chunks": chunks}})).result["extractor"]
    assert [each["type"] for each in result["relationships"]] == ["met"]
