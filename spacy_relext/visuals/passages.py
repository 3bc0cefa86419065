"""Passages of a text with coloured arguments, as plain values for the script `passages.js`."""

from typing import Iterator, List, Optional, Sequence, Tuple

from ..annotations.triple import CharSpan, Record

ROLES = ("subject", "object")


def show_triple(text: str, passages: Sequence[CharSpan], record: Optional[Record], *, has_score: bool) -> Record:
    """Make the data that its function `side` shows: passages of a text, and a triple in them.

    record (Optional[Record]): The triple; None: there is none.
    has_score (bool): Show score and source, which gold triples do not have.
    RETURNS (Record): `pieces` of text, each with "subject", "object", both or "", and `triple`. Offsets would not do:
        JavaScript counts UTF-16 units.
    """
    pieces: List[Tuple[str, str]] = []
    for number, passage in enumerate(passages):
        pieces += [*([(" … ", "")] if number else []), *_cut(text, passage, record)]
    if record is None:
        return {"pieces": pieces, "triple": None}
    triple = {role: text[slice(*record[role])] for role in ROLES} | {"relation": record["relation"]}
    if has_score:
        triple |= {"score": record["score"], "source": record["source"]}
    return {"pieces": pieces, "triple": triple}


def _cut(text: str, passage: CharSpan, record: Optional[Record]) -> Iterator[Tuple[str, str]]:
    """Cut a passage where arguments begin and end, and name the role of each piece."""
    start, end = passage
    end = start + len(text[start:end].rstrip())
    spans = {role: record[role] for role in ROLES} if record is not None else {}
    cuts = sorted({start, end, *(min(max(each, start), end) for span in spans.values() for each in span)})
    for left, right in zip(cuts, cuts[1:]):
        roles = [role for role, span in spans.items() if span[0] <= left and right <= span[1]]
        yield text[left:right], " ".join(roles)
