"""The HRERE experiments on NYT10: which systems are compared, how they are mixed, and which rows they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import count_docs
from benchmarks.harness.intervals import difference
from benchmarks.harness.runs import Trained
from benchmarks.hrere.corpora import FB15K, FB60K, FB60K_TYPES, BagData, HrereMaker
from benchmarks.hrere.fusion import frozen_logits
from benchmarks.hrere.hoffmann import FILE, leave_out, read_annotations, score_annotations
from benchmarks.hrere.intervals import Predictions, drawn_scores
from benchmarks.hrere.match import bag_facts, linked_shares, match_scores
from benchmarks.hrere.outputs import BAG, MENTION, Outputs, read_outputs, seen_pairs
from benchmarks.hrere.training import (
    BASE,
    FROZEN,
    FULL,
    GLOVE,
    LAST,
    MINILM,
    NAIVE,
    PAPER,
    SLOW,
    Changes,
    train_system,
)
from spacy_relext.hrere.linked_kb import LinkedKb
from spacy_relext.hrere.mixture import Mixture
from spacy_relext.kb.model import KbModel
from spacy_relext.visuals.curves import draw_recall_curves

BASE_ROW, LATE_ROW, NAIVE_ROW = "ablation:base (text alone)", "peer:late fusion", "ablation:naive"
SLOWLY, UNSTEADY = ", the paper's rate of embeddings", ", weights of the last update"
KB_ROW, MATCH_ROW = "ablation:knowledge base alone", "peer:KB match"
PRINTED = "ablation:full, J_D as printed"
ALL, UNSEEN = "all pairs", "unseen pairs"
TEXT = ", its text alone"
# Shares of the linked pairs that count as linked.
COVERAGE = (0.0, 0.25, 0.5, 0.75, 1.0)
CURVES = (BASE_ROW, LATE_ROW, NAIVE_ROW, PRINTED)
# Which differences get an interval.
COMPARED = (
    (NAIVE_ROW, BASE_ROW),
    (PRINTED, NAIVE_ROW),
    (PRINTED, LATE_ROW),
    (f"{PRINTED}{TEXT}", BASE_ROW),
)
Scoring = Callable[[Outputs], numpy.ndarray]


@dataclass(frozen=True)
class Part:
    """A part of the experiments.

    run (Callable[[Table], None]): Trains, and writes the rows.
    encoder (str): The encoder of all systems.
    kb (str): One of `corpora.KBS`.
    changes (Changes): Changes in all systems.
    note (str): What rows call these changes.
    """

    run: Callable[[Table], None]
    encoder: str = GLOVE
    kb: str = FB60K
    changes: Changes = field(default_factory=dict)
    note: str = ""


@dataclass
class Table:
    """One part with one seed: what its systems share, and their predictions.

    call (Call): The call.
    split (str): A split of `HrereMaker`.
    name (str): Name of the part.
    part (Part): The part.
    data (BagData): The corpora.
    seed (int): Seed.
    seen (set[frozenset[str]]): Pairs of the training corpus, in either order.
    predictions (dict[str, Predictions]): Row → predictions for the bags of the test corpus.
    trained (dict[str, tuple[Trained, Mixture]]): Row → the system, and how it is mixed.
    """

    call: Call
    split: str
    name: str
    part: Part
    data: BagData
    seed: int
    seen: set[frozenset[str]] = field(default_factory=set)
    predictions: dict[str, Predictions] = field(default_factory=dict)
    trained: dict[str, tuple[Trained, Mixture]] = field(default_factory=dict)

    @cached_property
    def kb(self) -> Path:
        """RETURNS (Path): Folder of the embeddings, which are trained at first use."""
        assert isinstance(self.call.maker, HrereMaker)
        return self.call.maker.kb(self.part.kb, seed=self.seed, tell=self.call.tell)

    @property
    def described(self) -> str:
        """RETURNS (str): What the figures depend on."""
        return f"{self.title}, {self.call.settings.arithmetic}"

    @property
    def title(self) -> str:
        """RETURNS (str): Data, encoder and knowledge base."""
        return ", ".join(filter(None, [self.data.name, self.part.encoder, self.part.kb, self.part.note]))

    def train(self, changes: Changes) -> Trained:
        """RETURNS (Trained): A system."""
        options = {"seed": self.seed, "encoder": self.part.encoder, "changes": {**self.part.changes, **changes}}
        return train_system(self.call, self.data, self.kb, **options)  # type: ignore[arg-type]

    def read(self, trained: Trained, corpus: Path, unit: str = BAG) -> Outputs:
        """RETURNS (Outputs): A system's outputs for a corpus."""
        return read_outputs(trained.last, corpus, threads=self.call.settings.threads, unit=unit)

    def read_all(self, trained: Trained) -> tuple[Outputs, Outputs, Outputs]:
        """RETURNS (tuple[Outputs, Outputs, Outputs]): Bags of dev and of test, and mentions of test."""
        wanted = ((self.data.dev, BAG), (self.data.test, BAG), (self.data.test, MENTION))
        dev, test, mentions = (self.read(trained, *each) for each in wanted)
        return dev, test, mentions

    def record(self, system: str, trained: Trained, score: Scoring, *outputs: Outputs) -> None:
        """Write the rows of one system: all pairs, and those that training has not seen.

        score (Scoring): Turns its outputs into probabilities.
        outputs (Outputs): Its outputs for bags, and for mentions.
        """
        predictions = [Predictions(each, score(each)) for each in outputs]
        self.predictions[system] = predictions[0]
        for name in (ALL, UNSEEN):
            metrics: dict[str, float] = {}
            for each in predictions:
                part = self.part_of(each, name)
                metrics.update(part.outputs.score(part.probs))
            options = {"data": self.described, "split": name, "system": system, "seed": self.seed}
            self.call.record(f"nyt10_{self.split}", metrics, seconds=trained.seconds, **options)  # type: ignore[arg-type]
            self.call.tell(f"  {system}, {name}: bag AP {metrics['bag_ap']:.3f}, mention {metrics['mention_ap']:.3f}")

    def part_of(self, predictions: Predictions, name: str) -> Predictions:
        """RETURNS (Predictions): Those of all pairs, or of the unseen ones."""
        return predictions if name == ALL else predictions.take(predictions.outputs.unseen(self.seen))


def experiment(split: str) -> Callable[[Call], None]:
    """RETURNS (Callable[[Call], None]): The experiment on a split of `HrereMaker`."""
    return partial(_run, split)


def _run(split: str, call: Call) -> None:
    assert isinstance(call.maker, HrereMaker)
    data: BagData = getattr(call.maker, split)()
    sizes = ", ".join(f"{count_docs(getattr(data, part)):,} {part}" for part in ("train", "dev", "test"))
    call.tell(f"{data.name}: lines: {sizes}; {data.left_out:,} left out whose text is in another part")
    for seed in call.seeds:
        for name in filter(call.wants, PARTS):
            part = PARTS[name]
            part.run(Table(call, split, name, part, data, seed))


def _all(table: Table) -> None:
    """Run all measurements on the systems."""
    _compare(table)
    _differences(table)
    _matched(table)
    _coverage(table)
    _judged(table)
    if not table.seed:
        _curves(table)


def _compare(table: Table) -> None:
    """Train the systems, and write rows for each way to mix their outputs."""
    base = table.train(BASE)
    train = table.read(base, table.data.train)
    table.seen = seen_pairs(train)
    dev, test, mentions = table.read_all(base)
    _text_alone(table, BASE_ROW, base, dev, test, mentions)
    table.trained[BASE_ROW] = (base, dev.fit(share=1.0))
    frozen = frozen_logits(train, [dev, test, mentions], kb=LinkedKb.from_model(KbModel.from_disk(table.kb)))
    _both_mixed(table, LATE_ROW, base, *frozen)
    _naive(table, NAIVE)
    full, outputs = _mixed_system(table, PRINTED, FULL)
    _text_alone(table, f"{PRINTED}{TEXT}", full, *outputs)


def _slowly(table: Table) -> None:
    """Let embeddings, c and b learn as slowly as in the paper."""
    table.seen = seen_pairs(table.read(table.train(BASE), table.data.train))
    _naive(table, SLOW, called=SLOWLY)


def _published(table: Table) -> None:
    """Train only the system of the paper, as its config has it."""
    full = table.train({})
    table.seen = seen_pairs(table.read(full, table.data.train))
    outputs = table.read_all(full)
    _both_mixed(table, PRINTED, full, *outputs)
    _text_alone(table, f"{PRINTED}{TEXT}", full, *outputs)


def _without_averages(table: Table) -> None:
    """Test the last weights, not their average. The text of a naive system is that of base: J_G does not reach it."""
    table.seen = seen_pairs(table.read(table.train(BASE), table.data.train))
    _naive(table, {**NAIVE, **LAST}, called=UNSTEADY)
    _mixed_system(table, f"{PRINTED}{UNSTEADY}", {**FULL, **LAST})


def _naive(table: Table, changes: Changes, *, called: str = "") -> None:
    """Train a naive system, and write its rows and those of its knowledge base."""
    naive, (dev, *outputs) = _mixed_system(table, f"{NAIVE_ROW}{called}", changes)
    table.record(f"{KB_ROW}{called}", naive, _kb_alone(dev.fit(share=0.0)), *outputs)


def _mixed_system(table: Table, system: str, changes: Changes) -> tuple[Trained, tuple[Outputs, Outputs, Outputs]]:
    """Train a system of text and knowledge base, and write its rows. RETURNS it, and its outputs (`read_all`)."""
    trained = table.train(changes)
    outputs = table.read_all(trained)
    table.trained[system] = (trained, _both_mixed(table, system, trained, *outputs))
    return trained, outputs


def _both_mixed(table: Table, system: str, trained: Trained, dev: Outputs, *outputs: Outputs) -> Mixture:
    """Write the rows of a mixture of logits, the usual one, and of probabilities. RETURNS the mixture of logits."""
    mixtures = {form: dev.fit(form=form) for form in ("logit", "prob")}
    for row, mixture in zip((system, f"{system}, probabilities mixed"), mixtures.values()):
        score = dev.score(dev.probs(mixture).probs)["bag_ap"]
        table.call.tell(f"  {row}: share {mixture.share:g} of the text, bag AP of dev {score:.3f}")
        table.record(row, trained, _mixed(mixture), *outputs)
    return mixtures["logit"]


def _mixed(mixture: Mixture) -> Scoring:
    """Return the scoring by a mixture."""
    return lambda each: each.probs(mixture).probs  # type: ignore[no-any-return]


def _kb_alone(mixture: Mixture) -> Scoring:
    """Return the scoring by the knowledge base alone; 0 for bags that are not linked and relations that it lacks."""
    return lambda each: each.probs(mixture).kb  # type: ignore[no-any-return]


def _text_alone(table: Table, system: str, trained: Trained, dev: Outputs, *outputs: Outputs) -> None:
    """Write the rows of the text alone, with the temperature that is best on dev."""
    table.record(system, trained, _mixed(dev.fit(share=1.0)), *outputs)


def _matched(table: Table) -> None:
    """Write how much the knowledge base covers, and the scores of its facts as predictions, without any training."""
    call, name, test = table.call, table.part.kb, table.predictions[BASE_ROW].outputs
    assert isinstance(call.maker, HrereMaker)
    data = f"{table.data.name}, {name}"
    shares = linked_shares(test, table.seen)
    call.record(f"nyt10_{table.split}_linked", shares, data=data, split="test", system="default", seed=0)
    call.tell(f"  {name}: {shares['coverage']:.1%} of {shares['bags_found']:,.0f} bags are linked")
    facts, store = bag_facts(table.data.test), call.maker.store(name)
    shown = {relation for relation, _ in test.classes}
    for part in (ALL, UNSEEN):
        counted: Mapping = {
            ids: stated for ids, stated in facts.items() if part == ALL or frozenset(ids) not in table.seen
        }
        scores = match_scores(counted, store, shown=shown)
        call.record(f"nyt10_{table.split}_match", scores, data=data, split=part, system=MATCH_ROW, seed=0)
        call.tell(f"  KB match, {part}: {scores}")


def _differences(table: Table) -> None:
    """Write the differences between systems, with bootstrap intervals over pairs."""
    for name in (ALL, UNSEEN):
        systems = {
            system: table.part_of(table.predictions[system], name)
            for system in {each for pair in COMPARED for each in pair}
        }
        scores = drawn_scores(systems)
        for one, two in COMPARED:
            interval = difference(scores[one], scores[two], score="ap")
            split = f"{_short(one)} − {_short(two)}, {name}"
            options = {"data": table.described, "split": split, "system": "default", "seed": table.seed}
            table.call.record(f"nyt10_{table.split}_differences", interval, **options)  # type: ignore[arg-type]
            low, high = interval["ap_difference_low"], interval["ap_difference_high"]
            table.call.tell(f"  {split}: {interval['ap_difference']:+.4f} ({low:+.4f} to {high:+.4f})")


def _judged(table: Table) -> None:
    """Score the systems on the manually annotated sentences that training did not see."""
    call, corpora = table.call, {"train": table.data.train, "dev": table.data.dev}
    annotations, counts = leave_out(list(read_annotations(call.maker.data / FILE)), corpora)
    for system, (trained, mixture) in table.trained.items():
        scores = {**score_annotations(trained.last, annotations, mixture=mixture), **counts}
        options = {"data": table.described, "split": "sentences judged by people", "system": system}
        call.record(f"nyt10_{table.split}_judged", scores, seed=table.seed, **options)
        call.tell(f"  {system}, annotated sentences: AP {scores['sentence_ap']:.3f}")


def _coverage(table: Table) -> None:
    """Score systems when only a share of the linked pairs is linked at run time."""
    for system in (NAIVE_ROW, PRINTED):
        test, (_, mixture) = table.predictions[system].outputs, table.trained[system]
        draws = numpy.random.default_rng(table.seed).random(len(test.ids))
        for share in COVERAGE:
            scores = test.score(test.probs(mixture, linked=test.linked & (draws < share)).probs)
            options = {"data": table.described, "system": system, "split": f"{share:.0%} of the linked pairs linked"}
            table.call.record(f"nyt10_{table.split}_coverage", {"bag_ap": scores["bag_ap"]}, seed=table.seed, **options)  # type: ignore[arg-type]


def _curves(table: Table) -> None:
    """Draw the precision–recall curves of the bags."""
    curves = {
        _short(row): each.outputs.ranking(each.probs).curve()
        for row, each in table.predictions.items()
        if row in CURVES
    }
    suffix = "" if table.name == next(iter(PARTS)) else f"_{table.name}"
    for form in ("svg", "png"):
        path = table.call.figures / f"hrere_nyt10_{table.split}{suffix}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_recall_curves(curves, unit="bags", title=table.title, form=form))
        table.call.tell(f"  {path.name} drawn")


def _short(row: str) -> str:
    """RETURNS (str): A row's name without its kind."""
    return row.removeprefix("ablation:").removeprefix("peer:")


PARTS: dict[str, Part] = {
    "central": Part(_all),
    "fb15k237": Part(_all, kb=FB15K),
    "minilm": Part(_all, encoder=MINILM),
    "frozen": Part(_all, changes=FROZEN, note="entities frozen"),
    "minilm-frozen": Part(_all, encoder=MINILM, changes=FROZEN, note="entities frozen"),
    "types": Part(_all, kb=FB60K_TYPES, changes=FROZEN, note="entities frozen"),
    "last": Part(_without_averages),
    "rate": Part(_slowly),
    "published": Part(_published, encoder=PAPER),
}
