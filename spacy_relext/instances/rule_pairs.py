"""The bodies of rules as texts with two entities, so that what reads pairs can read rules."""

from typing import FrozenSet, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..knowledge.rule_patterns import SUBJECT, Part
from ..knowledge.rules import Rule
from .pairs import Pairs


def rule_pairs(rules: Sequence[Rule], vocab: Vocab, *, stand_in: str) -> Pairs:
    """Make a text of each rule: its words, without its gaps, around two entities of one token.

    rules (Sequence[Rule]): The rules.
    vocab (Vocab): The vocabulary of the texts.
    stand_in (str): The word that stands for an entity.
    RETURNS (Pairs): One a rule, in their order. An entity has its mask's type, or none where that allows several.
    """
    docs: List[Doc] = []
    rows: List[Tuple[int, int, int]] = []
    for rule in rules:
        pattern = rule.pattern
        before, between, after = (_words(part) for part in (pattern.before, pattern.between, pattern.after))
        words = [*before, stand_in, *between, stand_in, *after]
        starts: List[Union[bool, int, None]] = [place == 0 for place in range(len(words))]
        docs.append(Doc(vocab, words=words, sent_starts=starts))
        left, right = len(before), len(before) + 1 + len(between)
        first, second = (left, right) if pattern.first == SUBJECT else (right, left)
        rows.append((len(words), first, second))
    lengths, subjects, objects = numpy.asarray(rows, dtype="int64").reshape(-1, 3).T
    text = numpy.stack([lengths * 0, lengths], axis=1)
    subject, obj = (numpy.stack([place, place + 1], axis=1) for place in (subjects, objects))
    types = [(_only(r.pattern.subject_types), _only(r.pattern.object_types)) for r in rules]
    return Pairs(docs, numpy.arange(len(docs)), text, subject, obj, types, both_orders=False)


def _words(parts: Sequence[Part]) -> List[str]:
    """Leave gaps out."""
    return [part for part in parts if part is not None]


def _only(types: Optional[FrozenSet[str]]) -> str:
    """The one type of a mask, if it has one."""
    return next(iter(types)) if types is not None and len(types) == 1 else ""
