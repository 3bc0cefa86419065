"""The card of a pipeline, and the folder that is packaged."""

import pathlib

import pytest
import spacy
import srsly
from model_card import main

SCORES = {"exact_p": 0.911, "exact_r": 0.822, "exact_f": 0.864, "empty_error_rate": 0.051, "ece": 0.084}
FACTS = dict(facts_p=0.61, facts_r=0.52, facts_f=0.56, facts_across_r=0.3, facts_ece=0.04, coref_pronouns=None)


def test_a_pipeline_is_described(tmp_path: pathlib.Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger").add_label("author")  # type: ignore[attr-defined]
    nlp.initialize()
    nlp.to_disk(tmp_path / "tuned")
    srsly.write_json(tmp_path / "rere.json", SCORES)
    srsly.write_json(tmp_path / "none.json", {**SCORES, "ece": None})
    srsly.write_json(tmp_path / "facts.json", FACTS)
    options = ["--name", "base", "--version", "0.2.0", "--scores", f"hard test={tmp_path / 'rere.json'}"]
    options += ["--scores", f"empty={tmp_path / 'none.json'}", "--facts", f"whole={tmp_path / 'facts.json'}"]
    for _ in range(2):  # an existing folder is replaced
        main([str(tmp_path / "tuned"), str(tmp_path / "described"), *options])
    card = (tmp_path / "described/README.md").read_text(encoding="utf8")
    assert card.startswith("# en_base\n") and "**Relations.** author." in card
    assert "| hard test | 91.1 | 82.2 | 86.4 | 5.1 | 8.4 |\n| empty | 91.1 | 82.2 | 86.4 | 5.1 | – |" in card
    assert "| whole | 61.0 | 52.0 | 56.0 | 30.0 | 4.0 | – |" in card
    meta = srsly.read_json(tmp_path / "described/meta.json")
    assert meta["performance"]["whole facts_f"] == pytest.approx(0.56)
    assert (meta["name"], meta["version"], meta["license"]) == ("base", "0.2.0", "MIT")
    assert meta["performance"]["hard test exact_f"] == pytest.approx(0.864)
    assert spacy.load(tmp_path / "described").pipe_names == ["tagger"] and (tmp_path / "described/LICENSE").is_file()
