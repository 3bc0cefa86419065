"""Scores of one class for each marked pair, as the SemEval-2010 and the TACRED scorers define them."""

from collections import defaultdict
from typing import Any, DefaultDict, Dict, Sequence

from spacy.scorer import PRFScore

from ..errors import Errors

OTHER = "Other"

_DIRECTIONS = ("(e1,e2)", "(e2,e1)")


def semeval2010_scores(gold: Sequence[str], predicted: Sequence[str]) -> Dict[str, Any]:
    """Score as the official scorer of SemEval-2010 Task 8 does: (9+1)-way, with directionality taken into account.

    The classes are the relations without their direction. A prediction of the right relation in the wrong direction
    is a false positive and a false negative of that relation. Means run over the relations that occur in gold, `Other`
    left out; macro-F is the mean of the F of each, not the F of the means. All values are fractions.

    gold (Sequence[str]): Labels such as "Cause-Effect(e1,e2)" and "Other". Length P
    predicted (Sequence[str]): The same, predicted. Length P
    RETURNS (Dict[str, Any]): `semeval_macro_p`, `semeval_macro_r`, `semeval_macro_f` (the official score; 0 where gold
        has no relation) and `semeval_per_relation` (relation → p, r, f).
    RAISES (ValueError): Where the lengths differ.
    """
    _check_lengths(gold, predicted)
    counts: DefaultDict[str, PRFScore] = defaultdict(PRFScore)
    for true, said in zip(gold, predicted):
        if true == said:
            counts[_relation(true)].tp += 1
        else:
            counts[_relation(true)].fn += 1
            counts[_relation(said)].fp += 1
    counts.pop(OTHER, None)
    in_gold = [prf for prf in counts.values() if prf.tp + prf.fn]
    per_relation = {relation: prf.to_dict() for relation, prf in sorted(counts.items())}
    n_relations = max(len(in_gold), 1)
    return {
        "semeval_macro_p": sum(prf.precision for prf in in_gold) / n_relations,
        "semeval_macro_r": sum(prf.recall for prf in in_gold) / n_relations,
        "semeval_macro_f": sum(prf.fscore for prf in in_gold) / n_relations,
        "semeval_per_relation": per_relation,
    }


def micro_without(gold: Sequence[str], predicted: Sequence[str], *, no_relation: str) -> Dict[str, float]:
    """Score as the TACRED scorer does: over all classes together, but for "no relation".

    gold (Sequence[str]): Class of each pair. Length P
    predicted (Sequence[str]): The same, predicted. Length P
    no_relation (str): The class that is neither to be found nor counted when it is.
    RETURNS (Dict[str, float]): Fractions `micro_p` (1 where no relation is predicted), `micro_r` (0 where gold has
        none) and `micro_f` (0 where both others are).
    RAISES (ValueError): Where the lengths differ.
    """
    _check_lengths(gold, predicted)
    correct = sum(true == said != no_relation for true, said in zip(gold, predicted))
    n_predicted = sum(said != no_relation for said in predicted)
    n_gold = sum(true != no_relation for true in gold)
    precision = correct / n_predicted if n_predicted else 1.0
    recall = correct / n_gold if n_gold else 0.0
    f_score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"micro_p": precision, "micro_r": recall, "micro_f": f_score}


def _relation(label: str) -> str:
    """Take the direction from a label."""
    for direction in _DIRECTIONS:
        label = label.removesuffix(direction)
    return label


def _check_lengths(gold: Sequence[str], predicted: Sequence[str]) -> None:
    """Make sure that each gold label has its prediction."""
    if len(gold) != len(predicted):
        found, given = f"{len(gold)} gold labels", f"{len(predicted)} predicted ones"
        raise ValueError(Errors.R409.format(found=found, given=given))
