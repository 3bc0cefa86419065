"""When facts hold: what attributes and triples about time say, what overlaps, and what questions and exports show."""

from pathlib import Path
from typing import Any, Dict, List

import pytest

from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.export.graph_files import export_graph
from spacy_relext.export.network import to_networkx
from spacy_relext.export.tables import write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.documents import Document, parse_document
from spacy_relext.graph.periods import Period, describe_period, find_periods, may_overlap
from spacy_relext.graph.query import GraphQuery
from tests.graph.texts import record


def stated(text: str, *triples: Any, doc_id: str = "1", **attributes: str) -> Document:
    made = record(text, triples, {}, doc_id=doc_id)
    made["triples"][0]["attributes"] = attributes
    return parse_document(made)


def test_attributes_say_when() -> None:
    led = ("Ada", "led", "Skog", 0.9)
    since = stated("Ada led Skog.", led, start="March 1998", until="4 May 2011")
    assert find_periods(since) == [Period("1998-03", "2011-05-04")]
    assert find_periods(stated("Ada led Skog.", led, time="in 2001", start="some day")) == [Period(None, None, "2001")]


def test_triples_about_time_say_when() -> None:
    text = "Ada led Skog from 1998 to 2011."
    times = [("Ada", "start_time", "1998", 0.5), ("Ada", "end_time", "2011", 0.5)]
    document = stated(text, ("Ada", "led", "Skog", 0.9), *times)
    assert find_periods(document) == [Period("1998", "2011"), Period(), Period()]
    several = stated(text, ("Ada", "led", "Skog", 0.9), ("Ada", "saw", "Skog", 0.9), *times)
    assert set(find_periods(several)) == {Period()}, "nothing says which of the two"


@pytest.mark.parametrize(
    "one, other, expected",
    [
        (Period(), Period("1990", "1995"), True),
        (Period("1990", "1995"), Period("1996", "2000"), False),
        (Period("1990", "1995"), Period("1995-06", None), False),
        (Period("1990", "1995-07"), Period("1995-06", None), True),
        (Period("1990", None), Period("1991", None), True),
        (Period(None, None, "1990"), Period("1991", None), False),
        (Period(None, None, "1990"), Period(None, None, "1990"), True),
        (Period(None, None, "1990"), Period(None, None, "1991"), False),
    ],
)
def test_overlaps(one: Period, other: Period, expected: bool) -> None:
    assert may_overlap(one, other) is may_overlap(other, one) is expected


def test_periods_for_people() -> None:
    shown = [Period("1998", "2011"), Period("1998"), Period(None, "2011"), Period(at="2001"), Period()]
    assert [describe_period(*each) for each in shown] == ["1998 – 2011", "since 1998", "until 2011", "2001", ""]


def chiefs() -> List[Document]:
    rows = [("Ada", "1990", "1995"), ("Bo", "1995", "2000"), ("Cy", "1999", ""), ("Di", "", "")]
    documents = []
    for name, start, end in rows:
        known = {key: value for key, value in (("start", start), ("end", end)) if value}
        documents.append(stated(f"Skog is led by {name}.", ("Skog", "led by", name, 0.9), doc_id=name, **known))
    return documents


def test_all_pairs_that_overlap_are_conflicts() -> None:
    schema = Schema(relations={"led by": RelationSchema(functional=True)})
    tables = build_graph(chiefs(), options=GraphOptions(schema=schema)).tables
    pairs = {(row["other_fact_id"], row["fact_id"]) for row in tables.conflicts.to_pylist()}
    assert pairs == {(2, 3), (1, 4), (2, 4), (3, 4)}
    again = build_graph(chiefs()[2:], base=build_graph(chiefs()[:2]).tables, options=GraphOptions(schema=schema)).tables
    assert again.facts.equals(tables.facts) and again.conflicts.equals(tables.conflicts)


def ask(folder: Path, *question: str) -> List[Dict[str, Any]]:
    answer = GraphQuery.open(folder).ask(*question)
    return [dict(zip(answer.columns, row)) for row in answer.rows]


def test_questions(tmp_path: Path) -> None:
    write_tables(
        build_graph([*chiefs(), stated("Ed won Cup.", ("Ed", "won", "Cup", 0.5), at="1999-03")]).tables, tmp_path
    )
    for date, names in {
        *(("1992", "Ada"), ("1995-06-01", "Ada Bo"), ("1999", "Bo Cy Cup"), ("4 March 1999", "Bo Cy Cup")),
        *(("2030", "Cy"), ("1999-04", "Bo Cy"), ("1980", "")),
    }:
        assert [row["object"] for row in ask(tmp_path, "as-of", date)] == names.split(), date
    history = ask(tmp_path, "history", "Skog", "led by")
    assert [(row["object"], row["start"], row["end"]) for row in history] == [
        *(("Ada", "1990", "1995"), ("Bo", "1995", "2000"), ("Cy", "1999", None), ("Di", None, None)),
    ]
    with pytest.raises(ValueError, match="R209.*the date: 'soon'; expected"):
        ask(tmp_path, "as-of", "soon")


def test_exports(tmp_path: Path) -> None:
    tables = build_graph(chiefs()).tables
    (edge,) = to_networkx(tables).get_edge_data(1, 2).values()
    assert (edge["start"], edge["end"], "at" in edge) == ("1990", "1995", False)
    for name in ("g.graphml", "g.gexf", "g.ttl", "g.jsonl"):
        export_graph(tables, tmp_path / name)
        text = (tmp_path / name).read_text(encoding="utf8")
        assert "1990" in text and "1995" in text, name
    assert '<vocabulary/start> "1990"^^xsd:gYear' in (tmp_path / "g.ttl").read_text(encoding="utf8")
    export_graph(tables, tmp_path / "neo", form="neo4j")
    assert ",1990,1995,," in (tmp_path / "neo" / "facts.csv").read_text(encoding="utf8").replace('"', "")
