"""What training does between two steps: the teacher's share."""

from typing import Any, Dict

import pytest
import spacy
from spacy.util import registry

from spacy_relext.kd.student import create_anneal_distillation, share_at
from tests.kd.pipes import GRAPH_STUDENT, GRAPH_TEACHER, STUDENT, TEACHER, settings_of

pytestmark = pytest.mark.filterwarnings("ignore:.W403")  # these texts have no parse


def test_the_teachers_share_falls_from_step_to_step() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(STUDENT, name="reader", config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
    anneal = registry.callbacks.get("spacy_relext.anneal_distillation.v1")(component="reader", steps=5)
    found = []
    for step in range(7):
        anneal(nlp, {"step": step, "epoch": 0})
        found.append(pipe.teacher_share)
    assert found == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]


def test_no_number_of_steps() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(STUDENT, name="reader", config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
    nlp.config["training"].update({"max_steps": 5, "max_epochs": 0})
    anneal = create_anneal_distillation("reader")
    for step, expected in ((0, 1.0), (2, 0.5), (4, 0.0)):
        anneal(nlp, {"step": step, "epoch": 0})
        assert pipe.teacher_share == expected


@pytest.mark.parametrize(("step", "share"), [(0, 1.0), (250, 0.749750), (999, 0.0), (5000, 0.0)])
def test_shares_by_hand(step: int, share: float) -> None:
    assert share_at(step, steps=1000) == pytest.approx(share, abs=1e-6)
    assert share_at(step, steps=1000, start=0.2, end=0.8) == pytest.approx(0.8 - 0.6 * share, abs=1e-6)


@pytest.mark.parametrize("component", ["reader", "sentencizer", TEACHER])
def test_annealing_a_component_that_has_no_teacher(component: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(TEACHER, config={**settings_of(TEACHER), "model": GRAPH_TEACHER})
    with pytest.raises(
        ValueError, match=rf"R403.*'{component}'.*sentencizer, kd_teacher.*training.before_update"
    ) as error:
        create_anneal_distillation(component, steps=10)(nlp, {"step": 0})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"steps": 5, "start": 1.5}, {"steps": 5, "end": -0.1}])
def test_wrong_settings_of_annealing(wrong: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="R007"):
        create_anneal_distillation("reader", **wrong)
