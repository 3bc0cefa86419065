"""Outputs of a trained pipeline for all bags of a corpus, as arrays that every mixture reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch

from benchmarks.harness.pairs import read_examples
from benchmarks.harness.runs import digest
from spacy_relext.hrere.bags import Bags, gather_bags, single_mentions, union_of
from spacy_relext.hrere.mixture import Mixture, fit_mixture, mix
from spacy_relext.hrere.ranking import single_outputs
from spacy_relext.scoring.ranking import Ranking, score_ranking

BAG, MENTION = "bag", "mention"
# Arrays with a row per bag.
OF_BAGS = ("text", "kb", "gold", "linked", "missed")


@dataclass(frozen=True)
class Outputs:
    """Logits and gold of G bags, or mentions.

    text (numpy.ndarray): z_L. Shape (G, R)
    kb (numpy.ndarray): z_G. Shape (G, R)
    gold (numpy.ndarray): Which classes are true; class 0 if no relation is. Shape (G, R)
    linked (numpy.ndarray): Whether the knowledge base knows both entities. Shape (G,)
    shared (numpy.ndarray): Whether it knows a class. Shape (R,)
    ids (list[tuple[str, str]]): Links of subject and object. Length G
    missed (numpy.ndarray): Number of facts of each about relations that training lacks. Shape (G,)
    classes (list[tuple[str, bool]]): Relations, and whether they are read backwards. Length R - 1
    unit (str): "bag" or "mention".
    """

    text: numpy.ndarray
    kb: numpy.ndarray
    gold: numpy.ndarray
    linked: numpy.ndarray
    shared: numpy.ndarray
    ids: list[tuple[str, str]]
    missed: numpy.ndarray
    classes: list[tuple[str, bool]]
    unit: str

    def take(self, chosen: numpy.ndarray) -> Outputs:
        """RETURNS (Outputs): Those of some of the bags."""
        ids = [each for each, keep in zip(self.ids, chosen.tolist()) if keep]
        return replace(self, ids=ids, **{name: getattr(self, name)[chosen] for name in OF_BAGS})

    def unseen(self, seen: set[frozenset[str]]) -> numpy.ndarray:
        """RETURNS (numpy.ndarray): Whether the pair of each bag is not in `seen`, in either order. Shape (G,)"""
        return numpy.asarray([frozenset(ids) not in seen for ids in self.ids], dtype=bool)

    def fit(self, *, share: float | None = None, form: str = "logit") -> Mixture:
        """RETURNS (Mixture): The best one on these bags; if `share` is given, only temperatures are fitted."""
        mixture = fit_mixture(self.text, self.kb, self.gold, linked=self.linked, shared=self.shared, form=form)
        return mixture if share is None else mixture._replace(share=share)  # temperatures do not depend on it

    def probs(self, mixture: Mixture, *, linked: numpy.ndarray | None = None) -> Any:
        """RETURNS (Predictions): Probabilities of a mixture; `linked`: bags that count as linked."""
        wanted = self.linked if linked is None else linked
        return mix(self.text, self.kb, linked=wanted, shared=self.shared, mixture=mixture)

    def ranking(self, probs: numpy.ndarray) -> Ranking:
        """RETURNS (Ranking): All relations of all bags, ranked by `probs` of shape (G, R)."""
        unscored = int(self.missed.sum())
        return Ranking(self.unit, probs[:, 1:].ravel(), self.gold[:, 1:].ravel(), unscored=unscored)

    def score(self, probs: numpy.ndarray) -> dict[str, float]:
        """Rank all relations of all bags.

        probs (numpy.ndarray): Class 0 is no relation. Shape (G, R)
        RETURNS (dict[str, float]): Scores of `score_ranking`, without its counts.
        """
        scores = score_ranking(self.ranking(probs))
        return {key: float(value or 0.0) for key, value in scores.items() if _is_score(key)}


def _is_score(key: str) -> bool:
    return not key.endswith(("_positives", "_unscored"))


def read_outputs(pipeline: Path, corpus: Path, *, threads: int, unit: str = BAG) -> Outputs:
    """Run a pipeline over the bags of a corpus, or read its stored outputs.

    unit (str): "bag": all mentions of a pair; "mention": each by itself.
    """
    paths = {each: pipeline.parent.parent / f"{pipeline.name}-{each}-{digest(corpus)}.npz" for each in (BAG, MENTION)}
    if not paths[unit].exists():
        torch.set_num_threads(threads)
        for each, arrays in _run(pipeline, corpus).items():
            numpy.savez(paths[each], **arrays)
    arrays = dict(numpy.load(paths[unit], allow_pickle=False))
    ids = [(one, two) for one, two in arrays.pop("ids").tolist()]
    classes = list(zip(arrays.pop("relations").tolist(), arrays.pop("backwards").tolist()))
    return Outputs(ids=ids, classes=classes, unit=unit, **arrays)


def _run(pipeline: Path, corpus: Path) -> dict[str, dict[str, Any]]:
    """Compute the arrays of both units, from one run of the pipeline."""
    nlp = spacy.load(pipeline)
    pipe: Any = nlp.get_pipe("hrere_classifier")
    gold = pipe.gold(read_examples(nlp, corpus))
    bags = gather_bags(gold.pairs, across=True)
    outputs = pipe.run(bags)
    inputs = {BAG: (bags, outputs), MENTION: (single_mentions(bags), single_outputs(bags, outputs))}
    return {unit: _arrays(pipe, gold.gold, *each) for unit, each in inputs.items()}


def _arrays(pipe: Any, gold: Any, bags: Bags, outputs: Any) -> dict[str, Any]:
    known, labels = set(pipe.classes), union_of(gold, bags)
    return {
        "text": outputs.text,
        "kb": outputs.knowledge,
        "gold": pipe.gold_shares(bags, gold) > 0,
        "linked": pipe.knowledge.linked(bags),
        "shared": pipe.knowledge.shared(pipe.classes),
        "ids": numpy.asarray(bags.ids),
        "missed": numpy.asarray([len(each - known) for each in labels], dtype="int64"),
        "relations": numpy.asarray([each.relation for each in pipe.classes]),
        "backwards": numpy.asarray([each.backwards for each in pipe.classes]),
    }


def seen_pairs(outputs: Outputs) -> set[frozenset[str]]:
    """RETURNS (set[frozenset[str]]): Unordered pairs of ids."""
    return {frozenset(ids) for ids in outputs.ids}
