"""The pipeline that the package carries: what its card states is true of its files."""

import hashlib
import pathlib
import sys
from typing import Any

import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.training import Example

import spacy_relext
from spacy_relext.bridge.shipped import FOLDER, locate_pipeline
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.scoring.evaluation import evaluate_pipeline

CARD = ("README.md", "sha256.txt")


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy_relext.load()


def test_it_finds_triples_and_entities(nlp: Language) -> None:
    doc = nlp("Odalys  Brandvold was born in Trysil.")
    (triple,) = doc._.triples
    assert (triple.subject.text, triple.relation) == ("Odalys  Brandvold", "place_of_birth")
    assert [(ent.text, ent.label_) for ent in doc.ents][-1] == ("Trysil", "PLACE") and 0.3 < triple.score <= 1.0


def test_the_digests_are_those_of_the_files() -> None:
    lines = (FOLDER / "sha256.txt").read_text(encoding="utf8").splitlines()
    stated = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.is_file()}
    assert stated == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name not in CARD
    }
    assert sum(path.stat().st_size for path in files.values()) < 20e6


def test_the_scores_are_those_of_the_card(nlp: Language, project_root: pathlib.Path) -> None:
    """On the first 60 sentences of the hand-written test."""
    sys.path.insert(0, str(project_root / "scripts"))
    from build_default import SIXTY, add_implied, judge, read_prose, relations_of

    prose = project_root / "assets/prose"
    train, test = (list(map(add_implied, read_prose(prose, f"{part}*.txt"))) for part in ("train", "test"))
    docs = [record_to_doc(nlp.make_doc, each) for each in judge(test[:SIXTY], relations_of(train))]
    scores = evaluate_pipeline(nlp, [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    performance: Any = srsly.read_json(FOLDER / "meta.json")["performance"]
    for key in ("exact_p", "exact_r", "exact_f"):
        assert scores[key] == pytest.approx(performance[f"sixty {key}"], abs=0.02), key
        assert f"{100 * performance[f'sixty {key}']:.1f}" in (FOLDER / "README.md").read_text(encoding="utf8")


def test_commands_take_its_name(nlp: Language) -> None:
    assert locate_pipeline("default") == FOLDER and locate_pipeline("./default") == "./default"
    assert load_pipeline("default").meta["name"] == nlp.meta["name"]
    assert "located_in" in spacy.load(FOLDER).get_pipe("rere_extractor").labels  # type: ignore[attr-defined]
