"""The HRERE experiments on NYT10: which systems are trained, how they are mixed, and which rows that gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import spacy
from call import Call
from hrere_corpora import FB15K, FB60K, BagData, HrereMaker
from hrere_fusion import frozen_logits
from hrere_hoffmann import FILE, read_judgements, score_judgements
from hrere_outputs import BAG, MENTION, Outputs, read_outputs, seen_pairs
from runs import ROOT, Trained, train_run

from spacy_relext.knowledge.kb_model import KbModel
from spacy_relext.knowledge.linked_kb import LinkedKb
from spacy_relext.triples.mixing import Mixture

CONFIGS = {"GloVe, BiLSTM": ROOT / "configs" / "hrere_recurrent.cfg", "MiniLM": ROOT / "configs" / "hrere.cfg"}
VECTORS = "en_vectors_glove_100d"
# Passes over the bags, and bags of an update.
EPOCHS = {"GloVe, BiLSTM": 5, "MiniLM": 3}
BATCH = 32
IN = "components.hrere_classifier"
Changes = Mapping[str, Any]
NAIVE: Changes = {f"{IN}.kb_weight": 1.0, f"{IN}.agree_weight": 0.0}
FULL: Mapping[str, Changes] = {
    "full, J_D as printed": {f"{IN}.agree": "ce"},
    "full, J_D linear": {f"{IN}.agree": "linear"},
    "full, J_D gated": {f"{IN}.agree": "gated"},
}
TEXT_ALONE, KB_ALONE = Mixture(1.0), Mixture(0.0)
# Of the linked pairs, how many count as linked.
COVERAGE = (0.0, 0.25, 0.5, 0.75, 1.0)


def experiment(split: str) -> Callable[[Call], None]:
    """RETURNS (Callable[[Call], None]): The experiment on a split of `HrereMaker`."""
    return partial(_run, split)


def _run(split: str, call: Call) -> None:
    assert isinstance(call.maker, HrereMaker)
    data: BagData = getattr(call.maker, split)()
    for seed in call.seeds:
        for part, (encoder, kb) in PARTS.items():
            if call.wants(part):
                _compare(call, split, data, seed, encoder=encoder, kb=kb)


def _compare(call: Call, split: str, data: BagData, seed: int, *, encoder: str, kb: str) -> None:
    """Train the systems, and write a row for each way to mix what they say."""
    assert isinstance(call.maker, HrereMaker)
    folder = call.maker.kb(kb, seed=seed, tell=call.tell)
    record = partial(_record, call, split, f"{data.name}, {encoder}, {kb}, {call.settings.precision}", seed)
    naive = _train(call, data, folder, seed, encoder, NAIVE)
    train, dev, test, mentions = _read(call, naive, data)
    # J_L and J_G share no weight: the text of naive is HRERE-base
    record("ablation:base (text alone)", test, mentions, train, lambda each: each.probs(TEXT_ALONE).probs, naive)
    record("ablation:knowledge base alone", test, mentions, train, lambda each: _kb_alone(each), naive)
    record("ablation:naive", test, mentions, train, _mixed(dev), naive)
    nlp = spacy.load(naive.pipeline)
    pipe: Any = nlp.get_pipe("hrere_classifier")
    frozen_kb = LinkedKb.from_model(KbModel.from_disk(folder))
    classes = [(each.relation, each.backwards) for each in pipe.classes]
    frozen = frozen_logits(train, [dev, test, mentions], kb=frozen_kb, classes=classes)
    record("peer:late fusion", frozen[1], frozen[2], train, _mixed(frozen[0]), naive)
    systems = {"ablation:naive": (naive, dev.fit()), "ablation:base (text alone)": (naive, TEXT_ALONE)}
    for system, changes in FULL.items():
        full = _train(call, data, folder, seed, encoder, changes)
        train, dev, test, mentions = _read(call, full, data)
        systems[system] = (full, dev.fit())
        record(system, test, mentions, train, _mixed(dev), full)
        record(
            f"ablation:{system}, its text alone", test, mentions, train, lambda each: each.probs(TEXT_ALONE).probs, full
        )
        if system == next(iter(FULL)):
            _coverage(call, split, data, seed, f"{encoder}, {kb}", dev, test)
    _judged(call, split, f"{data.name}, {encoder}, {kb}, {call.settings.precision}", seed, systems, data.train)


def _judged(
    call: Call, split: str, described: str, seed: int, systems: Mapping[str, tuple[Trained, Mixture]], train: Path
) -> None:
    """Ask of sentences that people have judged."""
    judgements = list(read_judgements(call.maker.data / FILE))
    for system, (trained, mixture) in systems.items():
        scores = score_judgements(trained.pipeline, judgements, train=train, mixture=mixture)
        options = {"data": described, "split": "sentences judged by people", "system": system, "seed": seed}
        call.record(f"nyt10_{split}_judged", scores, **options)
        call.tell(f"  {system}, judged sentences: AP {scores['sentence_ap']:.3f}")


def _train(call: Call, data: BagData, kb: Path, seed: int, encoder: str, changes: Changes) -> Trained:
    """Run `spacy train` on bags, unless that was done."""
    assert isinstance(call.maker, HrereMaker)
    fixed: dict[str, Any] = {
        "initialize.components.hrere_classifier.kb": str(kb),
        f"{IN}.ranking": True,
        "training.max_epochs": EPOCHS[encoder],
        "training.max_steps": 0,
        "training.patience": 0,
        "training.batcher.size": BATCH,
        "training.eval_frequency": 50,
    }
    if encoder != "MiniLM":
        fixed["paths.vectors"] = str(call.maker.models / VECTORS)
    options: dict[str, Any] = {"settings": call.settings, "config": CONFIGS[encoder], "changes": {**fixed, **changes}}
    call.tell(f"{data.name}: {encoder}, {', '.join(f'{key} = {value}' for key, value in changes.items())}, seed {seed}")
    return train_run("hrere", train=data.train, dev=data.dev, seed=seed, **options)


def _read(call: Call, trained: Trained, data: BagData) -> tuple[Outputs, Outputs, Outputs, Outputs]:
    """Bags of train, dev and test, and mentions of test."""
    wanted = ((data.train, BAG), (data.dev, BAG), (data.test, BAG), (data.test, MENTION))
    found = [read_outputs(trained.pipeline, path, threads=call.settings.threads, unit=unit) for path, unit in wanted]
    return found[0], found[1], found[2], found[3]


def _mixed(dev: Outputs) -> Callable[[Outputs], numpy.ndarray]:
    """Mix as is best on the dev corpus."""
    mixture = dev.fit()
    return lambda each: each.probs(mixture).probs  # type: ignore[no-any-return]


def _kb_alone(each: Outputs) -> numpy.ndarray:
    """What the knowledge base says; nothing of bags that are not linked, and of relations that it does not know."""
    return each.probs(KB_ALONE).kb  # type: ignore[no-any-return]


def _record(
    call: Call,
    split: str,
    described: str,
    seed: int,
    system: str,
    test: Outputs,
    mentions: Outputs,
    train: Outputs,
    judge: Callable[[Outputs], numpy.ndarray],
    trained: Trained,
) -> None:
    """Write the rows of one system: all pairs, and those that training has not seen."""
    seen = seen_pairs(train)
    for name in ("all pairs", "unseen pairs"):
        metrics: dict[str, float] = {}
        for outputs in (test, mentions):
            if name != "all pairs":
                kept = numpy.asarray([frozenset(ids) not in seen for ids in outputs.ids])
                outputs = outputs.take(kept, missed=outputs.missed)
            metrics.update(outputs.score(judge(outputs)))
        options = {"data": described, "split": name, "system": system, "seed": seed, "seconds": trained.seconds}
        call.record(f"nyt10_{split}", metrics, **options)
        call.tell(f"  {system}, {name}: bag AP {metrics['bag_ap']:.3f}, mention AP {metrics['mention_ap']:.3f}")


def _coverage(call: Call, split: str, data: BagData, seed: int, described: str, dev: Outputs, test: Outputs) -> None:
    """Let ever fewer pairs be linked at run time."""
    dice, mixture = numpy.random.default_rng(seed).random(len(test.ids)), dev.fit()
    for share in COVERAGE:
        scores = test.score(test.probs(mixture, linked=test.linked & (dice < share)).probs)
        options = {"data": f"{data.name}, {described}, {call.settings.precision}", "system": "full, J_D as printed"}
        name = f"{share:.0%} of the linked pairs linked"
        call.record(f"nyt10_{split}_coverage", {"bag_ap": scores["bag_ap"]}, split=name, seed=seed, **options)


# Part → encoder and knowledge base.
PARTS: dict[str, tuple[str, str]] = {
    "central": ("GloVe, BiLSTM", FB60K),
    "fb15k237": ("GloVe, BiLSTM", FB15K),
    "minilm": ("MiniLM", FB60K),
}
