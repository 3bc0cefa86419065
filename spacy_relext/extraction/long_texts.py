"""Texts that are longer than a pipeline accepts: cut at the ends of sentences, and joined again with their triples."""

import re
from typing import List

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.parts import merge_docs

# What a piece may end with, the best first: a blank line, the end of a sentence, a line break, white space.
_ENDS = [re.compile(pattern) for pattern in (r"\n\s*\n", r"[.!?…]['\")\]’”»]*\s+|[。！？]", r"\n", r"\s+")]


def cut_text(text: str, longest: int) -> List[str]:
    """Cut a text into consecutive pieces, each up to the best break near the limit; joined, they are the text again.

    longest (int): Maximum number of characters in a piece. White space stays at the end of a piece.
    """
    pieces, start = [], 0
    while len(text) - start > longest:
        end = _last_end(text, start, start + longest)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _last_end(text: str, start: int, limit: int) -> int:
    """Find the last break of the best kind in the second half of a piece, or its limit if there is no break."""
    middle = start + (limit - start) // 2
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(text, middle, limit)]
        if ends:
            return ends[-1]
    return limit


def process_long(nlp: Language, text: str) -> Doc:
    """Run a pipeline on a text that is longer than it accepts: no triple spans two pieces."""
    return merge_docs(list(nlp.pipe(cut_text(text, nlp.max_length))), ensure_whitespace=False)
