"""Which sentences a score counts: the annotated ones where there are any."""

from typing import List

from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.triple import CharSpan


def sentence_offsets(example: Example) -> List[CharSpan]:
    """List the sentences of an example: the reference's, else the predicted Doc's, else the whole text.

    example (Example): The example.
    RETURNS (List[CharSpan]): Start and end character of each; empty for an empty document.
    """
    for doc in (example.reference, example.predicted):
        if len(doc) > 1 and doc.has_annotation("SENT_START"):
            return _offsets(doc)
    text = example.reference.text
    return [(0, len(text))] if text else []


def inside(argument: CharSpan, sentence: CharSpan) -> bool:
    """Say whether an argument lies in a sentence.

    argument (CharSpan): Start and end character.
    sentence (CharSpan): Start and end character.
    RETURNS (bool): True where no character is outside.
    """
    return sentence[0] <= argument[0] and argument[1] <= sentence[1]


def overlaps(argument: CharSpan, sentence: CharSpan) -> bool:
    """Say whether an argument shares a character with a sentence.

    argument (CharSpan): Start and end character.
    sentence (CharSpan): Start and end character.
    RETURNS (bool): True where at least one character is common.
    """
    return argument[0] < sentence[1] and sentence[0] < argument[1]


def _offsets(doc: Doc) -> List[CharSpan]:
    return [(sent.start_char, sent.end_char) for sent in doc.sents]
