"""What the KD4NRE benchmarks compare: each system as what it changes in the configs of teacher and student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.harness.corpora import NER, VECTORS
from benchmarks.harness.runs import CONFIGS, VARIANTS
from benchmarks.harness.training_config import read_config

TEACHER, STUDENT = "kd_teacher", "kd_classifier"
IN_TEACHER, IN_STUDENT = f"components.{TEACHER}", f"components.{STUDENT}"
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Family:
    """Teacher and student with one kind of encoder.

    name (str): Part of their row names; "" for the default.
    configs (Mapping[str, Path]): Component → its config.
    parsed (bool): Whether the encoder reads tags and heads.
    passes (int): Multiple of the passes: an encoder without pretraining needs more.
    vectors (bool): Whether it reads static vectors.
    batch (int): Padded tokens of a batch; 0 for that of the data set.
    given (Mapping[str, Changes]): Component → changes of its config, so that entities are given and epochs fit.
    """

    name: str
    configs: Mapping[str, Path]
    parsed: bool = False
    passes: int = 1
    vectors: bool = False
    batch: int = 0
    given: Mapping[str, Changes] = field(default_factory=dict)

    def config(self, component: str) -> Path:
        """RETURNS (Path): The config of one of the two components."""
        return self.configs[component]

    def changes(self, component: str, models: Path) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): Changes in all trainings of a component on this machine."""
        paths = {"paths.vectors": str((models / VECTORS).resolve())} if self.vectors else {}
        return {**paths, **self.given.get(component, {})}


def _encoder(component: str, config: Path) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The encoder of a component of a config."""
    return dict(read_config(config)["components"][component]["model"]["encoder"])


# All layers are trained, unlike in the workflow, which has little time; no ner where entities are given.
SHARED_TRAINING = {"training.optimizer.learn_rate.initial_rate": 1e-3, "components.tok2vec.model.freeze_layers": 0}
SHARED_STUDENT = {
    "nlp.pipeline": ["sentencizer", "tok2vec", STUDENT],
    "corpora.train.gold_ents": True,
    "corpora.train.gold_ents_aside": False,
    "corpora.dev.gold_ents": True,
    "training.frozen_components": [],
    **SHARED_TRAINING,
}
MINILM = Family("", {TEACHER: CONFIGS / "kd_teacher.cfg", STUDENT: CONFIGS / "kd_student.cfg"})
CGCN = Family(
    "C-GCN",
    {TEACHER: VARIANTS / "kd_cgcn_teacher.cfg", STUDENT: VARIANTS / "kd_cgcn_student.cfg"},
    parsed=True,
    passes=4,
    vectors=True,
)
PUBLISHED = replace(
    CGCN,
    name="as published",
    configs={TEACHER: CONFIGS / "papers/kd_teacher.cfg", STUDENT: CONFIGS / "papers/kd_student.cfg"},
)
# Its teachers are MiniLM's, or of its own kind; without a teacher it learns from labels alone.
FAST = Family(
    "fast",
    {TEACHER: VARIANTS / "kd_cgcn_teacher.cfg", STUDENT: VARIANTS / "kd_fast_student.cfg"},
    passes=4,
    vectors=True,
    given={TEACHER: {f"{IN_TEACHER}.model.encoder": _encoder(STUDENT, VARIANTS / "kd_fast_student.cfg")}},
)
SHARED = Family(
    "shared",
    {TEACHER: VARIANTS / "kd_shared_teacher.cfg", STUDENT: VARIANTS / "kd_shared_student.cfg"},
    passes=2,
    batch=400,
    given={TEACHER: SHARED_TRAINING, STUDENT: SHARED_STUDENT},
)
MARKED = Family(
    "marked",
    {TEACHER: VARIANTS / "kd_marked_teacher.cfg", STUDENT: VARIANTS / "kd_marked_student.cfg"},
    passes=2,
    batch=400,
)


@dataclass(frozen=True)
class System:
    """One system.

    teacher (Changes | None): Changes of the teacher's config; None for no teacher.
    student (Changes | None): Changes of the student's config; None to score the teacher itself.
    passes (int): Multiple of the epochs.
    folds (int): Number of teachers, which label held-out folds; 0 for one that labels its own training data.
    """

    teacher: Changes | None = None
    student: Changes | None = None
    passes: int = 1
    folds: int = 0


FUSION, MARKER = f"{IN_TEACHER}.model.fusion", "model.encoder.marker_layer"
S, V, R = {FUSION: "scalar"}, dict[str, Any](), {FUSION: "relation"}
PLAIN = dict[str, Any]()
NO_PRIOR = {FUSION: "scalar", f"{IN_TEACHER}.model.scale": 0.0}
STRONG_PRIOR = {f"{IN_TEACHER}.model.scale": 0.8}
TSD = {f"{IN_TEACHER}.learning.tsd_weight": 1.0}
HINTS = {f"{IN_STUDENT}.learning.hint_weight": 1.8}
ANNEALED = {"training.before_update.start": 1.0, "training.before_update.end": 0.0}
NO_ATTENTION = {f"{IN_STUDENT}.model.attention": False}
# MiniLM's student has label smoothing by default, those of other encoders do not.
HARD, SMOOTHED = ({f"{IN_STUDENT}.learning.label_smoothing": share} for share in (0.0, 0.1))
# Training on the unperturbed input of the encoder only, without an adversary.
ALONE_TEACHER, ALONE = ({f"{part}.learning.adversarial_radius": 0.0} for part in (IN_TEACHER, IN_STUDENT))
# Each text read twice, unperturbed and perturbed, not once with the perturbation that the last epoch found.
TWICE_TEACHER, TWICE = ({f"{part}.learning.adversarial_reuse": False} for part in (IN_TEACHER, IN_STUDENT))
# What the paper prints, but for the direction in which the teacher's share changes (docs/research/differences.md).
PRINTED_TEACHER = {**TSD, **STRONG_PRIOR, **ALONE_TEACHER, f"{IN_TEACHER}.prior.form": "printed"}
PRINTED_STUDENT = {**HINTS, **ANNEALED, **ALONE, **HARD}
FOLDS = 3
MARKERS_AT = 3

DEFAULT = "student-V"
BASE: dict[str, System] = {"base": System(student={**NO_ATTENTION, **HARD})}
TYPED: dict[str, System] = {
    "teacher-S": System(S),
    "teacher-V": System(V),
    "student-S": System(S, PLAIN),
    DEFAULT: System(V, PLAIN),
    "student-R": System(R, PLAIN),
}
ABLATIONS: dict[str, System] = {
    f"{DEFAULT}, folds": System(V, PLAIN, folds=FOLDS),
    "annealed to the labels": System(V, ANNEALED),
    "with TSD": System(TSD, PLAIN),
    "with hints": System(V, HINTS),
    "with TSD and hints": System(TSD, HINTS),
    "without type prior": System(NO_PRIOR, PLAIN),
    "strong type prior": System(STRONG_PRIOR, PLAIN),
    "without multi-aspect attention": System(V, NO_ATTENTION),
    "as printed, V": System(PRINTED_TEACHER, PRINTED_STUDENT),
    "as printed, R": System({**PRINTED_TEACHER, **R}, PRINTED_STUDENT),
    "without KD": System(student=HARD),
    f"{DEFAULT}, hard labels": System(V, HARD),
}
# Controls for the student's gain: only softer labels, a teacher that knows no more than the student, and as many epochs
# without a teacher as teacher and student have together.
CONTROLS: dict[str, System] = {
    "label smoothing": System(student=PLAIN),
    "label smoothing, twice the passes": System(student=PLAIN, passes=2),
    "base, twice the passes": System(student={**NO_ATTENTION, **HARD}, passes=2),
    "self-distillation": System(NO_PRIOR, NO_ATTENTION),
    "self-distillation, folds": System(NO_PRIOR, NO_ATTENTION, folds=FOLDS),
}
ALONE_AND_HARD = {**ALONE, **HARD}
WITHOUT_ADVERSARY: dict[str, System] = {
    "base, no adversary": System(student={**NO_ATTENTION, **ALONE_AND_HARD}),
    "label smoothing, no adversary": System(student=ALONE),
    f"{DEFAULT}, no adversary": System(ALONE_TEACHER, ALONE_AND_HARD),
    f"{DEFAULT}, folds, no adversary": System(ALONE_TEACHER, ALONE_AND_HARD, folds=FOLDS),
    "self-distillation, no adversary": System({**NO_PRIOR, **ALONE_TEACHER}, {**NO_ATTENTION, **ALONE_AND_HARD}),
    "without KD, no adversary": System(student=ALONE_AND_HARD),
}
READ_TWICE: dict[str, System] = {
    "base, read twice": System(student={**NO_ATTENTION, **HARD, **TWICE}),
    "label smoothing, read twice": System(student=TWICE),
    f"{DEFAULT}, read twice": System(TWICE_TEACHER, TWICE),
    f"{DEFAULT}, hard labels, read twice": System(TWICE_TEACHER, {**HARD, **TWICE}),
}
# The soft labels of MiniLM's teachers, for another encoder.
TAUGHT_BY_MINILM: dict[str, System] = {
    f"{DEFAULT}, folds, taught by MiniLM, no adversary": System(ALONE_TEACHER, PLAIN, folds=FOLDS),
}
# The same, with teachers that have the student's encoder.
OWN_TEACHER: Changes = {f"{IN_TEACHER}.learning.sentence_penalty": 0.0}
TAUGHT_BY_ITS_KIND: dict[str, System] = {
    f"{DEFAULT}, folds, taught by its own kind": System(OWN_TEACHER, PLAIN, folds=FOLDS),
}
MARKED_LATE = System({f"{IN_TEACHER}.{MARKER}": MARKERS_AT}, {f"{IN_STUDENT}.{MARKER}": MARKERS_AT})
MARKERS: dict[str, System] = {f"markers at layer {MARKERS_AT}": MARKED_LATE}


@dataclass(frozen=True)
class Part:
    """Systems that `--only` names together.

    systems (Mapping[str, System]): Name → system.
    family (Family): Their encoder.
    types (str): Source of entity types, if not that of the data set.
    elders (Family | None): The teachers' family, if it is another one.
    """

    systems: Mapping[str, System]
    family: Family = field(default=MINILM)
    types: str = ""
    elders: Family | None = None

    def row_name(self, system: str) -> str:
        """RETURNS (str): What a system is called in the results."""
        if system == DEFAULT and self.family is MINILM and not self.types:
            return "default"
        parts = [self.family.name, system, *(["NER types"] if self.types == NER else [])]
        return f"ablation:{', '.join(filter(None, parts))}"


CENTRAL: dict[str, System] = {**BASE, DEFAULT: TYPED[DEFAULT]}
HEADLINE: dict[str, System] = {
    **CENTRAL,
    **{name: CONTROLS[name] for name in ("label smoothing", "self-distillation")},
}
# Ablations of the paper's Table 4: without the type prior (type constraints, TC), without multi-aspect attention (MAA),
# without both, without a teacher, without any of it.
TABLE_4: dict[str, System] = {
    DEFAULT: TYPED[DEFAULT],
    **{name: ABLATIONS[name] for name in ("without type prior", "without multi-aspect attention", "without KD")},
    "self-distillation": CONTROLS["self-distillation"],
    "label smoothing": CONTROLS["label smoothing"],
    **BASE,
}
# For encoders whose students learn from hard labels by default. MiniLM's base reads no types; that of the C-GCN does.
HARD_BASE: dict[str, System] = {"base": System(student=NO_ATTENTION)}
HARD_CENTRAL: dict[str, System] = {**HARD_BASE, DEFAULT: TYPED[DEFAULT]}
# The paper's Table 3, and label smoothing; its Table 4: without TSD, without hints, without either.
TABLE_3: dict[str, System] = {**HARD_BASE, **TYPED, "label smoothing": System(student=SMOOTHED)}
NO_TSD, NO_HINTS = {f"{IN_TEACHER}.learning.tsd_weight": 0.0}, {f"{IN_STUDENT}.learning.hint_weight": 0.0}
PUBLISHED_TABLE_4: dict[str, System] = {
    "student-R, without TSD": System({**R, **NO_TSD}, PLAIN),
    "student-R, without hints": System(R, NO_HINTS),
    "student-R, without TSD and hints": System({**R, **NO_TSD}, NO_HINTS),
    "student-R, annealed to the labels": System(R, ANNEALED),
}
FAST_ALONE: dict[str, System] = {"labels alone": System(student={}), "label smoothing": System(student=SMOOTHED)}
CROWDED: dict[str, System] = {**HARD_CENTRAL, f"{DEFAULT}, folds": ABLATIONS[f"{DEFAULT}, folds"]}
PARTS: dict[str, Part] = {
    "grid": Part({**BASE, **TYPED}),
    "ablations": Part(ABLATIONS),
    "controls": Part(CONTROLS),
    "central": Part(CENTRAL),
    "headline": Part(HEADLINE),
    "table-4": Part(TABLE_4),
    "no-adversary": Part(WITHOUT_ADVERSARY),
    "read-twice": Part(READ_TWICE),
    "cgcn": Part({**HARD_BASE, **TYPED}, CGCN),
    "cgcn-elders": Part(TAUGHT_BY_MINILM, CGCN, elders=MINILM),
    "published": Part(TABLE_3, PUBLISHED),
    "published-table-4": Part(PUBLISHED_TABLE_4, PUBLISHED),
    "fast": Part(FAST_ALONE, FAST),
    "fast-own": Part(TAUGHT_BY_ITS_KIND, FAST),
    "fast-elders": Part(TAUGHT_BY_MINILM, FAST, elders=MINILM),
}
CROWDED_PARTS: dict[str, Part] = {
    **PARTS,
    "shared": Part(CROWDED, SHARED),
    "marked": Part({**HARD_CENTRAL, "label smoothing": System(student=SMOOTHED)}, MARKED),
}
SEMEVAL_PARTS: dict[str, Part] = {**PARTS, "ner": Part(TYPED, types=NER)}
EFFICIENCY: dict[str, System] = {**BASE, "teacher-V": System(V), DEFAULT: TYPED[DEFAULT]}
# The same with a prior of fixed weight, and a control without types.
FIXED_PRIOR = {**S, **STRONG_PRIOR}
FIXED_EFFICIENCY: dict[str, System] = {
    **BASE,
    "label smoothing": CONTROLS["label smoothing"],
    "teacher-S, strong type prior": System(FIXED_PRIOR),
    "student-S, strong type prior": System(FIXED_PRIOR, PLAIN),
}
# A tenth of the labels; systems with a teacher also learn from the sentences without labels.
FEW_PARTS: dict[str, Part] = {
    "fast": Part(FAST_ALONE, FAST),
    "fast-own": Part({"taught by its own kind": System(OWN_TEACHER, PLAIN)}, FAST),
    "fast-elders": Part({"taught by MiniLM": TYPED[DEFAULT]}, FAST, elders=MINILM),
    "fast-no-types": Part({"taught by MiniLM without types": System(NO_PRIOR, PLAIN)}, FAST, elders=MINILM),
}
# Types as privileged information: no student ever has them; one of the teachers does.
NO_TYPES = {**NO_ATTENTION, f"{IN_STUDENT}.types": []}
PRIVILEGED_PARTS: dict[str, Part] = {
    "privileged": Part(
        {
            "no types, labels alone": System(student={**NO_TYPES, **HARD}),
            "no types, label smoothing": System(student=NO_TYPES),
            "no types, taught without types": System({**NO_PRIOR, f"{IN_TEACHER}.types": []}, NO_TYPES),
            "no types, taught with types": System(FIXED_PRIOR, NO_TYPES),
        }
    ),
}
