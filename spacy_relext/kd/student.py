"""The component behind `kd_classifier`: reads the text alone; learns from labels and, if there is one, a teacher."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Iterable, List, Optional, Type

from spacy import registry
from spacy.language import Language
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.triple import Record
from ..errors import Errors, check_range
from ..pairs.component import most_attended
from ..pairs.gold import CollectedPairs, GoldPairs
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.pipe import Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import Callback, Ranges, Settings, find_pipe, plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import ENCODER, CollectedKd, KdPipe
from .losses import student_loss
from .soft_labels import SoftLabelCount, read_soft_labels


@dataclass
class CollectedStudent(CollectedKd):
    """What training data of a student contains.

    soft_labels (SoftLabelCount): Pairs with soft labels.
    """

    soft_labels: SoftLabelCount = field(default_factory=SoftLabelCount)

    def add(self, batch: GoldPairs) -> None:
        """Add the pairs of a batch.

        batch (GoldPairs): Pairs with gold.
        """
        super().add(batch)
        self.soft_labels.add(batch)


class KdClassifier(KdPipe):
    """Predicts the relation between two entities. Writes `doc._.triples`."""

    architectures = ("relext_kd_student",)
    collected: ClassVar[Type[CollectedPairs]] = CollectedStudent
    ranges: ClassVar[Ranges] = {
        "teacher_share": (0.0, 1.0),
        "hint_weight": (0.0, 1_000.0),
        "temperature": (0.01, 1_000.0),
        "label_smoothing": (0.0, 0.99),
        "sentence_penalty": (0.0, 1_000.0),
        "adversarial_radius": (0.0, 1_000.0),
        "typed_decoding": (0, 1_000_000),
        "threshold": (0.0, 1.0),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a classifier; see `RelationPipe`."""
        super().__init__(*args, **kwargs)
        # λ: `spacy_relext.anneal_distillation.v1` changes it during training; it is not saved.
        self.teacher_share = float(self.cfg["teacher_share"])

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> CollectedStudent:
        """Read relations, entity types and tags, and check that soft labels, if there are any, are for these pairs.

        RAISES (ValueError): If they are for others, or for other relations.
        """
        collected: CollectedStudent = super().collect(examples, labels=labels, where=where)  # type: ignore[assignment]
        relations = sorted({each.relation for classes in collected.gold for each in classes})
        collected.soft_labels.check(relations, name=self.name, where=where, warn=self.warn_once)
        return collected

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold classes and soft labels."""
        soft = read_soft_labels(instances, self.classes, name=self.name) or {}
        return {"classes": instances.classes(self.classes), **soft}

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the cross-entropy with the labels, the divergence from the teacher, and hints for both branches."""
        return student_loss(
            outputs,
            targets,
            share=self.teacher_share,
            hint_weight=self.cfg["hint_weight"],
            temperature=self.cfg["temperature"],
            smoothing=self.cfg["label_smoothing"],
            penalty=self.cfg["sentence_penalty"],
        )

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the types of both entities, and the relation's logits of both branches."""
        return {
            "entity_types": list(pairs.types[number]),
            "local": round(float(outputs.local[number, answer]), 4),
            "auxiliary": round(float(outputs.auxiliary[number, answer]), 4),
            "attention": most_attended(pairs, outputs.attention[number], number),
        }


@registry.callbacks("spacy_relext.anneal_distillation.v1")
def create_anneal_distillation(component: str, steps: int, start: float = 1.0, end: float = 0.0) -> Callback:
    """Anneal the weight of distillation: λ_t = λ_start + (λ_end - λ_start) t / (steps - 1).

    The paper prints a λ that rises; its code lets it fall, as its argument does: the teacher first, the labels later.
    For `[training.before_update]`.

    component (str): A `kd_classifier`.
    steps (int): T, the step after which λ stays at `end`; as many as the training has.
    start (float): λ of the first step.
    end (float): λ from step T - 1 on.
    RETURNS (Callback): Called before each step with the pipeline and `step`.
    RAISES (ValueError): Where a value is out of its range, or the pipeline has no such component.
    """
    check_range("steps", steps, 2, 1_000_000_000)
    check_range("start", start, 0.0, 1.0)
    check_range("end", end, 0.0, 1.0)

    def anneal(nlp: Language, info: Settings) -> None:
        pipe = find_pipe(nlp, component, "teacher_share", problem=Errors.R403)
        pipe.teacher_share = share_at(info["step"], steps=steps, start=start, end=end)

    return anneal


def share_at(step: int, *, steps: int, start: float = 1.0, end: float = 0.0) -> float:
    """λ_t, a straight line.

    step (int): t, from 0.
    steps (int): T.
    start (float): λ_0.
    end (float): λ_{T-1}, and of all later steps.
    RETURNS (float): λ_t.
    """
    return start + (end - start) * min(1.0, step / (steps - 1))


STUDENT_CONFIG = f"""
[model]
@architectures = "spacy_relext.KdStudent.v1"
hidden = 200

{ENCODER}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""


_STUDENT = Config().from_str(STUDENT_CONFIG)


@Language.factory(
    "kd_classifier",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _STUDENT["model"],
        "suggester": _STUDENT["suggester"],
        "teacher_share": 0.5,
        "hint_weight": 1.8,
        "temperature": 1.0,
        "label_smoothing": 0.0,
        "sentence_penalty": 0.0,
        "adversarial_radius": 0.0,
        "adversarial_reuse": False,
        "both_orders": False,
        "average_orders": False,
        "typed_decoding": 0,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_kd_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    teacher_share: float,
    hint_weight: float,
    temperature: float,
    label_smoothing: float,
    sentence_penalty: float,
    adversarial_radius: float,
    adversarial_reuse: bool,
    both_orders: bool,
    average_orders: bool,
    typed_decoding: int,
    threshold: float,
    scorer: Optional[Scorer],
) -> KdClassifier:
    """Create a classifier that reads the text alone; trained with a teacher's soft labels where the corpus has them.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.KdStudent.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    teacher_share (float): λ, how much the teacher counts against the labels, 0 to 1, as long as no callback
        (`spacy_relext.anneal_distillation.v1`) changes it.
    hint_weight (float): λ_ht, weight of the hints to both branches beside the distillation.
    temperature (float): τ of the distillation.
    label_smoothing (float): Share of each label that is spread over all classes.
    sentence_penalty (float): Weight of the squared length of sentence vectors (the paper's C-GCN: 0.003).
    adversarial_radius (float): ε, how far an adversary moves what the encoder reads of a text. 0: there is none.
    adversarial_reuse (bool): Whether it moves a text to where the loss rose most when the last pass read it. Else, and
        where the encoder does not know a text again (C-GCN), it reads each text first as it is, and both readings are
        learned from: nearly twice the time.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from both sides.
    average_orders (bool): Whether such pairs are read from both sides at run time too, and the logits averaged: twice
        the time. Where candidates are there in both orders anyway, nothing changes.
    typed_decoding (int): How often training must have shown a relation with two types for it to be considered between
        them; types never seen together allow everything. 0: any relation between any types.
    threshold (float): What the best relation's probability beside no relation must reach.
    scorer (Optional[Scorer]): The scoring function.
    RETURNS (KdClassifier): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    return KdClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
