"""Odd texts through all of a graph: records, tables, every export, the page; RELEXT_FUZZ is their number."""

import os
import xml.dom.minidom
from collections import Counter
from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_relext.annotations.triple import Record
from spacy_relext.corpora.canonical import BLANK_TRIPLES
from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.export.graph_files import FOLDER_FORMS, FORMS, export_graph
from spacy_relext.export.tables import read_tables, write_tables
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import read_documents
from spacy_relext.graph.page import draw_graph
from spacy_relext.graph.query import QUESTIONS, GraphQuery

COUNT = int(os.environ.get("RELEXT_FUZZ", "20"))

PIECES = [
    *(" ", "   ", "\u00a0", "\t", "\n", "\r\n", "\f", "\u2028", "\u3000", " " * 50, "\n" * 20),
    *("Eva", "Moe", "Fjord AS", "she", "the firm", "E.", "№ 7", "5 %", "Q42", "Nord-\nlys", "ﬁ", "½"),
    *("😀", "👨\u200d👩\u200d👧", "🏳️", "e\u0301\u0323", "\u0301", "דנה", "نورليس", "李薇", "हिन्दी", "İ"),
    *("\x00", "\x07", "\x1b[31m", "\x7f", "\u00ad", "\u200b", "\u200e", "\u202e", "\ufeff", "\ufffd", "\ufffe"),
    *("“", "’", "'", '"', "«", "—", "-", ";", ",", "\\", "/", "=1+1", "@x", "`", "**", "__", "]]>", "-->"),
    *("&amp;", "&", "<b>", "</script>", "<", ">", "[a](b)", "| a |", "{{x}}", "%s", ". ", "! ", "x" * 300),
]


@st.composite
def records(draw: Any) -> Record:
    """Make a record of joined pieces, whose arguments, entities and mentions are runs of them."""
    pieces: List[str] = ["Eva", *draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12))]
    text, ends = "".join(pieces), [0]
    for piece in pieces:
        ends.append(ends[-1] + len(piece))
    spans = st.lists(st.sampled_from(ends), min_size=2, max_size=2, unique=True).map(sorted)
    names = st.sampled_from(["PERSON", "DATE", "a <b>", "\u202e", "x/y"])
    made: Record = {
        "text": text,
        "triples": [],
        "entities": [],
        "doc_id": draw(st.sampled_from(["", " ", "a/b c", "\x01", "é%2F"])),
    }
    for subject, obj in draw(st.lists(st.tuples(spans, spans), min_size=1, max_size=4)):
        if subject != obj:
            made["triples"].append({"subject": subject, "relation": draw(names), "object": obj, "score": 0.5})
    ids = st.sampled_from(["", "NIL", "wd:Q42", "http://e.org/<x>", "a b"])
    entities = draw(st.lists(spans, max_size=3))
    made["entities"] = [
        {"start": start, "end": end, "label": draw(names), "kb_id": draw(ids)} for start, end in entities
    ]
    made["coref"] = [chain for chain in [draw(st.lists(spans, max_size=3))] if chain]
    return made


@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(records(), min_size=1, max_size=3))
def test_no_text_stops_a_graph(tmp_path_factory: pytest.TempPathFactory, made: List[Record]) -> None:
    folder: Path = tmp_path_factory.mktemp("odd")
    lines = [to_json({**record, "doc_id": f"{record['doc_id']}{at}" if at else ""}) for at, record in enumerate(made)]
    (folder / "found.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
    losses: Counter[str] = Counter()
    built = build_graph(read_documents([folder / "found.jsonl"], losses=losses))
    stated = sum(len(record["triples"]) for record in made)
    assert built.tables.support.num_rows + built.blank + losses[BLANK_TRIPLES] == stated or built.skipped
    assert all(name.strip() for name in built.tables.entities.column("name").to_pylist())
    write_tables(built.tables, folder / "graph")
    tables = read_tables(folder / "graph")
    for form in FORMS:
        export_graph(tables, folder / (form if form in FOLDER_FORMS else f"out.{form}"), form=form)
    for form in ("graphml", "gexf"):
        xml.dom.minidom.parse(str(folder / f"out.{form}"))
    assert "</html>" in draw_graph(tables).html
    graph = GraphQuery.open(folder / "graph")
    for question, known in QUESTIONS.items():
        if not any(kind in ("NAME", "FACT") for kind in known.takes.split()):
            graph.ask(question, *(["1931"] if known.takes == "DATE" else []))
