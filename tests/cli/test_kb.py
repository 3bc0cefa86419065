"""`spacy relext kb`: filter, train and predict."""

from pathlib import Path
from typing import Any, List

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_relext.cli.main import relext
from spacy_relext.knowledge.kb_model import KbModel, split_facts
from spacy_relext.knowledge.triple_store import read_store

PEOPLE = [f"p{n}" for n in range(12)]
TOWNS = [f"t{n}" for n in range(3)]


def facts() -> List[str]:
    """Who is married lives in the same town: what can be learned."""
    found = []
    for number, person in enumerate(PEOPLE):
        found += [f"{person}\tlives_in\t{TOWNS[number % 3]}", f"{person}\tmarried_to\t{PEOPLE[(number + 6) % 12]}"]
    return found


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    path = tmp_path / "facts.tsv"
    path.write_text("\n".join(facts()) + "\n", encoding="utf8")
    return path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(relext, ["kb", *map(str, arguments)])


def corpus(path: Path, *texts: List[str]) -> Path:
    nlp = spacy.blank("en")
    docs = []
    for ids in texts:
        doc = Doc(nlp.vocab, words=[f"name{number}" for number in range(len(ids))])
        doc.ents = [Span(doc, at, at + 1, "X", kb_id=each) for at, each in enumerate(ids)]
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)
    return path


def test_filter(kb: Path, tmp_path: Path) -> None:
    test = corpus(tmp_path / "test.spacy", ["t0", "p0", "NIL"], ["p1", "p7", "Q5"], ["p2", ""])
    result = run("filter", kb, tmp_path / "out.tsv", "--exclude", test)
    assert result.exit_code == 0, result.output
    kept = set(read_store([tmp_path / "out.tsv"]).facts())
    gone = set(read_store([kb]).facts()) - kept
    assert gone == {("p0", "lives_in", "t0"), ("p1", "married_to", "p7"), ("p7", "married_to", "p1")}
    rows = {" ".join(line.split()[:-1]): line.split()[-1] for line in result.output.splitlines() if line.strip()}
    assert any(line.split()[-2:] == ["3", "12.5%"] for line in result.output.splitlines() if "left out" in line), rows
    lost = run("filter", kb, tmp_path / "out.tsv", "--exclude", corpus(tmp_path / "a.spacy", ["Q1", "Q2"]))
    assert lost.exit_code == 1 and "R728" in lost.output and "None of the 2 linked entities" in lost.output


def test_train_and_predict(kb: Path, tmp_path: Path) -> None:
    out = tmp_path / "embeddings"
    options = ["--width", 16, "--n3", 0.01, "--patience", 0, "--batch-size", 12, "--held", 0.2]
    result = run("train", kb, out, *options, "--passes", 30)
    assert result.exit_code == 0, result.output
    assert "24 facts, 15 entities, 2 relations" in result.output and "entities mrr" in result.output
    model = KbModel.from_disk(out)
    assert len(model.history) == 30 and model.history[-1]["loss"] < model.history[0]["loss"]
    known = [guess.id for guess in model.answers(subject="p0", relation="lives_in", top=3)]
    assert known[0] == "t0"
    assert {guess.id for guess in model.answers(relation="married_to", obj="p0", top=1)} == {"p6"}
    asked = run("predict", out, "?", "married_to", "p0", "--top", 2)
    assert asked.exit_code == 0 and "p6" in asked.output.split("-----", 2)[-1]
    for question, problem in ((("p0", "lives", "?"), "near it: lives_in"), (("x", "lives_in", "?"), "no entity 'x'")):
        failed = run("predict", out, *question)
        assert failed.exit_code == 1 and "R727" in failed.output and problem in failed.output
    assert "R007" in run("predict", out, "p0", "lives_in", "t0").output
    assert "R726" in run("predict", tmp_path / "nothing", "p0", "lives_in", "?").output


def test_training_goes_on(kb: Path, tmp_path: Path) -> None:
    options = ["--width", 4, "--patience", 0, "--seed", 3]
    assert run("train", kb, tmp_path / "whole", *options, "--passes", 6).exit_code == 0
    assert run("train", kb, tmp_path / "half", *options, "--passes", 2).exit_code == 0
    result = run("train", kb, tmp_path / "half", *options, "--passes", 6, "--resume")
    assert result.exit_code == 0, result.output
    whole, half = (KbModel.from_disk(tmp_path / name) for name in ("whole", "half"))
    assert half.history == whole.history and len(half.history) == 6
    numpy.testing.assert_array_equal(half.embeddings.entities.detach(), whole.embeddings.entities.detach())
    other = run("train", kb, tmp_path / "half", "--width", 5, "--resume")
    assert other.exit_code == 1 and "R726" in other.output and "other facts or settings" in other.output


def test_the_released_recipe(kb: Path, tmp_path: Path) -> None:
    result = run("train", kb, tmp_path / "a", "--recipe", "hrere", "--passes", 2, "--valid", kb, "--test", kb)
    assert result.exit_code == 0, result.output
    settings = KbModel.from_disk(tmp_path / "a").settings
    assert (settings.loss, settings.width, settings.batch_size, settings.entity_tanh) == ("drawn", 50, 5000, True)
    assert "expected one of: all, hrere" in run("train", kb, tmp_path / "a", "--recipe", "x").output
    assert "kind is 'transe'" in run("train", kb, tmp_path / "a", "--kind", "transe").output


def test_facts_about_others_are_counted(kb: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.tsv"
    test.write_text("p0\tlives_in\tt1\nx\tlives_in\tt1\n", encoding="utf8")
    result = run("train", kb, tmp_path / "a", "--passes", 1, "--test", test)
    assert result.exit_code == 0 and "1 facts of" in result.output


def test_no_entity_loses_its_only_fact(kb: Path) -> None:
    store = read_store([kb])
    kept, out = split_facts(store, 0.5, seed=0)
    assert 0 < len(out) <= 12 and len(kept) + len(out) == len(store)
    assert set(numpy.unique(kept.triples[:, [0, 2]])) == set(range(len(store.entities)))
    assert split_facts(store, 0.0, seed=0)[1].shape == (0, 3)
