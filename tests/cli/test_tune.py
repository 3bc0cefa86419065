"""`spacy relext tune` from a corpus on disk to a pipeline on disk."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext import set_triples
from tests.contract.sentences import make_english_examples
from tests.hrere.pipes import make_examples, train


@pytest.fixture
def corpus(saved: Path, tmp_path: Path) -> Path:
    examples = make_english_examples(spacy.load(saved))
    DocBin(docs=[example.reference for example in examples], store_user_data=True).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


def test_tune(saved: Path, corpus: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    rates = tmp_path / "new" / "missing.json"
    with pytest.warns(UserWarning, match="W012"):
        done = run("tune", saved, corpus, tmp_path / "out", "--no-gold-sents", "--missing-rates", rates)
    assert done.exit_code == 0, done.output
    assert "rere_detector: F of relations" in done.stdout and "rere_extractor: exact F" in done.stdout
    assert "trained with a collective loss" not in done.stdout
    assert "wanted" not in done.stdout
    cfg = spacy.load(tmp_path / "out").get_pipe("rere_detector").cfg  # type: ignore[attr-defined]
    assert json.loads(rates.read_text()) == pytest.approx(cfg["missing_rates"])


def test_some_components(saved: Path, corpus: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    with pytest.warns(UserWarning, match="W012"):
        done = run("tune", saved, corpus, tmp_path / "out", "--no-gold-sents", "--components", "rere_extractor")
    assert done.exit_code == 0 and "rere_extractor: exact F" in done.stdout and "rere_detector" not in done.stdout


def test_what_a_collective_detector_cannot_say(
    saved: Path, corpus: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    nlp = spacy.load(saved)
    nlp.get_pipe("rere_detector").cfg["loss"]["kind"] = "collective"  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "collective")
    done = run("tune", tmp_path / "collective", corpus, tmp_path / "out", "--missing-rates", tmp_path / "rates.json")
    assert done.exit_code == 0 and "trained with a collective loss" in done.stdout


def test_goals(saved: Path, corpus: Path, tmp_path: Path, run: Callable[..., Any], fails: Callable[..., str]) -> None:
    done = run("tune", saved, corpus, tmp_path / "beta", "--beta", 0.5)
    assert done.exit_code == 0, done.output
    assert "rere_extractor: exact F0.5 " in done.stdout and "  precision " in done.stdout
    assert "rere_detector: F of relations" in done.stdout and done.stdout.count("  precision ") == 1
    done = run("tune", saved, corpus, tmp_path / "precise", "--precision", 0.9)
    assert done.exit_code == 0 and "(at least 90.00 wanted), recall" in done.stdout
    assert "[R223]" in fails("tune", saved, corpus, tmp_path / "both", "--precision", 0.9, "--beta", 2)
    line = fails("tune", saved, corpus, tmp_path / "both", "--precision", 90)
    assert "[R007] precision is 90" in line and not (tmp_path / "both").exists()


def test_other_relations(saved: Path, corpus: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    (doc,) = list(DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab))[:1]
    set_triples(doc, [((0, 3), "parent_of", (4, 8))])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "other.spacy")
    for command in (
        ("tune", saved, tmp_path / "other.spacy", tmp_path / "out"),
        ("evaluate", saved, tmp_path / "other.spacy"),
    ):
        done = run(*command)
        assert done.exit_code == 0, done.output
        assert "[W201]" in done.stderr and "Corpus: parent_of." in done.stderr
    assert "[W201]" not in run("evaluate", saved, corpus).stderr


def test_no_detector_no_missing_rates(saved: Path, corpus: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    nlp = spacy.load(saved)
    nlp.remove_pipe("rere_detector")
    nlp.to_disk(tmp_path / "extractor")
    line = fails("tune", tmp_path / "extractor", corpus, tmp_path / "out", "--missing-rates", tmp_path / "rates.json")
    assert "[R363]" in line and not (tmp_path / "out").exists()


def test_entities_of_the_corpus(tmp_path: Path, run: Callable[..., Any], fails: Callable[..., str]) -> None:
    """A pipeline that finds no entities gets those of the corpus, and its rankings are printed."""
    nlp = train(None, {"threshold": 0.9}, steps=40)
    nlp.to_disk(tmp_path / "pipeline")
    path = tmp_path / "dev.spacy"
    DocBin(docs=[example.reference for example in make_examples(nlp)], store_user_data=True).to_disk(path)
    done = run("tune", tmp_path / "pipeline", path, tmp_path / "out", "--gold-ents")
    assert done.exit_code == 0, done.output
    assert "hrere_classifier: exact F" in done.stdout
    fitted = spacy.load(tmp_path / "out").get_pipe("hrere_classifier").cfg  # type: ignore[attr-defined]
    assert fitted["text_share"] == 1.0 and fitted["threshold"] != 0.9, "there is no knowledge base"
    assert "text_share = 1, text_temperature = " in done.stdout
    line = fails("tune", tmp_path / "pipeline", path, tmp_path / "none", "--no-gold-ents")
    assert "[R013]" in line and "--gold-ents" in line and not (tmp_path / "none").exists()
    done = run("evaluate", tmp_path / "out", path, "--gold-ents")
    assert done.exit_code == 0, done.output
    assert "Ranking" in done.stdout and "average precision" in done.stdout
