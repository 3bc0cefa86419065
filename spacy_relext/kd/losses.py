"""Losses of the type-prior teacher and its distilled student.

Source: Zhang et al., "Distilling Knowledge from Well-Informed Soft Labels for Neural Relation Extraction", AAAI 2020.

    L_T = CE(z_T, r) + w TSD(softmax z_T)                                            teacher
    KD  = τ² KL(softmax(z_T/τ) ‖ softmax(z_S/τ))
    HT  = KL(softmax z_T^local ‖ softmax z_L) + KL(softmax z_T^global ‖ softmax z_A)
    L_S = (1 - λ s) CE(z_S, r) + λ s (KD + λ_ht HT)                                  student

s is 1 for a pair with soft labels and 0 for any other pair, which is learned from its gold label alone. For a pair of
unlabelled text λ is 1: it is learned from the teacher alone.

Differences from the paper and its code (`docs/research/differences.md` has the reasons): TSD divides by K-1, so that a
uniform distribution costs nothing; KD has the factor τ², so that its gradient does not shrink with the temperature; λ
falls from 1 to 0; the penalty on sentence vectors is added to L_S without the factor 1 - λ s, so that it always
applies.
"""

from typing import Dict, Optional, Union

from torch import Tensor
from torch.nn import functional as F

from ..encoders.assertions import assertion_loss
from ..pairs.gold import UNLABELLED
from .model import StudentOutput, TeacherOutput

KdOutput = Union[TeacherOutput, StudentOutput]


def smoothed_cross_entropy(
    logits: Tensor, classes: Tensor, *, smoothing: float = 0.0, weights: Optional[Tensor] = None
) -> Tensor:
    """Compute the mean cross-entropy with gold classes and label smoothing; 0 without pairs.

    logits (Tensor): Shape (P, R)
    classes (Tensor): Gold classes, -1 for a pair without gold, whose loss is 0. Shape (P,)
    smoothing (float): Share of each label that is spread over all classes, in [0, 1).
    weights (Optional[Tensor]): Weight of each pair in the mean over all P pairs. Shape (P,)
    """
    options = {"ignore_index": UNLABELLED, "label_smoothing": smoothing}
    return _mean(F.cross_entropy(logits, classes, reduction="none", **options), weights)  # type: ignore[arg-type]


def top_softmax_difference(logits: Tensor, *, k: int) -> Tensor:
    """Compute TSD = ρ₁ - (1/(K-1)) Σ_{k=2..K} ρ_k, ρ the sorted probabilities: 0 if all are equal, at most 1.

    logits (Tensor): Shape (P, R)
    k (int): K, at least 2; at most R are compared.
    RETURNS (Tensor): Mean over the pairs.
    """
    if not len(logits) or logits.shape[1] < 2:
        return logits.sum() * 0.0
    top = logits.softmax(1).topk(min(k, logits.shape[1]), dim=1).values  # (P, K)
    return (top[:, 0] - top[:, 1:].mean(1)).mean()


def divergence(
    teacher: Tensor, student: Tensor, *, temperature: float = 1.0, weights: Optional[Tensor] = None
) -> Tensor:
    """Compute KL(softmax(teacher/τ) ‖ softmax(student/τ)), without the factor τ²; 0 without pairs.

    teacher (Tensor): Logits, which get no gradient. Shape (P, R)
    student (Tensor): Logits. Shape (P, R)
    temperature (float): τ.
    weights (Optional[Tensor]): Weight of each pair in the mean over all P pairs. Shape (P,)
    """
    target = (teacher.detach() / temperature).log_softmax(1)
    each = F.kl_div((student / temperature).log_softmax(1), target, log_target=True, reduction="none")  # (P, R)
    return _mean(each.sum(1), weights)


def sentence_penalty(sentence: Tensor) -> Tensor:
    """Compute the mean squared norm of sentence vectors (P, D), which max-pooling lets grow; 0 without pairs."""
    return _mean(sentence.pow(2).sum(1))


def teacher_loss(
    outputs: TeacherOutput, targets: Dict[str, Tensor], *, tsd_weight: float, tsd_k: int, penalty: float
) -> Dict[str, Tensor]:
    """Compute the weighted terms of L_T, and the penalty.

    targets (Dict[str, Tensor]): `classes`, gold. Shape (P,)
    tsd_weight (float): w.
    tsd_k (int): K of TSD.
    penalty (float): Weight of the penalty on sentence vectors.
    """
    return {
        "gold": smoothed_cross_entropy(outputs.logits, targets["classes"]),
        "tsd": tsd_weight * top_softmax_difference(outputs.logits, k=tsd_k),
        "penalty": penalty * sentence_penalty(outputs.sentence),
    }


def student_loss(
    outputs: StudentOutput,
    targets: Dict[str, Tensor],
    *,
    share: float,
    hint_weight: float,
    temperature: float,
    smoothing: float,
    penalty: float,
) -> Dict[str, Tensor]:
    """Compute the weighted terms of L_S, and the penalty.

    targets (Dict[str, Tensor]): `classes`, gold, -1 without it (P,); with soft labels also the teacher's logits
        `teacher`, `teacher_text` and `teacher_types` (P, R), and `soft_mask`, s of each pair (P,).
    share (float): λ, weight of the teacher against the gold classes, 0 to 1.
    hint_weight (float): λ_ht, weight of the hints to both branches.
    temperature (float): τ of the distillation.
    smoothing (float): Label smoothing of the gold classes, the baseline that needs no teacher.
    penalty (float): Weight of the penalty on sentence vectors.
    """
    terms = {"penalty": penalty * sentence_penalty(outputs.sentence)}
    if "teacher" not in targets:
        return {"gold": smoothed_cross_entropy(outputs.logits, targets["classes"], smoothing=smoothing), **terms}
    taught = targets["soft_mask"] * (targets["classes"] == UNLABELLED).to(outputs.logits.dtype).clamp(min=share)  # λ s
    gold = smoothed_cross_entropy(outputs.logits, targets["classes"], smoothing=smoothing, weights=1.0 - taught)
    teacher = temperature**2 * divergence(targets["teacher"], outputs.logits, temperature=temperature, weights=taught)
    hints = divergence(targets["teacher_text"], outputs.local, weights=taught)
    hints = hints + divergence(targets["teacher_types"], outputs.auxiliary, weights=taught)
    return {"gold": gold, "teacher": teacher, "hints": hint_weight * hints, **terms}


def add_assertions(
    terms: Dict[str, Tensor], outputs: KdOutput, targets: Dict[str, Tensor], *, weight: float
) -> Dict[str, Tensor]:
    """Add the loss of assertions to the terms of a loss if the targets have some: `assertions` (P,), -1 for none."""
    if "assertions" not in targets:
        return terms
    return {**terms, "assertions": weight * assertion_loss(outputs.assertions, targets["assertions"])}


def _mean(losses: Tensor, weights: Optional[Tensor] = None) -> Tensor:
    """Average the weighted losses over all pairs; 0 without pairs."""
    return (losses if weights is None else losses * weights).sum() / max(1, len(losses))
