import json

import pytest

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import write_jsonl
from tests.scoring.test_agreement import ANN, BEN, record


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "ann.jsonl", ANN)
    write_jsonl(tmp_path / "ben.jsonl", [*BEN, record("Ann Ben")])
    return tmp_path


def test_report_of_files_and_corpora(run, folder):
    convert("jsonl", [folder / "ben.jsonl"], folder / "ben.spacy")
    for name in ("ben.jsonl", "ben.spacy"):
        done = run("annotate", "agree", folder / "ann.jsonl", folder / name)
        assert done.exit_code == 0, done.output
        assert "66.67" in done.stdout and "0.200" in done.stdout and "alpha of all: 0.300" in done.stdout
        assert "ben: 1 documents that no other" in done.stdout
        assert "Ann Ben Cid\n  ann: Ben → s → Cid\n  ben: Ann → s → Cid" in done.stdout


def test_answers_of_two_people(run, folder):
    """Of a file that `correct` wrote, the last answers count, and only those that are finished."""
    lines = [{**ANN[0], "triples": []}, {**ANN[0]}, {**ANN[1], "correction": "skipped"}]
    write_jsonl(folder / "cid.jsonl", [{"correction": "done", "annotator": "cid", **line} for line in lines])
    done = run("annotate", "agree", folder / "ann.jsonl", folder / "cid.jsonl")
    assert "100.00" in done.stdout and "ann: 1 documents that no other" in done.stdout


def test_output_files(run, folder):
    evil = record("second", ("Dan", "<script>alert(1)</script>", "Eve"))
    write_jsonl(folder / "evil.jsonl", [evil, BEN[1]])
    files = [folder / "ann.jsonl", folder / "ben.jsonl", folder / "evil.jsonl"]
    assert run("annotate", "agree", *files, "--output", folder / "new" / "out.json", "--top", 1).exit_code == 0
    found = json.loads((folder / "new" / "out.json").read_text())
    assert found["annotators"] == ["ann", "ben", "evil"] and len(found["pairs"]) == 3
    assert found["pairs"][0]["kappa"] == pytest.approx(0.2) and len(found["disagreements"]) == 2
    done = run("annotate", "agree", *files, "--html", folder / "out.html", "--top", 1)
    assert "1 of 2 disagreements" in done.stdout
    page = (folder / "out.html").read_text()
    assert "&lt;script&gt;alert(1)" in page and "<script" not in page


def test_equal_names(run, folder):
    (folder / "other").mkdir()
    write_jsonl(folder / "other" / "ann.jsonl", ANN)
    done = run("annotate", "agree", folder / "ann.jsonl", folder / "other" / "ann.jsonl")
    assert "other" in done.stdout and "100.00" in done.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("{tmp}/ann.jsonl",), "R257"),
        (("{tmp}/ann.jsonl", "{tmp}/absent.jsonl"), "R202"),
        (("{tmp}/ann.jsonl", "{tmp}/text.txt"), "R258"),
        (("{tmp}/ann.jsonl", "{tmp}/absent.spacy"), "R111"),
        (("{tmp}/ann.jsonl", "{tmp}/alone.jsonl"), "R258"),
        (("{tmp}/ann.jsonl", "{tmp}/ben.jsonl", "--output", "{tmp}/out.csv"), "R209"),
    ],
)
def test_one_line_for_bad_input(fails, folder, arguments, message):
    (folder / "text.txt").write_text("Ann Ben")
    write_jsonl(folder / "alone.jsonl", [record("Ann Ben")])
    assert message in fails("annotate", "agree", *[argument.format(tmp=folder) for argument in arguments])
