"""`spacy relext rules suggest`: rules that a trained component would add."""

from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest

from spacy_relext.nero.rules.rules import read_rules
from tests.cli.nero_pipeline import save_corpus

SUGGESTED = ("place_of_birth", "SUBJ-PERSON was later born in OBJ-PLACE")
Pipelines = Tuple[str, str]


@pytest.mark.parametrize("bare", [False, True])
def test_suggested_rules_are_a_file_of_rules(
    bare: bool, nero_pipelines: Pipelines, run: Callable[..., Any], tmp_path: Path
) -> None:
    # entities come from a component, or from the corpus
    corpus = save_corpus(tmp_path / "corpus.spacy", entities=True)
    asked = corpus if bare else save_corpus(tmp_path / "plain.spacy", entities=False)
    done = run("rules", "suggest", nero_pipelines[bare], asked, tmp_path / "out.tsv")
    assert done.exit_code == 0, done.output
    lines = " ".join(done.output.split())
    assert "place_of_birth 8 100% " in lines and "Ada Lovelace was later born in London." in lines
    assert "Wrote 1 rules" in lines
    found = read_rules(tmp_path / "out.tsv")
    assert [(rule.relation, str(rule.pattern)) for rule in found.rules] == [SUGGESTED] and not found.problems
    checked = run("rules", "check", tmp_path / "out.tsv", corpus)
    assert checked.exit_code == 0 and "rules that match 1" in " ".join(checked.output.split())


@pytest.mark.parametrize(
    "options, said",
    [
        (["--min-count", "9"], "rules match 16 of its 24 pairs of entities; for 8 others"),
        (["--longest", "3"], "for 0 others"),
        (["--no-gold-ents"], "R520] The pipeline finds no pair"),
    ],
)
def test_nothing_to_suggest(
    options: List[str], said: str, nero_pipelines: Pipelines, fails: Callable[..., str], tmp_path: Path
) -> None:
    corpus = save_corpus(tmp_path / "corpus.spacy", entities=True)
    message = fails("rules", "suggest", nero_pipelines[1], corpus, tmp_path / "out.tsv", *options)
    assert "R511" in message or "R520" in message
    assert said in message and not (tmp_path / "out.tsv").exists()


def test_bad_input(pipeline: str, nero_pipelines: Pipelines, fails: Callable[..., str], tmp_path: Path) -> None:
    corpus = save_corpus(tmp_path / "corpus.spacy", entities=True)
    message = fails("rules", "suggest", pipeline, corpus, tmp_path / "out.tsv")
    assert "R510" in message and "sentencizer, fake_extractor" in message
    assert "expected .tsv" in fails("rules", "suggest", nero_pipelines[0], corpus, tmp_path / "out.jsonl")
    assert "R111" in fails("rules", "suggest", nero_pipelines[0], tmp_path / "absent.spacy", tmp_path / "out.tsv")
    assert "R512" in fails("rules", "suggest", pipeline, corpus, tmp_path / "out.tsv", "--code", tmp_path / "absent.py")
