"""The triples of documents, or the tables of a graph, as a graph of networkx."""

import json
from typing import TYPE_CHECKING, Dict, Iterable, Iterator, Set, Tuple, Union

from spacy.tokens import Doc

from ..annotations.assertion import NOT_FACTS, assertion_of
from ..annotations.parts import each_doc
from ..annotations.store import get_triple_records
from ..annotations.triple import Record
from ..errors import check_range, require
from .tables import GraphTables, table_rows

if TYPE_CHECKING:
    import networkx

# Subject, relation, object, and the assertion; "" for a fact.
_Fact = Tuple[str, str, str, str]

# Attributes of nodes and edges made from tables, with their types in XML.
NODE_ATTRIBUTES = {
    "label": "string",
    "type": "string",
    "kb_id": "string",
    "aliases": "string",
    "n_mentions": "long",
    "n_documents": "long",
}
EDGE_ATTRIBUTES = {
    "relation": "string",
    "weight": "double",
    "best_score": "double",
    "n_sentences": "long",
    "n_documents": "long",
    "best_sentence": "string",
    "fact_id": "long",
}
_NODE_COLUMNS = ("name", "label", "kb_id", "aliases", "n_mentions", "n_documents")
_EDGE_COLUMNS = ("probability", "best_score", "n_sentences", "n_documents", "best_sentence", "fact_id")


def to_networkx(
    docs: Union[Doc, Iterable[Doc], GraphTables], *, min_score: float = 0.0, all_assertions: bool = False
) -> "networkx.MultiDiGraph":
    """Make a graph of the triples of documents, or of the tables of a graph; edges run from subject to object.

    From documents, nodes are the texts of arguments: those equal but for white space are one node. Each relation
    between two nodes is one edge, whose key is the relation: `graph["Ada Lovelace"]["London"]["place_of_birth"]`.
    Attributes of an edge: `relation`, `score` (the highest), `support` (how many pairs of spans state it; a pair from
    several sources counts once) and `docs` (in how many documents). Denied and hypothetical triples become edges
    only with `all_assertions`.

    From tables, nodes are ids of entities with `label` (the name), `type`, `kb_id`, `aliases` (JSON), `n_mentions`,
    `n_documents`; unknown values are left out. Edges are facts, with the relation as key: `relation`, `weight` (the
    probability), `best_score`, `n_sentences`, `n_documents`, `best_sentence`, `fact_id`.

    docs (Union[Doc, Iterable[Doc], GraphTables]): Processed Docs, also a stream such as `nlp.pipe(texts)`; or tables.
    min_score (float): Leave out triples with a lower score, or facts with a lower probability, 0 to 1.
    all_assertions (bool): Make edges of the denied and hypothetical triples of documents, too: their key is
        "RELATION (ASSERTION)", and they have the attribute `assertion`.
    RETURNS (networkx.MultiDiGraph): The graph.
    RAISES (ImportError): If networkx is not installed.
    RAISES (ValueError): If something is not a Doc.
    """
    networkx = require("networkx", purpose="to_networkx", extra="frames")
    check_range("min_score", min_score, 0.0, 1.0)
    graph = networkx.MultiDiGraph()
    if isinstance(docs, GraphTables):
        graph.add_nodes_from(graph_nodes(docs))
        for (start, end, relation), edge in graph_edges(docs):
            if edge["weight"] >= min_score:
                graph.add_edge(start, end, key=relation, **edge)
        return graph
    scores: Dict[_Fact, float] = {}
    places: Dict[_Fact, Set[Tuple[int, ...]]] = {}
    for number, doc in enumerate(each_doc(docs)):
        for record in get_triple_records(doc) or ():
            assertion = assertion_of(record.get("attributes", {}))
            assertion = assertion if assertion in NOT_FACTS else ""
            if record["score"] >= min_score and (all_assertions or not assertion):
                subject, obj = (" ".join(record[f"{role}_text"].split()) for role in ("subject", "object"))
                fact = (subject, record["relation"], obj, assertion)
                scores[fact] = max(record["score"], scores.get(fact, 0.0))
                places.setdefault(fact, set()).add((number, *record["subject"], *record["object"]))
    for (subject, relation, obj, assertion), score in scores.items():
        found = places[subject, relation, obj, assertion]
        values: Record = {"score": score, "support": len(found), "docs": len({place[0] for place in found})}
        key = f"{relation} ({assertion})" if assertion else relation
        marked = {"assertion": assertion} if assertion else {}
        graph.add_edge(subject, obj, key=key, relation=relation, **values, **marked)
    return graph


def graph_nodes(tables: GraphTables) -> Iterator[Tuple[int, Record]]:
    """Yield the ids of entities with the attributes of NODE_ATTRIBUTES that have a value."""
    for number, *values in table_rows(tables.entities, ("entity_id", *_NODE_COLUMNS)):
        node = {name: value for name, value in zip(NODE_ATTRIBUTES, values) if value is not None}
        yield number, {**node, "aliases": json.dumps(node["aliases"], ensure_ascii=False)}


def graph_edges(tables: GraphTables) -> Iterator[Tuple[Tuple[int, int, str], Record]]:
    """Yield subject, object and relation of facts with the attributes of EDGE_ATTRIBUTES."""
    columns = ("subject", "object", "relation", *_EDGE_COLUMNS)
    for subject, obj, relation, *values in table_rows(tables.facts, columns):
        yield (subject, obj, relation), dict(zip(EDGE_ATTRIBUTES, (relation, *values)))
