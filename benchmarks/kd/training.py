"""Trains the systems of the KD4NRE benchmarks: a teacher, its soft labels for the training pairs, and a student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import torch
from spacy.vocab import Vocab

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairData, PairMaker
from benchmarks.harness.pairs import SEMEVAL
from benchmarks.harness.runs import Trained, digest, train_run
from benchmarks.harness.training_config import count_steps, read_config, set_key
from benchmarks.kd.systems import MINILM, STUDENT, TEACHER, Family, System
from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.kd.soft_label_writer import write_soft_labels

MARKED = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
BATCH_SIZE = "training.batcher.size"


class Unlabelled(NamedTuple):
    """Sentences without labels.

    corpus (Path): The sentences.
    call (Call): Settings of the teacher's training on the few labelled ones.
    """

    corpus: Path
    call: Call


def train_system(
    call: Call,
    data: PairData,
    system: System,
    *,
    seed: int,
    family: Family = MINILM,
    elders: tuple[PairData, Family] | None = None,
    unlabelled: Unlabelled | None = None,
) -> tuple[Trained, float]:
    """Train a system's teacher, if it has one, and its student.

    family (Family): The encoder of the student, and of the teacher.
    elders (tuple[PairData, Family] | None): The teachers' family, if another one, and the same sentences for it.
    unlabelled (Unlabelled | None): More sentences for the student, which the teacher labels.
    RETURNS (tuple[Trained, float]): The training that is scored, and seconds of updates, the teacher's among them.
    """
    train, seconds = data.train, 0.0
    options: dict[str, Any] = {"seed": seed, "passes": system.passes}
    if system.teacher is not None:
        theirs, their_family = elders or (data, family)
        if system.student is None:
            teacher = _train(call, theirs, TEACHER, system.teacher, family=their_family, **options)
            return teacher, teacher.seconds
        train, seconds = _taught(call, theirs, system, unlabelled=unlabelled, family=their_family, **options)
        if elders and not unlabelled:
            train = maker_of(call).transfer(train, data.train)
    trained = _train(call, replace(data, train=train), STUDENT, system.student or {}, family=family, **options)
    return trained, seconds + trained.seconds


def _taught(
    call: Call, data: PairData, system: System, *, unlabelled: Unlabelled | None, **options: Any
) -> tuple[Path, float]:
    """Train the teachers of a student and let them label the training corpus; RETURNS also their seconds."""
    teaching, maker = system.teacher or {}, maker_of(call)
    if "relation" in teaching.values():  # one that is given the relation cannot be chosen by its predictions
        data = replace(data, dev=maker.nothing())
    if not system.folds:
        teacher = _train(unlabelled.call if unlabelled else call, data, TEACHER, teaching, **options)
        taught = teach(call, teacher, data.train)
        if unlabelled:
            target = teacher.folder / f"taught-{digest(unlabelled.corpus)}.spacy"
            taught = maker.concatenate([taught, teach(call, teacher, unlabelled.corpus)], target)
        return taught, teacher.seconds
    soft_labels, seconds = [], 0.0
    for train, held in maker.folds(data.train, system.folds):
        changes = {**teaching, **_missing_labels(data.train, train)}
        teacher = _train(call, replace(data, train=train), TEACHER, changes, **options)
        soft_labels.append(teach(call, teacher, held, held_out=True))
        seconds += teacher.seconds
    return maker.join(soft_labels, teacher.folder / f"soft_labels-{digest(data.train)}.spacy"), seconds


def _missing_labels(corpus: Path, part: Path) -> dict[str, list[str]]:
    """Name all relations to a teacher whose part of a corpus lacks some of them."""
    known = _relations(corpus)
    return {} if _relations(part) == known else {f"initialize.components.{TEACHER}.labels": list(known)}


def teach(call: Call, teacher: Trained, corpus: Path, *, held_out: bool = False) -> Path:
    """Write a teacher's soft labels for the pairs of a corpus into a copy of it, as `spacy relext research teach` does.

    held_out (bool): Whether the teacher was not trained on it.
    """
    target = teacher.folder / f"soft_labels-{digest(corpus)}.spacy"
    if not target.exists():
        torch.set_num_threads(call.settings.threads)
        nlp = spacy.load(teacher.pipeline)
        write_soft_labels(nlp, corpus, target, batch_size=64, progress=lambda docs: docs, held_out=held_out)
    return target


def maker_of(call: Call) -> PairMaker:
    """RETURNS (PairMaker): The call's maker."""
    assert isinstance(call.maker, PairMaker)
    return call.maker


def fit_length(config: Path, train: Path, changes: Mapping[str, Any], *, component: str, passes: int) -> dict[str, Any]:
    """Fit the length of the annealing to the number of updates, which `training_config.py` does not do.

    changes (Mapping[str, Any]): Changes of the config; only the batch size matters.
    """
    total = _steps(config, train, changes.get(BATCH_SIZE)) * passes
    return {"training.before_update.steps": max(2, total)} if component == STUDENT else {}


def _train(
    call: Call, data: PairData, component: str, changes: Mapping[str, Any], *, seed: int, family: Family, passes: int
) -> Trained:
    """Train teacher or student."""
    config = family.config(component)
    settings = replace(call.settings, passes=call.settings.passes * passes * family.passes)
    given = family.changes(component, maker_of(call).models)
    wanted: dict[str, Any] = {**given, BATCH_SIZE: family.batch or data.batch}
    if data.marked:
        wanted[f"components.{component}.suggester"] = MARKED
    if family.vectors and data.task == SEMEVAL:  # arguments are nouns, not names: their words are most informative
        wanted[f"components.{component}.model.encoder.mask_entities"] = False
    wanted.update(fit_length(config, data.train, wanted, component=component, passes=settings.passes))
    wanted.update(changes)
    name = f"{data.key}-{component}"
    options: dict[str, Any] = {"seed": seed, "settings": settings, "config": config, "changes": wanted}
    return train_run(name, train=data.train, dev=data.dev, **options)


@cache
def _relations(corpus: Path) -> tuple[str, ...]:
    docs = iter_docs(corpus, Vocab())
    return tuple(sorted({record["relation"] for doc in docs for record in get_records(doc, source="") or ()}))


@cache
def _steps(config: Path, train: Path, batch_size: int | None) -> int:
    filled = read_config(config)
    if batch_size:
        set_key(filled, BATCH_SIZE, batch_size)
    return count_steps(filled, train, lang="en", seed=0)["steps_per_pass"]
