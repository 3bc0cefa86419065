"""Losses of the type-prior teacher and its distilled student.

Source: Zhang et al., "Distilling Knowledge from Well-Informed Soft Labels for Neural Relation Extraction", AAAI 2020.

    L_T = CE(z_T, r) + w TSD(softmax z_T)                                            teacher
    KD  = τ² KL(softmax(z_T/τ) ‖ softmax(z_S/τ))
    HT  = KL(softmax z_T^local ‖ softmax z_L) + KL(softmax z_T^global ‖ softmax z_A)
    L_S = (1-λ) CE(z_S, r) + λ (KD + λ_ht HT)                                        student

What differs from the paper and its code (`docs/methods/kd.md` has the reasons): TSD divides by K-1, so that a uniform
distribution costs nothing; KD has the factor τ², so that its gradient does not shrink with the temperature; λ falls
from 1 to 0; the penalty on the sentence vector stands outside the bracket, so that it is never switched off.
"""

from typing import Dict, Optional

from torch import Tensor
from torch.nn import functional as F

from .model import StudentOutput, TeacherOutput


def smoothed_cross_entropy(logits: Tensor, classes: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy with gold classes, of which a share may be spread over all classes; 0 without pairs.

    logits (Tensor): Shape (P, R)
    classes (Tensor): Gold classes. Shape (P,)
    smoothing (float): The share, in [0, 1).
    RETURNS (Tensor): A scalar.
    """
    if not len(logits):
        return logits.sum()
    return F.cross_entropy(logits, classes, label_smoothing=smoothing)


def top_softmax_difference(logits: Tensor, *, k: int) -> Tensor:
    """TSD = ρ₁ - (1/(K-1)) Σ_{k=2..K} ρ_k, with ρ the sorted probabilities: 0 where all are alike, at most 1.

    logits (Tensor): Shape (P, R)
    k (int): How many probabilities are compared, at least 2; fewer where there are fewer classes.
    RETURNS (Tensor): Mean over the pairs, a scalar.
    """
    if not len(logits) or logits.shape[1] < 2:
        return logits.sum() * 0.0
    top = logits.softmax(1).topk(min(k, logits.shape[1]), dim=1).values  # (P, K)
    return (top[:, 0] - top[:, 1:].mean(1)).mean()


def divergence(
    teacher: Tensor, student: Tensor, *, temperature: float = 1.0, weights: Optional[Tensor] = None
) -> Tensor:
    """KL(softmax(teacher/τ) ‖ softmax(student/τ)), mean over the pairs, without the factor τ².

    teacher (Tensor): Logits, which get no gradient. Shape (P, R)
    student (Tensor): Logits. Shape (P, R)
    temperature (float): τ.
    weights (Optional[Tensor]): Weight of each pair; the mean stays one over all pairs. Shape (P,)
    RETURNS (Tensor): A scalar; 0 without pairs.
    """
    if not len(student):
        return student.sum()
    target = (teacher.detach() / temperature).log_softmax(1)
    each = F.kl_div((student / temperature).log_softmax(1), target, log_target=True, reduction="none").sum(1)  # (P,)
    return (each if weights is None else each * weights).mean()


def sentence_penalty(sentence: Tensor) -> Tensor:
    """Mean squared length of the sentence vectors, which max-pooling lets grow.

    sentence (Tensor): Shape (P, D)
    RETURNS (Tensor): A scalar; 0 without pairs.
    """
    return sentence.pow(2).sum(1).mean() if len(sentence) else sentence.sum()


def teacher_loss(
    outputs: TeacherOutput, targets: Dict[str, Tensor], *, tsd_weight: float, tsd_k: int, penalty: float
) -> Dict[str, Tensor]:
    """L_T, as its terms.

    outputs (TeacherOutput): Of P pairs.
    targets (Dict[str, Tensor]): `classes`, gold. Shape (P,)
    tsd_weight (float): Weight of the difference of the top probabilities.
    tsd_k (int): How many of them are compared.
    penalty (float): Weight of the penalty on sentence vectors.
    RETURNS (Dict[str, Tensor]): `gold`, `tsd`, `penalty`.
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
    """L_S, as its terms.

    outputs (StudentOutput): Of P pairs.
    targets (Dict[str, Tensor]): `classes`, gold (P,); with a teacher also `teacher`, `teacher_text`, `teacher_types`,
        its logits (P, R), and `taught`, 1 where the teacher saw the pair, the weight of its word (P,).
    share (float): λ, how much the teacher counts against the gold, 0 to 1.
    hint_weight (float): λ_ht, weight of the hints that each branch gets.
    temperature (float): τ of the distillation.
    smoothing (float): Label smoothing of the gold, the control that needs no teacher.
    penalty (float): Weight of the penalty on sentence vectors.
    RETURNS (Dict[str, Tensor]): `gold`, `teacher`, `hints`, `penalty`.
    """
    terms = {"penalty": penalty * sentence_penalty(outputs.sentence)}
    gold = smoothed_cross_entropy(outputs.logits, targets["classes"], smoothing=smoothing)
    if "teacher" not in targets:
        return {"gold": gold, **terms}
    taught = targets["taught"]
    teacher = temperature**2 * divergence(targets["teacher"], outputs.logits, temperature=temperature, weights=taught)
    hints = divergence(targets["teacher_text"], outputs.local, weights=taught)
    hints = hints + divergence(targets["teacher_types"], outputs.auxiliary, weights=taught)
    return {"gold": (1.0 - share) * gold, "teacher": share * teacher, "hints": share * hint_weight * hints, **terms}
