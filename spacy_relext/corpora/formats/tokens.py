"""Texts made of tokens: joined by one space, with the characters that each token and each span of them has."""

from typing import Any, List, Sequence, Tuple

from ...errors import Errors
from .checks import check_unicode, describe

CharOffsets = Sequence[Tuple[int, int]]


def check_tokens(tokens: Sequence[Any], *, allow_blank: bool = False) -> List[str]:
    """Make sure that there are tokens and that each is a string with something in it.

    tokens (Sequence[Any]): Raw values.
    allow_blank (bool): Whether a token may be white space only, as tokenizers that keep all of a text make them.
    RETURNS (List[str]): The tokens without white space around them.
    RAISES (ValueError): Where there is none, or one is anything else.
    """
    if not tokens:
        raise ValueError("a sentence has no tokens")
    for position, token in enumerate(tokens):
        if not isinstance(token, str) or not (allow_blank or token.strip()):
            raise ValueError(f"token {position} is {describe(token)}, not a string with something in it")
        check_unicode(token, f"token {position}")
    return [token.strip() for token in tokens]


def join_tokens(tokens: Sequence[str]) -> Tuple[str, List[Tuple[int, int]]]:
    """Join tokens by spaces.

    tokens (Sequence[str]): Without white space around them; empty ones leave no trace.
    RETURNS (Tuple[str, List[Tuple[int, int]]]): The text, and start and end character of each token; an empty one
        starts and ends where the next begins.
    """
    offsets, position = [], 0
    for token in tokens:
        offsets.append((position, position + len(token)))
        position += len(token) + bool(token)
    return " ".join(token for token in tokens if token), offsets


def span_chars(offsets: CharOffsets, start: int, end: int) -> List[int]:
    """Turn a span of tokens into characters.

    offsets (CharOffsets): From `join_tokens`.
    start (int): First token.
    end (int): After the last token.
    RETURNS (List[int]): Start and end character, without empty tokens at either end.
    RAISES (ValueError): Where all of them are empty.
    """
    filled = [offset for offset in offsets[start:end] if offset[0] < offset[1]]
    if not filled:
        raise ValueError(Errors.R703.format(start=start, end=end))
    return [filled[0][0], filled[-1][1]]
