"""Text and knowledge base as one probability, on worked numbers."""

import pathlib
import re
from typing import Any

import numpy
import pytest

from spacy_relext.hrere.mixture import MixedProbs, Mixture, fit_mixture, mix

TEXT, KB = numpy.asarray([[0.2, 1.0, -0.5]]), numpy.asarray([[-2.1875, -0.55, 0.6875]])
P_TEXT, P_KB = [0.268664, 0.597922, 0.133414], [0.041898, 0.215450, 0.742653]


def mixed(text: Any = TEXT, kb: Any = KB, *, linked: Any = None, shared: Any = None, **options: Any) -> MixedProbs:
    linked = numpy.ones(len(text), dtype=bool) if linked is None else numpy.asarray(linked)
    shared = numpy.ones(3, dtype=bool) if shared is None else numpy.asarray(shared)
    return mix(numpy.asarray(text), numpy.asarray(kb), linked=linked, shared=shared, mixture=Mixture(**options))


@pytest.mark.parametrize(
    "form, share, expected",
    [
        ("prob", 0.6, [0.177958, 0.444933, 0.377110]),
        ("logit", 0.6, [0.161649, 0.502917, 0.335434]),
        ("prob", 0.9, [0.245987, 0.559675, 0.194338]),
        ("logit", 0.9, [0.242134, 0.585953, 0.171913]),
    ],
)
def test_both_forms(form: str, share: float, expected: Any) -> None:
    found = mixed(share=share, form=form)
    assert found.probs[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert found.text[0].tolist() == pytest.approx(P_TEXT, abs=1e-6)
    assert found.kb[0].tolist() == pytest.approx(P_KB, abs=1e-6)


def test_the_forms_may_disagree() -> None:
    text, kb = [[2.0, 1.5, 0.0]], [[-6.0, 3.0, 5.0]]
    assert mixed(text, kb, share=0.6).probs.argmax() == 2
    assert mixed(text, kb, share=0.6, form="logit").probs.argmax() == 1


@pytest.mark.parametrize("form", ["prob", "logit"])
def test_one_side_alone(form: str) -> None:
    assert mixed(share=1.0, form=form).probs[0].tolist() == mixed(share=1.0, form=form).text[0].tolist()
    assert mixed(share=0.0, form=form).probs[0].tolist() == pytest.approx(P_KB, abs=1e-6)


@pytest.mark.parametrize("form", ["prob", "logit"])
def test_without_a_link_text_decides_bit_for_bit(form: str) -> None:
    text = numpy.concatenate([TEXT, TEXT])
    kb = numpy.concatenate([KB, numpy.full_like(KB, numpy.nan)])
    found = mixed(text, kb, linked=[True, False], share=0.3, form=form)
    assert found.probs[1].tolist() == found.text[1].tolist() and not found.kb[1].any()
    assert found.probs[0].tolist() != found.text[0].tolist()


@pytest.mark.parametrize("form", ["prob", "logit"])
def test_about_unknown_relations_text_decides(form: str) -> None:
    found = mixed(shared=[True, True, False], share=0.6, form=form)
    assert found.probs[0, 2] == found.text[0, 2] and found.kb[0, 2] == 0.0
    assert found.probs.sum() == pytest.approx(1.0)
    assert found.probs[0, 1] > found.text[0, 1], "of no relation and r the knowledge base prefers r"


def test_extreme_logits_stay_finite() -> None:
    found = mixed([[800.0, -800.0, 0.0]], [[-800.0, 800.0, 0.0]], share=0.5)
    assert found.probs[0].tolist() == pytest.approx([0.5, 0.5, 0.0])


def fitted(kb_right: float, **options: Any) -> Mixture:
    """300 bags; text knows half of the truth, the knowledge base as much as is asked for."""
    dice = numpy.random.default_rng(0)
    classes = dice.integers(0, 3, 300)
    gold = numpy.eye(3, dtype=bool)[classes]
    text = 8.0 * numpy.eye(3)[numpy.where(dice.random(300) < 0.5, classes, dice.integers(0, 3, 300))]
    kb = 0.5 * numpy.eye(3)[numpy.where(dice.random(300) < kb_right, classes, dice.integers(0, 3, 300))]
    linked = numpy.ones(300, dtype=bool)
    return fit_mixture(text, kb, gold, **{"linked": linked, "shared": numpy.ones(3, bool), "form": "prob", **options})


def test_fitting() -> None:
    assert fitted(1.0).share < 0.7 < fitted(0.0).share
    found = fitted(0.7)
    assert found.text_temperature > 1.0, "it was too sure of itself"
    assert found.kb_temperature < 1.0, "it was not sure enough"


def test_fitting_without_a_link() -> None:
    assert fitted(1.0, linked=numpy.zeros(300, dtype=bool)).share == 1.0


def test_equations_named_are_those_of_the_paper(project_root: pathlib.Path) -> None:
    """The paper has equations 1 to 6."""
    paths = [*(project_root / "spacy_relext" / "hrere").glob("*.py"), project_root / "docs" / "methods" / "hrere.md"]
    text = "\n".join(path.read_text(encoding="utf8") for path in paths)
    numbers = re.findall(r"\b(?:Eqs?\.|[Ee]quations?)\s*\(?(\d+)", text)
    assert all(1 <= int(number) <= 6 for number in numbers)
