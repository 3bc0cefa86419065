"""Gold triples aligned to the tokens of a predicted Doc."""

from typing import List, NamedTuple, Tuple

from spacy.tokens import Doc

from .store import get_records, token_spans


class TokenTriple(NamedTuple):
    """A triple in token offsets; the second number of an argument is its last token, inclusive."""

    subject: Tuple[int, int]
    relation: str
    object: Tuple[int, int]

    def shifted(self, start: int) -> "TokenTriple":
        """Count tokens from another start.

        start (int): The new token 0.
        RETURNS (TokenTriple): The same triple.
        """
        subject, obj = self.subject, self.object
        return TokenTriple((subject[0] - start, subject[1] - start), self.relation, (obj[0] - start, obj[1] - start))


def align_triples(doc: Doc, gold: Doc) -> List[TokenTriple]:
    """Find the tokens of gold triples in another Doc of the same text.

    doc (Doc): The Doc that gives the tokens.
    gold (Doc): The annotated Doc.
    RETURNS (List[TokenTriple]): Arguments inside a token are widened to it; triples whose arguments become one span
        are left out.
    """
    aligned = []
    for record in get_records(gold, source="") or []:
        spans = token_spans(doc, record)
        if spans is not None:
            (subject, obj), relation = spans, record["relation"]
            aligned.append(TokenTriple((subject.start, subject.end - 1), relation, (obj.start, obj.end - 1)))
    return aligned
