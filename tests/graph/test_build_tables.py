"""All tables of a graph, worked out by hand: of one document, and of another one that joins it."""

from dataclasses import replace
from typing import Any, Dict, List

from spacy_relext.annotations.grouping import DEFAULT_RULES
from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.export.tables import TABLE_NAMES, GraphTables, empty_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.decisions import Decision
from spacy_relext.graph.documents import Document, parse_document
from spacy_relext.graph.probability import Discount

from .texts import record

LABELS = {"Ada Lovelace": "PERSON", "Lovelace": "PERSON", "London": "GPE", "Bath": "GPE"}
LONDON = "Ada Lovelace was born in London. Lovelace left London."
BATH = "Ada Lovelace was born in Bath. Bath knew."

LONDON_TABLES: Dict[str, List[Any]] = {
    "documents": [("a", LONDON, "")],
    "mentions": [
        (1, "a", 0, 0, 12, "Ada Lovelace", "PERSON", None, 1),
        (2, "a", 0, 25, 31, "London", "GPE", None, 2),
        (3, "a", 1, 33, 41, "Lovelace", "PERSON", None, 1),
        (4, "a", 1, 47, 53, "London", "GPE", None, 2),
    ],
    "entities": [(1, "Ada Lovelace", "PERSON", None, ["Lovelace"], 2, 1), (2, "London", "GPE", None, [], 2, 1)],
    "facts": [
        (1, 1, "born", 2, 0.5, 0.5, 1, 1, "Ada Lovelace was born in London."),
        (2, 1, "left", 2, 0.2, 0.25, 1, 1, "Lovelace left London."),
    ],
    "support": [
        (1, 1, 2, "a", 0, 0, 32, "Ada Lovelace was born in London.", 0.5, "m", None),
        (2, 3, 4, "a", 1, 33, 54, "Lovelace left London.", 0.25, "m", '{"assertion": "present"}'),
    ],
    "merges": [(1, "Ada Lovelace", "Lovelace", "a", "person", 0.95)],
    "conflicts": [("denied", "left", 2, None, "a: Lovelace left London.", 0.25)],
}


def london() -> Document:
    made = record(LONDON, [("Ada Lovelace", "born", "London", 0.5)], LABELS, doc_id="a")
    for assertion in ("present", "denied"):
        left = {"subject": [33, 41], "relation": "left", "object": [47, 53], "score": 0.25, "source": "m"}
        made["triples"].append({**left, "attributes": {"assertion": assertion}})
    return parse_document(made)


def bath() -> Document:
    triples = [("Ada Lovelace", "born", "Bath", 0.75), ("Bath", "born", "Bath", 0.1)]
    made = record(BATH, triples, LABELS, doc_id="b")
    made["triples"][1]["object"] = [31, 35]
    return parse_document({**made, "date": 1})


def rows_of(graph: GraphTables) -> Dict[str, List[Any]]:
    rows = {name: [tuple(row.values()) for row in table.to_pylist()] for name, table in graph.named().items()}
    for name in ("facts", "support"):  # no text says when
        assert {each for row in rows[name] for each in row[-3:]} <= {None}
        rows[name] = [row[:-3] for row in rows[name]]
    rows["facts"] = [(*row[:4], round(row[4], 9), *row[5:]) for row in rows["facts"]]
    return rows


def test_all_tables_of_one_document() -> None:
    built = build_graph([london(), london()])
    assert rows_of(built.tables) == LONDON_TABLES
    assert built.tables.info == {
        "options": {"rules": list(DEFAULT_RULES)},
        "calibration": {"exponent": 0.5, "scale": 1.0, "shift": 0.0},
        **{"schema": None, "values": [], "last_entity": 2, "last_fact": 2},
    }
    assert (built.skipped, built.unused, built.not_facts) == (1, [], 1)


def test_all_tables_if_a_document_joins() -> None:
    """New numbers are above the highest ones ever given, which may be gone; a decision and a schema change the rest."""
    base = replace(build_graph([london()]).tables, info={"last_entity": 6, "last_fact": 8, "note": "mine"})
    nobody = Decision("same", "X", "Y")
    options = GraphOptions(
        rules=("exact",),
        discount=Discount(1.0),
        decisions=[Decision("rename", "London", "London, UK"), nobody],
        schema=Schema(relations={"born": RelationSchema(functional=True)}),
    )
    built = build_graph([bath()], base=base, options=options)
    assert rows_of(built.tables) == {
        "documents": [("a", LONDON, ""), ("b", BATH, '{"date": 1}')],
        "mentions": [
            *LONDON_TABLES["mentions"],
            (5, "b", 0, 0, 12, "Ada Lovelace", "PERSON", None, 1),
            (6, "b", 0, 25, 29, "Bath", "GPE", None, 7),
            (7, "b", 1, 31, 35, "Bath", "GPE", None, 7),
        ],
        "entities": [
            (1, "Ada Lovelace", "PERSON", None, ["Lovelace"], 3, 2),
            (2, "London, UK", "GPE", None, ["London"], 2, 1),
            (7, "Bath", "GPE", None, [], 2, 1),
        ],
        "facts": [
            *LONDON_TABLES["facts"],
            (9, 1, "born", 7, 0.75, 0.75, 1, 1, "Ada Lovelace was born in Bath."),
            (10, 7, "born", 7, 0.1, 0.1, 1, 1, BATH),
        ],
        "support": [
            *LONDON_TABLES["support"],
            (9, 5, 6, "b", 0, 0, 30, "Ada Lovelace was born in Bath.", 0.75, "m", None),
            (10, 6, 7, "b", 0, 0, 41, BATH, 0.1, "m", None),
        ],
        "merges": [
            (1, "Ada Lovelace", "Ada Lovelace", "b", "exact", 1.0),
            (1, "Ada Lovelace", "Lovelace", "a", "person", 0.95),
            (2, "London, UK", "London", None, "decision", 1.0),
        ],
        "conflicts": [
            ("denied", "left", 2, None, "a: Lovelace left London.", 0.25),
            ("functional", "born", 1, 9, "Ada Lovelace: London, UK or Bath", None),
            ("self", "born", 10, None, "Bath", None),
        ],
    }
    assert built.tables.info == {
        "options": {"rules": ["exact"]},
        "calibration": {"exponent": 1.0, "scale": 1.0, "shift": 0.0},
        "schema": {"relations": {"born": {"functional": True}}},
        **{"values": [], "last_entity": 7, "last_fact": 10, "note": "mine"},
    }
    assert (built.skipped, built.unused, built.not_facts) == (0, [nobody], 0)


def test_a_graph_that_does_not_say_which_numbers_were_given() -> None:
    joined = build_graph([bath()], base=replace(build_graph([london()]).tables, info={})).tables
    assert [each["entity_id"] for each in joined.entities.to_pylist()] == [1, 2, 3]
    assert [each["fact_id"] for each in joined.facts.to_pylist()] == [1, 2, 3, 4]
    assert (joined.info["last_entity"], joined.info["last_fact"]) == (3, 4)
    alone, empty = build_graph([bath()]).tables, build_graph([bath()], base=empty_tables()).tables
    assert rows_of(alone) == rows_of(empty) and alone.info == empty.info
    info = build_graph([], base=empty_tables()).tables.info
    assert (info["last_entity"], info["last_fact"]) == (0, 0)


def test_rules_hold_inside_of_documents_too() -> None:
    tables = build_graph([london()], options=GraphOptions(rules=("exact",))).tables
    assert tables.entities.column("name").to_pylist() == ["Ada Lovelace", "Lovelace", "London"]


def test_the_numbers_of_what_is_gone_stay_the_highest() -> None:
    base = replace(build_graph([london()]).tables, info={"last_entity": 6, "last_fact": 8})
    info = build_graph([], base=base).tables.info
    assert (info["last_entity"], info["last_fact"]) == (6, 8)
    split = build_graph([london()], options=GraphOptions(decisions=[Decision("different", "Ada Lovelace", "Lovelace")]))
    assert split.tables.info["last_entity"] == 3


def test_no_documents() -> None:
    built = build_graph([])
    assert rows_of(built.tables) == {name: [] for name in TABLE_NAMES}
    assert (built.tables.info["last_entity"], built.tables.info["last_fact"]) == (0, 0)
