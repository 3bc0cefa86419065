"""What rules just miss, for the message that none of them fires."""

from typing import Sequence

from spacy.tokens import Doc

from ..instances.pairs import Suggester
from ..knowledge.rule_check import RuleReport, check_rules
from ..knowledge.rules import Rule

# Rules that are named.
MOST_RULES = 3


def nearest_misses(rules: Sequence[Rule], docs: Sequence[Doc], *, suggester: Suggester, form: str, max_gap: int) -> str:
    """Say which rules nearly fire.

    rules (Sequence[Rule]): The rules.
    docs (Sequence[Doc]): Texts with entities.
    suggester (Suggester): Chooses the pairs.
    form (str): As for `RuleIndex`.
    max_gap (int): As for `RuleIndex`.
    RETURNS (str): A few of them, each with a text that it just misses or with the types that keep it from firing.
    """
    report = check_rules(rules, docs, suggester=suggester, form=form, max_gap=max_gap, samples=1)
    if form == "lemma" and not report.lemmas:
        return 'the texts have no lemmas to compare (form = "lemma"): put a lemmatizer before the component'
    told = [_tell(each) for each in report.rules if each.near or each.other_types or each.far][:MOST_RULES]
    return "; ".join(told) or f"none comes near in the first {len(docs)} texts"


def _tell(report: RuleReport) -> str:
    """Say what one rule just misses."""
    name = f"{report.rule.id!r} ({report.rule.pattern})"
    if report.other_types:
        (subject, obj), _ = report.other_types.most_common(1)[0]
        return f"the words of {name} stand between {subject or 'no type'!r} and {obj or 'no type'!r}"
    if report.near:
        return f"{name} just misses {report.near[0]!r}"
    return f"{name} misses {report.far[0]!r} by a word and by the types of its arguments"
