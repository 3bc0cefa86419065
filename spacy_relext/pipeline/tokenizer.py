"""A tokenizer for text as it is found: hyphens, dashes between numbers and apostrophes of other kinds split words."""

from typing import Callable

from spacy import registry
from spacy.lang.char_classes import ALPHA
from spacy.language import Language, create_tokenizer
from spacy.tokenizer import Tokenizer  # type: ignore[import-not-found]
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex

from .sentencizer import RULE

# spaCy knows the hyphen-minus and two dashes between letters: these are hyphen, non-breaking hyphen, figure dash, en
# dash, em dash, horizontal bar and minus sign.
_DASHES = "\u2010-\u2015\u2212"
# One mark many times, which spaCy would split one by one, in a time that grows with the square of their number.
_RUN = r"(?P<mark>[^\w\s])(?P=mark){19,}"
PREFIXES = (RULE, _RUN)
INFIXES = (rf"(?<=[{ALPHA}0-9])[{_DASHES}](?=[{ALPHA}0-9])", RULE)
SUFFIXES = (rf"(?<=[{ALPHA}])[`´ʼ′][sS]", RULE, _RUN)


@registry.tokenizers("spacy_relext.Tokenizer.v1")
def create_relext_tokenizer() -> Callable[[Language], Tokenizer]:
    """Return a function that makes the tokenizer of a language with more prefixes, infixes and suffixes.

    "1891–1950" is three tokens, "Oslo\u2010based" too, and "Ada´s" two, so that each name and year can be an argument.
    A rule drawn of hyphens is a token of its own, also right after a full stop.
    """

    def make(nlp: Language) -> Tokenizer:
        tokenizer: Tokenizer = create_tokenizer()(nlp)
        prefixes, infixes, suffixes = (
            getattr(nlp.Defaults, each) or [] for each in ("prefixes", "infixes", "suffixes")
        )
        tokenizer.prefix_search = compile_prefix_regex([*PREFIXES, *prefixes]).search
        tokenizer.infix_finditer = compile_infix_regex([*infixes, *INFIXES]).finditer
        tokenizer.suffix_search = compile_suffix_regex([*suffixes, *SUFFIXES]).search
        return tokenizer

    return make
