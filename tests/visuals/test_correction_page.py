"""`annotate correct` as a person meets it: clicks and keys in a headless browser, and the file of answers."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext import get_records
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import read_jsonl, write_jsonl
from tests.visuals.browser import drive_browser, needs_driver
from tests.visuals.correcting import Person, find, in_words, read_lines, serve, suggest

pytestmark = [needs_driver, pytest.mark.xdist_group("browser")]

FIRST = suggest("Ada Holm met Bo Lund in Oslo.", ("Ada", "met", "Bo Lund"), ("Bo Lund", "lives_in", "Oslo"))
SECOND = suggest("Cy saw Di. Nobody came.", ("Cy", "met", "Di"))
THIRD = {"text": "Kit wrote to Mia.", "entities": [{"start": 0, "end": 3, "label": "PERSON"}]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with drive_browser() as started:
        yield started


def test_accept_reject_fix_add_and_convert(browser: Any, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with serve([FIRST, SECOND, THIRD], output, annotator="ada", relations=["met", "lives_in", "wrote_to"]) as address:
        person = Person(browser, address)
        # the subject is corrected: the suggestion was wrong; the other one is rejected by a click
        person.select("Ada Holm")
        person.press("s")
        assert in_words(read_lines(output)[-1]) == [("Ada Holm", "met", "Bo Lund"), ("Bo Lund", "lives_in", "Oslo")]
        person.press("Enter")
        assert "1 not answered" in person.read("message")
        person.click("Reject")
        person.press("Enter")
        person.wait_for(1)
        # the relation is changed by its number, and another triple accepted
        person.press("2", "e", "e", "Enter")
        person.wait_for(2)
        # a new triple: an entity by a click, a word by the keys, a relation that has no number yet
        person.press("n")
        person.page.click("#text .entity")
        person.press("s", "ArrowRight", "ArrowRight", "ArrowRight", "o", "l")
        person.page.keyboard.type("phoned")
        person.press("Enter", "Enter")
        assert "All 3 documents are answered" in person.read("message")
        assert person.errors == []
    latest = list(read_jsonl(output))
    assert [in_words(record) for record in latest] == [
        [("Ada Holm", "met", "Bo Lund")],
        [("Cy", "lives_in", "Di")],
        [("Kit", "phoned", "Mia")],
    ]
    assert in_words(latest[0], "rejected") == [("Ada", "met", "Bo Lund"), ("Bo Lund", "lives_in", "Oslo")]
    assert [each["source"] for each in latest[0]["rejected"]] == ["model", "model"]
    assert latest[1]["triples"][0]["attributes"] == {"assertion": "denied"}
    assert {record["annotator"] for record in latest} == {"ada"}
    report = convert("jsonl", [output], tmp_path / "corrections.spacy")
    assert report.docs == 3 and not report.problems
    docs = list(DocBin().from_disk(tmp_path / "corrections.spacy").get_docs(spacy.blank("en").vocab))
    assert [record["source"] for doc in docs for record in get_records(doc) or []] == ["", "", ""]


def test_delete_undo_skip_back_and_keys_off(browser: Any, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    gold = {"text": "Ada met Bo.", "triples": [{"subject": [0, 3], "relation": "met", "object": [8, 10]}]}
    with serve([gold, SECOND], output) as address:
        person = Person(browser, address)
        person.press("d")
        assert in_words(read_lines(output)[-1]) == [] and person.read("triples") == "No triple."
        person.press("u", "v")
        assert in_words(read_lines(output)[-1]) == [("Bo", "met", "Ada")]
        person.press("x")
        person.wait_for(1)
        person.press("b")
        person.wait_for(0)
        assert "1 skipped" in person.read("progress")
        person.page.get_by_label("Keys").uncheck()
        before = output.read_bytes()
        person.page.keyboard.press("d")
        assert output.read_bytes() == before
        person.page.get_by_label("Keys").check()
        person.press("Shift+A", "Enter")
        person.wait_for(1)
        assert person.errors == []
    assert [record["text"] for record in read_jsonl(output)] == ["Ada met Bo."]  # the other one is not done
    report = convert("jsonl", [output], tmp_path / "one.spacy")
    assert report.docs == 1


@pytest.mark.long
def test_nothing_is_lost_when_server_and_browser_are_killed(browser: Any, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_jsonl(source, [FIRST, SECOND])
    server = start_server(source, output, port=0)
    address = read_address(server)
    person = Person(browser, address)
    person.press("a")
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    with output.open("ab") as file:
        file.write(b'{"text": "Ada Holm met')  # what a kill in the middle of writing leaves
    person.page.keyboard.press("r")
    person.page.wait_for_selector("#saved.bad")
    port = int(address.rstrip("/").rpartition(":")[2])
    server = start_server(source, output, port=port)
    try:
        read_address(server)
        person.press()  # the page finds the new server and its token by itself
        assert len(read_lines(output)) == 2 and in_words(read_lines(output)[-1]) == [("Ada", "met", "Bo Lund")]
        person.page.close()
        again = Person(browser, address)
        assert "accepted" in again.read("triples") and "rejected" in again.read("triples")
        again.press("Enter")
        again.wait_for(1)
    finally:
        server.kill()
        server.wait()
    assert in_words(next(read_jsonl(output))) == [("Ada", "met", "Bo Lund")]
    server = start_server(source, output, port=port)
    try:
        assert read_address(server)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-document='1']")  # it goes on where it stopped
        page.close()
    finally:
        server.kill()
        server.wait()


def start_server(source: Path, output: Path, *, port: int) -> "subprocess.Popen[str]":
    arguments = ["annotate", "correct", str(source), str(output), "--port", str(port)]
    command = [sys.executable, "-m", "spacy_relext", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def read_address(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    line = next(line for line in server.stdout if "http://" in line)
    return line.split()[2] + "/"


def test_a_triple_that_is_half_made(browser: Any, tmp_path: Path) -> None:
    with serve([SECOND], tmp_path / "out.jsonl", relations=["met"]) as address:
        person = Person(browser, address)
        person.press("a", "n", "ArrowRight", "s", "o")
        assert "Select text for the object" in person.read("message")
        person.press("ArrowLeft", "o", "1")
        assert "same text" in person.read("message")
        person.press("Enter")
        assert "lacks a part" in person.read("message")
        person.press("Escape", "Enter")
        assert "documents are answered" in person.read("message")
    assert in_words(next(read_jsonl(tmp_path / "out.jsonl"))) == [("Cy", "met", "Di")]


def test_two_tabs(browser: Any, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with serve([FIRST, SECOND], output) as address:
        one, other = Person(browser, address), Person(browser, address)
        one.press("a")
        other.page.keyboard.press("r")  # of what it shows, which is no longer so
        other.page.get_by_text("Another tab").wait_for()
        assert "accepted" in other.read("triples") and "rejected" not in other.read("triples")
        other.press("r", "Enter")
        other.wait_for(1)
    record = next(read_jsonl(output))
    assert in_words(record) == [("Ada", "met", "Bo Lund")]
    assert in_words(record, "rejected") == [("Bo Lund", "lives_in", "Oslo")]


def test_text_and_labels_are_shown_as_text(browser: Any, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    text = f"{evil} met </script><script>alert(2)</script> Bo &amp; Co."
    record = suggest(text, (evil, "<b>met</b>", "Bo"))
    record["entities"] = [{"start": 0, "end": len(evil), "label": '"><i>PER'}]
    with serve([record], tmp_path / "<i>&.jsonl", relations=["</script><script>alert(3)</script>"]) as address:
        person = Person(browser, address)
        assert person.page.evaluate("document.getElementById('text').textContent") == text
        assert person.page.evaluate("document.querySelectorAll('img, i, b, script').length") == 2
        assert "<b>met</b>" in person.read("triples")
        person.press("1", "Enter")
        assert person.errors == []
    assert in_words(next(read_jsonl(tmp_path / "<i>&.jsonl"))) == [(evil, "</script><script>alert(3)</script>", "Bo")]


@pytest.mark.parametrize(
    "text, subject, object_",
    [
        ("😀👩‍👩‍👧 Ada 🎉 met Bo🏳️‍🌈 in Köln.", "Ada", "Köln"),
        ("التقى أحمد بسارة في القاهرة.", "أحمد", "القاهرة"),
        ("משה פגש את שרה בחיפה.", "משה", "שרה"),
        ("Line one\r\n\tAda\u2028met e\u0301va \U0001d51e.", "Ada", "\U0001d51e"),
    ],
)
def test_offsets_are_those_of_python(browser: Any, tmp_path: Path, text: str, subject: str, object_: str) -> None:
    output = tmp_path / "out.jsonl"
    with serve([{"text": text}], output, relations=["r"]) as address:
        person = Person(browser, address)
        person.press("n")
        person.select(subject)
        person.press("s")
        person.select(object_, exact=True)
        person.press("o", "1", "Enter")
    (triple,) = next(read_jsonl(output))["triples"]
    assert (triple["subject"], triple["object"]) == (find(text, subject), find(text, object_))


def test_arrows_follow_the_direction_of_the_text(browser: Any, tmp_path: Path) -> None:
    with serve([{"text": "التقى أحمد بسارة."}], tmp_path / "out.jsonl") as address:
        person = Person(browser, address)
        person.press("ArrowLeft", "ArrowLeft")
        assert person.read("selection") == "Selected: أحمد"
        person.press("Shift+ArrowLeft")
        assert person.read("selection") == "Selected: أحمد بسارة"
