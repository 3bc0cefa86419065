"""The peers that read bags, run with the bags, seed and threads of our trainings, and their outputs.

Batch size, passes and learning rates are a peer's own; its best pass is chosen on the dev corpus.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import spacy

from benchmarks.harness.pairs import read_examples
from benchmarks.harness.runs import Settings, cached, digest, fingerprint, run_logged
from benchmarks.hrere.corpora import BagData
from benchmarks.hrere.outputs import BAG, MENTION, Outputs, seen_pairs
from spacy_relext.hrere.bags import Bags, gather_bags, single_mentions, union_of
from spacy_relext.kd.soft_labels import pair_offsets
from spacy_relext.pairs.gold import PairClass, gold_pairs, list_classes
from spacy_relext.pairs.suggesters import AnnotatedPairs

# Mentions of a bag in training, as our systems read them.
MOST = 5


@dataclass(frozen=True)
class BagSet:
    """The bags of a corpus, or its mentions each by itself, and the gold classes of each."""

    bags: Bags
    gold: list[set[PairClass]]
    unit: str = BAG

    def write(self, target: Path, *, most: int = 0) -> Path:
        """Write the bags as the JSON lines that a peer reads.

        most (int): Largest number of mentions per bag, the first ones; 0 for all.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf8") as stream:
            for number, classes in enumerate(self.gold):
                mentions = [self._mention(row) for row in self.bags.rows(number)[: most or None]]
                labels = [label_of(each) for each in sorted(classes)]
                stream.write(json.dumps({"mentions": mentions, "labels": labels}, ensure_ascii=False) + "\n")
        return target

    def _mention(self, row: int) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): A mention's text and arguments, in characters of that text."""
        pairs = self.bags.pairs
        start, end = pairs.text[row].tolist()
        text = pairs.docs[int(pairs.doc[row])][start:end]
        subject, obj = ([place - text.start_char for place in each] for each in pair_offsets(pairs, row))
        return {"text": text.text, "subject": subject, "object": obj}

    def outputs(self, probs: numpy.ndarray, classes: Sequence[PairClass]) -> Outputs:
        """RETURNS (Outputs): With a peer's `probs`, of shape (G, R - 1), in place of z_L, and no knowledge base."""
        number = {each: row for row, each in enumerate(classes, 1)}
        gold = numpy.zeros((len(self.gold), len(classes) + 1), dtype=bool)
        for row, each in enumerate(self.gold):
            gold[row, [number[one] for one in each if one in number] or [0]] = True
        return Outputs(
            text=numpy.concatenate([numpy.zeros((len(probs), 1)), probs], 1),
            kb=numpy.zeros(gold.shape),
            gold=gold,
            linked=numpy.zeros(len(gold), dtype=bool),
            shared=numpy.zeros(len(classes) + 1, dtype=bool),
            ids=self.bags.ids,
            missed=numpy.asarray([len(each - number.keys()) for each in self.gold], dtype="int64"),
            classes=[tuple(each) for each in classes],
            unit=self.unit,
        )


@dataclass(frozen=True)
class TrainedPeer:
    """A finished training of a peer: its seconds, the pairs it has seen, and its outputs for the test corpus."""

    seconds: float
    seen: set[frozenset[str]]
    bags: Outputs
    mentions: Outputs


def label_of(each: PairClass) -> str:
    """RETURNS (str): A class's label in the peer's files."""
    return f"{each.relation}{' (backwards)' * each.backwards}"


def read_bags(corpus: Path) -> BagSet:
    """Gather the mentions of each pair in a corpus."""
    gold = gold_pairs(AnnotatedPairs(), read_examples(spacy.blank("en"), corpus))
    bags = gather_bags(gold.pairs, across=True)
    return BagSet(bags, union_of(gold.gold, bags))


def read_mentions(bags: BagSet) -> BagSet:
    """Take each mention by itself; its gold is that of its bag."""
    alone = single_mentions(bags.bags)
    return BagSet(alone, [bags.gold[number] for number in bags.bags.bag.tolist()], MENTION)


def run_bag_peer(
    program: str, data: BagData, *, encoder: Path, seed: int, passes: int, settings: Settings
) -> TrainedPeer:
    """Train and test a peer, unless that was done.

    program (str): Its module in `benchmarks.peers`.
    encoder (Path): Value of its `--encoder`: an encoder, or word vectors.
    RAISES (ValueError): If it fails.
    """
    corpora = (data.train, data.dev, data.test)
    depends = [*map(digest, corpora), seed, passes, settings.arithmetic, settings.threads, encoder.name]
    folder = settings.runs / f"hrere-{program}-seed{seed}-{fingerprint(depends)}"
    train, dev, test = map(read_bags, corpora)
    mentions = read_mentions(test)

    def run() -> dict[str, Any]:
        names = {"train": train, "dev": dev, BAG: test, MENTION: mentions}
        most = {"train": MOST}
        files = {
            name: each.write(folder / "bags" / f"{name}.jsonl", most=most.get(name, 0)) for name, each in names.items()
        }
        command = [sys.executable, "-m", f"benchmarks.peers.{program}", "--encoder", str(encoder)]
        command += ["--seed", str(seed), "--passes", str(passes), "--threads", str(settings.threads)]
        command += ["--precision", settings.precision, *settings.device_options]
        command += ["--train", str(files["train"]), "--dev", str(files["dev"])]
        output = folder / f"{program}.json"
        command += ["--test", *(f"{name}={files[name]}" for name in (BAG, MENTION)), "--out", str(output)]
        run_logged(command, folder / "train.log", threads=settings.threads)
        result: dict[str, Any] = json.loads(output.read_text(encoding="utf8"))
        return result

    result = cached(folder / "result.json", run)
    by_label = {label_of(each): each for each in list_classes(train.gold)}
    classes = [by_label[label] for label in result["labels"]]
    found = [each.outputs(numpy.asarray(result["probs"][each.unit]), classes) for each in (test, mentions)]
    return TrainedPeer(float(result["train_seconds"]), seen_pairs(train.bags), *found)
