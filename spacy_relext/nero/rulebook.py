"""The rules of a `nero_grounder`, with their index, the classes they state, and their bodies as texts."""

from dataclasses import replace
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy
from spacy.language import Language
from spacy.vocab import Vocab

from ..annotations.triple import Record
from ..errors import Warnings
from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from ..pipeline.settings import Settings
from .grounding import RuleClasses, RuleVotes, relations_of, rule_pairs, vote
from .rules.index import RuleIndex
from .rules.rules import Rule, free_name, from_records, read_rules, usable_rules

# The word that stands for an entity in the body of a rule.
PLACEHOLDER = "something"


class Rulebook:
    """Rules of training and those that were added later, and what follows from them.

    records (Sequence[Record]): The rules of training, as plain values.
    late (Sequence[Record]): Those that were added later.
    classes (Sequence[PairClass]): The model's classes.
    form (str): What of a token is compared; see `RuleIndex`.
    max_gap (int): Most tokens that a gap stands for.
    """

    def __init__(
        self,
        records: Sequence[Record] = (),
        late: Sequence[Record] = (),
        *,
        classes: Sequence[PairClass] = (),
        form: str,
        max_gap: int,
    ) -> None:
        self.records, self.late, self.form, self.max_gap = list(records), list(late), form, max_gap
        self.rules: List[Rule] = from_records([*self.records, *self.late])
        self._index = RuleIndex(self.rules, form=form, max_gap=max_gap)
        self._bodies: Optional[Pairs] = None
        self.set_classes(classes)

    def set_classes(self, classes: Sequence[PairClass]) -> None:
        """Number the answers of the rules: first the model's classes, then those of relations without one.

        classes (Sequence[PairClass]): The model's classes.
        """
        directions = (False, True) if any(each.backwards for each in classes) else (False,)
        known = {each.relation for each in classes}
        relations = [relation for relation in relations_of(self.rules) if relation not in known]
        self.answers = [*classes, *(PairClass(relation, way) for relation in relations for way in directions)]
        self.classes = RuleClasses(self.rules, self.answers)
        numbers = [self.classes.number(PairClass(rule.relation)) for rule in self.rules]
        self.rule_classes = numpy.asarray(numbers, dtype="int64")

    def __len__(self) -> int:
        return len(self.rules)

    def vote(self, pairs: Pairs) -> RuleVotes:
        """Let the rules vote.

        pairs (Pairs): The pairs.
        RETURNS (RuleVotes): One answer for each.
        """
        return vote(self._index.match(pairs), self.rules, pairs=len(pairs))

    def bodies(self, vocab: Vocab) -> Pairs:
        """Make a text of each rule, once.

        vocab (Vocab): The vocabulary.
        RETURNS (Pairs): One a rule, with placeholders as entities.
        """
        if self._bodies is None:
            self._bodies = rule_pairs(self.rules, vocab, placeholder=PLACEHOLDER)
        return self._bodies

    def explain_no_relation(self, pairs: Pairs) -> str:
        """Find a rule that states that a pair has no relation.

        pairs (Pairs): Pairs without a triple.
        RETURNS (str): A clause; "" if no rule fires.
        """
        for number, which in enumerate(self.vote(pairs).rule.tolist()):
            if which >= 0:
                rule, (subject, obj) = self.rules[which], pairs.spans(number)
                return (
                    f'rule {rule.id} "{rule.pattern}" says that {subject.text} and {obj.text} have no relation; '
                    "where that is wrong, correct the rule and train anew"
                )
        return ""

    def nearest_rule(self, answer: int, grid: numpy.ndarray, scores: numpy.ndarray) -> Optional[Tuple[Rule, float]]:
        """Find the rule with a given answer that a pair's text is most like.

        answer (int): Number of the answer.
        grid (numpy.ndarray): Answer that each rule would give. Shape (J,)
        scores (numpy.ndarray): Soft matches. Shape (J,)
        RETURNS (Optional[Tuple[Rule, float]]): Rule and score; None if no rule has that answer.
        """
        rows = numpy.flatnonzero(grid == answer)
        if not len(rows):
            return None
        best = int(rows[scores[rows].argmax()])
        return self.rules[best], float(scores[best])


def rename_duplicates(new: Sequence[Rule], known: Sequence[Rule]) -> List[Rule]:
    """Give rules ids that no other rule has: evidence names a rule by its id alone.

    new (Sequence[Rule]): Rules with different ids.
    known (Sequence[Rule]): Rules whose ids stay.
    RETURNS (List[Rule]): The new ones; a number is added to an id that is taken.
    """
    taken, renamed = {rule.id for rule in known}, []
    for rule in new:
        name = free_name(rule.id, taken)
        taken.add(name)
        renamed.append(replace(rule, id=name))
    return renamed


def load_rules(
    rules: Union[str, Path, Sequence[Record]],
    nlp: Optional[Language],
    *,
    name: str,
    form: str,
    max_gap: int,
    any_type: bool,
    relations: Optional[Sequence[str]] = None,
    known: Sequence[Rule] = (),
) -> Tuple[List[Rule], str]:
    """Read and check rules from a file or from records.

    rules (Union[str, Path, Sequence[Record]]): A file, or records.
    nlp (Optional[Language]): The pipeline, whose tokenizer splits the patterns; None: they are split at spaces.
    name (str): The component.
    form (str): What of a token is compared.
    max_gap (int): Most tokens that a gap stands for.
    any_type (bool): Whether the types behind the masks are left out.
    relations (Optional[Sequence[str]]): The relations there are; None: those of the rules.
    known (Sequence[Rule]): Rules that are there already.
    RETURNS (Tuple[List[Rule], str]): Those that can be used and are not there, and a warning of others, "" if none.
    RAISES (ValueError): If one cannot be used.
    """
    checks: Settings = {
        "max_gap": max_gap,
        "any_type": any_type,
        "tokenize": None if nlp is None else lambda word: [token.text for token in nlp.tokenizer(word)],
        "lower": form == "lower",
        "relations": relations,
        "known": known,
    }
    where = str(rules) if isinstance(rules, (str, Path)) else f"the rules of {name}"
    checked = read_rules(rules, where=name, **checks)
    # it is no fault if all rules that are added are there already
    usable = usable_rules(checked, where, needed=not known)
    if not checked.problems:
        return usable, ""
    first, left_out = checked.problems[0], len(checked.problems)
    counts = {"count": left_out, "total": left_out + len(usable), "where": where}
    return usable, Warnings.W500.format(name=name, what=f"{first.where}: {first.message}", **counts)
