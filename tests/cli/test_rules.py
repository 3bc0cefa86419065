"""`spacy relext rules`: what a person who writes rules is told."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import spacy
from spacy.tokens import DocBin, Span

from spacy_relext import set_triples

TEXTS = [("Ada was born in Rome", True), ("Eve was raised in Rome", False), ("Ada met Eve", False)]
KINDS = {"Ada": "P", "Eve": "P", "Rome": "G"}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    docs = []
    for text, born in TEXTS:
        doc = nlp(text)
        doc.ents = [Span(doc, token.i, token.i + 1, KINDS[token.text]) for token in doc if token.text in KINDS]
        doc[0].is_sent_start = True
        set_triples(doc, [{"subject": doc[0:1], "relation": "born_in", "object": doc[4:5]}] if born else [])
        docs.append(doc)
    path = tmp_path / "corpus.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def write(folder: Path, *rows: Dict[str, Any]) -> Path:
    path = folder / "rules.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf8")
    return path


def test_what_rules_do(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    born = {"id": "born", "relation": "born_in", "pattern": "SUBJ-P was born in OBJ-G"}
    wrong = {"id": "wrong", "relation": "lives_in", "pattern": "SUBJ-P was born in OBJ-*"}
    idle = {"id": "idle", "relation": "raised_in", "pattern": "SUBJ-P was brought in OBJ-G"}
    types = {"id": "types", "relation": "met", "pattern": "SUBJ-P met OBJ-G"}
    gap = {"id": "gap", "relation": "met", "pattern": "SUBJ-P * OBJ-G"}
    done = run("rules", "check", write(tmp_path, born, wrong, idle, types, gap), corpus)
    assert done.exit_code == 0, done.output
    lines = " ".join(done.output.split())
    assert "rules that match 2" in lines and "contradict each other 1" in lines and "1 of 2 (50.0%)" in lines
    assert "born born_in 1 0 100% wrong ×1" in lines and "wrong lives_in 1 0 0% born ×1" in lines
    assert "2 rules match nowhere" in lines and "just misses: Eve was raised in Rome" in lines
    assert "has these words between P and P: 1" in lines or "has these words between P and P: 2" in lines
    assert "rules.jsonl:5" in lines and "max_gap" in lines


def test_case_does_not_matter_where_lower_case_is_compared(
    corpus: Path, run: Callable[..., Any], tmp_path: Path
) -> None:
    rules = write(tmp_path, {"relation": "born_in", "pattern": "SUBJ-P Was BORN in OBJ-G"})
    done = run("rules", "check", rules, corpus)
    assert done.exit_code == 0 and "No rule matches." in done.output
    found = run("rules", "check", rules, corpus, "--form", "lower")
    assert found.exit_code == 0 and "rules that match 1" in " ".join(found.output.split())


@pytest.mark.parametrize(
    "rows, options, said",
    [
        ([{"relation": "x", "pattern": "nothing"}], [], "R500"),
        ([{"relation": "x", "pattern": "SUBJ-P , OBJ-P"}], ["--form", "sound"], "R206"),
        ([{"relation": "x", "pattern": "SUBJ-P , OBJ-P"}], ["--lang", "zz"], "R108"),
        ([{"relation": "x", "pattern": "SUBJ-P , OBJ-P"}], ["--marked"], "R501"),
        ([{"relation": "born_in", "pattern": "SUBJ-P be born in OBJ-G"}], ["--form", "lemma"], "R519"),
    ],
)
def test_bad_input(rows: Any, options: Any, said: str, corpus: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    message = fails("rules", "check", write(tmp_path, *rows), corpus, *options)
    assert said in message and len(message.strip().splitlines()) == 1


def test_mined_patterns_become_rules(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    table = tmp_path / "mined.tsv"
    done = run("rules", "mine", corpus, table, "--min-count", 1)
    assert done.exit_code == 0 and "3 patterns" in done.output, done.output
    table.write_text(table.read_text(encoding="utf8").replace("\n\t", "\nsome_relation\t"), encoding="utf8")
    checked = run("rules", "check", table, corpus)
    assert checked.exit_code == 0 and "rules that match 3" in " ".join(checked.output.split())


def test_nothing_to_mine(corpus: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    assert "R502" in fails("rules", "mine", corpus, tmp_path / "mined.tsv", "--min-count", 9)
    assert "expected .tsv" in fails("rules", "mine", corpus, tmp_path / "mined.jsonl")


def test_names_that_nothing_has(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    rules = write(tmp_path, {"relation": "born", "pattern": "SUBJ-P was born in OBJ-GG"})
    lines = " ".join(run("rules", "check", rules, corpus).output.split())
    assert "rules.jsonl:1: no entity of the corpus has the type 'GG' (1 rules); 'G'?" in lines
    assert "rules.jsonl:1: no gold triple of the corpus has the relation 'born'" in lines


@pytest.mark.parametrize("gap", [-1, 101, 1_000_000_000])
def test_gaps_are_bounded(corpus: Path, run: Callable[..., Any], tmp_path: Path, gap: int) -> None:
    rules = write(tmp_path, {"relation": "born_in", "pattern": "SUBJ-P * in OBJ-G"})
    done = run("rules", "check", rules, corpus, "--max-gap", gap)
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit) and "--max-gap" in done.stderr


def test_a_rule_nested_too_deep(corpus: Path, fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "deep.jsonl").write_text(f'{{"relation": "born_in", "pattern": {"[" * 900}{"]" * 900}}}\n')
    assert "nested more than 100 deep" in fails("rules", "check", tmp_path / "deep.jsonl", corpus)


def test_texts_are_split_into_sentences(run: Callable[..., Any], tmp_path: Path) -> None:
    doc = spacy.blank("en")("Ada left. Rome fell.")
    doc.ents = [Span(doc, 0, 1, "P"), Span(doc, 3, 4, "G")]
    DocBin(docs=[doc, doc]).to_disk(tmp_path / "corpus.spacy")
    rules = write(tmp_path, {"relation": "left", "pattern": "SUBJ-P left . OBJ-G"})
    done = run("rules", "check", rules, tmp_path / "corpus.spacy")
    assert done.exit_code == 1 and "R501" in done.output + str(done.stderr)


def test_all_problems_are_told(corpus: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("rules", "check", write(tmp_path, *[{"relation": "x"}] * 12), corpus)
    assert done.exit_code == 1 and "rules.jsonl:12: pattern is None" in " ".join((done.output + done.stderr).split())
