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
from .grounding import Floats, IntArray, RuleClasses, RuleVotes, relations_of, rule_pairs, vote
from .rules.index import RuleIndex
from .rules.rules import Rule, free_name, from_records, read_rules, usable_rules
from .settings import RuleGrounding

# The word that stands for an entity in the body of a rule.
PLACEHOLDER = "something"


class Rulebook:
    """Rules of training and those that were added later, as records, and what is derived from them.

    records (Sequence[Record]): The rules of training.
    late (Sequence[Record]): Those that were added later.
    classes (Sequence[PairClass]): The model's classes.
    form, max_gap: See `RuleIndex`.
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
        """Number the answers of the rules: first the model's classes, then those for relations without a class."""
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
        """Let the rules vote; see `vote`."""
        return vote(self._index.match(pairs), self.rules, pairs=len(pairs))

    def bodies(self, vocab: Vocab) -> Pairs:
        """Make a text from each rule, with placeholders as entities, and cache it."""
        if self._bodies is None:
            self._bodies = rule_pairs(self.rules, vocab, placeholder=PLACEHOLDER)
        return self._bodies

    def nearest_rule(self, answer: int, grid: IntArray, scores: Floats) -> Optional[Tuple[Rule, float]]:
        """Find the rule with a given answer that is most similar to a pair, and its soft match; None if there is none.

        grid (IntArray): Answer of each rule. Shape (J,)
        scores (Floats): Soft match of each. Shape (J,)
        """
        rows = numpy.flatnonzero(grid == answer)
        if not len(rows):
            return None
        best = int(rows[scores[rows].argmax()])
        return self.rules[best], float(scores[best])


def rename_duplicates(new: Sequence[Rule], known: Sequence[Rule]) -> List[Rule]:
    """Append a number to the ids of new rules that are taken: evidence names a rule by its id alone."""
    taken, renamed = {rule.id for rule in known}, []
    for rule in new:
        renamed.append(replace(rule, id=free_name(rule.id, taken)))
        taken.add(renamed[-1].id)
    return renamed


def load_rules(
    rules: Union[str, Path, Sequence[Record]],
    nlp: Optional[Language],
    *,
    name: str,
    grounding: RuleGrounding,
    relations: Optional[Sequence[str]] = None,
    known: Sequence[Rule] = (),
) -> Tuple[List[Rule], str]:
    """Read and check rules from a file or from records.

    nlp (Optional[Language]): The pipeline, whose tokenizer splits the patterns; None: they are split at spaces.
    name (str): The component.
    relations, known: See `read_rules`.
    RETURNS (Tuple[List[Rule], str]): Usable rules that are not known, and a warning about others, "" if none.
    RAISES (ValueError): If a rule has a fatal problem, or none is left.
    """
    where = str(rules) if isinstance(rules, (str, Path)) else f"the rules of {name}"
    checked = read_rules(
        rules,
        where=name,
        max_gap=grounding.max_gap,
        tokenize=None if nlp is None else lambda word: [token.text for token in nlp.tokenizer(word)],
        lower=grounding.form == "lower",
        relations=relations,
        known=known,
    )
    # all added rules may be known already
    usable = usable_rules(checked, where, needed=not known)
    if not checked.problems:
        return usable, ""
    first, left_out = checked.problems[0], len(checked.problems)
    counts = {"count": left_out, "total": left_out + len(usable), "where": where}
    return usable, Warnings.W500.format(name=name, what=f"{first.where}: {first.message}", **counts)
