"""The component behind `kd_classifier`: reads the text alone; learns from labels and, if there is one, a teacher."""

from dataclasses import dataclass, field
from typing import ClassVar, Iterable, List, Mapping, Optional, Sequence, Type

from spacy import registry
from spacy.language import Language
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.triple import Record
from ..annotations.type_rules import TypeSetting
from ..errors import Errors, check_range
from ..pairs.component import most_attended
from ..pairs.gold import CollectedPairs, GoldPairs, MarkPairs, PairClass, list_classes
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.pipe import Outputs, Scorer, Targets, Tensors
from ..pipeline.schedules import training_length
from ..pipeline.settings import Block, Callback, Settings, find_pipe, plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import BLOCKS, SETTINGS, CollectedKd, KdPipe
from .losses import add_assertions, student_loss
from .settings import KdStudentLearning
from .soft_labels import SoftLabelCount, mark_taught, read_soft_labels


@dataclass
class CollectedStudent(CollectedKd):
    """What training data of a student contains."""

    soft_labels: SoftLabelCount = field(default_factory=SoftLabelCount)

    def add(self, batch: GoldPairs) -> None:
        """Add pairs, tags and soft labels of a batch."""
        super().add(batch)
        self.soft_labels.add(batch)

    def classes(self, labels: Sequence[str]) -> List[PairClass]:
        """List the classes; in both directions if gold or the teacher has both."""
        return list_classes([*self.gold, self.soft_labels.classes], labels)


class KdClassifier(KdPipe):
    """Predicts the relation between two entities. Writes `doc._.triples`."""

    architectures = ("relext_kd_student",)
    collected: ClassVar[Type[CollectedPairs]] = CollectedStudent
    blocks: ClassVar[Mapping[str, Type[Block]]] = {"learning": KdStudentLearning}

    def reset(self) -> None:
        """Set the weight of distillation to its value in the config."""
        super().reset()
        # λ: `spacy_relext.anneal_distillation.v1` changes it during training; it is not saved.
        self.teacher_share = float(self.cfg["learning"]["teacher_share"])

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> CollectedStudent:
        """Read relations, types and tags, and check that soft labels, if any, are for these pairs and relations.

        Without `labels`, the relations of gold and of the teacher.
        """
        collected: CollectedStudent = super().collect(examples, labels=labels, where=where)  # type: ignore[assignment]
        if labels is None:
            taught = {each.relation for each in collected.soft_labels.classes}
            collected.labels = sorted(taught.union(collected.labels))
        collected.soft_labels.check(collected.labels, name=self.name, where=where, warn=self.warn_once)
        return collected

    def gold(self, examples: Sequence[Example], *, unlabelled: Optional[MarkPairs] = mark_taught) -> GoldPairs:
        """Choose pairs with gold or, in unlabelled text, with soft labels."""
        return super().gold(examples, unlabelled=unlabelled)

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold classes and soft labels."""
        soft = read_soft_labels(instances, self.classes, name=self.name) or {}
        return {"classes": instances.classes(self.classes), **soft, **self.assertion_targets(instances)}

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the cross-entropy with the labels, the divergence from the teacher, and hints for both branches."""
        learning = KdStudentLearning.of(self.cfg["learning"])
        terms = student_loss(
            outputs,
            targets,
            share=self.teacher_share,
            hint_weight=learning.hint_weight,
            temperature=learning.temperature,
            smoothing=learning.label_smoothing,
            penalty=learning.sentence_penalty,
        )
        return add_assertions(terms, outputs, targets, weight=learning.assertion_weight)

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the types of both entities, the relation's logits of both branches, and the most attended tokens."""
        return {
            "entity_types": list(pairs.types[number]),
            "local": round(float(outputs.local[number, answer]), 4),
            "auxiliary": round(float(outputs.auxiliary[number, answer]), 4),
            "attention": most_attended(pairs, outputs.attention[number], number),
        }


@registry.callbacks("spacy_relext.anneal_distillation.v1")
def create_anneal_distillation(component: str, steps: int = 0, start: float = 1.0, end: float = 0.0) -> Callback:
    """Anneal the weight of distillation: λ_t = λ_start + (λ_end - λ_start) t / (steps - 1).

    The paper prints a rising λ. In its code λ falls, which fits its argument: first the teacher, later the labels.
    For `[training.before_update]`.

    component (str): A `kd_classifier`.
    steps (int): Number of steps after which λ stays at `end`; 0: as many as the training has.
    """
    check_range("steps", steps or 2, 2, 1_000_000_000)
    check_range("start", start, 0.0, 1.0)
    check_range("end", end, 0.0, 1.0)
    total = steps

    def anneal(nlp: Language, info: Settings) -> None:
        nonlocal total
        pipe = find_pipe(nlp, component, "teacher_share", problem=Errors.R403)
        total = total or max(2, training_length(nlp))
        pipe.teacher_share = share_at(info["step"], steps=total, start=start, end=end)

    return anneal


def share_at(step: int, *, steps: int, start: float = 1.0, end: float = 0.0) -> float:
    """Compute λ_t of step t, from 0: linear from λ_0 (`start`) to λ_{T-1} (`end`), and constant after that."""
    return start + (end - start) * min(1.0, step / (steps - 1))


CONFIG = f"""
[component]
{SETTINGS}
[component.learning]
@misc = "spacy_relext.KdStudentLearning.v1"

[component.model]
@architectures = "spacy_relext.KdStudent.v1"
hidden = 384
{BLOCKS}
"""


@Language.factory(
    "kd_classifier",
    requires=["doc.ents", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_kd_classifier(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    learning: KdStudentLearning,
    types: TypeSetting,
    threshold: float,
    scorer: Optional[Scorer],
) -> KdClassifier:
    """Create a classifier that reads the text alone, and learns from a teacher's soft labels if the corpus has them.

    learning (KdStudentLearning): How it learns from labels and the teacher.

    Further settings: see `KdPipe`.
    """
    settings = plain_settings(locals())
    return KdClassifier(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
