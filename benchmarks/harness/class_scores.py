"""Scores of one class per marked pair, as the scorers of SemEval-2010 Task 8 and TACRED define them."""

from collections import defaultdict
from typing import DefaultDict, Dict, Sequence

from spacy.scorer import PRFScore

from spacy_relext.errors import Errors
from spacy_relext.scoring.triples import Scores

OTHER = "Other"

_DIRECTIONS = ("(e1,e2)", "(e2,e1)")


def semeval2010_scores(gold: Sequence[str], predicted: Sequence[str]) -> Scores:
    """Score as the official scorer of SemEval-2010 Task 8 does: (9+1)-way, with directionality taken into account.

    Classes are relations without direction. The correct relation in the wrong direction is a false positive and a false
    negative of that relation. Means are over the relations in gold without `Other`; macro-F is the mean of the F of
    each, not the F of the means. All values are fractions.

    gold (Sequence[str]): Labels such as "Cause-Effect(e1,e2)" and "Other". Length P
    predicted (Sequence[str]): Predicted labels. Length P
    RETURNS (Scores): `semeval_macro_p`, `semeval_macro_r`, `semeval_macro_f` (the official score; 0 if gold has no
        relation) and `semeval_per_relation` (relation → p, r, f).
    RAISES (ValueError): If the lengths differ.
    """
    _check_lengths(gold, predicted)
    counts: DefaultDict[str, PRFScore] = defaultdict(PRFScore)
    for true, guess in zip(gold, predicted):
        if true == guess:
            counts[_relation(true)].tp += 1
        else:
            counts[_relation(true)].fn += 1
            counts[_relation(guess)].fp += 1
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
    """Score as the TACRED scorer does: micro scores over all classes but "no relation".

    gold (Sequence[str]): Class of each pair. Length P
    predicted (Sequence[str]): Predicted classes. Length P
    no_relation (str): The class that does not count.
    RETURNS (Dict[str, float]): Fractions `micro_p` (1 if no relation is predicted), `micro_r` (0 if gold has none) and
        `micro_f` (0 if both others are).
    RAISES (ValueError): If the lengths differ.
    """
    _check_lengths(gold, predicted)
    correct = sum(true == guess != no_relation for true, guess in zip(gold, predicted))
    n_predicted = sum(guess != no_relation for guess in predicted)
    n_gold = sum(true != no_relation for true in gold)
    precision = correct / n_predicted if n_predicted else 1.0
    recall = correct / n_gold if n_gold else 0.0
    f_score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"micro_p": precision, "micro_r": recall, "micro_f": f_score}


def _relation(label: str) -> str:
    """Remove the direction from a label."""
    for direction in _DIRECTIONS:
        label = label.removesuffix(direction)
    return label


def _check_lengths(gold: Sequence[str], predicted: Sequence[str]) -> None:
    """Raise unless each gold label has a prediction."""
    if len(gold) != len(predicted):
        raise ValueError(Errors.R409.format(found=f"{len(gold)} gold labels", given=f"{len(predicted)} predicted ones"))
