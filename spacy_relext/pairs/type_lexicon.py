"""A lexicon of noun types, such as WordNet supersenses, for spans that are not named entities."""

from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Tuple, Union

from spacy.tokens import Span, Token
from spacy.util import registry

from ..corpora.formats.sources import Item, read_lines
from ..errors import Errors

_EXPECTED = "a lower-case noun of one or two words, a tab, and its type"

# Words that follow the head of a noun phrase, for texts without a parse.
_PREPOSITIONS = (
    "about above across after against along among around as at before behind below beneath beside between beyond by "
    "concerning containing during for from in including inside into like near of off on onto outside over per since "
    "than through throughout to toward towards under until up upon via with within without"
)

_RELATIVES = "that which who whom whose where when"

_AFTER_HEAD = frozenset(f"{_PREPOSITIONS} {_RELATIVES}".split())

# Plural and singular endings; of several candidates ("gloves", "wolves", "knives") the one in the lexicon counts.
_PLURALS = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("men", "man"))


class TypeLexicon:
    """A mapping of lower-case nouns of one or two words to types."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = dict(types)

    def __len__(self) -> int:
        return len(self._types)

    def type_of(self, span: Span) -> str:
        """Look up the type of a span's head noun; "" if the lexicon has none.

        The candidates are the whole span, the head with the word before it, and the head alone: in a parsed Doc the
        root and its nearest compound to the left, else the last two words before a preposition or relative pronoun.
        Each is looked up in lower case: as it stands, with the lemma of its last word if the Doc has lemmas, and
        without an English plural ending.
        """
        words = [token for token in span if any(character.isalnum() for character in token.text)]
        if not words:
            return ""
        head = _parsed_head(span) if span.doc.has_annotation("DEP") else _last_words(words)
        phrases = [(" ".join(span.text.split()), words[-1])]
        phrases += [(" ".join(token.text for token in head[first:]), head[-1]) for first in range(len(head))]
        has_lemmas = span.doc.has_annotation("LEMMA")
        forms = (form for phrase, last in phrases for form in _forms(phrase, last, has_lemmas))
        return next((self._types[form] for form in forms if form in self._types), "")

    def to_dict(self) -> Dict[str, str]:
        """Return the mapping."""
        return dict(self._types)


@registry.readers("spacy_relext.TypeLexicon.v1")
def read_type_lexicon(path: Union[str, Path]) -> TypeLexicon:
    """Read a lexicon from tab-separated UTF-8 lines of noun and type; further columns and "#" lines are ignored.

    RAISES (ValueError): If the file cannot be read or a line is malformed.
    """
    types: Dict[str, str] = {}
    try:
        for item in read_lines(Path(path), comment="#"):
            noun, kind = _parse_line(item)
            if types.setdefault(noun, kind) != kind:
                problem = f"{noun!r} is {kind!r}, and was {types[noun]!r} on an earlier line"
                raise ValueError(Errors.R209.format(what=item.where, found=problem, expected="each noun once"))
    except OSError as error:
        raise ValueError(Errors.R216.format(path=str(path), reason=error.strerror or error)) from None
    if not types:
        raise ValueError(Errors.R209.format(what=path, found="no line with a noun", expected=_EXPECTED))
    return TypeLexicon(types)


def _parse_line(item: Item) -> Tuple[str, str]:
    """Parse noun and type of a line."""
    noun, kind = [*str(item.value or "").split("\t"), ""][:2]
    problem = item.error
    if not problem and not (noun.strip() and kind.strip()):
        problem = f"{item.value[:60]!r}"
    elif not problem and (noun != noun.lower() or noun != " ".join(noun.split()) or len(noun.split()) > 2):
        problem = f"the noun {noun[:60]!r}"
    if problem:
        raise ValueError(Errors.R209.format(what=item.where, found=problem, expected=_EXPECTED))
    return noun, kind.strip()


def _parsed_head(span: Span) -> List[Token]:
    """Return the root of a span with the nearest compound to its left."""
    root = span.root
    compounds = [token for token in root.lefts if token.dep_ == "compound" and token.i >= span.start]
    return [*compounds[-1:], root]


def _last_words(words: List[Token]) -> List[Token]:
    """Return the last two words before the first preposition or relative pronoun that is not the first word."""
    end = next((n for n, token in enumerate(words) if n and token.lower_ in _AFTER_HEAD), len(words))
    return words[max(end - 2, 0) : end]


def _forms(phrase: str, last: Token, has_lemmas: bool) -> Iterator[str]:
    """Yield the forms in which to look up a phrase whose last word is `last`."""
    lower = phrase.lower()
    yield lower
    if has_lemmas and lower.endswith(last.lower_):
        yield lower[: len(lower) - len(last.lower_)] + last.lemma_.lower()
    for ending, singular in _PLURALS:
        if lower.endswith(ending) and not lower.endswith("ss"):
            yield lower[: len(lower) - len(ending)] + singular
