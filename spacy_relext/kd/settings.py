"""Settings of KD4NRE: the type prior of a teacher, and how teacher and student learn."""

from dataclasses import dataclass

from spacy import registry

from ..pipeline.settings import Block, one_of, within

PRIORS = ("log_odds", "smoothed", "printed")


@registry.misc("spacy_relext.KdPrior.v1")
@dataclass(frozen=True)
class KdPrior(Block):
    """The type prior G̃; see `TypePatterns.prior`.

    form (str): "log_odds" of the smoothed prior, the "smoothed" prior itself, or the paper's "printed" form, which
        ignores no relation and does not smooth.
    smoothing (float): κ, the weight of the back-off for rare pairs of types, in pseudo-instances.
    na_constant (float): C, the entry of no relation in the printed form.
    """

    form: str = one_of("log_odds", PRIORS)
    smoothing: float = within(10.0, 1e-6, 1_000_000.0)
    na_constant: float = within(0.2, 0.0, 1_000.0)


@dataclass(frozen=True)
class KdLearning(Block):
    """What teacher and student share.

    sentence_penalty (float): Weight of the squared L2 norm of sentence vectors (the paper's C-GCN: 0.003).
    assertion_weight (float): Weight of the loss of assertions (the attribute `assertion` of triples), if the training
        data has two or more different ones; 0: they are not learned.
    adversarial_radius (float): ε, the L2 norm of the adversarial perturbation of a text's input vectors. 0: none.
    adversarial_reuse (bool): Whether to use the perturbation by the gradient of the previous epoch. Otherwise, and for
        an encoder that cannot recognize a text (C-GCN), each text is read without and with a new perturbation, and
        both are learned from, in nearly twice the time.
    """

    sentence_penalty: float = within(0.0, 0.0, 1_000.0)
    assertion_weight: float = within(1.0, 0.0, 1_000.0)
    adversarial_radius: float = within(0.0, 0.0, 1_000.0)
    adversarial_reuse: bool = True


@registry.misc("spacy_relext.KdTeacherLearning.v1")
@dataclass(frozen=True)
class KdTeacherLearning(KdLearning):
    """How a teacher learns.

    tsd_weight (float): Weight of TSD, the difference of the top probabilities, in the loss; 0 for none.
    tsd_k (int): K, the number of probabilities that TSD compares.

    Further settings: see `KdLearning`.
    """

    tsd_weight: float = within(0.0, 0.0, 1_000.0)
    tsd_k: int = within(3, 2, 1_000)


@registry.misc("spacy_relext.KdStudentLearning.v1")
@dataclass(frozen=True)
class KdStudentLearning(KdLearning):
    """How a student learns from labels and a teacher.

    teacher_share (float): λ, weight of the teacher against the labels, 0 to 1, unless a callback
        (`spacy_relext.anneal_distillation.v1`) changes it.
    hint_weight (float): λ_ht, weight of the hints to both branches beside the distillation.
    temperature (float): τ of the distillation.
    label_smoothing (float): Share of each label that is spread over all classes.

    Further settings: see `KdLearning`.
    """

    teacher_share: float = within(0.5, 0.0, 1.0)
    hint_weight: float = within(0.0, 0.0, 1_000.0)
    temperature: float = within(1.0, 0.01, 1_000.0)
    label_smoothing: float = within(0.1, 0.0, 0.99)
