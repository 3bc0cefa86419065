"""Contexts of entity pairs: the words that a name of their cluster may use, and a phrase as a sample."""

from re import sub
from textwrap import shorten
from typing import Collection, List, NamedTuple, Sequence, Tuple

from spacy.tokens import Doc, Span, Token

from ..annotations.entities import doc_entities
from ..pairs.pairs import Pairs

# Maximum number of words between the arguments, and before and behind them: beyond, words say little about the pair.
MAX_GAP, MAX_AROUND = 10, 4

# Characters of each part of a sample: of both arguments, and of what is between them.
MAX_SHOWN = 16

# Languages in which every noun has a capital.
CAPITAL_NOUNS = ("de", "lb")

ELLIPSIS = "…"

Words = Tuple[str, ...]


class Context(NamedTuple):
    """Context of a pair in a text.

    text (int): Hash of the text, so that a text with many pairs counts once.
    words (Words): In lower case; "" for what no name may contain or span: names, numbers, dates, punctuation.
    sample (str): Both arguments and what is between them, shortened, on one line.
    """

    text: int
    words: Words
    sample: str


def read_contexts(pairs: Pairs, *, stop: Collection[str]) -> List[Context]:
    """Read the words between the arguments of each pair; without a content word there, also those behind and before.

    stop (Collection[str]): Stop words.
    """
    words = [_name_words(doc) for doc in pairs.docs]
    contexts = []
    for number in range(len(pairs)):
        index, first, end, start, last = pairs.place(number)
        doc, own, (text_start, text_end) = pairs.docs[index], words[index], pairs.text[number].tolist()
        found = tuple(own[end:start])
        if not any(is_content(word, stop) for word in found):
            behind = own[max(end, last) : text_end]
            found = (*found, "", *behind[:MAX_AROUND], "", *own[max(text_start, first - MAX_AROUND) : first])
        elif len(found) > MAX_GAP:
            found = ()
        sample = _sample(doc[first:end], doc[start:last], [word for word in own[end:start] if is_content(word, stop)])
        contexts.append(Context(hash((doc.text, text_start)), found, sample))
    return contexts


def is_content(word: str, stop: Collection[str]) -> bool:
    """Return True for a content word."""
    return bool(word) and word not in stop


def _name_words(doc: Doc) -> List[str]:
    """Return the tokens in lower case, "" for those that a name may not contain."""
    in_entity = {i for (start, end), _ in doc_entities(doc) for i in range(start, end)}
    return [token.lower_ if token.i not in in_entity and _is_word(token) else "" for token in doc]


def _is_word(token: Token) -> bool:
    """Return True for letters, with hyphens or apostrophes, unless they are a number or look like a name."""
    if token.like_num or not sub("['’-]", "", token.text).isalpha():
        return False
    may_be_capital = token.i == 0 or token.is_sent_start or token.lang_ in CAPITAL_NOUNS
    return token.text == token.lower_ or bool(may_be_capital)


def _sample(left: Span, right: Span, words: Sequence[str]) -> str:
    """Shorten a pair to a phrase, such as "Holm … visited … Bergen": the first of `words` stands for a long gap."""
    between = _printable(sub(r"\s+", " ", left.doc.text[left.end_char : right.start_char]))
    if not 0 < len(between) <= MAX_SHOWN:
        between = f" {ELLIPSIS} {_shorten(words[0])} {ELLIPSIS} " if words else f" {ELLIPSIS} "
    return f"{_shorten(left.text)}{between}{_shorten(right.text)}"


def _shorten(text: str) -> str:
    """Cut a text to one line of `MAX_SHOWN` characters, if possible between words."""
    text = _printable(" ".join(text.split()))
    short = shorten(text, MAX_SHOWN, placeholder=ELLIPSIS)
    return short if short != ELLIPSIS else f"{text[: MAX_SHOWN - 1]}{ELLIPSIS}"


def _printable(text: str) -> str:
    """Leave out what cannot be printed."""
    return "".join(filter(str.isprintable, text))
