import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from spacy_relext.cli.correct import read_suggestions
from spacy_relext.corpora.convert import convert
from spacy_relext.visuals import web
from tests.cli.fake_pipeline import make_pipeline
from tests.visuals.correcting import in_words


def test_what_is_read(tmp_path: Path) -> None:
    nlp = make_pipeline()
    gold = {"text": "Ada met Bo.", "triples": [{"subject": [0, 3], "relation": "knows", "object": [8, 10]}], "id": 5}
    (tmp_path / "in.jsonl").write_text(json.dumps(gold) + "\n")
    (tmp_path / "in.txt").write_text("Ada met Bo.\n\nNobody.\n")
    convert("jsonl", [tmp_path / "in.jsonl"], tmp_path / "in.spacy")
    for name in ("in.jsonl", "in.spacy"):
        (record,) = read_suggestions(str(tmp_path / name), nlp)
        assert in_words(record) == [("Ada", "knows", "Bo"), ("Ada", "met", "Bo")] and record["id"] == 5
        assert [triple.get("source", "") for triple in record["triples"]] == ["", "fake"]
    assert [in_words(r) for r in read_suggestions(str(tmp_path / "in.txt"), nlp)] == [[("Ada", "met", "Bo")], []]


def test_the_command_serves_until_it_is_stopped(run, pipeline, tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("Ada met Bo.\nAda met Bo.\n")
    seen = []

    def serve_once(app, bound, *, purpose):
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        seen.append(TestClient(app, base_url=address).get("/").text)

    monkeypatch.setattr(web, "serve", serve_once)
    done = run("annotate", "correct", tmp_path / "in.txt", tmp_path / "out.jsonl", "--pipeline", pipeline, "--port", 0)
    assert done.exit_code == 0, done.output
    assert "Stopped: 0 of 1 documents done" in done.stdout and "1 documents with a text" in done.stderr
    assert "Correct out.jsonl" in seen[0] and web.HOST in done.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("{tmp}/in.txt", "{tmp}/out.json"), "R209"),
        (("{tmp}/in.jsonl", "{tmp}/in.jsonl"), "R217"),
        (("{tmp}/absent.txt", "{tmp}/out.jsonl"), "R202"),
        (("{tmp}/bad.jsonl", "{tmp}/out.jsonl"), "R100"),
        (("{tmp}/empty.txt", "{tmp}/out.jsonl"), "R117"),
        (("{tmp}/in.txt", "{tmp}/in.jsonl"), "R250"),
        (("{tmp}/in.txt", "{tmp}/out.jsonl", "--pipeline", "absent"), "R200"),
        (("{tmp}/in.txt", "{tmp}/out.jsonl", "--port", "99999"), "R212"),
    ],
)
def test_one_line_for_bad_input(fails, tmp_path, arguments, message):
    (tmp_path / "in.txt").write_text("Ada met Bo.")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "in.jsonl").write_text('{"text": "Ada met Bo."}\n')
    (tmp_path / "bad.jsonl").write_text('{"text": ""}\n')
    assert message in fails("annotate", "correct", *[argument.format(tmp=tmp_path) for argument in arguments])
