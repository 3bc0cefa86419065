"""Where the strings of a triple stand in its text: word boundaries, letter case, spaces, several occurrences."""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from ...annotations.triple import CharSpan
from ..report import Report

OCCURRENCES = ("nearest", "first", "all")

# Scripts written without spaces between words, and Hangul, whose particles are joined to names: no word boundaries.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff]"
)

_ACCENT = re.compile("[\u0300-\u036f]")


class Occurrences(NamedTuple):
    """Where a string stands.

    spans (List[CharSpan]): Character offsets, in the order of the text.
    how (str): `exact`, `folded` (letter case or accents differ), `respaced` (spaces differ), or "" where there is none.
    """

    spans: List[CharSpan]
    how: str


@lru_cache(maxsize=4096)
def is_word_character(character: str) -> bool:
    """Say whether a character makes words that are set apart by spaces.

    character (str): One character.
    RETURNS (bool): True for letters, digits, `_` and combining marks, False for CJK and its like.
    """
    if _UNSPACED.match(character):
        return False
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


def is_boundary(text: str, position: int) -> bool:
    """Say whether a word may begin or end at a place: not both neighbours are word characters.

    text (str): The text.
    position (int): The place, before the character with this number.
    RETURNS (bool): True at both ends of the text.
    """
    if position <= 0 or position >= len(text):
        return True
    return not (is_word_character(text[position - 1]) and is_word_character(text[position]))


def find_string(text: str, string: str) -> Occurrences:
    """Find a string on word boundaries: as it is, else whatever case and accents, else with other spaces too.

    text (str): The text.
    string (str): What to look for; white space around it does not count.
    RETURNS (Occurrences): All places found in the first of these ways that finds any.
    """
    string = string.strip()
    if not string:
        return Occurrences([], "")
    spans = _find_exact(text, string)
    if spans:
        return Occurrences(spans, "exact")
    folded, origin = _fold(text)
    sought, _ = _fold(string)
    if not sought:
        return Occurrences([], "")
    spans = _on_boundaries(text, ((origin[s], origin[e]) for s, e in _find_all(folded, sought)))
    if spans:
        return Occurrences(spans, "folded")
    pattern = _loose_pattern(sought)
    matches = ((match.start(1), match.end(1)) for match in pattern.finditer(folded))
    spans = _on_boundaries(text, ((origin[s], origin[e]) for s, e in matches))
    return Occurrences(spans, "respaced" if spans else "")


def _find_exact(text: str, string: str) -> List[CharSpan]:
    """Find a string as it is."""
    return _on_boundaries(text, _find_all(text, string))


def _find_all(text: str, string: str) -> List[CharSpan]:
    """Find every occurrence, overlapping ones too."""
    spans = []
    start = text.find(string)
    while start >= 0:
        spans.append((start, start + len(string)))
        start = text.find(string, start + 1)
    return spans


def _on_boundaries(text: str, spans: Any) -> List[CharSpan]:
    """Keep what begins and ends on a word boundary."""
    return [(s, e) for s, e in spans if s < e and is_boundary(text, s) and is_boundary(text, e)]


@lru_cache(maxsize=8)
def _fold(text: str) -> Tuple[str, Sequence[int]]:
    """Fold case and accents of a text; RETURNS also where each folded character comes from, since "ß" becomes two."""
    pieces = [_fold_character(character) for character in text]
    origin = [place for place, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), [*origin, len(text)]


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Fold one character; combining accents become nothing. Syllabic scripts, whose marks make letters, keep theirs."""
    if _UNSPACED.match(character):
        return character.casefold()
    return _ACCENT.sub("", unicodedata.normalize("NFD", character.casefold()))


def _loose_pattern(string: str) -> "re.Pattern[str]":
    """Let spaces come and go, except that two words never become one nor one word two."""
    pattern = ""
    for place, character in enumerate(string):
        if character.isspace():
            continue
        before = string[:place].rstrip()[-1:]
        if before and is_word_character(before) and is_word_character(character):
            pattern += r"\s+" if string[place - 1].isspace() else ""
        elif before:
            pattern += r"\s*"
        pattern += re.escape(character)
    return re.compile(f"(?=({pattern}))")


def choose_pairs(
    subjects: Sequence[CharSpan], objects: Sequence[CharSpan], *, occurrences: str = "nearest"
) -> List[Tuple[CharSpan, CharSpan]]:
    """Choose which occurrences of subject and object a triple is about.

    subjects (Sequence[CharSpan]): Where the subject's string stands.
    objects (Sequence[CharSpan]): Where the object's string stands.
    occurrences (str): `nearest` takes the pair with the fewest characters between (pairs that overlap only where there
        is no other; the earliest of equals), `first` the first of each, `all` every pair.
    RETURNS (List[Tuple[CharSpan, CharSpan]]): Without pairs of the same span; empty where nothing else is left.
    """
    if occurrences == "first":
        subjects, objects = subjects[:1], objects[:1]
    pairs = [(subject, obj) for subject in subjects for obj in objects if subject != obj]
    if occurrences != "nearest" or not pairs:
        return pairs
    return [min(pairs, key=pair_distance)]


def pair_distance(pair: Tuple[CharSpan, CharSpan]) -> Tuple[bool, int]:
    """Rank pairs: apart before overlapping, then by the characters between.

    pair (Tuple[CharSpan, CharSpan]): Two spans of one text.
    RETURNS (Tuple[bool, int]): Whether they overlap, and the characters between.
    """
    (subject_start, subject_end), (object_start, object_end) = pair
    gap = max(object_start - subject_end, subject_start - object_end)
    return gap < 0, max(gap, 0)


def locate_record(record: Dict[str, Any], report: Report, *, occurrences: str = "nearest") -> Dict[str, Any]:
    """Turn a record whose triples and entities are strings into a canonical one, and count what happened.

    record (Dict[str, Any]): `text`, `string_triples` (objects with `subject`, `relation`, `object` and optionally
        `subject_label`, `object_label`) and optionally `string_entities` (objects with `text`, `label`).
    report (Report): Gets the counts.
    occurrences (str): `nearest`, `first` or `all`; see `choose_pairs`.
    RETURNS (Dict[str, Any]): A canonical record; entities only where the record names entity labels.
    """
    text = record["text"]
    found: Dict[str, Occurrences] = {}
    triples: List[Dict[str, Any]] = []
    entities = _locate_entities(text, record.get("string_entities", ()), found)
    for triple in record["string_triples"]:
        subject, obj = (_look_up(text, triple[role], found) for role in ("subject", "object"))
        pairs = choose_pairs(subject.spans, obj.spans, occurrences=occurrences)
        if not pairs:
            report.not_located += not (subject.spans and obj.spans)
            report.identical += bool(subject.spans and obj.spans)
        for subject_span, object_span in pairs:
            triples.append({"subject": list(subject_span), "relation": triple["relation"], "object": list(object_span)})
            for span, label in ((subject_span, "subject_label"), (object_span, "object_label")):
                if triple.get(label):
                    entities[(*span, triple[label])] = None
    report.count_strings(found.items())
    located = {"text": text, "triples": triples}
    if entities or "string_entities" in record:
        ordered = sorted(entities, key=lambda e: (e[0], -e[1], e[2]))
        located["entities"] = [{"start": start, "end": end, "label": label} for start, end, label in ordered]
    return located


def _look_up(text: str, string: str, found: Dict[str, Occurrences]) -> Occurrences:
    """Find a string once per record."""
    if string not in found:
        found[string] = find_string(text, string)
    return found[string]


def _locate_entities(
    text: str, mentions: Sequence[Dict[str, str]], found: Dict[str, Occurrences]
) -> Dict[Tuple[int, int, str], None]:
    """Mark every occurrence of a typed string, save those inside a longer one ("York" in "York Minster")."""
    spans = [(span, m["label"]) for m in mentions for span in _look_up(text, m["text"], found).spans]
    entities: Dict[Tuple[int, int, str], None] = {}
    for mention in mentions:
        own = found[mention["text"]].spans
        free = [s for s in own if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o, _ in spans)]
        for span in free or own:
            entities[(*span, mention["label"])] = None
    return entities
