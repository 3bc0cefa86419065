"""A knowledge base as a predictor without any training: its facts about the pairs of a corpus, found by alignment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import spacy

from benchmarks.harness.pairs import read_examples
from benchmarks.hrere.corpora import Ids
from benchmarks.hrere.outputs import Outputs
from spacy_relext.hrere.bags import gather_bags, union_of
from spacy_relext.kb.facts import FactIndex, TripleStore
from spacy_relext.pairs.gold import gold_pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs


def bag_facts(corpus: Path) -> dict[Ids, set[str]]:
    """Read the gold relations of the linked pairs of a corpus.

    RETURNS (dict[Ids, set[str]]): Relations of each ordered pair that is marked, or has one.
    """
    gold = gold_pairs(AnnotatedPairs(), read_examples(spacy.blank("en"), corpus))
    bags = gather_bags(gold.pairs, across=True)
    facts: dict[Ids, set[str]] = {}
    for ids, labels in zip(bags.ids, union_of(gold.gold, bags)):
        if all(ids):
            facts.setdefault(ids, set())
            for each in labels:
                facts.setdefault(ids[::-1] if each.backwards else ids, set()).add(each.relation)
    return facts


def match_scores(facts: Mapping[Ids, set[str]], store: TripleStore, *, shown: Collection[str]) -> dict[str, float]:
    """Score the facts of a knowledge base as predictions.

    facts (Mapping[Ids, set[str]]): True relations of each pair, from `bag_facts`.
    store (TripleStore): The knowledge base, with the facts about these pairs.
    shown (Collection[str]): Relations of the training corpus; others are never predicted.
    RETURNS (dict[str, float]): `bag_p`, `bag_r`, `bag_f`, and `bag_said_found`, the number of predicted facts.
    """
    between = FactIndex(store).relations_between
    predicted = {ids: {each for each in between(*ids) if each in shown} for ids in facts}
    total, true = (sum(map(len, each.values())) for each in (predicted, facts))
    correct = sum(len(relations & facts[ids]) for ids, relations in predicted.items())
    scores = {
        "bag_p": correct / max(total, 1),
        "bag_r": correct / max(true, 1),
        "bag_f": 2 * correct / max(total + true, 1),
    }
    return {**scores, "bag_said_found": float(total)}


def linked_shares(outputs: Outputs, seen: set[frozenset[str]]) -> dict[str, float]:
    """Count the bags of which a knowledge base knows both entities.

    RETURNS (dict[str, float]): `coverage`, the share of bags that are linked; `coverage_of_facts`, the share of facts
        that are about linked bags; `bags_found`, the number of bags; `pairs_found`, that of pairs in either order; and
        `seen_pairs_found`, that of pairs that are also in training.
    """
    true = outputs.gold[:, 1:].sum(1) + outputs.missed
    pairs = {frozenset(ids) for ids in outputs.ids}
    shares = {"coverage": outputs.linked.mean(), "coverage_of_facts": true[outputs.linked].sum() / max(true.sum(), 1)}
    counts = {"bags_found": len(outputs.ids), "pairs_found": len(pairs), "seen_pairs_found": len(pairs & seen)}
    return {name: float(value) for name, value in {**shares, **counts}.items()}
