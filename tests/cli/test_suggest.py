"""`spacy relext suggest`: which texts to annotate next, with suggestions."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import spacy
from spacy.tokens import DocBin

from spacy_relext.corpora.jsonl import read_jsonl
from tests.cli.nero_pipeline import save_corpus

TEXTS = [
    "Nobody came to the harbour today.",
    "Ada met Bo. Cy saw Di.",
    "Ada met Bo. Cy saw Di!",
    "Rain in Bergen, again.",
]


def write_texts(folder: Path) -> Path:
    path = folder / "pool.txt"
    path.write_text("\n".join(TEXTS) + "\n", encoding="utf8")
    return path


def read(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def test_texts_with_uncertain_triples_come_first(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    done = run("suggest", pipeline, write_texts(tmp_path), output, "--limit", 2)
    assert done.exit_code == 0, done.output
    assert "4 texts read, 1 left out as near-duplicates" in done.output
    first, second = list(read_jsonl(output))
    assert first["text"] in TEXTS[1:3] and second["text"] in (TEXTS[0], TEXTS[3])
    assert [(triple["relation"], triple["source"]) for triple in first["triples"]] == [("met", "fake"), ("saw", "fake")]
    # scores 0.9 and 0.4, and no threshold
    reason = "states it with 0.400, threshold 0.000"
    expected = {"rank": 1, "by": "uncertainty", "score": 0.7, "relation": "saw", "reason": reason}
    assert first["suggested"] == expected and second["suggested"]["rank"] == 2


def test_other_keys_and_given_entities_are_kept(
    nero_pipelines: Tuple[str, str], run: Callable[..., Any], tmp_path: Path
) -> None:
    corpus = save_corpus(tmp_path / "pool.spacy", entities=True)
    output = tmp_path / "out.jsonl"
    assert run("suggest", nero_pipelines[1], corpus, output, "--limit", 3).exit_code == 0
    records = read(output)
    assert len(records) == 3 and all(record["entities"] for record in records)
    assert any(record["triples"] for record in records)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps({**record, "id": f"d{n}"}) + "\n" for n, record in enumerate(records)))
    assert run("suggest", nero_pipelines[1], pool, output, "--by", "random").exit_code == 0
    again = read(output)
    assert sorted(record["id"] for record in again) == ["d0", "d1", "d2"]
    assert {record["text"]: record["triples"] for record in again} == {r["text"]: r["triples"] for r in records}
    assert "Only 3 of 100 texts" in run("suggest", nero_pipelines[1], pool, output, "--by", "random").output


def test_disagreement_of_two_pipelines(
    pipeline: str, detector_pipeline: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    options = ("--by", "disagreement", "--against", detector_pipeline, "--limit", 1)
    assert run("suggest", pipeline, write_texts(tmp_path), output, *options).exit_code == 0
    (record,) = read(output)
    assert record["suggested"]["reason"] == "only the first states it, with 0.400"
    assert record["suggested"]["relation"] == "saw"


def test_formats_of_tools(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("suggest", pipeline, write_texts(tmp_path), tmp_path / "out.json", "--to", "label-studio", "--limit", 2)
    assert done.exit_code == 0 and "triples of a component, not annotated" in done.output
    tasks = json.loads((tmp_path / "out.json").read_text(encoding="utf8"))
    assert tasks[0]["predictions"] and "annotations" not in tasks[0]
    done = run("suggest", pipeline, write_texts(tmp_path), tmp_path / "brat", "--to", "brat", "--limit", 2)
    assert done.exit_code == 0 and len(list((tmp_path / "brat").glob("*.ann"))) == 2


def test_annotated_texts_are_not_suggested_again(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    nlp, bin = spacy.blank("en"), DocBin(store_user_data=True)
    doc = nlp.make_doc(TEXTS[1])
    doc._.triples = [(doc[0:1], "met", doc[2:3])]
    bin.add(doc)
    bin.to_disk(tmp_path / "done.spacy")
    output = tmp_path / "out.jsonl"
    options = ("--annotated", tmp_path / "done.spacy", "--limit", 2)
    done = run("suggest", pipeline, write_texts(tmp_path), output, *options)
    assert done.exit_code == 0 and "2 left out as near-duplicates" in done.output
    assert {record["text"] for record in read(output)} == {TEXTS[0], TEXTS[3]}


def test_bad_options(pipeline: str, fails: Callable[..., str], tmp_path: Path) -> None:
    texts, output = write_texts(tmp_path), tmp_path / "out.jsonl"
    assert "--by is 'age'; expected uncertainty or" in fails("suggest", pipeline, texts, output, "--by", "age")
    line = fails("suggest", pipeline, texts, output, "--against", pipeline)
    assert "--by with --against is 'uncertainty'; expected one of: disagreement" in line
    assert "expected one of: brat" in fails("suggest", pipeline, texts, output, "--to", "tacred").lower()
    assert "ends in '.csv'" in fails("suggest", pipeline, texts, tmp_path / "out.csv")
    (tmp_path / "empty.txt").write_text("\n")
    assert "No document of" in fails("suggest", pipeline, tmp_path / "empty.txt", output)
    assert not output.exists()
