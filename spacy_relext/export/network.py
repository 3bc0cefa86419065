"""The triples of documents, or the tables of a graph, as a graph of networkx."""

import json
from typing import TYPE_CHECKING, Dict, Iterable, Iterator, List, Tuple, Union

from spacy.tokens import Doc

from ..annotations.doc_entities import Fact, get_facts
from ..annotations.parts import each_doc
from ..annotations.triple import Record
from ..errors import check_range, require
from .tables import PERIOD, GraphTables, own_values, table_rows

if TYPE_CHECKING:
    import networkx

# Subject, relation, object.
_Fact = Tuple[str, str, str]

# Attributes of nodes and edges made from tables, with their columns.
_NODE_COLUMNS = ("kb_id", "aliases", "n_mentions", "n_documents")
_EDGE_COLUMNS = ("best_score", "n_sentences", "n_documents", "best_sentence", "fact_id", *PERIOD)
NODE_ATTRIBUTES = {"label": "name", "type": "label", **{name: name for name in _NODE_COLUMNS}}
VALUE_ATTRIBUTES = ("date", "number", "unit")
EDGE_ATTRIBUTES = {"relation": "relation", "weight": "probability", **{name: name for name in _EDGE_COLUMNS}}


def to_networkx(docs: Union[Doc, Iterable[Doc], GraphTables], *, min_score: float = 0.0) -> "networkx.MultiDiGraph":
    """Make a graph of the triples of documents, or of the tables of a graph; edges run from subject to object.

    From documents, edges are their facts, and nodes the names of entities, as `doc._.facts` has both. Each relation
    between two nodes is one edge, whose key is the relation: `graph["Ada Lovelace"]["London"]["place_of_birth"]`.
    Attributes of an edge: `relation`, `score` (the highest), `support` (how many pairs of spans state it; a pair from
    several sources counts once; 0 if it crosses sentences or is derived) and `docs` (in how many documents).

    From tables, nodes are ids of entities with `label` (the name), `type`, `kb_id`, `aliases` (JSON), `n_mentions`,
    `n_documents`; unknown values are left out. Dates and amounts are nodes of single facts, with the negative id of the
    fact, and with `date` (ISO 8601), `number` and `unit` where they can be read. Edges are facts, with the relation as
    key: `relation`, `weight` (the probability), `best_score`, `n_sentences`, `n_documents`, `best_sentence`, `fact_id`,
    and `start`, `end` or `at` where it is known when a fact holds.

    docs (Union[Doc, Iterable[Doc], GraphTables]): Processed Docs, also a stream such as `nlp.pipe(texts)`; or tables.
    min_score (float): Leave out facts with a lower score, or a lower probability, 0 to 1.
    RETURNS (networkx.MultiDiGraph): The graph.
    RAISES (ImportError): If networkx is not installed.
    RAISES (ValueError): If something is not a Doc.
    """
    networkx = require("networkx", purpose="to_networkx", extra="frames")
    check_range("min_score", min_score, 0.0, 1.0)
    graph = networkx.MultiDiGraph()
    if isinstance(docs, GraphTables):
        tables = own_values(docs)
        graph.add_nodes_from(graph_nodes(tables))
        for (start, end, relation), edge in graph_edges(tables):
            if edge["weight"] >= min_score:
                graph.add_edge(start, end, key=relation, **edge)
        return graph
    edges: Dict[_Fact, List[Tuple[int, Fact]]] = {}
    for number, doc in enumerate(each_doc(docs)):
        for fact in get_facts(doc):
            if fact.score >= min_score:
                edges.setdefault((fact.subject.name, fact.relation, fact.object.name), []).append((number, fact))
    for (subject, relation, obj), same in edges.items():
        places = {(number, triple.key) for number, fact in same for triple in fact.triples}
        values: Record = {"score": max(fact.score for _, fact in same), "support": len(places)}
        graph.add_edge(
            subject, obj, key=relation, relation=relation, docs=len({number for number, _ in same}), **values
        )
    return graph


def graph_nodes(tables: GraphTables) -> Iterator[Tuple[int, Record]]:
    """Yield the ids of entities, of `own_values`, with the attributes that have a value."""
    columns = {**NODE_ATTRIBUTES, **{name: name for name in VALUE_ATTRIBUTES}}
    for number, *values in table_rows(tables.entities, ("entity_id", *columns.values())):
        node = {name: value for name, value in zip(columns, values) if value is not None}
        yield number, {**node, "aliases": json.dumps(node["aliases"], ensure_ascii=False)}


def graph_edges(tables: GraphTables) -> Iterator[Tuple[Tuple[int, int, str], Record]]:
    """Yield subject, object and relation of facts with the attributes of EDGE_ATTRIBUTES that have a value."""
    for subject, obj, *values in table_rows(tables.facts, ("subject", "object", *EDGE_ATTRIBUTES.values())):
        yield (subject, obj, values[0]), {key: each for key, each in zip(EDGE_ATTRIBUTES, values) if each is not None}
