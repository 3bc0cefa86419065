"""Names as the grouping of mentions compares them: normal forms, short forms, acronyms."""

import json
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Dict, FrozenSet, Optional, Tuple

Tokens = Tuple[str, ...]

PERSON_LABELS = frozenset({"PER", "PERS", "PERSON", "PEOPLE", "PEOP"})
PLACE_LABELS = frozenset({"LOC", "LOCATION", "PLACE", "GPE", "NORP", "COUNTRY", "CITY"})
ORGANIZATION_LABELS = frozenset({"ORG", "ORGANIZATION", "ORGANISATION", "COMPANY", "CORP", "INSTITUTION"})
VALUE_LABELS = frozenset(
    {"TIME", "DATE", "NUM", "NUMBER", "CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY", "VALUE", "YEAR"}
)

PRONOUNS = frozenset(
    "i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours "
    "ourselves they them their theirs themselves who whom whose which that this these those one".split()
)

_ARTICLES = frozenset({"the", "a", "an"})
# Words before a name that may be dropped without naming somebody else.
_TITLES = frozenset(
    "mr mrs ms miss mister dr doctor prof professor sir dame president senator congressman congresswoman rev reverend "
    "capt captain gen general col colonel maj major lt lieutenant sgt sergeant cpl corporal pvt private adm admiral "
    "cmdr commander gov governor judge justice hon honorable mayor chancellor premier minister secretary ambassador "
    "coach detective inspector officer".split()
)
# King George and Prince George differ: ranks are dropped in short forms only.
_RANKS = frozenset(
    "king queen prince princess emperor empress duke duchess count countess earl baron baroness lord lady pope "
    "cardinal archbishop bishop saint st father brother sister imam rabbi sheikh sultan tsar".split()
)
_GENERATIONS = frozenset({"jr", "junior", "sr", "senior", "esq", "phd", "md"})
_LEGAL_FORMS = frozenset(
    "inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg kgaa ohg se sa sas sarl nv bv "
    "spa srl oy oyj ab asa aps pty pte pvt kk sro doo jsc ojsc pjsc".split()
)
_SMALL_WORDS = frozenset(
    "of the and for in on at to a an by with de la le les du des der die das und für van von el los las y e di del "
    "della do da dos et en".split()
)
# Words in names of places and organizations: the last word of such a name is no surname.
_NO_FIRST_NAMES = _SMALL_WORDS | frozenset(
    "new old north south east west northern southern eastern western central upper lower greater lake mount mt fort "
    "port cape san santa saint st river island isle republic kingdom state city province county district region "
    "downtown university church party club league association union national international royal "
    "american british".split()
)
_ROMAN = re.compile(r"[ivx]+\Z")
_POSSESSIVE = re.compile(r"\s?['’`](s|S)?\Z")
_DROPPED = re.compile(r"['’`´\"“”„«»*()\[\]{}!?]|(?<=\w)\.(?=\w|\Z|\s)|(?<=\s)\.")
_SPACED = re.compile(r"[\s\-‐‑‒–—―_/,;:.]+")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "&": " and "}
)


@lru_cache(maxsize=200_000)
def fold(name: str) -> str:
    """Remove differences of spelling: case, accents, punctuation, white space, a possessive ending."""
    text = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", name).strip())
    text = _DIACRITICS.sub("", unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS))
    text = _SPACED.sub(" ", _DROPPED.sub("", text)).strip()
    return unicodedata.normalize("NFC", text) or " ".join(name.casefold().split()) or name


@lru_cache(maxsize=200_000)
def normalize_name(name: str, label: Optional[str] = None) -> str:
    """Return the normal form of a name: folded, without article, and by its type without title or legal form.

    label (Optional[str]): Entity type; None drops both.
    """
    tokens = fold(name).split()
    if len(tokens) > 1 and tokens[0] in _ARTICLES:
        del tokens[0]
    if is_value(label):
        return " ".join(tokens) or name
    if label is None or is_person(label):
        while len(tokens) > 2 and tokens[0] in _TITLES:
            del tokens[0]
    if label is None or not is_person(label):
        while len(tokens) > 1 and tokens[-1] in _LEGAL_FORMS:
            del tokens[-1]
            if len(tokens) > 1 and tokens[-1] == "and":
                del tokens[-1]
    return " ".join(tokens) or name


def is_person(label: Optional[str]) -> bool:
    """Return True for the usual types of persons."""
    return label is not None and label.upper() in PERSON_LABELS


def is_place(label: Optional[str]) -> bool:
    """Return True for the usual types of places and peoples."""
    return label is not None and label.upper() in PLACE_LABELS


def is_organization(label: Optional[str]) -> bool:
    """Return True for the usual types of organizations."""
    return label is not None and label.upper() in ORGANIZATION_LABELS


def is_value(label: Optional[str]) -> bool:
    """Return True for the usual types of dates and numbers, which have no short forms."""
    return label is not None and label.upper() in VALUE_LABELS


def is_pronoun(name: str) -> bool:
    """Return True for English pronouns; in capitals they are acronyms, such as WHO and US."""
    return name.casefold() in PRONOUNS and (len(name) == 1 or not name.isupper())


@lru_cache(maxsize=200_000)
def name_tokens(name: str, label: Optional[str] = None) -> Tokens:
    """Split the normal form of a name; of a person or an unknown type, without title, rank and generation."""
    tokens = normalize_name(name, label).split()
    if label is None or is_person(label):
        while len(tokens) > 1 and (tokens[0] in _TITLES or tokens[0] in _RANKS):
            del tokens[0]
        while len(tokens) > 1 and tokens[-1] in _GENERATIONS:
            del tokens[-1]
    return tuple(tokens)


def is_short_person(short: Tokens, full: Tokens) -> bool:
    """Return True if a name may be a short form of a full one: a surname, a first name, initials for first names."""
    if len(short) > len(full) or short == full or short[-1] in _SMALL_WORDS or len(full) < 2:
        return False
    if len(short) == 1 and short[0] == full[0]:  # not Henry for Henry of Navarre, or Henry IV
        return len(short[0]) > 1 and not any(word in _SMALL_WORDS or _ROMAN.match(word) for word in full[1:])
    if len(short) == 1:
        return len(short[0]) > 1 and short[0] in full
    at = 0
    for word in short:
        while at < len(full) and not _same_part(word, full[at]):
            at += 1
        if at == len(full):
            return False
        at += 1
    return short[-1] == full[-1] and _same_part(short[0], full[0]) or full[-len(short) :] == short


def may_be_surname(short: Tokens, full: Tokens) -> bool:
    """Return True if a name of unknown type looks like the surname in a longer one: Maui is no surname in Lake Maui."""
    if len(short) != 1 or not 1 < len(full) < 5 or short[0] != full[-1] or country_of(short[0], peoples=True):
        return False
    return len(short[0]) > 2 and short[0].isalpha() and not _NO_FIRST_NAMES.intersection(full)


def is_short_organization(name: str, short: Tokens, full: Tokens, *, first: bool) -> bool:
    """Return True if a word is the first or last of a name of two or three, and no country, people or number."""
    if len(short) != 1 or not 1 < len(full) < 4 or short[0] != full[0 if first else -1]:
        return False
    if _SMALL_WORDS.intersection(full) or len(fold(name).removeprefix("the ").split()) > 1:
        return False
    return (
        len(short[0]) > 2 and short[0].isalpha() and short[0] not in _SMALL_WORDS and not country_of(name, peoples=True)
    )


def initials_of(name: str) -> FrozenSet[str]:
    """List the acronyms of a name of two or more words: with and without small words and legal forms."""
    words = [word for word in fold(name).split() if word]
    if len(words) < 2:
        return frozenset()
    bare = words[1:] if words[0] in _ARTICLES else words
    full = "".join(word[0] for word in bare)
    content = [word for word in bare if word not in _SMALL_WORDS]
    forms = {full, "".join(word[0] for word in content)}
    while len(content) > 2 and content[-1] in _LEGAL_FORMS:
        content = content[:-1]
        forms.add("".join(word[0] for word in content))
    return frozenset(form for form in forms if len(form) > 1)


def acronym_of(name: str) -> str:
    """Return the letters of an acronym in lower case; "" if a name is none."""
    letters = re.sub(r"[.\s]", "", _POSSESSIVE.sub("", name))
    if not 2 <= len(letters) <= 8 or not letters.isalnum() or letters.isdigit():
        return ""
    if " " in name.strip() and "." not in name:
        return ""
    return letters.casefold() if sum(each.isupper() for each in letters) > len(letters) / 2 else ""


def is_variant(one: Tokens, other: Tokens) -> bool:
    """Return True if two names differ only in spaces or inside long words, but not in numbers or initials."""
    if "".join(one) == "".join(other):
        return True
    if len(one) != len(other):
        return False
    return all(left == right or _is_variant_word(left, right) for left, right in zip(one, other))


@lru_cache(maxsize=200_000)
def country_of(name: str, *, peoples: bool = False) -> str:
    """Return the folded main name of the country that a name refers to; "" if it refers to none.

    peoples (bool): Names of peoples refer to their country, too.
    """
    return _countries()[peoples].get(fold(name).removeprefix("the "), "")


@lru_cache(maxsize=1)
def _countries() -> Tuple[Dict[str, str], Dict[str, str]]:
    """Map folded names of countries, and these and peoples, to the folded name of the country."""
    data = json.loads((Path(__file__).parent / "countries.json").read_text(encoding="utf8"))
    countries = {
        fold(form): fold(country) for country, forms in data.items() for form in [country, *forms.get("names", ())]
    }
    peoples = {fold(form): fold(country) for country, forms in data.items() for form in forms.get("peoples", ())}
    return countries, {**peoples, **countries}


def _same_part(one: str, other: str) -> bool:
    """Return True for equal words, and for an initial and a word."""
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _is_variant_word(one: str, other: str) -> bool:
    """Return True for long words that share first and last letter, unlike singular and plural, and are no numerals."""
    if (
        min(len(one), len(other)) < 4
        or (one[0], one[-1]) != (other[0], other[-1])
        or not (one.isalpha() and other.isalpha())
    ):
        return False
    return not _ROMAN.match(one) and not _ROMAN.match(other)
