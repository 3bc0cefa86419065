"""`spacy relext kb`: filter and train."""

import re
import sys
from pathlib import Path
from typing import Any, List

import numpy
import pytest
import spacy
import torch
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_relext.cli.main import relext
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.kb.facts import read_store
from spacy_relext.kb.model import KbModel, split_facts
from tests.cli.test_align import linked as corpus

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


def test_what_is_unusual_is_counted(kb: Path, tmp_path: Path) -> None:
    odd, names = tmp_path / "odd.tsv", tmp_path / "names.tsv"
    test = corpus(tmp_path / "test.spacy", ["t0", "p0"])
    odd.write_text("p0\tknows\tp0\np0\tlives_in\tt0\n#\tx\n", encoding="utf8")
    names.write_text("id\tlabel\np0\tAnne\np0\tAnna\n", encoding="utf8")
    files = f"{kb},{odd},{names}"
    for result in (
        run("filter", files, tmp_path / "out.tsv", "--exclude", test),
        run("train", files, tmp_path / "out", "--epochs", 1, "--held", 0.1),
    ):
        assert result.exit_code == 0, result.output
        said = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", result.output).split())
        counted = ("which counts once: 1", "to itself, kept: 1", "are aliases: 1", "complete row, left out: 1")
        assert all(each in said for each in counted) and said.count("⚠") == 4
    assert "⚠" not in run("filter", kb, tmp_path / "out.tsv", "--exclude", test).output


def test_what_is_left_out_of_rdf_is_counted(tmp_path: Path) -> None:
    pytest.importorskip("rdflib")
    fact, names = "<http://e/a> <http://e/r> <http://e/b> .\n", "<http://www.w3.org/2000/01/rdf-schema#label>"
    rows = ['<http://e/a> <http://e/h> "1" .', "_:x <http://e/r> <http://e/b> .", f'<http://e/a> {names} "A"@de .']
    (tmp_path / "a.nt").write_text(fact + "\n".join(2 * rows) + "\n", encoding="utf8")
    told = run("train", tmp_path / "a.nt", tmp_path / "a", "--epochs", 1).output
    assert told.startswith("1 fact, 2 entities, 1 relation\n")
    for each in ("Facts about literals", "Statements with a blank node", "Names in other languages"):
        assert f"{each}, left out: 2" in told


def test_filter_knows_entities_inside_others(kb: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    inside = {"start": 3, "end": 6, "label": "X", "kb_id": "p1"}
    record = {"text": "of Bob Jones & Cy", "entities": [{"start": 3, "end": 12, "label": "X", "kb_id": "p7"}, inside]}
    test = tmp_path / "test.spacy"
    DocBin(docs=[record_to_doc(nlp.make_doc, record)], store_user_data=True).to_disk(test)
    assert run("filter", kb, tmp_path / "out.tsv", "--exclude", test).exit_code == 0
    gone = set(read_store([kb]).facts()) - set(read_store([tmp_path / "out.tsv"]).facts())
    assert gone == {("p1", "married_to", "p7"), ("p7", "married_to", "p1")}


SMALL = ["--setting", "width=16", "--setting", "n3=0.01", "--setting", "batch_size=12", "--patience", 0]


def test_train(kb: Path, tmp_path: Path) -> None:
    out = tmp_path / "embeddings"
    result = run("train", kb, out, *SMALL, "--held", 0.2, "--epochs", 30)
    assert result.exit_code == 0, result.output
    assert "24 facts, 15 entities, 2 relations" in result.output and "entities mrr" in result.output
    model = KbModel.from_disk(out)
    assert len(model.history) == 30 and model.history[-1]["loss"] < model.history[0]["loss"]
    person, town, spouse = (torch.tensor([model.entities.index(name)]) for name in ("p0", "t0", "p6"))
    lives_in, married_to = (torch.tensor([model.relations.index(name)]) for name in ("lives_in", "married_to"))
    assert model.embeddings.score_objects(person, lives_in).argmax() == town
    assert model.embeddings.score_subjects(married_to, person).argmax() == spouse
    assert model.embeddings.score_relations(person, spouse).argmax() == married_to


def test_the_released_recipe(kb: Path, tmp_path: Path) -> None:
    result = run("train", kb, tmp_path / "a", "--recipe", "hrere", "--epochs", 2, "--valid", kb, "--test", kb)
    assert result.exit_code == 0, result.output
    settings = KbModel.from_disk(tmp_path / "a").settings
    assert (settings.loss, settings.width, settings.batch_size, settings.entity_tanh) == ("drawn", 50, 5000, True)
    assert "expected one of: all, hrere" in run("train", kb, tmp_path / "a", "--recipe", "x").output
    assert "loss is 'hinge'" in run("train", kb, tmp_path / "a", "--setting", "loss=hinge").output
    for setting, expected in (
        ("widht=5", "width, loss"),
        ("width=x", "width=100"),
        ("reciprocal=1", "reciprocal=True"),
    ):
        failed = run("train", kb, tmp_path / "a", "--setting", setting)
        assert failed.exit_code == 1 and "R206" in failed.output and expected in failed.output
    output = run("train", kb, tmp_path / "a", "--recipe", "hrere", "--setting", "relation_weight=1").output
    assert "relation_weight is 1.0; expected 0" in output and output.count("\n") <= 2


def test_a_missing_file_is_named(kb: Path, tmp_path: Path, fails: Any) -> None:
    missing, texts = tmp_path / "missing.tsv", corpus(tmp_path / "in.spacy", ["p0", "t0"])
    expected = f"[R721] {missing}: not found.\n"
    assert fails("kb", "filter", missing, tmp_path / "out.tsv", "--exclude", texts) == expected
    assert fails("kb", "train", missing, tmp_path / "out") == expected
    assert fails("kb", "train", f"{kb},{missing}", tmp_path / "out") == expected
    assert fails("kb", "align", missing, texts, tmp_path / "out.spacy") == expected
    assert run("train", kb, tmp_path / "out", "--valid", missing).stderr == expected
    lost = run("filter", kb, tmp_path / "out.tsv", "--exclude", tmp_path / "missing.spacy").stderr
    assert lost.count("[R") == 1 and "missing.spacy" in lost
    inside = tmp_path / "out.tsv" / "a.tsv"
    inside.parent.write_text("no folder", encoding="utf8")
    blocked = run("filter", kb, inside, "--exclude", texts)
    assert blocked.exit_code == 1 and f"[R216] Cannot open '{inside.parent}'" in blocked.stderr


def test_facts_about_others_are_counted(kb: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.tsv"
    test.write_text("p0\tlives_in\tt1\nx\tlives_in\tt1\n", encoding="utf8")
    result = run("train", kb, tmp_path / "a", "--epochs", 1, "--test", test)
    assert result.exit_code == 0 and "1 facts of" in result.output


def test_no_entity_loses_its_only_fact(kb: Path) -> None:
    store = read_store([kb])
    kept, out = split_facts(store, 0.5, seed=0)
    assert 0 < len(out) <= 12 and len(kept) + len(out) == len(store)
    assert set(numpy.unique(kept.triples[:, [0, 2]])) == set(range(len(store.entities)))
    assert split_facts(store, 0.0, seed=0)[1].shape == (0, 3)


def test_a_small_training_says_what_chooses_its_epoch(kb: Path, tmp_path: Path) -> None:
    def said(*options: Any) -> str:
        result = run("train", kb, tmp_path / "a", "--epochs", 2, *options)
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    some = said("--held", 0.1)
    assert "2 facts held out to choose the best epoch" in some and "entities mrr" in some
    assert "1 fact held out" in said("--held", 0.05)
    for share in (0.01, 0):
        everything = said("--held", share)
        assert "No fact is held out (--held), so that nothing chooses an epoch: all 2 are run" in everything
        assert "entities mrr" not in everything
    others = tmp_path / "others.tsv"
    others.write_text("x\tlives_in\ty\n", encoding="utf8")
    assert f"Of {others} no fact can be asked for" in said("--valid", others)
    assert f"24 facts of {kb} to choose the best epoch" in said("--valid", kb)


def test_numbers_out_of_range(kb: Path, tmp_path: Path) -> None:
    result = run("train", kb, tmp_path / "a", "--setting", "n3=inf")
    assert result.exit_code == 1 and result.stderr.startswith("[R007] n3 is inf") and result.stderr.count("\n") == 1
    result = run("train", kb, tmp_path / "a", "--seed", -1)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit) and "--seed" in result.stderr


def test_rdf_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdflib", None)
    (tmp_path / "a.ttl").write_text("<http://e/a> <http://e/r> <http://e/b> .")
    result = run("train", tmp_path / "a.ttl", tmp_path / "a")
    assert result.exit_code == 1 and result.stderr.startswith("[R006]") and result.stderr.count("\n") == 1
