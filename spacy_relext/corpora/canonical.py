"""The canonical record: types that check JSON records and what corpora store, and that give the JSON schema.

`docs/reference/formats.md` describes the format. A record stays the dictionary that was read: pydantic only checks it,
and has typed dictionaries instead of classes, since these take six times as long. `annotations/triple.py` converts what
Python callers pass, such as spans and numbers of numpy.
"""

from collections import Counter
from functools import lru_cache
from typing import Annotated, Any, Dict, Iterator, List, Optional, Sequence, Tuple, Type

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from srsly.msgpack import Packer
from typing_extensions import NotRequired, TypedDict

from ..annotations.constraints import REMOVED_KEY
from ..annotations.entities import ENTITIES_KEY, GIVEN_PAIRS_KEY, PAIRS_KEY
from ..annotations.judged import JUDGED_KEY
from ..annotations.store import (
    COREF_KEY,
    INCOMPLETE_KEY,
    LENGTH_KEY,
    REJECTED_KEY,
    RELATIONS_KEY,
    SOFT_LABELS_KEY,
    TRIPLES_KEY,
)
from ..annotations.triple import Record, trim_span, warn_of_blank
from .formats.checks import BLANK_SPANS, BLANK_TRIPLES, INCOMPLETE, TRIMMED, check_unicode, describe

SENTS_KEY = "relext_sents"
META_KEY = "relext_meta"

# Shared, since each call of `srsly.msgpack_dumps` searches all installed packages for encoders.
_PACKER = Packer(use_bin_type=True)

# What is expected, by the type of pydantic's error; for others, in its own words.
_EXPECTED = {
    "string_type": "a string",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}

# Characters, from 0: below the limit of spaCy, which counts them in 32 bits.
_Offset = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
_Place = Annotated[Tuple[_Offset, _Offset], Field(description="[start, end]")]
_Text = Annotated[str, Field(strict=True, max_length=2**31)]  # with a limit, pydantic refuses lone surrogates
_Label = Annotated[str, Field(strict=True, pattern=r"\S")]  # not blank
_Number = Annotated[float, Field(strict=True)]
_Score = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False, description="1 where absent.")]
_Values = Dict[Any, Any]


class _Entity(TypedDict):
    """An entity of a record."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # read by pydantic
    start: _Offset
    end: _Offset
    label: _Label
    kb_id: NotRequired[Annotated[_Text, Field(description="Identifier in a knowledge base.")]]


class _Pair(TypedDict):
    """A pair that an annotator marked."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    subject: _Place
    object: _Place
    label: NotRequired[Annotated[Optional[_Label], Field(description="As the data has it; null where there is none.")]]


class _Triple(TypedDict):
    """A triple of a record; `extract` adds the last five keys for readers."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    subject: _Place
    relation: _Label
    object: _Place
    score: NotRequired[_Score]
    source: NotRequired[Annotated[_Text, Field(description="The component that wrote it; empty for annotation.")]]
    evidence: NotRequired[Annotated[_Values, Field(description="What the component based it on.")]]
    attributes: NotRequired[Annotated[_Values, Field(description='Further values: {"assertion": "denied"}.')]]
    subject_text: NotRequired[Annotated[_Text, Field(description="Must be what the offsets hold.")]]
    object_text: NotRequired[Annotated[_Text, Field(description="Must be what the offsets hold.")]]
    sent: NotRequired[Annotated[_Offset, Field(description="The number of the sentence, from 0.")]]
    sent_start: NotRequired[Annotated[_Offset, Field(description="Its first character.")]]
    sent_end: NotRequired[Annotated[_Offset, Field(description="Its end, exclusive.")]]


class CanonicalRecord(TypedDict):
    """One line of a JSON lines file.

    Offsets count Unicode characters of text, from 0, end exclusive: text[start:end] is the string. Beyond this schema,
    offsets must lie inside text with start < end, subject and object must differ, and sentences must not overlap.
    """

    __pydantic_config__ = ConfigDict(extra="allow", title="Canonical record of spacy-relext")  # type: ignore[misc]
    text: _Label
    entities: NotRequired[Annotated[List[_Entity], Field(description="Absent: not annotated. Overlap is allowed.")]]
    triples: NotRequired[Annotated[List[_Triple], Field(description="Absent: not annotated. Empty: there is none.")]]
    incomplete: NotRequired[
        Annotated[bool, Field(strict=True, description="True: triples and coref lack some that the text has.")]
    ]
    judged: NotRequired[
        Annotated[List[_Label], Field(description="Relations that the annotation covers. Absent: all of them.")]
    ]
    sents: NotRequired[Annotated[List[_Place], Field(min_length=1, description="In order. Absent: not annotated.")]]
    pairs: NotRequired[Annotated[List[_Pair], Field(description="Marked pairs, for tasks that classify a given pair.")]]
    rejected: NotRequired[Annotated[List[_Triple], Field(description="Suggestions that an annotator refused.")]]
    coref: NotRequired[
        Annotated[
            List[Annotated[List[_Place], Field(min_length=1)]], Field(description="Clusters of mentions of one entity.")
        ]
    ]


KNOWN_KEYS = tuple(key for key in CanonicalRecord.__annotations__ if not key.startswith("_"))
TRIPLE_KEYS = tuple(key for key in _Triple.__annotations__ if not key.startswith("_"))
_KINDS: Dict[str, Type[Any]] = {"entities": _Entity, "triples": _Triple, "pairs": _Pair, "rejected": _Triple}


@lru_cache(maxsize=1)
def _records() -> "TypeAdapter[CanonicalRecord]":
    """Make the validator of records, when it is needed: that takes as long as all other imports of this file."""
    return TypeAdapter(CanonicalRecord)


def record_schema() -> Record:
    """Return the JSON schema of a canonical record (draft 2020-12)."""
    return _records().json_schema()


def check_record(value: object, *, losses: "Optional[Counter[str]]" = None) -> Record:
    """Check that a parsed JSON value is a canonical record, and return it with trimmed arguments (`trim_record`).

    losses (Optional[Counter[str]]): Counts what is trimmed and left out; None: a warning counts what is left out.
    RAISES (ValueError): If it is not: which part, what it is, and what is expected.
    """
    counts: Counter[str] = Counter()
    record = trim_record(check_places(check_form(value)), counts)
    if losses is None:
        warn_of_blank(counts[BLANK_SPANS] + counts[BLANK_TRIPLES])
    else:
        losses.update(counts)
    return record


def trim_record(record: Record, losses: "Counter[str]") -> Record:
    """Trim white space from the arguments and entities of a record; what has nothing else is left out, and counted.

    RETURNS (Record): The record itself if there is nothing to trim. A record that lost a triple is incomplete.
    """
    changed: Record = {}
    for key in ("entities", "triples", "rejected", "pairs"):
        given = record.get(key, ())
        trimmed = [_trim(each, record["text"], losses) for each in given]
        kept = [each for each in trimmed if each is not None]
        if any(each is not before for each, before in zip(trimmed, given)):
            changed[key] = kept
        if len(kept) < len(given):
            losses[BLANK_SPANS if key == "entities" else BLANK_TRIPLES] += len(given) - len(kept)
            changed.update({INCOMPLETE: True} if key == "triples" else {})
    return check_places({**record, **changed}) if changed else record


def _trim(each: Record, text: str, losses: "Counter[str]") -> Optional[Record]:
    """Trim an entity, triple or pair: itself if there is nothing to trim, None if no span or no second one is left."""
    changed: Record = {}
    for role in ("subject", "object") if "subject" in each else ("",):
        place = tuple(each[role]) if role else (each["start"], each["end"])
        start, end = trim_span(text, *place)
        if start == end:
            return None
        if (start, end) != place:
            losses[TRIMMED] += 1
            changed.update({role: [start, end]} if role else {"start": start, "end": end})
            if f"{role}_text" in each:
                changed[f"{role}_text"] = text[start:end]
    trimmed = {**each, **changed} if changed else each
    return None if changed and "subject" in each and [*trimmed["subject"]] == [*trimmed["object"]] else trimmed


def check_form(value: object) -> Record:
    """Check the keys and types of a record, but not whether offsets lie in the text; see `check_record`."""
    if not isinstance(value, dict):
        raise ValueError(f"the record is {describe(value)}, not an object")
    try:
        _records().validate_python(value)
    except ValidationError as error:
        raise ValueError(_describe_error(error)) from None
    for key in value.keys() - set(KNOWN_KEYS):
        _check_plain(value[key], key)
        check_unicode(key, "a key")
    return value


def check_places(record: Record) -> Record:
    """Check that offsets lie in the text of a record and hold the texts that it states; see `check_record`."""
    text, length = record["text"], len(record["text"])
    for name, place in _list_places(record):
        if not place[0] < place[1] <= length:
            raise ValueError(f"{name} is {list(place)}; expected 0 <= start < end <= {length}")
    for key in ("triples", "rejected", "pairs"):
        for number, each in enumerate(record.get(key, ())):
            _check_pair(each, text, f"{key}[{number}]")
    ends = [0, *(end for _, end in record.get("sents", ()))]
    for number, (before, (start, _)) in enumerate(zip(ends, record.get("sents", ()))):
        if start < before:
            what = f"starts at {start}, before the sentence ahead of it ends ({before})"
            raise ValueError(f"sents[{number}] {what}")
    return record


def _list_places(record: Record) -> Iterator[Tuple[str, Sequence[int]]]:
    """Yield the places in the text of a record, with their names."""
    for number, entity in enumerate(record.get("entities", ())):
        yield f"entities[{number}]", (entity["start"], entity["end"])
    for key in ("triples", "rejected", "pairs"):
        for number, each in enumerate(record.get(key, ())):
            yield f"{key}[{number}].subject", each["subject"]
            yield f"{key}[{number}].object", each["object"]
            if "sent_start" in each or "sent_end" in each:
                yield f"{key}[{number}].sent_start and sent_end", (each.get("sent_start", -1), each.get("sent_end", -1))
    for number, place in enumerate(record.get("sents", ())):
        yield f"sents[{number}]", place
    for number, cluster in enumerate(record.get("coref", ())):
        for at, place in enumerate(cluster):
            yield f"coref[{number}][{at}]", place


def _check_pair(pair: Record, text: str, name: str) -> None:
    """Check that the arguments of a pair or of a triple differ, and have the stated texts."""
    if pair["subject"] == pair["object"]:
        raise ValueError(f"subject and object of {name} are the same span ({describe(text[slice(*pair['subject'])])})")
    for role in ("subject", "object"):
        argument = text[slice(*pair[role])]
        if pair.get(f"{role}_text", argument) != argument:
            stated = f"{name}.{role}_text is {describe(pair[f'{role}_text'])}"
            raise ValueError(f"{stated}, but its offsets hold {describe(argument)}")
    for key in ("evidence", "attributes"):
        if key in pair:
            _check_plain(pair[key], f"{name}.{key}")


def _check_plain(value: object, name: str) -> None:
    """Check that msgpack can store a value: plain types, and integers of at most 64 bits."""
    try:
        _PACKER.pack(value)
    except (OverflowError, TypeError, ValueError, UnicodeEncodeError) as error:
        raise ValueError(f"{name} cannot be stored: {error}") from None


def _describe_error(error: ValidationError) -> str:
    """Describe the first thing that is wrong in one line."""
    first = error.errors(include_url=False)[0]
    kind, path, value = first["type"], first["loc"], first["input"]
    if not path:  # a key that UTF-8 cannot encode
        return f"a key is {describe(value)}; {first['msg'][0].lower()}{first['msg'][1:]}"
    place, key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[:-1])[1:], path[-1]
    if kind == "missing":
        return f"{place or 'the record'} has no key {key!r} (found: {describe(sorted(map(str, value)))})"
    if kind == "extra_forbidden":
        known = ", ".join(each for each in _KINDS[str(path[0])].__annotations__ if not each.startswith("_"))
        return f"{place} has the unknown key {key!r} (known: {known})"
    name = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".removeprefix(".")
    if kind == "string_unicode":
        at = next(at for at, char in enumerate(value) if "\ud800" <= char <= "\udfff")
        return f"character {at} of {name} is half of a surrogate pair"
    if kind == "string_pattern_mismatch" or name == "sents" and value == []:
        return f"{name} is empty" + ("; leave the key out if sentences are not annotated" if name == "sents" else "")
    if kind in _EXPECTED:
        return f"{name} is {describe(value)}, not {_EXPECTED[kind]}"
    return f"{name} is {describe(value)}; {first['msg'][0].lower()}{first['msg'][1:]}"


class _StoredTriple(TypedDict):
    """A triple as `store_triples` stores it."""

    subject: _Place
    relation: _Text
    object: _Place
    score: _Number
    source: _Text
    evidence: _Values
    attributes: NotRequired[_Values]


class _StoredEntity(TypedDict):
    start: _Offset
    end: _Offset
    label: _Text
    kb_id: NotRequired[Optional[_Text]]


class _StoredPair(TypedDict):
    subject: _Place
    object: _Place
    label: NotRequired[Optional[_Text]]


class _Removed(TypedDict):
    """A triple that constraints removed."""

    subject: _Place
    relation: _Text
    object: _Place
    score: _Number


class _Sentence(TypedDict):
    """A sentence with the probabilities of its relations."""

    start: _Offset
    end: _Offset
    relations: Dict[_Text, _Number]


class _SoftLabels(TypedDict):
    """Classes, and pairs with a place for each argument, and rows of a number for each class and for no relation."""

    classes: List[Tuple[_Text, Annotated[bool, Field(strict=True)]]]
    pairs: List[Dict[_Text, List[_Number]]]


# What this package stores in `user_data`: damaged or foreign files may have anything there.
_USER_FIELDS: Dict[str, Any] = {
    LENGTH_KEY: NotRequired[Optional[_Offset]],
    INCOMPLETE_KEY: NotRequired[bool],
    JUDGED_KEY: NotRequired[List[_Text]],
    META_KEY: NotRequired[_Values],
    SENTS_KEY: NotRequired[List[_Place]],
    ENTITIES_KEY: NotRequired[List[_StoredEntity]],
    PAIRS_KEY: NotRequired[List[_StoredPair]],
    TRIPLES_KEY: NotRequired[List[_StoredTriple]],
    REJECTED_KEY: NotRequired[List[_StoredTriple]],
    GIVEN_PAIRS_KEY: NotRequired[Optional[List[_StoredTriple]]],
    REMOVED_KEY: NotRequired[List[_Removed]],
    RELATIONS_KEY: NotRequired[List[_Sentence]],
    COREF_KEY: NotRequired[List[List[_Place]]],
    SOFT_LABELS_KEY: NotRequired[_SoftLabels],
}
# Keys of `user_data` by the keys of records.
_STORED = {
    "entities": ENTITIES_KEY,
    "triples": TRIPLES_KEY,
    "sents": SENTS_KEY,
    "pairs": PAIRS_KEY,
    "rejected": REJECTED_KEY,
    "coref": COREF_KEY,
}


@lru_cache(maxsize=1)
def _user_data() -> "TypeAdapter[Any]":
    """Make the validator of user data, when it is needed."""
    return TypeAdapter(TypedDict("_UserData", _USER_FIELDS))  # type: ignore[operator]


def find_damage(user_data: object) -> str:
    """Describe the first value under this package's keys that is not of the form it writes; "" if there is none.

    user_data (object): Unpacked user data of one Doc.
    """
    if not isinstance(user_data, dict):
        return f"its user data is a {type(user_data).__name__}"
    try:
        _user_data().validate_python(user_data)
    except ValidationError as error:
        return _describe_error(error)
    for name, (start, end) in _list_places({key: user_data.get(stored, ()) for key, stored in _STORED.items()}):
        if start >= end:
            return f"{name} is [{start}, {end}]; expected start < end"
    soft: Record = user_data.get(SOFT_LABELS_KEY, {"pairs": ()})
    for number, pair in enumerate(soft["pairs"]):
        lengths, size = {key: len(row) for key, row in pair.items()}, len(soft["classes"]) + 1
        if lengths != {**dict.fromkeys(pair, size), "subject": 2, "object": 2}:
            return f"{SOFT_LABELS_KEY}.pairs[{number}] has rows of {lengths} numbers"
    return ""


def read_id(value: object) -> Optional[str]:
    """Return a text or a number as an id; None for what is blank or anything else."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value).strip():
        return str(value).encode("utf8", "replace").decode("utf8")
    return None
