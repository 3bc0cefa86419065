"""`spacy relext convert`, `export`, `drop-triples` and `folds`."""

import json
from pathlib import Path
from typing import Any, Callable, List

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext import get_records, set_triples
from tests.corpora.test_convert import read

RECORDS = [
    {"text": "Ada knows Bo .", "triple_list": [["Ada", "knows", "Bo"], ["Bo", "knows", "Ada"]]},
    {"text": "Cy slept .", "triple_list": []},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.json"
    path.write_text(json.dumps(RECORDS), encoding="utf8")
    return path


def test_convert_reports_and_writes(run: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.spacy"
    done = run("convert", "nyt", data, data, output)
    assert done.exit_code == 0, done.output
    assert "Wrote 4 documents" in done.stdout and "knows" in done.stdout
    assert [len(get_records(doc) or []) for doc in read(output)] == [2, 0, 2, 0]


def test_convert_with_every_option(run: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    options: List[Any] = ["--lang", "zh", "--malformed", "refuse", "--limit", 1, "--shard", 5]
    done = run("convert", "nyt", data, tmp_path / "folder", *options)
    assert done.exit_code == 0, done.output
    (doc,) = read(tmp_path / "folder")
    assert doc[0].text == "A" and len(get_records(doc) or []) == 2


def test_convert_in_parts(run: Callable[..., Any], fails: Callable[..., str], tmp_path: Path) -> None:
    records = [{"text": f"Ada knows Bo {n} .", "triple_list": [["Ada", "knows", "Bo"]]} for n in range(30)]
    records[0]["triple_list"] = [["Ada", "likes", "Bo"]]
    (tmp_path / "a.json").write_text(json.dumps(records), encoding="utf8")
    options = [tmp_path / "a.json", tmp_path / "out.spacy", "--split"]
    done = run("convert", "nyt", *options, "80:20", "--seed", 3)
    assert done.exit_code == 0, done.output
    parts = [read(tmp_path / f"out-{part}.spacy") for part in ("train", "dev")]
    assert [len(part) for part in parts] == [24, 6] and not (tmp_path / "out.spacy").exists()
    assert "24 documents, 24 records, 24 triples" in done.stdout and "out-dev.spacy" in done.stdout
    assert "dev: no triple of likes, which train has" in done.output
    assert "train: 24 sentences with triples are few" in done.output and "--have rules" in done.output
    for wrong in ("80", "80:0", "a:b", "1:nan", "1:1:1:1"):
        assert "[R107] --split" in fails("convert", "nyt", *options, wrong)


def test_malformed_records_are_named(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Ada slept."}\n{"text": 1}\n')
    done = run("convert", "jsonl", tmp_path / "a.jsonl", tmp_path / "out.spacy", "--malformed", "any")
    assert done.exit_code == 0 and "a.jsonl:2: text is 1" in done.stdout
    assert "1 of 2 records were malformed" in done.output


def test_convert_ends_with_one_line_on_bad_input(fails: Callable[..., str], data: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.spacy"
    assert "R102" in fails("convert", "xml", data, output)
    assert "R116" in fails("convert", "nyt", tmp_path / "none.json", output)
    assert "R104" in fails("convert", "nyt", data, tmp_path / "out.json")
    assert "R108" in fails("convert", "nyt", data, output, "--lang", "xx-unknown")
    assert "R109" in fails("convert", "nyt", data, output, "--pipeline", "no_such_pipeline")
    assert "R100" in fails("convert", "cotype", data, output, "--malformed", "refuse")
    assert "R103" in fails("convert", "cotype", data, output)
    data.write_text("[{")
    assert "R101" in fails("convert", "nyt", data, output)
    assert not output.exists()


def test_export(run: Callable[..., Any], fails: Callable[..., str], data: Path, tmp_path: Path) -> None:
    run("convert", "nyt", data, tmp_path / "in.spacy")
    done = run("annotate", "export", "label-studio", tmp_path / "in.spacy", tmp_path / "tasks.json")
    assert done.exit_code == 0 and "tasks.xml" in done.stdout and "written as ENTITY" in done.stdout
    assert run("convert", "label-studio", tmp_path / "tasks.json", tmp_path / "out.spacy").exit_code == 0
    triples = [[(t["subject"], t["object"]) for t in get_records(doc) or []] for doc in read(tmp_path / "out.spacy")]
    assert triples == [[((0, 3), (10, 12)), ((10, 12), (0, 3))], []]
    assert "R102" in fails("annotate", "export", "nyt", tmp_path / "in.spacy", tmp_path / "a.json")
    assert "R202" in fails("annotate", "export", "brat", tmp_path / "none.jsonl", tmp_path / "folder")
    assert "R121" in fails("annotate", "export", "brat", tmp_path / "in.spacy", tmp_path)


def test_export_of_what_a_pipeline_finds(
    run: Callable[..., Any], fails: Callable[..., str], pipeline: str, tmp_path: Path
) -> None:
    (tmp_path / "texts.txt").write_text("Ada met Bo.\nCy slept.\n", encoding="utf8")
    done = run(
        "annotate", "export", "label-studio", tmp_path / "texts.txt", tmp_path / "tasks.json", "--pipeline", pipeline
    )
    assert done.exit_code == 0, done.output
    first, second = json.loads((tmp_path / "tasks.json").read_text(encoding="utf8"))
    assert first["predictions"][0]["model_version"] == "fake" and second.keys() == {"data"}
    options = ["--pipeline", tmp_path / "none"]
    assert "R200" in fails("annotate", "export", "brat", tmp_path / "texts.txt", tmp_path / "folder", *options)


def test_units_of_text(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ada slept.\n\nBo woke.\n", encoding="utf8")
    done = run("convert", "text", tmp_path / "a.txt", tmp_path / "out.spacy", "--unit", "file")
    assert done.exit_code == 0 and "Wrote 1 documents" in done.stdout


def test_triples_of_pipelines_become_labels(run: Callable[..., Any], fails: Callable[..., str], tmp_path: Path) -> None:
    triple = {"subject": [0, 3], "relation": "knows", "object": [8, 10], "score": 0.7, "source": "rere_extractor"}
    (tmp_path / "found.jsonl").write_text(json.dumps({"text": "Ada met Bo.", "triples": [triple]}), encoding="utf8")
    for options, gold in (([], 0), (["--pseudo-labels"], 1)):
        done = run("convert", "jsonl", tmp_path / "found.jsonl", tmp_path / "out.spacy", *options)
        assert done.exit_code == 0, done.output
        assert len(get_records(read(tmp_path / "out.spacy")[0], source="") or []) == gold
    line = fails("convert", "nyt", tmp_path / "found.jsonl", tmp_path / "out.spacy", "--pseudo-labels")
    assert "R123" in line and "--pseudo-labels" in line and "jsonl" in line


def test_drop_triples(run: Callable[..., Any], fails: Callable[..., str], data: Path, tmp_path: Path) -> None:
    run("convert", "nyt", data, tmp_path / "in.spacy")
    options: List[Any] = ["--rate", 1, "--mode", "keep_empty", "--seed", 3]
    done = run("research", "drop-triples", tmp_path / "in.spacy", tmp_path / "out.spacy", *options)
    assert done.exit_code == 0 and "Wrote 2 documents" in done.stdout
    assert [get_records(doc) for doc in read(tmp_path / "out.spacy")] == [[], []]
    assert "R107" in fails("research", "drop-triples", tmp_path / "in.spacy", tmp_path / "out.spacy", "--rate", 2)
    assert "R111" in fails("research", "drop-triples", tmp_path / "none.spacy", tmp_path / "out.spacy", "--rate", 0.5)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    docs = [nlp(f"Text {number}") for number in range(7)]
    for doc in docs:
        set_triples(doc, [((0, 4), "number", (5, 6))])
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "corpus.spacy")
    return tmp_path / "corpus.spacy"


def texts(path: Path) -> List[str]:
    return [doc.text for doc in read(path)]


def test_each_document_is_held_out_once(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("research", "folds", corpus, tmp_path / "folds", "-k", 3)
    assert done.exit_code == 0 and "3 folds of 2 to 3 documents" in done.stdout
    held = [texts(tmp_path / "folds" / f"held{fold}.spacy") for fold in range(3)]
    assert held[0] == ["Text 0", "Text 3", "Text 6"] and sorted(sum(held, [])) == texts(corpus)
    for fold, out in enumerate(held):
        rest = texts(tmp_path / "folds" / f"train{fold}.spacy")
        assert sorted(rest + out) == texts(corpus) and len(rest) + len(out) == 7


def test_annotation_stays(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    run("research", "folds", corpus, tmp_path / "folds")
    doc = read(tmp_path / "folds" / "held1.spacy")[0]
    assert [triple.relation for triple in doc._.triples] == ["number"]


def test_too_few_documents(corpus: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    line = fails("research", "folds", corpus, tmp_path / "folds", "-k", 8)
    assert "[R119]" in line and "7 documents" in line
