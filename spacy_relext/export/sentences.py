"""The sentence, or the sentences, that hold the arguments of a triple."""

from bisect import bisect_right
from operator import itemgetter
from typing import List, Sequence, Tuple

from spacy.tokens import Doc

from ..annotations.sentences import sentence_bounds


def sentence_chars(doc: Doc) -> List[List[int]]:
    """List the character offsets of the sentences of a Doc; without annotation, it is one sentence."""
    return [[doc[start].idx, doc[end - 1].idx + len(doc[end - 1])] for start, end in sentence_bounds(doc)]


def covering_sentences(sentences: Sequence[Sequence[int]], *arguments: Sequence[int]) -> Tuple[int, int, int]:
    """Find the sentences from the first argument to the last.

    sentences (Sequence[Sequence[int]]): Start and end in characters, in order.
    arguments (Sequence[int]): Start and end of each, in characters.
    RETURNS (Tuple[int, int, int]): The number of the first sentence, from 0, and start and end of all in characters,
        extended to cover the arguments where sentences do not.
    """
    start, end = min(start for start, _ in arguments), max(end for _, end in arguments)
    first = max(bisect_right(sentences, start, key=itemgetter(0)) - 1, 0)
    last = max(bisect_right(sentences, end - 1, key=itemgetter(0)) - 1, 0)
    if not sentences:
        return 0, start, end
    return first, min(sentences[first][0], start), max(sentences[last][1], end)
