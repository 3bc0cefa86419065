"""Texts that occur several times in a corpus: exact copies, and pairs of which one text says contradictory things."""

from dataclasses import dataclass, field
from typing import Dict, Set

from ..annotations.triple import Record
from .report import Report


@dataclass
class Repeats:
    """What was seen of the records of a conversion, as hashes.

    texts, copies (Set[int]): Texts, and texts with their annotation.
    pairs (Dict[int, Set[bool]]): Of each marked pair of a text, whether it was related.
    """

    texts: Set[int] = field(default_factory=set)
    copies: Set[int] = field(default_factory=set)
    pairs: Dict[int, Set[bool]] = field(default_factory=dict)

    def count(self, record: Record, report: Report) -> None:
        """Count what a record repeats of earlier ones, and which of its pairs it contradicts."""
        text = hash(record["text"])
        report.repeated_texts += text in self.texts
        self.texts.add(text)
        copy = hash((text, repr([record.get(key) for key in ("entities", "triples", "pairs")])))
        report.copies += copy in self.copies
        self.copies.add(copy)
        if "triples" not in record:
            return
        related = {frozenset((tuple(each["subject"]), tuple(each["object"]))) for each in record["triples"]}
        for pair in record.get("pairs", ()):
            ends = tuple(pair["subject"]), tuple(pair["object"])
            states = self.pairs.setdefault(hash((text, ends)), set())
            before = len(states)
            states.add(frozenset(ends) in related)
            report.contradictions += before == 1 and len(states) == 2
