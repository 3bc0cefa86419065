"""Pieces of a sentence and how they are joined: mentions, articles, capitals, stops."""

import re
from dataclasses import dataclass
from typing import List, Sequence, Tuple, Union

_NO_SURNAME = {"Jr.", "Sr.", "I", "II", "III", "IV", "V", "VI", "VIII", "X", "XIV", "Elder", "Younger", "Great"}
_VOWEL = re.compile(r"(?!uni|use|eu|one|ug|uk|us\b|u\.)(?:[aeiouàáéíóöüäåæø]|hour|honest|heir)", re.IGNORECASE)


@dataclass(frozen=True)
class Mention:
    """A name in a sentence."""

    entity_id: str
    text: str


Piece = Union[str, Mention]


class Draft:
    """A clause in the making: its pieces and the facts it states."""

    def __init__(self, pieces: List[Piece], states: List[Tuple[str, str, str]]) -> None:
        self.pieces = pieces
        self.states = states

    @property
    def ids(self) -> List[str]:
        """RETURNS (List[str]): The entities it mentions."""
        return [piece.entity_id for piece in self.pieces if isinstance(piece, Mention)]

    def plus(self, *parts: "Draft") -> "Draft":
        """Append other drafts.

        RETURNS (Draft): The whole.
        """
        pieces, states = list(self.pieces), list(self.states)
        for part in parts:
            pieces += part.pieces
            states += part.states
        return Draft(pieces, states)


def assemble(pieces: Sequence[Piece]) -> Tuple[str, List[Tuple[int, int, str]]]:
    """Join the pieces of a sentence: articles, first letter, final stop.

    pieces (Sequence[Piece]): Text and mentions.
    RETURNS (Tuple[str, List[Tuple[int, int, str]]]): The text, and (start, end, entity id) of each mention.
    """
    text, mentions = "", []
    for index, piece in enumerate(pieces):
        if isinstance(piece, Mention):
            mentions.append((len(text), len(text) + len(piece.text), piece.entity_id))
            text += piece.text
            continue
        following = "".join(p if isinstance(p, str) else p.text for p in pieces[index + 1 : index + 3])
        text += _choose_articles(piece, following)
        if text.endswith("..") or (piece[:1] == "." and text[: -len(piece)].endswith(".")):
            text = text[: -len(piece)] + piece[1:]  # a name such as "U.S." has its stop already
    return text[0].upper() + text[1:], mentions


def _choose_articles(piece: str, following: str) -> str:
    """Write "a" or "an" for each `a(n)`, by the word that comes after it."""
    parts = piece.split("a(n) ")
    for index in range(len(parts) - 1, 0, -1):
        after = "".join(parts[index:]) or following
        parts[index - 1] += "an " if _VOWEL.match(after) else "a "
    return "".join(parts)


def surname_of(label: str) -> str:
    """Shorten a person's name to the surname.

    label (str): A full name.
    RETURNS (str): The surname with its particles; the label where it has none that can stand alone.
    """
    words = label.split()
    if len(words) < 2 or words[-1] in _NO_SURNAME or words[-1][0].islower() or " of " in label or " the " in label:
        return label
    start = len(words) - 1
    while start > 1 and words[start - 1].islower():
        start -= 1
    return " ".join(words[start:])
