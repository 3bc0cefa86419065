"""Sentences of a Doc as token offsets, of an Example as character offsets, and what lies in them."""

from bisect import bisect_right
from operator import itemgetter
from typing import Iterable, List, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from .triple import CharSpan


def sentence_bounds(doc: Doc) -> List[Tuple[int, int]]:
    """List the sentences of a Doc as (first token, token after the last); without annotation it is one sentence."""
    if not len(doc):
        return []
    if "sents" in doc.user_hooks:
        return [(sentence.start, sentence.end) for sentence in doc.sents]
    # what doc.sents does, without a Python step for each token
    starts = [0, *(numpy.flatnonzero(doc.to_array("SENT_START")[1:] == 1) + 1).tolist()]
    return list(zip(starts, [*starts[1:], len(doc)]))


def sentence_spans(doc: Doc, tokens: Iterable[int], *, bounds: Sequence[Tuple[int, int]]) -> List[Span]:
    """List the sentences that some tokens are in, each once, in the order of the text.

    bounds (Sequence[Tuple[int, int]]): Result of `sentence_bounds`.
    """
    numbers = sorted({bisect_right(bounds, i, key=itemgetter(0)) - 1 for i in tokens})
    return [doc[bounds[number][0] : bounds[number][1]] for number in numbers]


def sentence_offsets(example: Example) -> List[CharSpan]:
    """List the sentences of an example in characters.

    RETURNS (List[CharSpan]): Of the reference, else of the predicted Doc, else the whole text, if there is any.
    """
    for doc in (example.reference, example.predicted):
        if len(doc) > 1 and doc.has_annotation("SENT_START"):
            return [(sent.start_char, sent.end_char) for sent in doc.sents]
    text = example.reference.text
    return [(0, len(text))] if text else []


def is_inside(argument: CharSpan, sentence: CharSpan) -> bool:
    """Return True if all characters of an argument lie in a sentence."""
    return sentence[0] <= argument[0] and argument[1] <= sentence[1]


def overlaps(argument: CharSpan, sentence: CharSpan) -> bool:
    """Return True if an argument and a sentence have a character in common."""
    return argument[0] < sentence[1] and sentence[0] < argument[1]


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
