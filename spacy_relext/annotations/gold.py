"""Gold triples aligned to the tokens of a predicted Doc."""

from typing import List, NamedTuple, Tuple

from spacy.tokens import Doc

from .store import char_span, get_records


class TokenTriple(NamedTuple):
    """A triple in token offsets; `end`s are the last tokens, inclusive."""

    subject: Tuple[int, int]
    relation: str
    object: Tuple[int, int]

    def shifted(self, start: int) -> "TokenTriple":
        """Count tokens from another beginning.

        start (int): The new token 0.
        RETURNS (TokenTriple): The same triple.
        """
        subject, obj = self.subject, self.object
        return TokenTriple((subject[0] - start, subject[1] - start), self.relation, (obj[0] - start, obj[1] - start))


def align_triples(doc: Doc, gold: Doc) -> List[TokenTriple]:
    """Find the tokens of gold triples in another Doc of the same text.

    doc (Doc): The Doc whose tokens count.
    gold (Doc): The annotated Doc.
    RETURNS (List[TokenTriple]): Arguments inside a token are widened to it; triples whose arguments become one span
        are left out.
    """
    found = []
    for record in get_records(gold, source="") or []:
        subject, obj = char_span(doc, record["subject"]), char_span(doc, record["object"])
        if subject is None or obj is None or (subject.start, subject.end) == (obj.start, obj.end):
            continue
        found.append(TokenTriple((subject.start, subject.end - 1), record["relation"], (obj.start, obj.end - 1)))
    return found
