"""Grouping of the mentions of a document, compared with manual groups: B³ and pairs.

The rules were chosen on the first half of the documents; the second half is the test.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from benchmarks.graph.data import Grouped
from benchmarks.harness.call import Call
from spacy_relext.annotations.grouping import RULES, Mention, group_mentions

System = Callable[[Grouped], Sequence[Hashable]]

# Merges in the test half that are not in the gold, judged manually: [title, kept, merged, rule, correct or wrong].
JUDGED = Path(__file__).parent / "judged.json"


def grouping(call: Call) -> None:
    """Group with our rules, and by equal names."""
    documents = call.maker.grouped()  # type: ignore[attr-defined]
    half = len(documents) // 2
    systems: dict[str, System] = {
        "default": lambda document: group_mentions(document.mentions, text=document.text).groups,
        "peer:exact names": by_name(lambda mention: mention.text),
        "peer:folded names": by_name(lambda mention: " ".join(mention.text.casefold().split())),
        "peer:normal forms": by_name(lambda mention: mention.name.normal),
        "ablation:with peoples": lambda document: (
            group_mentions(document.mentions, text=document.text, rules=RULES).groups
        ),
    }
    for split, part in (("tuning half", documents[:half]), ("test half", documents[half:])):
        for system, group in systems.items():
            metrics = score(part, group)
            if system == "default":
                metrics.update(merge_precision(part, read_judged() if split == "test half" else {}))
            described = f"DocRED test, {len(part)} documents, {sum(len(each.mentions) for each in part):,} mentions"
            call.record("grouping", metrics, data=described, split=split, system=system, seed=0)
            call.tell(f"{split}, {system}: { {key: round(value, 4) for key, value in metrics.items()} }")


def by_name(key: Callable[[Mention], str]) -> System:
    """Group mentions of the same type by a form of their names."""
    return lambda document: [(mention.label, key(mention)) for mention in document.mentions]


def score(documents: Iterable[Grouped], group: System) -> dict[str, float]:
    """Compute P, R and F: B³ over all mentions and over those of entities with several, and over pairs of mentions."""
    sums: Counter[str] = Counter()
    for document in documents:
        predicted = group(document)
        gold_sizes, sizes = Counter(document.gold), Counter(predicted)
        both = Counter(zip(document.gold, predicted))
        for gold, mine in zip(document.gold, predicted):
            precision, recall = both[gold, mine] / sizes[mine], both[gold, mine] / gold_sizes[gold]
            sums.update({"precision": precision, "recall": recall, "mentions": 1})
            if gold_sizes[gold] > 1:
                sums.update({"several_precision": precision, "several_recall": recall, "several": 1})
        sums["correct"] += _pairs(both)
        sums["predicted"] += _pairs(sizes)
        sums["gold"] += _pairs(gold_sizes)
    metrics = _harmonic("b3", sums["precision"] / sums["mentions"], sums["recall"] / sums["mentions"])
    several = max(sums["several"], 1)
    metrics.update(_harmonic("b3_several", sums["several_precision"] / several, sums["several_recall"] / several))
    correct, predicted, gold = sums["correct"], max(sums["predicted"], 1), max(sums["gold"], 1)
    return {**metrics, **_harmonic("pairs", correct / predicted, correct / gold)}


def merge_precision(documents: Iterable[Grouped], judged: dict[tuple[str, ...], bool]) -> dict[str, float]:
    """Compute the share of merges of different names that are in the gold, and the share in it or judged correct."""
    correct = agreed = total = unread = 0
    for document in documents:
        for link in group_mentions(document.mentions, text=document.text).links:
            kept, merged = document.mentions[link.kept].text, document.mentions[link.merged].text
            if kept == merged:
                continue
            total += 1
            is_gold = document.gold[link.kept] == document.gold[link.merged]
            agreed += is_gold
            verdict = judged.get((document.title, kept, merged, link.reason))
            correct += is_gold or bool(verdict)
            unread += not is_gold and verdict is None
    metrics = {"merge_precision_of_gold": agreed / max(total, 1), "merges_found": float(total)}
    if judged and not unread:
        metrics["merge_precision_as_read"] = correct / max(total, 1)
    return metrics


def read_judged() -> dict[tuple[str, ...], bool]:
    """Read which merges that are not in the gold are correct."""
    rows = json.loads(JUDGED.read_text(encoding="utf8")) if JUDGED.exists() else []
    return {tuple(row[:4]): row[4] for row in rows}


def _pairs(sizes: Counter) -> int:
    """Count the pairs inside groups."""
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _harmonic(name: str, precision: float, recall: float) -> dict[str, float]:
    """Return precision, recall and F under the names of metrics."""
    total = precision + recall
    return {f"{name}_p": precision, f"{name}_r": recall, f"{name}_f": 2 * precision * recall / total if total else 0.0}
