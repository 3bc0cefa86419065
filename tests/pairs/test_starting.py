"""Training that starts from the weights of trained pipelines."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
import torch
from spacy.util import fix_random_seed

from spacy_relext.bridge.modules import module_of
from tests.kd.pipes import GRAPH_STUDENT, GRAPH_TEACHER, STUDENT, TEACHER, VECTORS, make_examples, over


def new(factory: str, model: Dict[str, Any], *, seed: int, **options: Any) -> Any:
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(factory, config={"model": model})
    examples = make_examples(nlp)
    pipe.initialize(lambda: examples, nlp=nlp, **options)
    return nlp


def saved(folder: Path, seed: int, **encoder: Any) -> Path:
    path = folder / f"teacher{seed}"
    new(TEACHER, over(GRAPH_TEACHER, **encoder), seed=seed).to_disk(path)
    return path


def state(nlp: Any) -> Dict[str, torch.Tensor]:
    (pipe,) = (pipe for name, pipe in nlp.pipeline if name.startswith("kd_"))
    return {key: value.clone() for key, value in module_of(pipe.model).state_dict().items()}


def test_a_student_starts_from_the_mean_of_its_teachers(tmp_path: Path) -> None:
    paths = [saved(tmp_path, seed) for seed in (1, 2)]
    teachers = [state(spacy.load(path)) for path in paths]
    fresh = state(new(STUDENT, GRAPH_STUDENT, seed=3))
    started = state(new(STUDENT, GRAPH_STUDENT, seed=3, start=paths))
    shared = [key for key in started if key in teachers[0]]
    assert shared and any(key.startswith("local.") for key in shared)
    for key in started:
        wanted = (teachers[0][key] + teachers[1][key]) / 2 if key in shared else fresh[key]
        assert torch.allclose(started[key], wanted), key
    assert not torch.equal(started[shared[0]], fresh[shared[0]])


def test_what_cannot_be_started_from(tmp_path: Path) -> None:
    def refused(*paths: Path) -> str:
        with pytest.raises(ValueError, match="R413") as error:
            new(STUDENT, GRAPH_STUDENT, seed=3, start=list(paths))
        return str(error.value)

    assert "no/such" in refused(Path("no/such"))
    spacy.blank("en").to_disk(tmp_path / "blank")
    assert "0 components" in refused(tmp_path / "blank")
    narrow: List[Path] = [saved(tmp_path, 4, width=8, tok2vec={**VECTORS, "width": 8})]
    assert "their encoder has no encoder." in refused(*narrow)
