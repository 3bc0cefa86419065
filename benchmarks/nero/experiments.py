"""The NERO experiments on scores: what is trained from which rules, and which rows it gives."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy
import spacy
from spacy.vocab import Vocab

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import VECTORS, PairData, PairMaker
from benchmarks.harness.pairs import MICRO, NOTHING, PairSet, pair_scores, read_pairs
from benchmarks.harness.runs import Trained, cached, fingerprint, train_run
from benchmarks.harness.training_config import read_config
from benchmarks.nero.evaluation import Answers, evaluate, fixed_answers, label_of, pipeline_answers
from benchmarks.nero.labels import Ruled, by_cosine, by_rules, load_rules, match, write_labels
from benchmarks.nero.systems import ABLATIONS, COMPONENT, FEW_RULES, IN, ONE_ORDER, PARTS, SUPERVISED, System, row_name
from benchmarks.selfore.corpora import ClusterMaker
from spacy_relext.corpora.shards import ShardWriter, iter_docs
from spacy_relext.nero.grounding import NO_RULE
from spacy_relext.nero.rules.rules import Rule, to_records
from spacy_relext.pairs.gold import PairClass

RULES = "nero_rules/semeval/pattern.json"
MARKED = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
# Numbers of rules; None for all.
SIZES = (10, 20, 50, 100, None)
# Number of rules in the experiment with more text.
TEXT_RULES = 30
OTHER_TEXTS = ("fewrel", "trex", "wiki80")
ROUNDS = 2
# Percent of the training sentences that have labels.
SHARES = (1, 3, 10, 30)
# Groups of relations that are held out together.
GROUPS = 3


@dataclass(frozen=True)
class Task:
    """What all systems of a seed share.

    call (Call): The call.
    data (PairData): The corpora.
    rules (list[Rule]): The rules.
    seed (int): Seed.
    """

    call: Call
    data: PairData
    rules: list[Rule]
    seed: int


def semeval(call: Call) -> None:
    """SemEval-2010 with all rules: NERO, its ablations, and the baselines."""
    for seed in call.seeds:
        task = _task(call, seed)
        if call.wants("unlearned"):
            _unlearned(task)
        for part, systems in PARTS.items():
            if call.wants(part):
                for name, system in systems.items():
                    _run_system(task, "semeval", name, system)


def rules(call: Call) -> None:
    """SemEval-2010 with few rules, chosen at random: NERO, its baselines and the paper's form."""
    for task in _drawn_tasks(call, SIZES):
        _unlearned(task, benchmark="rules", suffix=_count(task), only="exact rules")
        _run_few(task, "rules")


def texts(call: Call) -> None:
    """SemEval-2010 with few rules, chosen at random, and texts of other data sets beside its own."""
    assert isinstance(call.maker, PairMaker)
    for task in _drawn_tasks(call, [TEXT_RULES]):
        _run_few(replace(task, data=with_others(call.maker, task.data)), "texts")


def _drawn_tasks(call: Call, sizes: Sequence[int | None]) -> Iterator[Task]:
    """Yield tasks with as many rules, chosen at random; a seed's smaller sets lie in the larger ones."""
    total = len(_task(call, 0).rules)
    for seed in call.seeds:
        order = list(range(total))
        random.Random(seed).shuffle(order)
        for size in sizes:
            yield _task(call, seed, drawn=sorted(order[:size]))


def _count(task: Task) -> str:
    """RETURNS (str): What the split of a row says of the task's rules."""
    return f", {len(task.rules)} rules"


def _run_few(task: Task, benchmark: str) -> None:
    """Run the systems that are compared with few rules."""
    for part in filter(task.call.wants, FEW_RULES):
        for name, system in FEW_RULES[part].items():
            _run_system(task, benchmark, name, system, suffix=_count(task))


def with_others(maker: PairMaker, data: PairData) -> PairData:
    """RETURNS (PairData): The same, with texts of FewRel, T-REx and wiki80 among the training sentences, unlabelled."""
    others = ClusterMaker(maker.data, maker.folder, limit_train=maker.limit_train)
    target = data.train.with_name(f"{data.train.stem}-others.spacy")
    if not target.exists():
        apart = others.written(
            "others", lambda: [replace(pair, relation=None) for key in OTHER_TEXTS for pair in others.pairs(key)]
        )
        with ShardWriter(target) as writer:
            for doc in chain.from_iterable(iter_docs(path, Vocab()) for path in (data.train, apart)):
                writer.add(doc)
    return replace(data, train=target, name=f"{data.name} with other texts")


def labels(call: Call) -> None:
    """SemEval-2010 with labels instead of rules: how many the same classifier needs."""
    for seed in call.seeds:
        task = _task(call, seed)
        assert isinstance(call.maker, PairMaker)
        for percent in SHARES:
            call.tell(f"labels: {percent} %, seed {seed}")
            trained = _train(task, call.maker.share(task.data, percent, seed=seed).train, System(SUPERVISED))
            answers = _answers(task, trained)
            _write(task, "labels", answers, "peer:labels instead of rules", trained.seconds, f", {percent} % labelled")


def zero_shot(call: Call) -> None:
    """SemEval-2010: trained with the rules of two thirds of the relations, tested with those of the others."""
    names = sorted({rule.relation for rule in _task(call, 0).rules})
    for seed in call.seeds:
        for group in range(GROUPS):
            held = names[group::GROUPS]
            _zero_shot(call, seed, held, [name for name in names if name not in held], f"zero-shot, group {group + 1}")


def _unlearned(task: Task, *, benchmark: str = "semeval", suffix: str = "", only: str = "") -> None:
    """Score exact rules and the cosine under the encoder without fine-tuning."""
    ruled = {split: match(path, task.rules) for split, path in _corpora(task.data).items()}
    exact = {split: fixed_answers(by_rules(each)) for split, each in ruled.items()}
    _write(task, benchmark, exact, "peer:exact rules", None, suffix)
    if not only:
        alike = {split: by_cosine(each, task.call.settings.encoder) for split, each in ruled.items()}
        answers = {split: fixed_answers(each.labels, each.scores) for split, each in alike.items()}
        _write(task, benchmark, answers, "peer:cosine matcher", None, suffix)


def _run_system(task: Task, benchmark: str, name: str, system: System, *, suffix: str = "") -> None:
    """Train a system, or find its training; evaluate its last step and write its rows."""
    task.call.tell(f"{benchmark}{suffix}: {name}, seed {task.seed}")
    train, before = _labelled(task, system)
    trained = _train(task, train, system)
    _write(task, benchmark, _answers(task, trained), row_name(name), before + trained.seconds, suffix)


def _task(call: Call, seed: int, **options: Any) -> Task:
    assert isinstance(call.maker, PairMaker)
    rules = load_rules(call.maker.data / RULES, **options)
    return Task(call, call.maker.semeval(), rules, seed)


def _corpora(data: PairData) -> dict[str, Path]:
    return {"dev": data.dev, "test": data.tests["test"]}


def _train(task: Task, train: Path, system: System) -> Trained:
    """Train with an empty dev corpus: no labels are used to choose anything."""
    maker = task.call.maker
    assert isinstance(maker, PairMaker)
    given = {
        f"{IN}.suggester": MARKED,
        f"{IN}.rules": to_records(task.rules),
        **system.changes,
    }
    config = system.config
    if "vectors" in read_config(config)["paths"]:
        given["paths.vectors"] = str(maker.models / VECTORS)
    options: dict[str, Any] = {"seed": task.seed, "settings": task.call.settings, "config": config, "changes": given}
    return train_run(f"{task.data.key}-{COMPONENT}", train=train, dev=maker.nothing(), **options)


def _answers(task: Task, trained: Trained) -> dict[str, Answers]:
    """Let the last checkpoint of a training answer, or read its stored answers."""

    def answer() -> dict[str, Any]:
        nlp = spacy.load(trained.last)
        answers = {split: pipeline_answers(nlp, path, name=COMPONENT) for split, path in _corpora(task.data).items()}
        return {split: [each.labels, each.scores.tolist()] for split, each in answers.items()}

    stored = cached(trained.folder / "answers.json", answer)
    return {split: Answers(labels, numpy.asarray(scores)) for split, (labels, scores) in stored.items()}


def _labelled(task: Task, system: System) -> tuple[Path, float]:
    """Give the training corpus the labels that a system learns from; RETURNS also the seconds that this takes."""
    if not system.labels:
        return task.data.train, 0.0
    ruled = match(task.data.train, task.rules)
    known, folder = by_rules(ruled), task.call.settings.runs / "labels"
    name = f"{system.labels}-{task.seed}-{fingerprint([to_records(task.rules), dict(system.changes)])}"
    if system.labels == "cosine":
        alike = by_cosine(ruled, task.call.settings.encoder)
        labels = [own if own is not None else other for own, other in zip(known, alike.labels)]
        return write_labels(task.data.train, folder / f"{name}.spacy", labels), 0.0
    return _pseudo(task, system, ruled, known, folder / name)


def _pseudo(
    task: Task, system: System, ruled: Ruled, known: Sequence[PairClass | None], folder: Path
) -> tuple[Path, float]:
    """Let a classifier label what it was not trained on: all at once, or the most confident part in each round."""
    rounds = ROUNDS if system.labels == "rounds" else 1
    labels, seconds = list(known), 0.0
    silent = numpy.flatnonzero(ruled.votes.rule == NO_RULE)
    for number in range(rounds):
        corpus = write_labels(task.data.train, folder / f"{number}.spacy", labels)
        trained = _train(task, corpus, system)
        seconds += trained.seconds
        answers = pipeline_answers(spacy.load(trained.last), task.data.train, name=COMPONENT)
        sure = silent[numpy.argsort(-answers.scores[silent], kind="stable")]
        labels = list(known)
        for row in sure[: len(sure) * (number + 1) // rounds].tolist():
            labels[row] = _class_of(answers.labels[row])
    return write_labels(task.data.train, folder / "all.spacy", labels), seconds


def _class_of(label: str) -> PairClass | None:
    """Read an answer as `label_of` writes it."""
    if label == NOTHING:
        return None
    return PairClass(label[: -len("(e1,e2)")], label.endswith("(e2,e1)"))


def _write(
    task: Task, benchmark: str, answers: Mapping[str, Answers], system: str, seconds: float | None, suffix: str
) -> None:
    """Score answers with each budget of labels and write the rows."""
    gold = {split: read_pairs(path, marked=True) for split, path in _corpora(task.data).items()}
    by_budget = evaluate(answers["dev"], answers["test"], tuning=gold["dev"], gold=gold["test"])
    for budget, scores in by_budget.items():
        split = f"test{suffix}, {budget}"
        options: dict[str, Any] = {"data": task.call.describe(task.data), "split": split, "system": system}
        task.call.record(benchmark, scores, seed=task.seed, seconds=seconds, **options)
    figures = ", ".join(f"{budget} {scores['micro_f']:.4f}" for budget, scores in by_budget.items())
    task.call.tell(f"  {system}: micro F {figures}")


def _zero_shot(call: Call, seed: int, held: Sequence[str], others: Sequence[str], suffix: str) -> None:
    """Train with the rules of some relations, `others`, add those of `held`, and score only the latter relations."""
    known, task = _task(call, seed, relations=others), _task(call, seed, relations=held)
    call.tell(f"{suffix}: {', '.join(held)}, seed {seed}")
    trained = _train(known, known.data.train, ABLATIONS[ONE_ORDER])
    nlp = spacy.load(trained.last)
    nlp.get_pipe(COMPONENT).add_rules(to_records(task.rules))  # type: ignore[attr-defined]
    nlp.get_pipe(COMPONENT).cfg["threshold"] = 0.5  # type: ignore[attr-defined]
    corpus = task.data.tests["test"]
    ruled, gold = match(corpus, task.rules), _only(read_pairs(corpus, marked=True), held)
    grounded = pipeline_answers(nlp, corpus, name=COMPONENT)
    alike = by_cosine(ruled, call.settings.encoder)
    systems = {
        row_name(ONE_ORDER): [label if label.rpartition("(")[0] in held else NOTHING for label in grounded.labels],
        "peer:exact rules": [label_of(each) for each in by_rules(ruled)],
        "peer:cosine matcher, 0.6": fixed_answers(alike.labels, alike.scores).above(0.6),
    }
    for system, labels in systems.items():
        scores = pair_scores(gold, labels, task=MICRO)
        options: dict[str, Any] = {"data": call.describe(task.data), "split": f"test, {suffix}", "system": system}
        seconds = None if system.startswith("peer:") else trained.seconds
        call.record("zero_shot", scores, seed=seed, seconds=seconds, **options)
        call.tell(f"  {system}: micro F {scores['micro_f']:.4f} P {scores['micro_p']:.4f} R {scores['micro_r']:.4f}")


def _only(pairs: PairSet, relations: Sequence[str]) -> PairSet:
    """Keep the gold of some relations; all other pairs have none."""
    rows = [
        row._replace(labels=[each for each in row.labels if each.rpartition("(")[0] in relations]) for row in pairs.rows
    ]
    return PairSet(rows, [])
