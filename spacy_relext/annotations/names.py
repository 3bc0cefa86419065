"""Names as the grouping of mentions compares them: parsed once into normal forms, words and initials."""

import html
import json
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

Tokens = Tuple[str, ...]

PERSON, PLACE, ORGANIZATION, VALUE = "person", "place", "organization", "value"

# The usual types of each kind, in upper case; dates and numbers are values, which have no short forms.
_LABELS = {
    PERSON: "PER PERS PERSON PEOPLE PEOP",
    PLACE: "LOC LOCATION PLACE GPE NORP COUNTRY CITY",
    ORGANIZATION: "ORG ORGANIZATION ORGANISATION COMPANY CORP INSTITUTION",
    VALUE: "TIME DATE NUM NUMBER CARDINAL ORDINAL QUANTITY PERCENT MONEY VALUE YEAR",
}
_KINDS = {label: kind for kind, labels in _LABELS.items() for label in labels.split()}
VALUE_LABELS, PERSON_LABELS = (frozenset(_LABELS[kind].split()) for kind in (VALUE, PERSON))

PRONOUNS = frozenset(
    "i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours "
    "ourselves they them their theirs themselves who whom whose which that this these those one".split()
)

_ARTICLES = frozenset({"the", "a", "an"})
_DETERMINERS = _ARTICLES | frozenset("this that these those my your his her its our their".split())
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
LEGAL_FORMS = frozenset(
    "inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg kgaa ohg se sa sas sarl nv bv "
    "spa srl oy oyj ab asa aps pty pte pvt kk sro doo jsc ojsc pjsc".split()
)
# What a company does, or what kind it is: press texts leave it out where the name comes again.
_TRADES = frozenset(
    "advisors aerospace agency airlines airways analytics associates automotive bank biotech brands broadcasting "
    "capital chemicals communications computing construction consulting electric electronics energy engineering "
    "enterprises entertainment estates farms finance financial foods foundry freight gas group healthcare holding "
    "holdings hospitality industries insurance investments laboratories labs leasing logistics manufacturing "
    "maritime marketing materials media metals mining motors networks oil partners petroleum pharma "
    "pharmaceuticals plastics power press properties publishing railways recordings renewables robotics securities "
    "seafood services shipping software solar solutions steel studios supply systems tech technologies technology "
    "telecom textiles therapeutics tobacco trading transmissions transport ventures water wind works".split()
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
_DROPPED = re.compile(r"['‘’‚‛′`´\"“”„‟″«»‹›*()\[\]{}!?\u200c\u200d\ufe0e\ufe0f]|(?<=\w)\.(?=\w|\Z|\s)|(?<=\s)\.")
_SPACED = re.compile(r"[\s\-‐‑‒–—―−_/,;:.]+")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "&": " and "}
)

# Traces of layout and markup in names, in the order of `tidy`.
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-‐\u00ad]\s+(?=[^\W\d_])")
_TAG = re.compile(
    r"</?(?:(a|abbr|b|code|em|font|i|mark|s|small|span|strong|sub|sup|u)|br|div|h[1-6]|li|p|td|th|tr)\b[^<>]*>", re.I
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_MARKDOWN = re.compile(r"\*{2,}|^`+|`+$|(?<!\w)`+(?=[^`]*`)|(?<=\S)`+(?!\w)")
# Soft hyphen, marks without width or of direction, controls; and joiners, which some scripts and emoji need.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb]|(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])"
)
# Ligatures, Arabic forms by place in the word, full-width letters.
_FORMS = re.compile("[\ufb00-\ufb17\ufb50-\ufdc7\ufe70-\ufefc\uff01-\uff5e]")


class Name(NamedTuple):
    """A name, parsed.

    text (str): As it is written.
    label (Optional[str]): Entity type.
    kind (str): PERSON, PLACE, ORGANIZATION or VALUE; "" for another type or none.
    folded (str): Without differences of spelling, see `fold`.
    normal (str): Folded, without article, and by its type without title or legal form.
    tokens (Tokens): Words of the normal form; of a person or an unknown type, without title, rank and generation.
    initials (FrozenSet[str]): Acronyms that it may have; none for persons and values.
    acronym (str): Its letters in lower case if it is an acronym, else "".
    is_pronoun (bool): True for English pronouns.
    """

    text: str
    label: Optional[str]
    kind: str
    folded: str
    normal: str
    tokens: Tokens
    initials: FrozenSet[str]
    acronym: str
    is_pronoun: bool

    @property
    def fullness(self) -> Tuple[int, int]:
        """RETURNS (Tuple[int, int]): Number of words in its normal form, without initials and with them."""
        return sum(len(token) > 1 for token in self.tokens), len(self.tokens)


@lru_cache(maxsize=200_000)
def parse_name(text: str, label: Optional[str] = None) -> Name:
    """Parse a name. Without a type, both titles and legal forms are dropped."""
    kind = kind_of(label)
    folded = fold(text)
    words = folded.split()
    normal = _normalize(words, label, kind)
    tokens = tuple(normal or [text])
    return Name(
        text=text,
        label=label,
        kind=kind,
        folded=folded,
        normal=" ".join(normal) or text,
        tokens=_drop_ranks(tokens) if label is None or kind == PERSON else tokens,
        initials=frozenset() if kind in (PERSON, VALUE) else _initials(words),
        acronym=_acronym(tidy(text)),
        is_pronoun=is_pronoun(tidy(text)),
    )


def kind_of(label: Optional[str]) -> str:
    """Return the kind of a type: PERSON, PLACE, ORGANIZATION or VALUE; "" for another one or none."""
    return "" if label is None else _KINDS.get(label.upper(), "")


def labels_of(kind: str) -> Tokens:
    """Return the usual types of a kind, in upper case."""
    return tuple(_LABELS[kind].split())


def is_pronoun(text: str) -> bool:
    """Return True for English pronouns; in capitals they are acronyms, such as WHO and US."""
    return text.casefold() in PRONOUNS and (len(text) == 1 or not text.isupper())


def is_description(text: str) -> bool:
    """Return True for English phrases that describe instead of naming: "the company", "her brother"."""
    first, _, rest = text.partition(" ")
    return first.casefold() in _DETERMINERS and rest.islower()


@lru_cache(maxsize=200_000)
def tidy(text: str) -> str:
    """Remove traces of layout and markup: spaces, hyphens at line ends, invisible marks, tags, entities, ligatures."""
    text = _HYPHENATED.sub(_rejoin, text)
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), _TAG.sub(lambda match: "" if match[1] else " ", text))
    text = _MARKDOWN.sub("", _INVISIBLE.sub("", text).strip())
    text = _FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _rejoin(hyphen: "re.Match[str]") -> str:
    """Drop a hyphen at a line end, unless it belongs to a name such as Jean-Paul."""
    if len(f"{hyphen[0]}.".splitlines()) == 1:
        return hyphen[0]
    is_name = hyphen.string[hyphen.end()].isupper() and hyphen[0][0] != "\u00ad"
    return "-" if is_name else ""


def choose_name(texts: Iterable[str]) -> str:
    """Choose the most frequent spelling, if possible without traces of layout and markup.

    Of equally frequent ones, the fullest is chosen, then one in mixed case, then the shortest.
    """
    given = list(texts)
    counts = Counter([text for text in given if text == tidy(text)] or given)

    def rank(text: str) -> Tuple[int, Tuple[int, int], bool, int]:
        return counts[text], parse_name(text).fullness, not (text.isupper() or text.islower()), -len(text)

    return max(counts, key=rank)


@lru_cache(maxsize=200_000)
def fold(name: str) -> str:
    """Remove differences of spelling: traces of layout, case, accents, punctuation, a possessive ending."""
    text = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", tidy(name)).strip())
    text = _DIACRITICS.sub("", unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS))
    text = _SPACED.sub(" ", _DROPPED.sub("", text)).strip()
    return unicodedata.normalize("NFC", text) or " ".join(name.casefold().split()) or name


def is_short_person(short: Name, full: Name) -> bool:
    """Return True if a name may be a short form of a full one: a surname, a first name, initials for first names."""
    part, whole = short.tokens, full.tokens
    if len(part) > len(whole) or part == whole or part[-1] in _SMALL_WORDS or len(whole) < 2:
        return False
    if len(part) == 1 and part[0] == whole[0]:  # not Henry for Henry of Navarre, or Henry IV
        return len(part[0]) > 1 and not any(word in _SMALL_WORDS or _ROMAN.match(word) for word in whole[1:])
    if len(part) == 1:
        return len(part[0]) > 1 and part[0] in whole
    at = 0
    for word in part:
        while at < len(whole) and not _same_part(word, whole[at]):
            at += 1
        if at == len(whole):
            return False
        at += 1
    return part[-1] == whole[-1] and _same_part(part[0], whole[0]) or whole[-len(part) :] == part


def may_be_surname(short: Name, full: Name) -> bool:
    """Return True if a name of unknown type looks like the surname in a longer one: Maui is no surname in Lake Maui."""
    part, whole = short.tokens, full.tokens
    if len(part) != 1 or not 1 < len(whole) < 5 or part[0] != whole[-1] or country_of(part[0], peoples=True):
        return False
    return len(part[0]) > 2 and part[0].isalpha() and not _NO_FIRST_NAMES.intersection(whole)


def is_short_organization(short: Name, full: Name, *, first: bool) -> bool:
    """Return True if a name is the last word of a name of two or three; or first words before what a company does.

    Not if it is a country, people or number, or has words that are dropped in the comparison of names.
    """
    part, whole = short.tokens, full.tokens
    if _SMALL_WORDS.intersection(whole) or len(short.folded.removeprefix("the ").split()) != len(part):
        return False
    if first:
        fits = part == whole[: len(part)] and bool(whole[len(part) :]) and _TRADES.issuperset(whole[len(part) :])
    else:
        fits = len(part) == 1 and 1 < len(whole) < 4 and part[0] == whole[-1]
    is_word = len(part[0]) > 2 and part[0].isalpha() and part[0] not in _TRADES
    return fits and is_word and not country_of(short.folded, peoples=True)


def is_variant(one: str, other: str) -> bool:
    """Return True if two normal forms differ only in spaces or inside long words, but not in numbers or initials."""
    words, others = one.split(), other.split()
    if "".join(words) == "".join(others):
        return True
    if len(words) != len(others):
        return False
    return all(word == each or _is_variant_word(word, each) for word, each in zip(words, others))


def country_of(folded: str, *, peoples: bool = False) -> str:
    """Return the folded main name of the country that a folded name refers to; "" if it refers to none.

    peoples (bool): Names of peoples refer to their country, too.
    """
    return _countries()[peoples].get(folded.removeprefix("the "), "")


@lru_cache(maxsize=1)
def _countries() -> Tuple[Dict[str, str], Dict[str, str]]:
    """Map folded names of countries, and these and peoples, to the folded name of the country."""
    data = json.loads((Path(__file__).parent / "countries.json").read_text(encoding="utf8"))
    countries = {
        fold(form): fold(country) for country, forms in data.items() for form in [country, *forms.get("names", ())]
    }
    peoples = {fold(form): fold(country) for country, forms in data.items() for form in forms.get("peoples", ())}
    return countries, {**peoples, **countries}


def _normalize(words: List[str], label: Optional[str], kind: str) -> List[str]:
    """Drop the article, and by the type titles or legal forms."""
    words = words[1:] if len(words) > 1 and words[0] in _ARTICLES else words[:]
    if label is None or kind == PERSON:
        while len(words) > 2 and words[0] in _TITLES:
            del words[0]
    if kind not in (PERSON, VALUE):
        while len(words) > 1 and words[-1] in LEGAL_FORMS:
            del words[-1]
            if len(words) > 1 and words[-1] == "and":
                del words[-1]
    return words


def _drop_ranks(words: Tokens) -> Tokens:
    start, end = 0, len(words)
    while end - start > 1 and (words[start] in _TITLES or words[start] in _RANKS):
        start += 1
    while end - start > 1 and words[end - 1] in _GENERATIONS:
        end -= 1
    return words[start:end]


def _initials(words: List[str]) -> FrozenSet[str]:
    """List the acronyms of a name of two or more words: with and without small words and legal forms."""
    if len(words) < 2:
        return frozenset()
    bare = words[1:] if words[0] in _ARTICLES else words
    content = [word for word in bare if word not in _SMALL_WORDS]
    forms = {_first_letters(bare), _first_letters(content)}
    while len(content) > 2 and content[-1] in LEGAL_FORMS:
        content = content[:-1]
        forms.add(_first_letters(content))
    return frozenset(form for form in forms if len(form) > 1)


def _first_letters(words: List[str]) -> str:
    return "".join([word[0] for word in words])


def _acronym(text: str) -> str:
    """Return the letters of an acronym in lower case; "" if a name is none."""
    if " " in text.strip() and "." not in text:
        return ""
    letters = re.sub(r"[.\s]", "", _POSSESSIVE.sub("", text))
    if not 2 <= len(letters) <= 8 or not letters.isalnum() or letters.isdigit():
        return ""
    return letters.casefold() if sum(each.isupper() for each in letters) > len(letters) / 2 else ""


def _same_part(one: str, other: str) -> bool:
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
