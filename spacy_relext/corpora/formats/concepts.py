"""Relations between ids of a knowledge base, which PubTator and BioC have, become triples of mentions."""

import re
from bisect import bisect_left
from typing import Dict, List, Optional

from ...annotations.triple import Record
from .annotation import SpanReader
from .locate import Mention, choose_mentions

# What stands for no id.
_NO_ID = ("", "-", "-1", "None", "NA")
# A mention of several concepts has all their ids.
_SEPARATOR = re.compile(r"[|;,]")

_SENTENCE_END = re.compile(r"[.!?]\s+(?=\W?[A-Z0-9])|\n")


def clean_id(kb_id: str) -> str:
    """Return an id without white space around it; "" if it stands for none."""
    return "" if kb_id.strip() in _NO_ID else kb_id.strip()


class Concepts:
    """The mentions of each id in a text whose spans have been read.

    reader (SpanReader): Has the spans, and gets the triples.
    """

    def __init__(self, reader: SpanReader) -> None:
        ends = [match.start() for match in _SENTENCE_END.finditer(reader.text)]
        self.reader = reader
        self.mentions: Dict[str, List[Mention]] = {}
        for entity in reader.entities:
            mention = (entity["start"], entity["end"], bisect_left(ends, entity["start"]))
            for kb_id in {entity.get("kb_id", ""), *_SEPARATOR.split(entity.get("kb_id", ""))} - {""}:
                self.mentions.setdefault(kb_id, []).append(mention)

    def add_relation(self, subject: str, relation: str, obj: str, *, attributes: Optional[Record] = None) -> None:
        """Add a triple of the two mentions that stand in one sentence, or nearest; count a relation that has none."""
        if not {subject, obj} <= self.mentions.keys():
            self.reader.lose("relations of ids without a mention")
            return
        pair = choose_mentions(self.mentions[subject], self.mentions[obj], [])
        if pair is None:
            self.reader.lose("relations of a span with itself")
            return
        triple: Record = {"subject": list(pair[0]), "relation": relation, "object": list(pair[1])}
        self.reader.triples.append({**triple, "attributes": attributes} if attributes else triple)
