"""`annotate retrain`: what is mixed, that the new is learned and the old kept, and that nothing is half written."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.util import fix_random_seed

from spacy_relext import set_triples
from spacy_relext.pipeline.retraining import PASSES, mix_corpora, retrain, retrained_components
from tests.cli.fake_pipeline import make_pipeline
from tests.cli.test_corpus import texts
from tests.contract.cases import CASES, MethodCase

BY_ID: Dict[str, MethodCase] = {case.id: case for case in CASES}
READER = {"@readers": "spacy_relext.TripleCorpus.v1", "path": None, "gold_ents": False}


def train(case: MethodCase, folder: Path) -> str:
    """Train a pipeline on all sentences but the last three, and write these, `new`, and the others, `old`."""
    fix_random_seed(1)
    nlp = case.build(Path("none"), name="relext")
    examples = case.make_examples(nlp)
    known, new = examples[:4], examples[4:]
    optimizer = nlp.initialize(lambda: examples)  # so that all relations are known
    optimizer.learn_rate = case.learn_rate
    for _ in range(60):
        nlp.update(known, sgd=optimizer, annotates=case.annotating)
    nlp.config["corpora"]["train"] = READER
    nlp.config["training"]["annotating_components"] = case.annotating
    nlp.config["training"]["optimizer"]["learn_rate"] = 0.01
    nlp.to_disk(folder / "pipeline")
    for name, part in (("old", known), ("new", new)):
        write(folder / f"{name}.spacy", [example.reference for example in part])
    return str(folder / "pipeline")


def write(path: Path, docs: List[Doc]) -> Path:
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retrain")
    train(BY_ID["recurrent"], folder)
    return folder


@pytest.mark.parametrize("name", ["listener", "shared student"])
def test_corrections_are_learned_and_the_old_is_kept(run: Any, tmp_path: Path, name: str) -> None:
    pipeline = train(BY_ID[name], tmp_path)
    new, old = tmp_path / "new.spacy", tmp_path / "old.spacy"
    options = ("--keep", old, "--mix", "2:1", "--steps", 60, "--learn-rate", 0.005)
    done = run("annotate", "retrain", pipeline, new, tmp_path / "out", *options, "--test", new, "--dev", old)
    assert done.exit_code == 0, done.output
    rows = {line.split("  ")[0]: line.split() for line in done.stdout.splitlines() if line.startswith(("dev", "test"))}
    before, after = (float(row[-1]) for key, row in rows.items() if key.startswith("test"))
    assert after > before and after > 90, done.stdout
    old_before, old_after = (float(row[-1]) for key, row in rows.items() if key.startswith("dev"))
    assert old_after >= old_before - 1
    assert spacy.load(tmp_path / "out").pipe_names == spacy.load(pipeline).pipe_names


def test_the_same_seed_gives_the_same_weights(folder: Path) -> None:
    found = []
    for _ in range(2):
        nlp = spacy.load(folder / "pipeline")
        done = retrain(nlp, folder / "new.spacy", steps=5, seed=3)
        assert done.rate == pytest.approx(0.01 / 30) and done.steps == 5
        found.append(nlp.get_pipe("relext").model.to_bytes())
    assert found[0] == found[1]


def test_steps_follow_the_size_of_the_corpus(folder: Path, tmp_path: Path) -> None:
    nlp = spacy.load(folder / "pipeline")
    nlp.config["training"]["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": 1}
    mix_corpora(nlp, folder / "new.spacy", None, tmp_path / "mixed.spacy", ratio=0, seed=0)
    assert retrain(nlp, tmp_path / "mixed.spacy").steps == 3 * PASSES
    nlp.config["training"]["max_steps"] = 5
    assert retrain(nlp, tmp_path / "mixed.spacy").steps == 5  # as many as it was trained with


def test_what_is_mixed(folder: Path, tmp_path: Path) -> None:
    nlp = spacy.load(folder / "pipeline")
    bare, other = nlp.make_doc("A text without triples."), nlp.make_doc("Kari plays chess.")
    set_triples(other, [((0, 4), "plays", (11, 16))])
    new = [*DocBin(store_user_data=True).from_disk(folder / "new.spacy").get_docs(nlp.vocab), other]
    write(tmp_path / "new.spacy", [*new, bare])
    old = [nlp.make_doc(f"Old text {number}.") for number in range(100)]
    for doc in old:
        set_triples(doc, [])
    again = nlp.make_doc(new[0].text)
    set_triples(again, [])
    write(tmp_path / "keep.spacy", [*old, again, nlp.make_doc("Not annotated.")])
    count = len(new)
    mix = mix_corpora(nlp, tmp_path / "new.spacy", tmp_path / "keep.spacy", tmp_path / "a.spacy", ratio=2, seed=0)
    assert (mix.new, mix.old, mix.replaced, mix.not_annotated) == (count, 2 * count * PASSES, 1, 1)
    assert mix.unknown == {"plays": 1}
    drawn = texts(tmp_path / "a.spacy")
    assert Counter(drawn) == {**dict.fromkeys(drawn, 1), **dict.fromkeys([doc.text for doc in new], PASSES)}
    assert "Not annotated." not in drawn and bare.text not in drawn
    mix = mix_corpora(nlp, tmp_path / "new.spacy", tmp_path / "keep.spacy", tmp_path / "b.spacy", ratio=2, seed=1)
    assert set(texts(tmp_path / "b.spacy")) != set(drawn)
    mix = mix_corpora(nlp, tmp_path / "new.spacy", tmp_path / "keep.spacy", tmp_path / "c.spacy", ratio=99, seed=0)
    assert (mix.old, mix.wanted) == (100, 99 * count * PASSES)
    assert set(Counter(texts(tmp_path / "c.spacy")).values()) <= {PASSES, 23, 24}  # the old ones are repeated


def test_components_that_do_not_learn_from_triples(tmp_path: Path) -> None:
    nlp = BY_ID["listener"].build(Path("none"), name="relext")
    assert retrained_components(nlp) == [name for name in nlp.pipe_names if name != "sentencizer"]
    nlp.config["training"]["frozen_components"] = ["tok2vec"]
    assert "tok2vec" not in retrained_components(nlp)
    with pytest.raises(ValueError, match="R253.*sentencizer"):
        retrained_components(make_pipeline())


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--mix", "7:1"), "R255"),
        (("--mix", "seven", "--keep", "{tmp}/old.spacy"), "R107"),
        (("--mix", "1:0", "--keep", "{tmp}/old.spacy"), "R107"),
        (("--mix", "-1:1", "--keep", "{tmp}/old.spacy"), "R107"),
        (("--keep", "{tmp}/absent.spacy"), "R111"),
        (("--mix", "0:1", "--dev", "{tmp}/absent.spacy"), "R111"),
    ],
)
def test_one_line_for_bad_input(fails: Any, folder: Path, tmp_path: Path, arguments: List[str], message: str) -> None:
    options = [argument.format(tmp=folder) for argument in arguments]
    assert message in fails(
        "annotate", "retrain", folder / "pipeline", folder / "new.spacy", tmp_path / "out", *options
    )
    assert not list(tmp_path.iterdir())


def test_other_bad_input(fails: Any, pipeline: str, folder: Path, tmp_path: Path) -> None:
    out, new = tmp_path / "out", folder / "new.spacy"
    assert "R253" in fails("annotate", "retrain", pipeline, new, out, "--mix", "0:1")
    bare = write(tmp_path / "bare.spacy", [spacy.blank("en")("No triple.")])
    assert "R208" in fails("annotate", "retrain", folder / "pipeline", bare, out, "--mix", "0:1")
    out.mkdir()
    (out / "file").touch()
    assert "R121" in fails("annotate", "retrain", folder / "pipeline", new, out, "--mix", "0:1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.spacy", "out"]


def test_a_rate_that_is_no_number(folder: Path) -> None:
    nlp = spacy.load(folder / "pipeline")
    nlp.config["training"]["optimizer"]["learn_rate"] = {"@schedules": "constant.v1", "rate": 0.1}
    with pytest.raises(ValueError, match="R254"):
        retrain(nlp, folder / "new.spacy")
    assert retrain(nlp, folder / "new.spacy", steps=1, rate=0.001).rate == 0.001
