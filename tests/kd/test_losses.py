"""The worked numbers of KD4NRE's losses."""

from typing import Dict

import pytest
import torch
from torch.nn import functional as F

from spacy_relext.kd.losses import (
    add_assertions,
    divergence,
    sentence_penalty,
    smoothed_cross_entropy,
    student_loss,
    teacher_loss,
    top_softmax_difference,
)
from spacy_relext.kd.model import StudentOutput, TeacherOutput, fuse
from spacy_relext.pairs.gold import UNLABELLED

TEXT = torch.tensor([[1.2, 0.9, 0.3, -0.1]])
PRIOR = torch.tensor([[0.2, 0.688222, 0.168591, 0.143187]])
VECTOR = torch.tensor([0.5, 2.0, 1.0, 1.5])
TAUGHT = TEXT + fuse(VECTOR, PRIOR, None)
LOCAL, AUXILIARY = torch.tensor([[0.8, 1.1, 0.2, 0.0]]), torch.tensor([[0.1, 0.6, 0.05, 0.2]])
GOLD = torch.tensor([1])


def assert_close(found: torch.Tensor, expected: object) -> None:
    torch.testing.assert_close(found, torch.tensor(expected), atol=2e-6, rtol=0.0)


@pytest.mark.parametrize(
    ("probs", "expected"),
    [
        ((0.7, 0.2, 0.06, 0.03, 0.01), 0.57),
        ((0.2, 0.2, 0.2, 0.2, 0.2), 0.0),
        ((0.5, 0.3, 0.1, 0.05, 0.05), 0.3),
        ((0.98, 0.01, 0.005, 0.003, 0.002), 0.9725),
    ],
)
def test_difference_of_the_top_probabilities(probs: tuple, expected: float) -> None:
    assert_close(top_softmax_difference(torch.tensor([probs]).log(), k=3), expected)


def test_text_and_types_are_joined() -> None:
    assert_close(TEXT.softmax(1), [[0.413237, 0.306133, 0.168010, 0.112620]])
    by_scalar = TEXT + fuse(torch.tensor(0.8), PRIOR, None)
    assert_close(by_scalar, [[1.36, 1.450577, 0.434873, 0.014550]])
    assert_close(by_scalar.softmax(1), [[0.363410, 0.397864, 0.144085, 0.094640]])
    assert_close(TAUGHT, [[1.3, 2.276443, 0.468591, 0.114781]])
    assert_close(TAUGHT.softmax(1), [[0.227474, 0.603942, 0.099050, 0.069534]])


def test_by_the_gold_relation() -> None:
    rows = torch.zeros(4, 4)
    rows[0] = 7.0  # which is never read
    rows[2] = torch.tensor([-1.0, -0.5, 3.0, 0.2])
    added = fuse(rows, PRIOR, torch.tensor([2]))
    assert_close(added, [[-0.2, -0.344111, 0.505773, 0.028637]])
    assert_close((TEXT + added).softmax(1), [[0.356201, 0.228465, 0.293321, 0.122013]])
    assert_close(fuse(rows, PRIOR, torch.tensor([0])), [[0.0, 0.0, 0.0, 0.0]])


def test_loss_of_the_teacher() -> None:
    outputs = TeacherOutput(TAUGHT, TEXT, TAUGHT - TEXT, torch.zeros(1, 2))
    terms = teacher_loss(outputs, {"classes": GOLD}, tsd_weight=1.0, tsd_k=3, penalty=0.003)
    assert_close(terms["gold"], 0.504277)
    assert_close(terms["tsd"], 0.440680)
    assert_close(sum(terms.values(), torch.tensor(0.0)), 0.944957)


def test_parts_of_the_students_loss() -> None:
    student = LOCAL + AUXILIARY
    hints = divergence(TEXT, LOCAL), divergence(TAUGHT - TEXT, AUXILIARY)
    assert_close(hints[0], 0.034236)
    assert_close(hints[1], 0.067017)
    assert_close(hints[0] + hints[1], 0.101252)
    assert_close(divergence(TAUGHT, student), 0.019680)
    assert_close(divergence(TAUGHT, student, temperature=2.0), 0.006733)
    assert_close(4.0 * divergence(TAUGHT, student, temperature=2.0), 0.026932)
    assert_close(smoothed_cross_entropy(student, GOLD), 0.645547)
    assert_close(divergence(torch.zeros(1, 4), AUXILIARY), 0.024857)  # no relation, as the teacher by relation has it


def targets(n: int = 1) -> Dict[str, torch.Tensor]:
    parts = {"teacher": TAUGHT, "teacher_text": TEXT, "teacher_types": TAUGHT - TEXT}
    return {"classes": GOLD.repeat(n), "soft_mask": torch.ones(n), **{k: v.repeat(n, 1) for k, v in parts.items()}}


def outputs_of(local: torch.Tensor, auxiliary: torch.Tensor) -> StudentOutput:
    return StudentOutput(local + auxiliary, local, auxiliary, torch.ones(len(local), 1), torch.zeros(len(local), 2))


OPTIONS = {"hint_weight": 1.8, "temperature": 1.0, "smoothing": 0.0, "penalty": 0.003}


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.645547), (1 / 99, 0.641066), (0.5, 0.423741), (1.0, 0.201934)])
def test_loss_of_the_student(share: float, expected: float) -> None:
    terms = student_loss(outputs_of(LOCAL, AUXILIARY), targets(), share=share, **OPTIONS)
    assert_close(sum(terms.values(), torch.tensor(0.0)), expected)


def test_the_temperature_of_the_distillation_counts_squared() -> None:
    terms = student_loss(outputs_of(LOCAL, AUXILIARY), targets(), share=0.5, **{**OPTIONS, "temperature": 2.0})
    assert_close(terms["teacher"], 0.5 * 0.026932)
    assert_close(terms["hints"], 0.5 * 1.8 * 0.101252)


def test_assertions_are_added_if_the_targets_have_some() -> None:
    outputs = outputs_of(LOCAL, AUXILIARY)._replace(assertions=torch.tensor([[0.0, 1.0]]))
    terms = {"gold": torch.tensor(1.0)}
    assert add_assertions(terms, outputs, targets(), weight=3.0) == terms
    found = add_assertions(terms, outputs, {**targets(), "assertions": torch.tensor([1])}, weight=3.0)
    assert found["gold"] == 1.0
    assert_close(found["assertions"], 3.0 * 0.313262)


def test_two_classes_are_compared() -> None:
    two = torch.tensor([[1.0, 0.0]])
    assert_close(top_softmax_difference(two, k=3), float(two.softmax(1)[0, 0] - two.softmax(1)[0, 1]))
    assert top_softmax_difference(two[:, :1], k=3) == 0.0


def test_gradient_of_the_distillation() -> None:
    student = (LOCAL + AUXILIARY).requires_grad_()
    divergence(TAUGHT, student).backward()
    assert student.grad is not None
    assert_close(student.grad, [[0.008143, -0.079566, 0.023953, 0.047470]])
    assert_close(student.grad.sum(), 0.0)


def test_gradients_by_hand_and_by_autograd_agree() -> None:
    local, auxiliary = LOCAL.clone().requires_grad_(), AUXILIARY.clone().requires_grad_()
    terms = student_loss(outputs_of(local, auxiliary), targets(), share=0.5, **OPTIONS)
    torch.stack(list(terms.values())).sum().backward()
    total = LOCAL + AUXILIARY
    both = 0.5 * (total.softmax(1) - F.one_hot(GOLD, 4)) + 0.5 * (total.softmax(1) - TAUGHT.softmax(1))
    hint = 0.5 * 1.8
    assert local.grad is not None and auxiliary.grad is not None
    torch.testing.assert_close(local.grad, both + hint * (LOCAL.softmax(1) - TEXT.softmax(1)))
    expected = both + hint * (AUXILIARY.softmax(1) - (TAUGHT - TEXT).softmax(1))
    torch.testing.assert_close(auxiliary.grad, expected)


def test_a_pair_that_the_teacher_has_not_seen_learns_from_its_label_alone() -> None:
    unseen = {**targets(), "soft_mask": torch.zeros(1)}
    terms = student_loss(outputs_of(LOCAL, AUXILIARY), unseen, share=0.5, **OPTIONS)
    assert terms["teacher"] == terms["hints"] == 0.0
    assert_close(terms["gold"], 0.645547)  # all of it, not (1 - λ) of it


def test_each_pair_keeps_the_share_of_its_label_that_no_teacher_takes() -> None:
    one, both = targets(), {**targets(2), "soft_mask": torch.tensor([1.0, 0.0])}
    terms = student_loss(outputs_of(LOCAL.repeat(2, 1), AUXILIARY.repeat(2, 1)), both, share=0.4, **OPTIONS)
    alone = student_loss(outputs_of(LOCAL, AUXILIARY), one, share=0.4, **OPTIONS)
    assert_close(terms["gold"], 0.645547 * (0.6 + 1.0) / 2)
    assert_close(terms["teacher"] + terms["hints"], float(alone["teacher"] + alone["hints"]) / 2)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_pair_without_gold_learns_from_the_teacher_alone(share: float) -> None:
    one, both = targets(), {**targets(2), "classes": torch.tensor([int(GOLD), UNLABELLED])}
    terms = student_loss(outputs_of(LOCAL.repeat(2, 1), AUXILIARY.repeat(2, 1)), both, share=share, **OPTIONS)
    labelled = student_loss(outputs_of(LOCAL, AUXILIARY), one, share=share, **OPTIONS)
    taught = student_loss(outputs_of(LOCAL, AUXILIARY), one, share=1.0, **OPTIONS)
    assert_close(terms["gold"], float(labelled["gold"]) / 2)
    for term in ("teacher", "hints"):
        assert_close(terms[term], float(labelled[term] + taught[term]) / 2)


def test_without_a_teacher_labels_count_fully() -> None:
    terms = student_loss(outputs_of(LOCAL, AUXILIARY), {"classes": GOLD}, share=0.9, **OPTIONS)
    assert set(terms) == {"gold", "penalty"}
    assert_close(terms["gold"], 0.645547)


def test_no_pairs() -> None:
    nothing = outputs_of(torch.zeros(0, 4), torch.zeros(0, 4))
    empty = {key: value[:0] for key, value in targets().items()}
    terms = student_loss(nothing, empty, share=0.5, **OPTIONS)
    assert all(term == 0.0 for term in terms.values())
    assert sentence_penalty(torch.tensor([[1.0, -2.0], [0.0, 3.0]])) == (1 + 4 + 9) / 2
    assert sentence_penalty(torch.zeros(0, 3)) == top_softmax_difference(torch.zeros(0, 3), k=3) == 0.0


def test_gradients_in_double_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (3, 5)
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)]
    soft = [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(3)]
    names = ("teacher", "teacher_text", "teacher_types")
    wanted = {"classes": torch.tensor([0, 3, 1]), "soft_mask": torch.ones(3).double(), **dict(zip(names, soft))}

    def loss(local: torch.Tensor, auxiliary: torch.Tensor) -> torch.Tensor:
        terms = student_loss(outputs_of(local, auxiliary), wanted, share=0.3, **{**OPTIONS, "temperature": 2.0})
        return sum(terms.values(), torch.zeros(()))

    assert torch.autograd.gradcheck(loss, inputs)

    def distillation(logits: torch.Tensor) -> torch.Tensor:
        outputs = TeacherOutput(logits, logits, logits, logits)
        terms = teacher_loss(outputs, {"classes": wanted["classes"]}, tsd_weight=1.0, tsd_k=3, penalty=0.1)
        return sum(terms.values(), torch.zeros(()))

    assert torch.autograd.gradcheck(distillation, inputs[:1])
