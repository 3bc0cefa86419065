"""What the application of `spacy relext annotate correct` answers, and to whom."""

import json
import re
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import pytest

pytest.importorskip("httpx")
pytest.importorskip("starlette")

from starlette.testclient import TestClient  # noqa: E402

from spacy_relext.corpora.formats.answers import AnswerFile  # noqa: E402
from spacy_relext.visuals import correction as application  # noqa: E402
from spacy_relext.visuals.correction import Correction, make_correction_app, mark_suggestions  # noqa: E402
from tests.visuals.correcting import TOKENIZER, in_words, read_lines, suggest  # noqa: E402

HOSTS = ["127.0.0.1:5000", "localhost:5000"]

RECORDS = [
    suggest("Ada met Bo.", ("Ada", "met", "Bo")),
    {"text": "Cy saw Di.", "id": 7},
    suggest("Ada met Bo.", ("Bo", "met", "Ada")),
]


class Client:
    """Sends requests as the page does, or others."""

    def __init__(self, output: Path) -> None:
        correction = Correction(RECORDS, AnswerFile(output), make_doc=TOKENIZER.make_doc)
        self.http = TestClient(make_correction_app(correction, hosts=HOSTS), base_url=f"http://{HOSTS[0]}")
        self.headers: Dict[str, str] = {}
        status, page = self.ask("GET", "/")
        assert status == 200
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
        assert data
        self.data = json.loads(data[1])
        self.headers = {self.data["header"]: self.data["token"], "Content-Type": "application/json"}

    def ask(
        self, method: str, path: str, body: Optional[str] = None, *, headers: Optional[Dict[str, str]] = None
    ) -> Tuple[int, str]:
        sent = {name: value.encode("latin1") for name, value in (self.headers if headers is None else headers).items()}
        reply = self.http.request(method, path, content=body, headers=sent)
        self.policy = reply.headers
        return reply.status_code, reply.text

    def read(self, number: int) -> Dict[str, Any]:
        status, body = self.ask("GET", f"/documents/{number}")
        assert status == 200
        return json.loads(body)

    def write(self, number: int, **values: Any) -> Tuple[int, Dict[str, Any]]:
        answer = {"version": self.read(number)["version"], "triples": [], "rejected": [], "correction": "done"}
        status, body = self.ask("POST", f"/documents/{number}", json.dumps({**answer, **values}))
        return status, json.loads(body)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def client(output: Path) -> Client:
    return Client(output)


def test_documents_and_answers(client: Client, output: Path) -> None:
    assert client.data["total"] == 2 and client.data["first"] == 0  # the third text is the first again
    assert client.policy["X-Frame-Options"] == "DENY" and client.policy["Cache-Control"] == "no-store"
    first = client.read(0)
    assert first["tokens"] == [[0, 3], [4, 7], [8, 10], [10, 11]] and first["next"] == 1
    status, reply = client.write(0, rejected=first["record"]["triples"])
    assert status == 200 and (reply["done"], reply["skipped"], reply["next"]) == (1, 0, 1)
    status, reply = client.write(1, correction="skipped")
    assert status == 200 and (reply["done"], reply["skipped"], reply["next"]) == (1, 1, None)
    lines = read_lines(output)
    assert lines[1] == {"text": "Cy saw Di.", "id": 7, "triples": [], "correction": "skipped"}
    assert in_words(lines[0], "rejected") == [("Ada", "met", "Bo")]


@pytest.mark.parametrize(
    "values, status, message",
    [
        ({"correction": "perhaps"}, 400, "R007"),
        ({"triples": [{"subject": [0, 3], "relation": "met", "object": [0, 3]}]}, 400, "same span"),
        ({"triples": [{"subject": [0, 3], "relation": "met", "object": [8, 99]}]}, 400, "object"),
        ({"triples": [{"subject": [0, 3], "relation": " ", "object": [8, 10]}]}, 400, "relation"),
        ({"triples": [{"subject": [0, 3], "relation": "\ud800", "object": [8, 10]}]}, 400, "surrogate"),
        ({"triples": RECORDS[0]["triples"]}, 400, "R252"),
        ({"triples": "none"}, 400, "list"),
        ({"rejected": None}, 400, "list"),
        ({"version": "of before"}, 409, "another answer"),
    ],
)
def test_answers_that_are_refused(
    client: Client, output: Path, values: Dict[str, Any], status: int, message: str
) -> None:
    found, reply = client.write(0, **values)
    assert found == status and message in reply["error"]
    assert not output.exists()


@pytest.mark.parametrize(
    "changed, status",
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"X-Relext-Token": "x"}, 403),
        ({"X-Relext-Token": "\xe9"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_requests_that_are_refused(client: Client, output: Path, changed: Dict[str, str], status: int) -> None:
    answer = {"version": client.read(0)["version"], "triples": [], "rejected": [], "correction": "done"}
    found, _ = client.ask("POST", "/documents/0", json.dumps(answer), headers={**client.headers, **changed})
    assert found == status and not output.exists()
    if changed.keys() & {"Host", "Origin", "X-Relext-Token"}:
        assert client.ask("GET", "/documents/0", headers={**client.headers, **changed})[0] == 403


def test_own_names_and_other_paths(client: Client) -> None:
    own = {**client.headers, "Host": HOSTS[1], "Origin": f"http://{HOSTS[1]}"}
    assert client.ask("GET", "/documents/1", headers=own)[0] == 200
    for path in ("/documents/2", "/documents/-1", "/documents/x", "/documents/0/..", "/etc/passwd"):
        assert client.ask("GET", path)[0] == 404
    for body in ("{", "[]", "null", "[" * 200 + "]" * 200, ""):
        assert client.ask("POST", "/documents/0", body)[0] == 400


def test_a_disk_that_cannot_be_written(client: Client, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AnswerFile, "append", fail)
    status, reply = client.write(0)
    assert status == 507 and "No space left" in reply["error"]


def test_the_limit_of_a_body(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MAX_BODY", 10)
    assert client.write(0)[0] == 413


def test_suggestions_that_are_answered_already() -> None:
    text = "Ada met Bo and Cy."
    first, second = suggest(text, ("Ada", "met", "Bo"), ("Ada", "met", "Cy"))["triples"]
    gold = {key: first[key] for key in ("subject", "relation", "object")}
    record = mark_suggestions(
        {"text": text, "triples": [first, second, {**gold, "score": 1.0}, second], "correction": "done"}
    )
    assert record["triples"] == [second, gold] or record["triples"] == [gold, second]
    rejected = mark_suggestions({"text": text, "triples": [first], "rejected": [first]})
    assert rejected["triples"] == []


def test_a_new_run_goes_on(output: Path) -> None:
    Client(output).write(0)
    again = Correction(RECORDS, AnswerFile(output), make_doc=TOKENIZER.make_doc)
    assert again.next_open(0) == 1 and again.count("done") == 1 and again.repeated == 1
