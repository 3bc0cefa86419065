"""The bodies of rules as texts with two entities, so that what reads pairs can read rules."""

from typing import FrozenSet, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..knowledge.rule_patterns import SUBJECT, Part
from ..knowledge.rules import Rule
from .pairs import Pairs

Arguments = Tuple[Sequence[str], Sequence[str]]


def rule_pairs(
    rules: Sequence[Rule], vocab: Vocab, *, stand_in: str, arguments: Sequence[Optional[Arguments]] = ()
) -> Pairs:
    """Make a text of each rule: its words, without its gaps, around two entities.

    rules (Sequence[Rule]): The rules.
    vocab (Vocab): The vocabulary of the texts.
    stand_in (str): The word that stands for an entity.
    arguments (Sequence[Optional[Tuple[Sequence[str], Sequence[str]]]]): Words of the subject and of the object of each
        rule's text; None, or none at all: the stand-in.
    RETURNS (Pairs): One a rule, in their order. An entity has its mask's type, or none where that allows several.
    """
    docs: List[Doc] = []
    rows: List[Tuple[int, int, int, int, int]] = []
    for number, rule in enumerate(rules):
        found = arguments[number] if arguments else None
        subject_words, object_words = found or ([stand_in], [stand_in])
        pattern = rule.pattern
        before, between, after = (_words(part) for part in (pattern.before, pattern.between, pattern.after))
        turned = pattern.first != SUBJECT
        names = (object_words, subject_words) if turned else (subject_words, object_words)
        words = [*before, *names[0], *between, *names[1], *after]
        starts: List[Union[bool, int, None]] = [place == 0 for place in range(len(words))]
        docs.append(Doc(vocab, words=words, sent_starts=starts))
        left, right = len(before), len(before) + len(names[0]) + len(between)
        places = [(left, left + len(names[0])), (right, right + len(names[1]))]
        rows.append((len(words), *places[turned], *places[not turned]))
    table = numpy.asarray(rows, dtype="int64").reshape(-1, 5)
    text, subject, obj = numpy.stack([table[:, 0] * 0, table[:, 0]], axis=1), table[:, 1:3], table[:, 3:5]
    types = [(_only(r.pattern.subject_types), _only(r.pattern.object_types)) for r in rules]
    return Pairs(docs, numpy.arange(len(docs)), text, subject, obj, types, both_orders=False)


def _words(parts: Sequence[Part]) -> List[str]:
    """Leave gaps out."""
    return [part for part in parts if part is not None]


def _only(types: Optional[FrozenSet[str]]) -> str:
    """The one type of a mask, if it has one."""
    return next(iter(types)) if types is not None and len(types) == 1 else ""
