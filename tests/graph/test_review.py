"""Facts that people review: answers that survive, what is exported, and the page as a person meets it."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spacy_relext.cli.main import relext
from spacy_relext.export.tables import GraphTables, read_tables, write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.decisions import Decision, InDocument
from spacy_relext.graph.documents import Document
from spacy_relext.graph.review import REVIEWS_FILE, Answer, Reviews, accepted_facts, match_answers, parse_answer
from spacy_relext.graph.review_page import Review, make_review_app
from tests.graph.texts import document
from tests.visuals.browser import drive_browser, needs_driver, serve_app

TEXTS = {
    "a": ("Havgass was founded by Ingvar Rusten.", ("Havgass", "founded_by", "Ingvar Rusten", 0.9)),
    "b": ("Tellmar owns Havgass.", ("Tellmar", "owned_by", "Havgass", 0.6)),
    "c": ("Odalys runs Tellmar.", ("Odalys", "employer", "Tellmar", 0.5)),
    "d": ("Bo works at Skog.", ("Bo", "employer", "Skog", 0.1)),
}


def documents(names: str) -> List[Document]:
    return [document(TEXTS[name][0], [TEXTS[name][1]], {}, doc_id=name) for name in names]


def facts(tables: GraphTables) -> Dict[Any, float]:
    names = dict(zip(tables.entities["entity_id"].to_pylist(), tables.entities["name"].to_pylist()))
    return {
        (names[row["subject"]], row["relation"], names[row["object"]]): row["probability"]
        for row in tables.facts.to_pylist()
    }


def answered(path: Path) -> Reviews:
    reviews = Reviews(path)
    reviews.append(Answer("Havgass", "founded_by", "Ingvar Rusten", "rejected"))
    reviews.append(Answer("HAVGASS", "founded_by", "Ingvar Rusten", "accepted", by="Ada"))
    reviews.append(Answer("Tellmar", "owned_by", "Havgass", "edited", swapped=True))
    reviews.append(Answer("Odalys", "employer", "Tellmar", "rejected"))
    return reviews


@given(st.permutations("abcd"), st.integers(0, 4))
def test_answers_survive(tmp_path_factory: pytest.TempPathFactory, order: List[str], cut: int) -> None:
    """Whatever the order of the documents, and whatever is added later."""
    path = tmp_path_factory.mktemp("reviews") / REVIEWS_FILE
    answered(path)
    tables = build_graph(documents("".join(order[:cut]))).tables
    tables = build_graph(documents("".join(order[cut:])), base=tables).tables
    answers, unused = match_answers(tables, Reviews(path).answers)
    assert unused == [] and sorted(each.state for each in answers.values()) == ["accepted", "edited", "rejected"]
    kept = accepted_facts(tables, answers, accept=2.0)
    assert set(facts(kept)) == {("Havgass", "founded_by", "Ingvar Rusten"), ("Havgass", "owned_by", "Tellmar")}
    assert kept.mentions.num_rows == 4 and kept.support.num_rows == 2 and kept.entities.num_rows == 3
    write_tables(kept, path.parent / "graph")
    read_tables(path.parent / "graph")  # which checks that all ids are there
    assert ("Bo", "employer", "Skog") in facts(accepted_facts(tables, answers, accept=0.1))


def test_the_last_answer_counts(tmp_path: Path) -> None:
    reviews = answered(tmp_path / "r.jsonl")
    reviews.append(Answer("Odalys", "employer", "Tellmar", "open"))
    reviews.append(Answer("Eve", "employer", "Skog", "accepted"))
    for again in (reviews, Reviews(reviews.path)):
        answers, unused = match_answers(build_graph(documents("abcd")).tables, again.answers)
        assert {each.relation: (each.state, each.by) for each in answers.values()} == {
            "founded_by": ("accepted", "Ada"),
            "owned_by": ("edited", ""),
        }
        assert [each.subject for each in unused] == ["Eve"]
    assert all(len(json.loads(line)["at"]) == 25 for line in reviews.path.read_text().splitlines())


@pytest.mark.parametrize("cut", range(1, 40))
def test_half_a_line_is_cut(tmp_path: Path, cut: int) -> None:
    """The process may be killed while it writes; what was whole before stays, and the next answer is added."""
    reviews = answered(tmp_path / REVIEWS_FILE)
    before = [*reviews.answers.values()]
    content = reviews.path.read_bytes()
    reviews.path.write_bytes(content[:-cut])
    again = Reviews(reviews.path)
    assert [*again.answers.values()] == (before if cut == 1 else before[:-1])
    if cut > 1:
        again.append(before[-1])
    assert reviews.path.read_bytes() == content


def test_homonyms_are_told_apart_by_a_document(tmp_path: Path) -> None:
    texts = [document("Li Wei left Narvik.", [("Li Wei", "left", "Narvik", 0.5)], {}, doc_id=name) for name in "ab"]
    apart = GraphOptions(decisions=[Decision("different", "Li Wei", InDocument("Li Wei", "b"))])
    tables = build_graph(texts, options=apart).tables
    reviews = Reviews(tmp_path / "r.jsonl")
    reviews.append(Answer("Li Wei", "left", "Narvik", "rejected", document="b"))
    answers, unused = match_answers(tables, reviews.answers)
    (number,) = answers
    assert tables.support.to_pylist()[number - 1]["doc_id"] == "b" and unused == []
    reviews.append(Answer("Li Wei", "left", "Narvik", "accepted"))
    assert [each.document for each in match_answers(tables, reviews.answers)[1]] == [""]


@pytest.mark.parametrize(
    "line",
    [b"[]", b"{", b'{"subject": "a", "relation": "r", "object": "", "state": "open"}', b"\xff"]
    + [b'{"subject": "a", "relation": "r", "object": "b", "state": "maybe"}']
    + [b'{"subject": 1, "relation": "r", "object": "b", "state": "open"}'],
)
def test_lines_that_are_no_answers(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\[R842\] f:7: "):
        parse_answer(line, place="f:7")


def test_other_tools(tmp_path: Path) -> None:
    folder, tasks = tmp_path / "g", tmp_path / "tasks.jsonl"
    write_tables(build_graph(documents("abcd")).tables, folder)
    run = CliRunner().invoke
    done = run(relext, ["graph", "review", str(folder), "--write", str(tasks), "--accept", "0.9"])
    assert done.exit_code == 0 and "2 facts" in done.output, done.output
    rows = [json.loads(line) for line in tasks.read_text(encoding="utf8").splitlines()]
    assert rows[0] == {
        **{"fact_id": 2, "subject": "Tellmar", "relation": "owned_by", "object": "Havgass", "probability": 0.6},
        **{"state": "open", "sentences": ["Tellmar owns Havgass."], "document": "b"},
    }
    rows[0].update(state="edited", swapped=True)
    tasks.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf8")
    done = run(relext, ["graph", "review", str(folder), "--read", str(tasks), "--annotator", "Ada"])
    assert done.exit_code == 0 and "1 answers" in done.output, done.output
    done = run(relext, ["graph", "export", str(folder), str(tmp_path / "g.jsonl"), "--accepted", "--above", "0.9"])
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in (tmp_path / "g.jsonl").read_text(encoding="utf8").splitlines()]
    assert [(each["subject"]["name"], each["relation"], each["object"]["name"]) for each in found] == [
        ("Havgass", "founded_by", "Ingvar Rusten"),
        ("Havgass", "owned_by", "Tellmar"),
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with drive_browser() as started:
        yield started


@needs_driver
@pytest.mark.xdist_group("browser")
def test_a_person_at_the_page(browser: Any, tmp_path: Path) -> None:
    reviews = Reviews(tmp_path / REVIEWS_FILE)
    review = Review(build_graph(documents("abcd")).tables, reviews, accept=0.95, reject=0.05, by="Ada")
    with serve_app(lambda port: make_review_app(review, hosts=[f"127.0.0.1:{port}"])) as address:
        page = browser.new_page()
        errors: List[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)

        def press(*keys: str) -> None:
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_selector("body[data-saved='true']", timeout=20_000)

        press("a")
        press("s")  # owned_by, in the other direction
        press("n", "r")
        press("e")
        page.keyboard.type("colleague")
        press("Enter")
        assert "4 of 4 answered" in page.inner_text("#progress") and errors == []
        press("u")
    states = {each.relation: (each.state, each.swapped, each.new_relation) for each in reviews.answers.values()}
    assert states == {
        **{"founded_by": ("accepted", False, ""), "owned_by": ("edited", True, "")},
        "employer": states["employer"],
    }
    lines = [json.loads(line) for line in reviews.path.read_text(encoding="utf8").splitlines()]
    assert [line["state"] for line in lines] == ["accepted", "edited", "rejected", "edited", "open"]
    assert lines[3]["new_relation"] == "colleague" and {line["by"] for line in lines} == {"Ada"}
