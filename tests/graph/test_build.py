"""From documents to a graph: entities of several documents, facts, numbers that stay, the same bytes."""

import json
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.grouping import group_mentions
from spacy_relext.annotations.names import tidy
from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.export.tables import GraphTables, read_tables, write_tables
from spacy_relext.graph.across import join_groups
from spacy_relext.graph.build import GraphOptions, build_graph, fit_on
from spacy_relext.graph.decisions import Decision, InDocument
from spacy_relext.graph.documents import GOLD_KEY, Document, parse_document
from spacy_relext.graph.query import GraphQuery

from .texts import document, record

PEOPLE = {"Ada Lovelace": "PERSON", "Lovelace": "PERSON", "London": "GPE", "Charles Babbage": "PERSON"}

LOVELACE = "Ada Lovelace was born in London. Lovelace wrote to Charles Babbage."


def lovelace(doc_id: str = "1") -> Document:
    made = record(LOVELACE, [("Ada Lovelace", "place_of_birth", "London", 0.8)], PEOPLE, doc_id=doc_id)
    start = LOVELACE.index(". Lovelace") + 2
    end = LOVELACE.index("Charles Babbage")
    made["triples"].append(
        {"subject": [start, start + 8], "relation": "knows", "object": [end, end + 15], "score": 0.5, "source": "m"}
    )
    return parse_document(made)


def facts(tables: GraphTables) -> Dict[Tuple[str, str, str], dict]:
    names = dict(zip(*(tables.entities.column(key).to_pylist() for key in ("entity_id", "name"))))
    return {(names[row["subject"]], row["relation"], names[row["object"]]): row for row in tables.facts.to_pylist()}


def entities(tables: GraphTables) -> Dict[str, dict]:
    return {row["name"]: row for row in tables.entities.to_pylist()}


def build(*documents: Document, base: GraphTables | None = None, **options: object) -> GraphTables:
    return build_graph(documents, options=GraphOptions(**options), base=base).tables  # type: ignore[arg-type]


def londoners(*names: str) -> List[Document]:
    return [
        document(f"{name} lived in London.", [(name, "residence", "London", 0.9)], {name: "PERSON"}, doc_id=name)
        for name in names
    ]


def test_white_space_in_names_does_not_count() -> None:
    text = "Ada\nLovelace lived in London. Ada Lovelace left London."
    triples = [("Ada\nLovelace", "residence", "London", 0.9), ("Ada Lovelace", "residence", "London", 0.5)]
    tables = build(document(text, triples, {"Ada\nLovelace": "PERSON", "Ada Lovelace": "PERSON", "London": "GPE"}))
    assert entities(tables)["Ada Lovelace"]["aliases"] == []


def test_a_full_name_that_is_no_argument_names_the_entity() -> None:
    tables = build(document("Ada Lovelace worked. Lovelace lived in London.", [], {}))
    assert tables.entities.num_rows == 0
    made = record("Ada Lovelace worked. Lovelace lived in London.", [], PEOPLE)
    made["triples"] = [{"subject": [21, 29], "relation": "residence", "object": [39, 45], "score": 1.0}]
    tables = build(parse_document(made))
    assert entities(tables)["Ada Lovelace"]["aliases"] == ["Lovelace"]
    assert tables.mentions.num_rows == 2


def test_symmetric_relations_are_one_fact() -> None:
    labels = {"Ada Lovelace": "PERSON", "Charles Babbage": "PERSON"}
    texts = [
        document("Ada Lovelace knew Charles Babbage.", [("Ada Lovelace", "knows", "Charles Babbage", 0.6)], labels),
        document("Charles Babbage knew Ada Lovelace.", [("Charles Babbage", "knows", "Ada Lovelace", 0.7)], labels,
                 doc_id="2"),
    ]  # fmt: skip
    assert build(*texts).facts.num_rows == 2
    tables = build(*texts, schema=Schema(relations={"knows": RelationSchema(symmetric=True)}))
    (fact,) = tables.facts.to_pylist()
    assert (fact["subject"], fact["object"], fact["n_sentences"]) == (1, 2, 2)


def test_documents_join_a_graph_without_new_numbers(tmp_path: Path) -> None:
    first = build(lovelace())
    write_tables(first, tmp_path / "graph")
    more = document(
        "Ada Lovelace was born in London, England.",
        [("Ada Lovelace", "place_of_birth", "London", 0.5)],
        PEOPLE,
        doc_id="2",
    )
    new = document("Grace Hopper lived in London.", [("Grace Hopper", "residence", "London", 0.9)],
                   {"Grace Hopper": "PERSON", "London": "GPE"}, doc_id="3")  # fmt: skip
    joined = build(more, new, base=read_tables(tmp_path / "graph"))
    for name, row in entities(first).items():
        assert entities(joined)[name]["entity_id"] == row["entity_id"]
    for key, row in facts(first).items():
        assert facts(joined)[key]["fact_id"] == row["fact_id"]
    assert facts(joined)["Ada Lovelace", "place_of_birth", "London"]["n_documents"] == 2
    assert entities(joined)["Grace Hopper"]["entity_id"] == 4
    at_once = build(lovelace(), more, new)
    assert joined.facts.equals(at_once.facts) and joined.entities.equals(at_once.entities)


def test_a_document_counts_once_and_ids_are_unique() -> None:
    built = build_graph([lovelace(), lovelace()])
    assert (built.skipped, built.tables.documents.num_rows) == (1, 1)
    assert build_graph([lovelace()], base=built.tables).skipped == 1
    other = document("Grace Hopper lived in London.", [("Grace Hopper", "residence", "London", 0.9)])
    with pytest.raises(ValueError, match="R836.*'1'"):
        build(lovelace(), other)
    named = lovelace("x")._replace(file="texts"), other._replace(doc_id="x", file="more")
    with pytest.raises(ValueError, match="R836.*'x'"):
        build(*named)  # only a number may get the name of its file
    tables = build(lovelace(), other._replace(file="more"))
    assert tables.documents.column("doc_id").to_pylist() == ["1", "more:1"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_tables(build(lovelace(), lovelace("2")._replace(text=LOVELACE)), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files and all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files
    )


def test_the_schema_gives_missing_types() -> None:
    schema = Schema(
        relations={
            "born": RelationSchema(subject=["PERSON"], object=["GPE"]),
            "in": RelationSchema(subject=["GPE", "ORG"]),
            "knows": RelationSchema(subject=["PERSON"], symmetric=True),
        }
    )
    triples = [("Ada Lovelace", "born", "London", 0.9), ("Ada Lovelace", "in", "Byron", 0.2)]
    made = document("Ada Lovelace was born in London near Byron.", [*triples, ("Byron", "knows", "London", 0.1)], {})
    labels = {name: row["label"] for name, row in entities(build(made, schema=schema)).items()}
    assert labels == {"Ada Lovelace": "PERSON", "London": None, "Byron": "PERSON"}
    assert {row["label"] for row in entities(build(made)).values()} == {None}


def test_decisions_override_and_survive(tmp_path: Path) -> None:
    lived = [("Countess of Lovelace", "residence", "London", 0.9)]
    labels = {"Countess of Lovelace": "PERSON", "London": "GPE"}
    texts = [lovelace(), document("The Countess of Lovelace lived in London.", lived, labels, doc_id="2")]
    same = Decision("same", "Ada Lovelace", "Countess of Lovelace")
    rename = Decision("rename", "London", "London, England")
    tables = build(*texts, decisions=[rename, same])
    assert sorted(entities(tables)) == ["Ada Lovelace", "Charles Babbage", "London, England"]
    assert ("Countess of Lovelace", "decision") in [(row["merged"], row["reason"]) for row in tables.merges.to_pylist()]
    again = document("London is where the Countess of Lovelace lived.", lived, labels, doc_id="3")
    later = build(again, base=tables)  # without the decisions: what they joined stays joined
    assert sorted(entities(later)) == ["Ada Lovelace", "Charles Babbage", "London, England"]
    assert facts(later)["Ada Lovelace", "residence", "London, England"]["n_documents"] == 2
    text = "Mary Lovelace slept. Lovelace left London."
    mary = record(
        text, [("Mary Lovelace", "residence", "London", 0.5)], {**PEOPLE, "Mary Lovelace": "PERSON"}, doc_id="3"
    )
    mary["triples"][0]["subject"] = [21, 29]
    both = build(lovelace(), parse_document(mary), decisions=[Decision("same", "Ada Lovelace", "Lovelace")])
    assert sorted(entities(both)) == ["Ada Lovelace", "Charles Babbage", "London"], "all that have the name"
    by_number = build(base=build(*texts), decisions=[Decision("same", 1, 4)])
    assert by_number.entities.num_rows == 3
    with pytest.raises(ValueError, match=r"R841.*d.jsonl:2: .*\[1, 4\].*--add-to"):
        build(*texts, decisions=[Decision("same", 1, 4, "d.jsonl:2")])
    place = build(
        *texts, decisions=[Decision("same", "London", "Ada Lovelace")]
    )  # of other types, if each is the only one
    assert sorted(entities(place)) == ["Charles Babbage", "Countess of Lovelace", "London"]
    assert entities(place)["London"] == {**entities(place)["London"], "entity_id": 1, "label": "GPE", "n_mentions": 4}


def test_a_decision_parts_what_a_rule_joined() -> None:
    apart = [Decision("different", "Ada Lovelace", "Lovelace")]
    tables = build(lovelace(), decisions=apart)
    assert sorted(entities(tables)) == ["Ada Lovelace", "Charles Babbage", "London", "Lovelace"]
    assert tables.merges.num_rows == 0
    numbers = {name: row["entity_id"] for name, row in entities(build(lovelace())).items()}
    assert {name: entities(tables)[name]["entity_id"] for name in numbers} == numbers
    twice = build(lovelace("2"), base=tables, decisions=apart)
    assert twice.entities.num_rows == 4 and entities(twice)["Lovelace"]["n_mentions"] == 2


def test_decisions_about_nobody_are_reported() -> None:
    nobody = [Decision("same", "X", "Y"), Decision("rename", 99, "Z"), Decision("different", "London", "X")]
    nobody.append(Decision("different", "London", InDocument("London", "9")))
    built = build_graph([], options=GraphOptions(decisions=nobody), base=build(lovelace()))
    assert set(built.unused) == set(nobody)


def li_wei(doc_id: str, relation: str) -> Document:
    text = "Li Wei came. Wei left Narvik."
    made = record(text, [("Li Wei", relation, "Narvik", 0.5)], {"Li Wei": "PERSON", "Narvik": "GPE"}, doc_id=doc_id)
    made["triples"].append({"subject": [13, 16], "relation": relation, "object": [22, 28], "score": 0.5})
    made["entities"].append({"start": 13, "end": 16, "label": "PERSON"})
    return parse_document(made)


@given(st.permutations("abcd"), st.lists(st.booleans(), min_size=4, max_size=4), st.booleans())
def test_a_decision_about_a_document(order: List[str], cuts: List[bool], is_short: bool) -> None:
    """Whatever the order, and whatever is added later: b and d are another person."""
    footballer = InDocument("Wei" if is_short else "Li Wei", "b")
    decisions = [Decision("different", "Li Wei", footballer)]
    decisions += [Decision("same", InDocument("Li Wei", "d"), footballer), Decision("rename", footballer, "Li Wei (2)")]
    tables: Optional[GraphTables] = None
    batch: List[Document] = []
    for doc_id, cut in zip(order, [*cuts[1:], True]):
        batch.append(li_wei(doc_id, "plays" if doc_id in "bd" else "teaches"))
        if cut:
            tables, batch = build(*batch, base=tables, decisions=decisions), []
    assert tables is not None
    people = {name: row for name, row in entities(tables).items() if row["label"] == "PERSON"}
    assert {name: row["n_documents"] for name, row in people.items()} == {"Li Wei": 2, "Li Wei (2)": 2}
    assert {key: row["n_documents"] for key, row in facts(tables).items()} == {
        ("Li Wei", "teaches", "Narvik"): 2,
        ("Li Wei (2)", "plays", "Narvik"): 2,
    }
    owners = {(row["entity_id"], row["doc_id"]) for row in tables.mentions.to_pylist()}
    assert {(row["entity_id"], row["doc_id"]) for row in tables.merges.to_pylist() if row["doc_id"]} <= owners


def test_the_discount_is_fitted_on_gold() -> None:
    documents: List[Document] = []
    for number in range(40):
        made = record(
            f"P{number} was born in Q{number}.", [(f"P{number}", "born", f"Q{number}", 0.9)], doc_id=str(number)
        )
        made[GOLD_KEY] = made["triples"] if number % 2 else []
        documents.append(parse_document(made, gold=True))
    discount, risk = fit_on(documents)
    assert risk["aurc"] == pytest.approx(0.5, abs=0.1) and risk["threshold_at_precision_90"] is None
    (fact,) = build(documents[0], discount=discount).facts.to_pylist()
    assert fact["probability"] == pytest.approx(0.5, abs=0.05)
    with pytest.raises(ValueError, match="R834"):
        fit_on(documents[:1])
    denied = [
        each._replace(statements=[s._replace(attributes={"negated": True}) for s in each.statements])
        for each in documents
    ]
    with pytest.raises(ValueError, match="R834"):
        fit_on(denied)


NAME = st.text(alphabet="AB b.'=<>\"\n\u202e\x07é", min_size=1, max_size=6).filter(tidy)


@given(st.lists(st.tuples(NAME, st.sampled_from(["r", "s"]), NAME, st.floats(0, 1)), max_size=6), st.booleans())
def test_any_names_make_consistent_tables(tmp_path_factory: pytest.TempPathFactory, rows: list, split: bool) -> None:
    documents = []
    for number, (subject, relation, obj, score) in enumerate(rows):
        text = f"{subject}|{obj}"
        spans = [0, len(subject)], [len(subject) + 1, len(text)]
        triple = {"subject": spans[0], "relation": relation, "object": spans[1], "score": score}
        documents.append(parse_document({"text": text, "doc_id": f"d{number}", "triples": [triple]}))
    tables = build(*documents[: len(documents) // 2 if split else len(documents)])
    if split:
        tables = build(*documents[len(documents) // 2 :], base=tables)
    folder = tmp_path_factory.mktemp("graph") / "graph"
    write_tables(tables, folder)
    read = read_tables(folder)
    assert read.support.num_rows == len(rows)
    assert sum(read.entities.column("n_mentions").to_pylist()) == read.mentions.num_rows
    assert all(0 <= value <= 1 for value in read.facts.column("probability").to_pylist())
    assert json.dumps(read.info)


def test_numbers_of_facts_that_are_gone_are_not_given_again() -> None:
    texts = londoners("Ada Byron", "Ada King", "Grace Hopper")
    joined = build(base=build(*texts[:2]), decisions=[Decision("same", "Ada Byron", "Ada King")])
    assert joined.facts.column("fact_id").to_pylist() == [1]
    assert build(texts[2], base=joined).facts.column("fact_id").to_pylist() == [1, 3]


@pytest.mark.parametrize(
    "package, call",
    [
        ("pyarrow", lambda: build_graph([])),
        ("duckdb", lambda: GraphQuery.open(Path())),
        ("rapidfuzz", lambda: group_mentions([])),
        ("rapidfuzz", lambda: join_groups([])),
    ],
)
def test_a_missing_package(package: str, call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"R006.*{package}.*\[export\]"):
        call()
