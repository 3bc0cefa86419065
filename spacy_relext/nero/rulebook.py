"""What `nero_grounder` does with rules: reads them, lets them vote, adds more, and reads them as texts."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.language import Language

from ..errors import Warnings
from ..pairs.component import FITTED as PAIR_FITTED
from ..pairs.component import PairPipe
from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from .grounding import RuleClasses, RuleVotes, relations_of, rule_pairs, vote
from .rules.analysis import unseen_types
from .rules.index import RuleIndex
from .rules.rules import Rule, free_name, from_records, read_rules, to_records, usable_rules

Records = Sequence[Dict[str, Any]]

# The rules of training and those that were added later, as plain values.
FITTED: Dict[str, Any] = {**PAIR_FITTED, "grounds": [], "late": []}

STAND_IN = "something"


class RuleTable:
    """Rules, and what follows from them."""

    def __init__(self, rules: List[Rule], classes: List[PairClass], *, form: str, max_gap: int) -> None:
        """Index the rules.

        rules (List[Rule]): The rules.
        classes (List[PairClass]): Those that the model knows.
        form (str): What of a token is compared; see `RuleIndex`.
        max_gap (int): Most tokens that a gap stands for.
        """
        self.rules = rules
        self.index = RuleIndex(rules, form=form, max_gap=max_gap)
        turned = (False, True) if any(each.backwards for each in classes) else (False,)
        known = {each.relation for each in classes}
        late = [PairClass(name, way) for name in relations_of(rules) if name not in known for way in turned]
        self.answers = [*classes, *late]
        self.classes = RuleClasses(rules, self.answers)
        numbers = [self.classes.number(PairClass(rule.relation)) for rule in rules]
        self.rule_classes = numpy.asarray(numbers, dtype="int64")


class RulePipe(PairPipe):
    """The part of `nero_grounder` that knows its rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a component without rules; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self._parsed: Optional[Tuple[Any, RuleTable]] = None
        self._vectors: Any = None
        self._bodies: Optional[Pairs] = None

    @property
    def rules(self) -> List[Rule]:
        """RETURNS (List[Rule]): The rules in use, those that were added later last."""
        return self.table.rules

    @property
    def table(self) -> RuleTable:
        """RETURNS (RuleTable): What follows from the rules, made anew when they change."""
        key = (self.cfg["grounds"], self.cfg["late"], self.cfg["classes"])
        if self._parsed is None or any(old is not new for old, new in zip(self._parsed[0], key)):
            rules = from_records([*self.cfg["grounds"], *self.cfg["late"]])
            made = RuleTable(rules, self.classes, form=self.cfg["form"], max_gap=self.cfg["max_gap"])
            self._parsed = (key, made)
            self._vectors = self._bodies = None
        return self._parsed[1]

    def add_rules(self, rules: Union[str, Path, Records], *, nlp: Optional[Language] = None) -> List[str]:
        """Add rules to a trained component, also of relations that it has never seen: these it finds by likeness alone.

        rules (Union[str, Path, Sequence[Dict[str, Any]]]): A file, or records of `relation` and `pattern`. One with a
            pattern that is there already is not added, with a warning.
        nlp (Optional[Language]): The pipeline, whose tokenizer splits the patterns; None: they are split at spaces.
        RETURNS (List[str]): The relations that are new.
        RAISES (ValueError): Where a rule cannot be used or contradicts one that is there, or the component is not
            initialized.
        """
        self.require_initialized()
        fresh = self.read_rules(rules, nlp, known=self.rules)
        self.cfg["late"] = [*self.cfg["late"], *to_records(renamed(fresh, self.rules))]
        new = sorted(set(relations_of(fresh)) - set(self.labels))
        self.cfg["labels"] = sorted({*self.labels, *new})
        return new

    def read_rules(
        self,
        rules: Union[str, Path, Records],
        nlp: Optional[Language],
        *,
        relations: Optional[Sequence[str]] = None,
        known: Sequence[Rule] = (),
    ) -> List[Rule]:
        """Read rules from a file or from records, and say what is left out.

        rules (Union[str, Path, Sequence[Dict[str, Any]]]): A file, or records.
        nlp (Optional[Language]): As for `add_rules`.
        relations (Optional[Sequence[str]]): The relations there are; None: those of the rules.
        known (Sequence[Rule]): Rules that are there already.
        RETURNS (List[Rule]): Those that can be used and are not there.
        RAISES (ValueError): Where one cannot be.
        """
        tokenize = None if nlp is None else lambda word: [token.text for token in nlp.tokenizer(word)]
        options: Dict[str, Any] = {name: self.cfg[name] for name in ("max_gap", "any_type")}
        options.update(tokenize=tokenize, lower=self.cfg["form"] == "lower", relations=relations, known=known)
        where = str(rules) if isinstance(rules, (str, Path)) else f"the rules of {self.name}"
        found = read_rules(rules, where=self.name, **options)
        # where rules are added, that all of them are there already is none of their faults
        usable = usable_rules(found, where, needed=not known)
        if found.problems:
            first, left_out = found.problems[0], len(found.problems)
            counts = {"count": left_out, "total": left_out + len(usable), "where": where}
            message = Warnings.W500.format(name=self.name, what=f"{first.where}: {first.message}", **counts)
            self.warn_once(f"rules {where}", message)
        return usable

    def warn_of_types(self, types: Collection[str], where: str) -> None:
        """Say which types of rules no entity has.

        types (Collection[str]): Types of entities.
        where (str): What has these entities.
        """
        for kind, rules in unseen_types(self.rules, types).items():
            said = {"kind": kind, "count": len(rules), "rule": rules[0].id, "types": ", ".join(sorted(types)) or "none"}
            self.warn_once(f"type {kind}", Warnings.W509.format(name=self.name, where=where, **said))

    def votes(self, pairs: Pairs) -> RuleVotes:
        """Let the rules vote.

        pairs (Pairs): The pairs.
        RETURNS (RuleVotes): One answer for each.
        """
        return vote(self.table.index.match(pairs), self.rules, pairs=len(pairs))

    def bodies(self) -> Pairs:
        """RETURNS (Pairs): The rules as texts."""
        rules = self.rules
        if self._bodies is None:
            self._bodies = rule_pairs(rules, self.vocab, stand_in=STAND_IN)
        return self._bodies

    def rule_vectors(self) -> Any:
        """RETURNS (NDArray): Vectors of all rules, from the weights as they were when they were last forgotten.
        Shape (J, D)
        """
        bodies = self.bodies()
        if self._vectors is None:
            self._vectors = self.read(bodies).unit
        return self._vectors

    def forget_vectors(self) -> None:
        """Let rules be read anew: weights are others."""
        self._vectors = None

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RulePipe":
        """Read weights and settings; see `RelationPipe.from_bytes`."""
        self.forget_vectors()
        super().from_bytes(bytes_data, exclude=exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "RulePipe":
        """Read weights and settings; see `RelationPipe.from_disk`."""
        self.forget_vectors()
        super().from_disk(path, exclude=exclude)
        return self


def renamed(new: Sequence[Rule], known: Sequence[Rule]) -> List[Rule]:
    """Give rules of one source other ids than those of another: evidence names a rule by its id alone.

    new (Sequence[Rule]): Rules with different ids.
    known (Sequence[Rule]): Rules whose ids stay.
    RETURNS (List[Rule]): The new ones; to an id that is taken, a number is added.
    """
    taken, found = {rule.id for rule in known}, []
    for rule in new:
        name = free_name(rule.id, taken)
        taken.add(name)
        found.append(replace(rule, id=name))
    return found
