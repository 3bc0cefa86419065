import csv
import io
import json
import os
import sys
import warnings
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext.cli.main import relext
from spacy_relext.cli.pipeline import input_errors
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.export.columns import read_parquet_records

ROOT = Path(__file__).resolve().parent.parent.parent


def records(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_lines_become_records(run, pipeline, tmp_path):
    source, output = tmp_path / "in.txt", tmp_path / "new" / "out.jsonl"
    source.write_bytes("\ufeffAda met Bo.\r\n\r\nNobody came.\r\nZoë saw Cy. Cy met Zoë.".encode())
    done = run("extract", pipeline, source, output)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "3 documents, 3 triples (0 texts skipped, 1 blank lines)" in done.stderr
    first, second, third = records(output)
    assert first["text"] == "Ada met Bo."
    assert first["triples"] == [
        {
            "subject": [0, 3],
            "relation": "met",
            "object": [8, 10],
            "score": 0.9,
            "source": "fake",
            "evidence": {"pattern": "met"},
            "subject_text": "Ada",
            "object_text": "Bo",
            "sent": 0,
            "sent_start": 0,
            "sent_end": 11,
        }
    ]
    assert second["triples"] == []
    assert [t["subject_text"] for t in third["triples"]] == ["Zoë", "Cy"]


def test_a_corpus(run, pipeline, tmp_path):
    """Texts of a corpus, with the gold triples under a key of their own; nothing else of its annotation."""
    nlp = spacy.blank("en")
    gold = {"subject": [0, 3], "relation": "saw", "object": [8, 10]}
    marked = {"text": "Ada met Bo.", "triples": [gold], "entities": [{"start": 0, "end": 3, "label": "PERSON"}]}
    docs = [record_to_doc(nlp.make_doc, marked), nlp("Cy met Di.")]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "in.spacy")
    done = run("extract", pipeline, tmp_path / "in.spacy", tmp_path / "out.jsonl")
    assert done.exit_code == 0 and "2 documents, 2 triples" in done.stderr, done.output
    first, second = records(tmp_path / "out.jsonl")
    assert first["triples"][0]["relation"] == "met" and first["doc_id"] == "in.spacy:1"
    assert [{key: each[key] for key in gold} for each in first["input_triples"]] == [gold]
    assert "entities" not in first and "input_triples" not in second
    (tmp_path / "bad.spacy").write_bytes(b"nothing")
    assert run("extract", pipeline, tmp_path / "bad.spacy", tmp_path / "out.jsonl").exit_code == 1


def test_json_keeps_other_keys_and_the_triples_that_came_with_it(run, pipeline, tmp_path):
    lines = [
        {"text": "Ada met Bo.", "id": 7, "triples": [], "entities": [{"start": 0, "end": 3, "label": "PERSON"}]},
        {"text": "", "id": 8},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    run("extract", pipeline, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    first, second = records(tmp_path / "out.jsonl")
    assert (first["id"], first["input_triples"], len(first["triples"])) == (7, [], 1)
    assert first["entities"] == lines[0]["entities"]
    assert (second["id"], second["text"], second["triples"]) == (8, "", [])


def test_csv_is_safe_or_raw(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_text("Ada met Bo =cmd()\n-Ada met Bo\n")
    for options, expected in (((), "'-Ada met Bo"), (("--raw-csv",), "-Ada met Bo")):
        run("extract", pipeline, tmp_path / "in.txt", tmp_path / "out.csv", *options)
        with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
            assert [row["sentence"] for row in csv.DictReader(file)] == ["Ada met Bo =cmd()", expected]


def test_csv_for_excel(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_text("Ada met Bø.\nCy saw Di.\n", encoding="utf8")
    for name, options in (("one.excel.csv", ()), ("two.csv", ("--format", "excel.csv", "--shard-size", "1"))):
        run("extract", pipeline, tmp_path / "in.txt", tmp_path / name, *options)
        data = (tmp_path / name).read_bytes()
        assert data.startswith(b"\xef\xbb\xbfsubject,") and data.count(b"\xef\xbb\xbf") == 1
        with open(tmp_path / name, newline="", encoding="utf-8-sig") as file:
            assert [row["sentence"] for row in csv.DictReader(file)] == ["Ada met Bø.", "Cy saw Di."]


def test_parquet(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_text("Ada met Bo. Cy saw Di.\nNobody came.\n")
    for name in ("out.jsonl", "out.parquet"):
        done = run("extract", pipeline, tmp_path / "in.txt", tmp_path / name)
        assert "2 documents, 2 triples" in done.stderr
    assert list(read_parquet_records(tmp_path / "out.parquet")) == records(tmp_path / "out.jsonl")
    assert [record["doc_id"] for record in records(tmp_path / "out.jsonl")] == ["in.txt:1", "in.txt:2"]


def test_other_keys_change_their_type(run, pipeline, tmp_path):
    extra = ['"entities": "two"', '"entities": 2', '"sents": {"a": 1}', '"when": 1', '"when": ["x"]', '"pairs": null']
    lines = [f'{{"text": "Ada met Bo.", {each}}}' for each in extra]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for name in ("out.parquet", "out.jsonl"):
        done = run("extract", pipeline, tmp_path / "in.jsonl", tmp_path / name)
        assert "6 documents, 6 triples (0 texts skipped" in done.stderr, done.output
    kept = list(read_parquet_records(tmp_path / "out.parquet"))
    assert kept == records(tmp_path / "out.jsonl")
    assert [each.get("input_entities") for each in kept[:3]] == ["two", 2, None] and kept[2]["input_sents"] == {"a": 1}
    assert run("convert", "jsonl", tmp_path / "out.jsonl", tmp_path / "out.spacy", "--pseudo-labels").exit_code == 0


def test_markup_that_is_read_as_prose_is_counted(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_text("<b>Ada</b> met Bo.\n\n" + "Ada &amp; Bo\n" * 30)
    with pytest.warns(UserWarning, match="W203"):
        done = run("extract", pipeline, tmp_path / "in.txt", tmp_path / "out.jsonl")
    assert done.stderr.endswith("; 31 texts look like HTML or Markdown and were read as prose\n")
    done = run("extract", pipeline, tmp_path / "in.txt", tmp_path / "out.jsonl", "--input-format", "html")
    (record,) = records(tmp_path / "out.jsonl")
    assert "look like" not in done.stderr and record["text"].startswith("Ada met Bo. Ada & Bo") and record["triples"]
    with input_errors():
        assert warnings.formatwarning("[W203] One.", UserWarning, "file.py", 7) == "[W203] One.\n"
        assert warnings.formatwarning("Two.", UserWarning, "file.py", 7).startswith("file.py:7: UserWarning: Two.")


def test_standard_output_gets_what_a_file_gets(run, pipeline, tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"text": ["Ada met Bo.", "Nobody."], "id": ["a", "b"]}).to_parquet(tmp_path / "in.parquet")
    (tmp_path / "in.txt").write_text("Ada met Bo.\n")
    for name in ("in.parquet", "in.txt"):
        run("extract", pipeline, tmp_path / name, tmp_path / "out.jsonl")
        done = run("extract", pipeline, tmp_path / name, "-")
        assert done.exit_code == 0 and done.stdout == (tmp_path / "out.jsonl").read_text()


def test_folder(run, pipeline, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.txt").write_bytes(b"Ada met\r\nBo. Cy met Di.")
    (tmp_path / "in" / "deep" / "a.txt").write_text("Ed met Flo.")
    (tmp_path / "in" / "note.md").write_text("**Gry** met Ho.")
    done = run("extract", pipeline, tmp_path / "in", tmp_path / "out.jsonl")
    assert f"Reading {tmp_path / 'in'}: a text per file (3 files)\n" in done.stderr
    found = {record["file"]: record for record in records(tmp_path / "out.jsonl")}
    assert list(found) == ["b.txt", "deep/a.txt", "note.md"]
    assert found["b.txt"]["text"] == "Ada met\nBo. Cy met Di."
    assert [t["subject_text"] for t in found["b.txt"]["triples"]] == ["Cy"]


def test_pipe(run, pipeline):
    done = run("extract", pipeline, "-", "-", stdin="Ada met Bo.\nZoë saw Cy.\n")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["Ada met Bo.", "Zoë saw Cy."]
    done = run("extract", pipeline, "-", "-", "--format", "csv", "--input-format", "jsonl", stdin='{"text": "A met B"}')
    assert done.stdout.splitlines()[1].startswith("A,met,B,0.9,fake")


def test_min_score_and_relations(run, pipeline):
    text = "Ada met Bo. Cy saw Di.\n"
    for options, expected in ((("--min-score", 0.5), ["met"]), (("--relations", "saw, knew"), ["saw"])):
        done = run("extract", pipeline, "-", "-", *options, stdin=text)
        assert [t["relation"] for t in json.loads(done.stdout)["triples"]] == expected


def test_bad_lines_are_reported_and_passed_over(run, pipeline, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"Ada met Bo.\nbad \xff byte\nCy met Di.\n")
    done = run("extract", pipeline, tmp_path / "in.txt", tmp_path / "out.jsonl")
    assert done.exit_code == 0 and len(records(tmp_path / "out.jsonl")) == 2
    reading, warning, summary = done.stderr.splitlines()
    assert reading.endswith("in.txt: a text per line (--input-format file: one text)")
    assert f"{tmp_path / 'in.txt'}, line 2: not UTF-8" in warning and "byte 5" in warning
    assert "1 texts skipped" in summary

    lines = ["not json", "[1]", '{"txt": 1}', '{"text": 5}', '{"text": "\\ud800"}', '{"text": "Ada met Bo."}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = run("extract", pipeline, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert len(records(tmp_path / "out.jsonl")) == 1
    assert [f"line {n}" in line for n, line in zip(range(1, 6), done.stderr.splitlines()[1:])] == [True] * 5


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_halves_of_surrogate_pairs_in_other_keys(run, pipeline, tmp_path, name):
    """They are no text that a file can hold, and must not end the run."""
    extra = ['"a\\ud800": 1', '"a": "\\udc00"', '"id": "\\ud800"', '"a": [{"\\udfff": 2}]', '"last": 1']
    (tmp_path / "in.jsonl").write_text("\n".join(f'{{"text": "Ada met Bo.", {each}}}' for each in extra))
    done = run("extract", pipeline, tmp_path / "in.jsonl", tmp_path / name)
    assert done.exit_code == 0 and "5 documents, 5 triples (0 texts skipped" in done.stderr, done.output
    if name.endswith("csv"):
        with open(tmp_path / name, newline="", encoding="utf8") as file:
            kept = [json.loads(row["meta"]) for row in csv.DictReader(file)]
    else:
        kept = list(read_parquet_records(tmp_path / name)) if "parquet" in name else records(tmp_path / name)
    assert kept[0]["a\ud800"] == 1 and [kept[number]["a"] for number in (1, 3)] == ["\udc00", [{"\udfff": 2}]]
    assert kept[-1]["last"] == 1


def test_what_is_not_json_in_other_keys(run, pipeline, tmp_path):
    """NaN and infinity become null; a record that is nested too deep is passed over."""
    extra = ['"a": [NaN, {"b": -Infinity}]', '"a": 1e999', '"last": 1']
    deep = [f'"a": {"[" * depth}{"]" * depth}' for depth in (900, 2_000, 100_000)]
    (tmp_path / "in.jsonl").write_text("\n".join(f'{{"text": "Ada met Bo.", {each}}}' for each in (*deep, *extra)))
    done = run("extract", pipeline, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert done.exit_code == 0 and "3 documents, 3 triples (3 texts skipped" in done.stderr, done.output
    assert done.stderr.count("nested more than") == 3
    assert [record.get("a") for record in records(tmp_path / "out.jsonl")] == [[None, {"b": None}], None, None]
    assert "NaN" not in (tmp_path / "out.jsonl").read_text() and "Inf" not in (tmp_path / "out.jsonl").read_text()


def test_a_missing_extra_is_one_line(fails, pipeline, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "in.txt").write_text("Ada met Bo.")
    assert "R006" in fails("extract", pipeline, tmp_path / "in.txt", tmp_path / "out.parquet")


@pytest.mark.parametrize("score", ["-0.1", "1.01", "nan", "inf"])
def test_min_score_is_a_score(fails, pipeline, score):
    assert "R007" in fails("extract", pipeline, "-", "-", "--min-score", score, stdin="Ada met Bo.")


def test_an_argument_that_is_no_text(fails, pipeline):
    message = fails("extract", pipeline, "in\udcff.txt", "-")
    assert "R231" in message and "'in\\udcff.txt'" in message
    assert "R231" in fails("kb", "train", "facts.tsv", "\udcff")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("{pipeline}", "{tmp}/absent.txt", "{tmp}/o.jsonl"), "R202"),
        (("{pipeline}", "{tmp}", "{tmp}/o.jsonl"), "R812"),
        (("{tmp}/nothing", "{tmp}/in.txt", "{tmp}/o.jsonl"), "R200"),
        (("{tmp}", "{tmp}/in.txt", "{tmp}/o.jsonl"), "R200"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.xlsx"), "xlsx"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.jsonl", "--format", "xml"), "R206"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.jsonl", "--input-format", "xml"), "R206"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/in.txt", "--format", "csv"), "R217"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/in.txt/o.csv"), "R216"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.csv", "--n-process", "2", "--gpu-id", "0"), "R218"),
        (("{pipeline}", "{tmp}/in.txt", "-", "--format", "parquet"), "R209"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.jsonl", "--ray", "actors=0"), "R007"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.jsonl", "--ray", "gpus=many"), "R107"),
        (("{pipeline}", "{tmp}/in.txt", "{tmp}/o.jsonl", "--ray", "actor=2"), "R206"),
    ],
)
def test_one_line_for_bad_input(fails, pipeline, tmp_path, arguments, message):
    if "R812" not in message:
        (tmp_path / "in.txt").write_text("Ada met Bo.")
    filled = [argument.format(pipeline=pipeline, tmp=tmp_path) for argument in arguments]
    assert message in fails("extract", *filled)


def test_absent_gpu(fails, pipeline, tmp_path, monkeypatch):
    def no_gpu(gpu_id):
        raise ValueError("No GPU devices detected\nand a second line")

    monkeypatch.setattr(spacy, "require_gpu", no_gpu)
    (tmp_path / "in.txt").write_text("Ada met Bo.")
    message = fails("extract", pipeline, tmp_path / "in.txt", "-", "--gpu-id", "3")
    assert "--gpu-id 3: No GPU devices detected." in message


def test_reader_of_stdout_that_leaves_early(pipeline, monkeypatch):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stdout, pytest.raises(SystemExit) as ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Ada met Bo.\n" * 5)))
        monkeypatch.setattr(sys, "stdout", stdout)
        relext(["extract", pipeline, "-", "-"], prog_name="relext")
    assert ended.value.code == 0
