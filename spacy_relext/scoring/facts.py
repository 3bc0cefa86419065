"""Scores of facts: which relations between the entities of a document are found, each counted once.

A predicted fact is right if some mentions of its two entities are mentions of annotated entities between which the
relation holds. Entities of both sides are matched by their mentions, so that spelling does not matter.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional, Set, Tuple

import numpy
from spacy.scorer import PRFScore
from spacy.training import Example
from spacy.util import registry

from ..annotations.doc_entities import get_facts, stated_facts
from ..annotations.judged import get_judged
from ..annotations.sentences import sentence_offsets
from ..annotations.store import has_triples
from .probabilities import expected_calibration_error
from .triples import Scores

FACT_WEIGHTS: Dict[str, Optional[float]] = {
    "facts_f": 1.0,
    "facts_p": 0.0,
    "facts_r": 0.0,
    "facts_across_r": None,
    "facts_ece": None,
}


@registry.scorers("spacy_relext.fact_scorer.v1")
class FactScorer:
    """Scorer of `relext_documents`; a class, which `n_process` can pickle."""

    def __call__(self, examples: Iterable[Example], **settings: object) -> Scores:
        """Return the scores of `score_facts`."""
        return score_facts(examples)


@dataclass
class FactOutcomes:
    """Predicted facts, each with its score and whether it is right, and counts.

    counts (PRFScore): Of all facts.
    across (PRFScore): Right and missed ones among the annotated facts whose entities no sentence mentions together.
    n_documents (int): Annotated documents.
    """

    scores: List[float] = field(default_factory=list)
    correct: List[bool] = field(default_factory=list)
    counts: PRFScore = field(default_factory=PRFScore)
    across: PRFScore = field(default_factory=PRFScore)
    n_documents: int = 0


def score_facts(examples: Iterable[Example]) -> Scores:
    """Compare the facts of predicted Docs with annotated ones.

    RETURNS (Scores): `facts_p`, `facts_r`, `facts_f`; `facts_across_r`, the recall of those whose entities no sentence
        mentions together; `facts_ece`, the calibration error of scores. None without annotation.
    """
    return summarize(judge_facts(examples))


def summarize(outcomes: FactOutcomes) -> Scores:
    """Compute the scores of `score_facts` from judged facts."""
    if not outcomes.n_documents:
        return {key: None for key in FACT_WEIGHTS}
    scores, correct = numpy.asarray(outcomes.scores), numpy.asarray(outcomes.correct)
    across = outcomes.across
    return {
        "facts_p": outcomes.counts.precision,
        "facts_r": outcomes.counts.recall,
        "facts_f": outcomes.counts.fscore,
        "facts_across_r": across.recall if across.tp + across.fn else None,
        "facts_ece": expected_calibration_error(scores, correct) if len(scores) else None,
    }


def judge_facts(examples: Iterable[Example]) -> FactOutcomes:
    """Say of each predicted fact whether it is annotated; those that the annotation does not cover are left out."""
    outcomes = FactOutcomes()
    counts, across = outcomes.counts, outcomes.across
    for example in examples:
        if not has_triples(example.reference):
            continue
        outcomes.n_documents += 1
        entities, stated, places = stated_facts(example.reference)
        judged = get_judged(example.reference)
        starts = [start for start, _ in sentence_offsets(example)]
        sentences = [{bisect_right(starts, mention.place[0]) for mention in entity.mentions} for entity in entities]
        gold = set(stated)
        is_across = {key for key in gold if not sentences[key[0]] & sentences[key[2]]}
        found: Set[Tuple[int, str, int]] = set()
        for fact in get_facts(example.predicted):
            ends = [
                {places[mention.place] for mention in entity.mentions if mention.place in places}
                for entity in (fact.subject, fact.object)
            ]
            matched = {(one, fact.relation, two) for one in ends[0] for two in ends[1]} & gold
            if not matched and judged is not None and fact.relation not in judged:
                continue
            new = matched - found
            if matched and not new:
                continue  # another name of an entity that counts once
            found |= matched
            counts.tp, counts.fp = counts.tp + bool(matched), counts.fp + (not matched)
            outcomes.scores.append(fact.score)
            outcomes.correct.append(bool(matched))
        counts.fn += len(gold - found)
        across.tp, across.fn = across.tp + len(is_across & found), across.fn + len(is_across - found)
    return outcomes
