"""What a trained pipeline says of all bags of a corpus, as arrays that every way to mix reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from kd_pairs import read_examples
from runs import digest

from spacy_relext.instances.bags import gather_bags, union_of
from spacy_relext.scoring.ranking import Ranking, score_ranking
from spacy_relext.triples.mixing import Mixture, fit_mixture, mix

BAG, MENTION = "bag", "mention"


@dataclass(frozen=True)
class Outputs:
    """Logits and gold of G bags, or mentions.

    text (numpy.ndarray): z_L. Shape (G, R)
    kb (numpy.ndarray): z_G. Shape (G, R)
    gold (numpy.ndarray): What is true, class 0 where nothing is. Shape (G, R)
    linked (numpy.ndarray): Whether the knowledge base knows both entities. Shape (G,)
    shared (numpy.ndarray): Whether it knows a class. Shape (R,)
    ids (list[tuple[str, str]]): Links of subject and object. Length G
    unit (str): "bag" or "mention".
    missed (int): Facts about relations that training has not shown.
    """

    text: numpy.ndarray
    kb: numpy.ndarray
    gold: numpy.ndarray
    linked: numpy.ndarray
    shared: numpy.ndarray
    ids: list[tuple[str, str]]
    unit: str
    missed: int

    def take(self, kept: numpy.ndarray, *, missed: int) -> Outputs:
        """RETURNS (Outputs): Some of the bags."""
        ids = [each for each, keep in zip(self.ids, kept.tolist()) if keep]
        arrays = {name: getattr(self, name)[kept] for name in ("text", "kb", "gold", "linked")}
        return Outputs(shared=self.shared, ids=ids, unit=self.unit, missed=missed, **arrays)

    def fit(self, form: str = "prob") -> Mixture:
        """RETURNS (Mixture): The best one on these bags."""
        return fit_mixture(self.text, self.kb, self.gold, linked=self.linked, shared=self.shared, form=form)

    def probs(self, mixture: Mixture, *, linked: numpy.ndarray | None = None) -> Any:
        """RETURNS (Judged): What is said with a mixture, of all linked bags or of those that shall count as linked."""
        wanted = self.linked if linked is None else linked
        return mix(self.text, self.kb, linked=wanted, shared=self.shared, mixture=mixture)

    def score(self, probs: numpy.ndarray) -> dict[str, float]:
        """Rank all relations of all bags.

        probs (numpy.ndarray): Class 0 is no relation. Shape (G, R)
        RETURNS (dict[str, float]): Of `score_ranking`, without those that count.
        """
        ranking = Ranking(self.unit, probs[:, 1:].ravel(), self.gold[:, 1:].ravel(), unscored=self.missed)
        return {key: float(value or 0.0) for key, value in score_ranking(ranking).items() if _is_score(key)}


def _is_score(key: str) -> bool:
    return not key.endswith(("_positives", "_unscored"))


def read_outputs(pipeline: Path, corpus: Path, *, threads: int, unit: str = BAG) -> Outputs:
    """Run a pipeline over the bags of a corpus, or find its answers.

    pipeline (Path): With a hrere_classifier.
    corpus (Path): Marked pairs of linked entities.
    threads (int): Of torch.
    unit (str): "bag": all mentions of a pair; "mention": each by itself.
    RETURNS (Outputs): Logits and gold.
    """
    path = pipeline.parent.parent / f"outputs-{unit}-{digest(corpus)}.npz"
    if not path.exists():
        torch.set_num_threads(threads)
        numpy.savez(path, **_run(pipeline, corpus, unit))
    found = dict(numpy.load(path, allow_pickle=False))
    ids = [(one, two) for one, two in found.pop("ids").tolist()]
    return Outputs(ids=ids, missed=int(found.pop("missed")), unit=unit, **found)


def _run(pipeline: Path, corpus: Path, unit: str) -> dict[str, Any]:
    nlp = spacy.load(pipeline)
    pipe: Any = nlp.get_pipe("hrere_classifier")
    gold = pipe._gold(read_examples(nlp, corpus))
    bags = gather_bags(gold.pairs, across=True) if unit == BAG else pipe.single(gold.pairs)
    outputs = pipe.run_bags(bags)
    known = set(pipe.classes)
    said = union_of(gold.found, bags)
    return {
        "text": outputs.text,
        "kb": outputs.knowledge,
        "gold": pipe.gold(bags, gold.found) > 0,
        "linked": pipe.linked(bags),
        "shared": pipe.shared(),
        "ids": numpy.asarray(bags.ids),
        "missed": sum(len(each - known) for each in said),
    }


def seen_pairs(outputs: Outputs) -> set[frozenset[str]]:
    """RETURNS (set[frozenset[str]]): Pairs of ids, in whichever order."""
    return {frozenset(ids) for ids in outputs.ids}
