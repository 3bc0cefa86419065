"""`spacy relext init-config`: what it writes is valid, and trains."""

import pathlib
from typing import Any, Callable, Dict

import pytest
import spacy
import torch
from spacy.cli.debug_config import debug_config
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config

from spacy_relext.bridge.modules import module_of
from spacy_relext.bridge.packing import save_packed
from spacy_relext.cli.init_config import CHOICES, PASSES, STEPS, make_config
from tests.scoring.builders import save_corpus
from tests.test_configs import WIDTH, corpus_of, inputs  # noqa: F401  (inputs: a fixture)


@pytest.mark.parametrize("have", CHOICES)
def test_every_choice_is_valid_and_trains(
    have: str,
    inputs: Dict[str, str],  # noqa: F811
    tmp_path: pathlib.Path,
    run: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "new" / f"{have}.cfg"
    done = run("init-config", path, "--have", have, "--encoder", inputs["encoder"])
    assert done.exit_code == 0, done.output
    assert f"spacy train {path}" in done.stdout and ("relext tune" in done.stdout) == CHOICES[have].is_tuned
    overrides: Dict[str, Any] = {**corpus_of(load_config(path), inputs)}
    if have == "rules":
        overrides["paths.rules"] = inputs["rules.json"]
    debug_config(path, overrides=overrides)  # which ends the process if a key is missing
    assert "Config is valid" in capsys.readouterr().out
    overrides.update({"training.max_steps": 3, "training.max_epochs": 0, "training.eval_frequency": 2})
    if have == "raw":
        overrides["components.selfore_clusterer.n_clusters"] = 2  # there are few pairs
    nlp = init_nlp(load_config(path, overrides=overrides))
    with open(tmp_path / "log", "w") as log:
        best, _ = train(nlp, None, stdout=log, stderr=log)
    assert best is nlp


@pytest.fixture
def shipped(inputs: Dict[str, str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:  # noqa: F811
    """A small pipeline in place of the one that the package carries; its encoder's folder is not needed."""
    config = Config().from_str(make_config("labels", encoder=inputs["encoder"]), interpolate=False)
    config["components"]["tok2vec"]["model"]["max_pieces"] = 32  # it has 64 places
    config["paths"].update(train=inputs["corpus.spacy"], dev=inputs["corpus.spacy"])
    folder = tmp_path / "shipped"
    save_packed(init_nlp(config), folder)
    monkeypatch.setattr("spacy_relext.bridge.shipped.FOLDER", folder)
    return folder


def test_labels_start_from_the_shipped_pipeline(
    shipped: pathlib.Path,
    inputs: Dict[str, str],  # noqa: F811
    tmp_path: pathlib.Path,
    run: Callable[..., Any],
) -> None:
    path, corpus = tmp_path / "mine.cfg", inputs["corpus.spacy"]
    done = run("init-config", path, corpus, corpus, "--have", "labels")
    assert done.exit_code == 0, done.output
    config = load_config(path, overrides={"paths.train": corpus, "paths.dev": corpus})
    assert config.interpolate()["components"]["tok2vec"] == {"source": "spacy_relext"}
    assert "encoder" not in config["paths"]
    half = config["training"]["eval_frequency"]  # eight sentences and eight negatives are one batch
    assert config["training"]["max_steps"] == 2 * half == 2 * (PASSES // 2)
    nlp, trained = init_nlp(config), spacy.load("spacy_relext", exclude=["sentencizer"])
    assert "sentencizer" not in trained.pipe_names
    own, other = (module_of(each.get_pipe("rere_extractor").model) for each in (nlp, trained))  # type: ignore[attr-defined]
    assert torch.equal(own.project.weight, other.project.weight)
    with open(tmp_path / "log", "w") as log:
        nlp.config["training"].update(max_steps=3, eval_frequency=2)
        train(nlp, tmp_path, stdout=log, stderr=log)
    assert spacy.load(tmp_path / "model-last").pipe_names == nlp.pipe_names
    again = make_config("labels")
    assert f"max_steps = {STEPS}\n" in again and make_config("labels", encoder="e").count("start") == 0


def parsed(config: Any) -> Any:
    return Config().from_str(str(config), interpolate=False)


def test_the_choice_for_missing_labels() -> None:
    labels, kb = (parsed(make_config(have, encoder="a")) for have in ("labels", "kb"))
    assert "loss" not in labels["components"]["rere_detector"], "the default, cross-entropy"
    assert kb["components"]["rere_detector"]["loss"]["kind"] == "collective"
    assert kb["components"]["rere_extractor"] == labels["components"]["rere_extractor"]


def test_options(tmp_path: pathlib.Path, run: Callable[..., Any]) -> None:
    path = tmp_path / "zh.cfg"
    done = run("init-config", path, "--have", "labels", "--lang", "zh", "--encoder", "bert-chinese", "--gpu")
    assert done.exit_code == 0, done.output
    assert "--gpu-id 0" in done.stdout
    config = load_config(path)
    assert (config["nlp"]["lang"], config["paths"]["encoder"]) == ("zh", "bert-chinese")
    assert config["training"]["gpu_allocator"] == "pytorch" and "tokenizer" not in config["nlp"]


def test_wrong_use(tmp_path: pathlib.Path, fails: Callable[..., str], run: Callable[..., Any]) -> None:
    path = tmp_path / "out.cfg"
    assert "[R206] --have is 'lables'" in fails("init-config", path, "--have", "lables")
    assert "[R209]" in fails("init-config", tmp_path / "out.txt", "--have", "labels")
    assert "[R108]" in fails("init-config", path, "--have", "labels", "--lang", "xy", "--encoder", "e")
    assert "[R228]" in fails("init-config", path, "--have", "labels", "--lang", "zh")
    assert not path.exists()
    path.write_text("[nlp]\n", encoding="utf8")
    assert "[R227]" in fails("init-config", path, "--have", "labels")
    assert run("init-config", path, "--have", "labels", "--force").exit_code == 0


def test_what_the_corpora_lack(tmp_path: pathlib.Path, run: Callable[..., Any], fails: Callable[..., str]) -> None:
    corpora = []
    for name, relation in (("first", "spouse"), ("second", "employer")):
        rows = [(f"Ada {number} met Bo.", [("Ada", relation, "Bo")]) for number in range(12)]
        corpora.append(save_corpus(tmp_path / f"{name}.spacy", rows))
    config = tmp_path / "out.cfg"
    done = run("init-config", config, *corpora, "--have", "labels")
    assert "first: 12 sentences with triples are few" in done.output and "--have rules" in done.output
    assert "second: no triple of spouse" in done.output and "fewer than" not in done.output
    assert f"--paths.train {corpora[0]} --paths.dev {corpora[1]}" in " ".join(done.output.split())
    assert "are few" not in run("init-config", config, *corpora, "--have", "rules", "--force").output
    assert "[R111]" in fails("init-config", config, tmp_path / "none.spacy", "--have", "labels", "--force")
