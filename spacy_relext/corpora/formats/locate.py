"""Locate the arguments of triples in the text: strings, pairs of strings, and entities with several mentions."""

import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from ...annotations.triple import CharSpan, Record
from ..report import Report
from .checks import INCOMPLETE, sort_entities

# Label of entities for which a data set gives no label.
ENTITY = "ENTITY"
# Labels for no relation: NYT10 and Wiki20m, TACRED, SemEval-2010.
NA_LABEL, NO_RELATION = "NA", "no_relation"
NO_RELATIONS = (NA_LABEL, "Other", NO_RELATION)

# Start, end, number of the sentence.
Mention = Tuple[int, int, int]
SpanPair = Tuple[CharSpan, CharSpan]

# Scripts written without spaces between words, and Hangul, whose particles are joined to names: no word boundaries.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff]"
)
_ACCENT = re.compile("[\u0300-\u036f]")


def locate_record(record: Record, report: Report) -> Record:
    """Locate triples and entities that are strings, and count what happened.

    record (Record): `text`, `string_triples` (objects with `subject`, `relation`, `object` and optionally
        `subject_label`, `object_label`) and optionally `string_entities` (objects with `text`, `label`).
    RETURNS (Record): A canonical record; entities only if the record names entity labels.
    """
    text, mentions = record["text"], record.get("string_entities", ())
    strings = [mention["text"] for mention in mentions]
    strings += [triple[role] for triple in record["string_triples"] for role in ("subject", "object")]
    places = {string: find_string(text, string) for string in dict.fromkeys(strings)}
    entities: Dict[Tuple[int, int, str, str], None] = {}
    inner = find_inner(span for mention in mentions for span in places[mention["text"]])
    for mention in mentions:
        spans = places[mention["text"]]
        # not inside a longer one: "York" in "York Minster"
        outermost = [span for span in spans if span not in inner]
        entities.update({(*span, mention["label"], ""): None for span in outermost or spans})
    triples: List[Record] = []
    is_complete = True
    for triple in record["string_triples"]:
        subjects, objects = places[triple["subject"]], places[triple["object"]]
        pair = choose_pair(subjects, objects)
        if pair is None:
            report.count_missing_pair(subjects, objects)
            is_complete = is_complete and bool(subjects and objects)  # both in one span can be no triple
            continue
        triples.append({"subject": list(pair[0]), "relation": triple["relation"], "object": list(pair[1])})
        for span, label in zip(pair, ("subject_label", "object_label")):
            if triple.get(label):
                entities[(*span, triple[label], "")] = None
    report.count_strings(places)
    located: Record = {"text": text, "triples": triples}
    located.update({} if is_complete else {INCOMPLETE: True})
    if entities or "string_entities" in record:
        located["entities"] = sort_entities(entities)
    return located


def locate_pair(record: Record, report: Report) -> Optional[Record]:
    """Locate the one pair of a record, which is two strings, and count what happened.

    record (Record): `text`; `string_pair`, an object with `subject`, `object`, `subject_id`, `object_id` and `label`,
        where `NA` gives no triple; and `places`, the spans of the strings that the file marks. Only other strings are
        searched for.
    RETURNS (Optional[Record]): A canonical record with two linked entities, the marked pair, and its triple; None if
        the pair is not found, since nothing is then annotated.
    """
    text, pair = record["text"], record["string_pair"]
    places = {string: spans for string, spans in record["places"].items() if spans}
    for role in ("subject", "object"):
        if pair[role] not in places:
            places[pair[role]] = find_string(text, pair[role])
    report.count_strings(places)
    subjects, objects = places[pair["subject"]], places[pair["object"]]
    chosen = choose_pair(subjects, objects)
    has_relation, ids = pair["label"] != NA_LABEL, (pair["subject_id"], pair["object_id"])
    if chosen is None:
        report.pairs_left_out += 1
        if has_relation:
            report.count_missing_pair(subjects, objects)
        return None
    both = {"subject": list(chosen[0]), "object": list(chosen[1])}
    return {
        "text": text,
        "entities": sort_entities({(*span, ENTITY, kb_id) for span, kb_id in zip(chosen, ids)}),
        "triples": [{**both, "relation": pair["label"]}] if has_relation else [],
        "pairs": [{**both, "label": pair["label"]}],
    }


def locate_facts(record: Record, report: Report) -> Record:
    """Choose mentions for facts between entities that have several.

    Two mentions of one sentence are preferred, then a sentence of the evidence, then the least distance.

    record (Record): A canonical record but for its triples, and `facts`: objects with `relation`, `subject` and
        `object` (lists of `Mention`) and `evidence` (numbers of sentences). Without `facts` it is returned unchanged.
    RETURNS (Record): A canonical record; the evidence of its triples has `sentences`.
    """
    if "facts" not in record:
        return record
    triples: List[Record] = []
    for fact in record["facts"]:
        pair = choose_mentions(fact["subject"], fact["object"], fact["evidence"])
        if pair is None:
            report.identical += 1
            continue
        evidence = {"evidence": {"sentences": fact["evidence"]}} if fact["evidence"] else {}
        triples.append({"subject": list(pair[0]), "relation": fact["relation"], "object": list(pair[1]), **evidence})
    return {**{key: value for key, value in record.items() if key != "facts"}, "triples": triples}


def find_string(text: str, string: str) -> List[CharSpan]:
    """Find a string on word boundaries: exactly, else with other letter case and accents, else with other spaces too.

    White space around the string is ignored. All occurrences by the first of these ways that finds any are returned.
    """
    string = string.strip()
    if string and (spans := _on_boundaries(text, _find_all(text, string))):
        return spans
    folded, origin = _fold(text)
    folded_string, _ = _fold(string)
    if not folded_string:
        return []
    spans = _on_boundaries(text, ((origin[s], origin[e]) for s, e in _find_all(folded, folded_string)))
    if spans:
        return spans
    matches = _loose_pattern(folded_string).finditer(folded)
    return _on_boundaries(text, ((origin[match.start(1)], origin[match.end(1)]) for match in matches))


def find_inner(spans: Iterable[CharSpan]) -> Set[CharSpan]:
    """Find the spans that lie inside another one."""
    inner, last = set(), -1
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if end <= last:
            inner.add((start, end))
        last = max(last, end)
    return inner


def is_boundary(text: str, position: int) -> bool:
    """Return True if a word may start or end at a position: unless both neighbours are word characters."""
    if not 0 < position < len(text):
        return True
    return not (_is_word_character(text[position - 1]) and _is_word_character(text[position]))


def choose_pair(subjects: Sequence[CharSpan], objects: Sequence[CharSpan]) -> Optional[SpanPair]:
    """Choose the occurrences of subject and object with the fewest characters between; None if both are one span.

    Pairs that overlap are chosen only if there is no other, and of equals the earliest.
    """
    # a string may occur thousands of times, and its pairs be millions: they are not listed
    pairs = ((subject, obj) for subject in subjects for obj in objects if subject != obj)
    return _nearest_pair(subjects, objects) or next(pairs, None)


def choose_mentions(
    subjects: Sequence[Mention], objects: Sequence[Mention], evidence: Sequence[int]
) -> Optional[SpanPair]:
    """Choose mentions for the arguments of a fact; None if both are the same span.

    Two mentions of one sentence are preferred, then a sentence of the evidence, then the least distance.
    """
    within: Dict[int, SpanPair] = {}
    for sentence in sorted({mention[2] for mention in subjects} & {mention[2] for mention in objects}):
        here = [_spans([m for m in mentions if m[2] == sentence]) for mentions in (subjects, objects)]
        if pair := choose_pair(*here):
            within[sentence] = pair
    if not within:
        return choose_pair(_spans(subjects), _spans(objects))
    in_evidence = [pair for sentence, pair in within.items() if sentence in evidence]
    return min(in_evidence or within.values(), key=_pair_distance)


def _nearest_pair(subjects: Sequence[CharSpan], objects: Sequence[CharSpan]) -> Optional[SpanPair]:
    """Find the pair with the fewest characters between, the first of equals; None if all pairs overlap."""
    starts = sorted((start, number) for number, (start, _) in enumerate(objects))
    ends = sorted((end, number) for number, (_, end) in enumerate(objects))
    found: List[Tuple[int, int, int]] = []
    for number, (start, end) in enumerate(subjects):
        after = bisect_left(starts, (end, 0))
        if after < len(starts):
            found.append((starts[after][0] - end, number, starts[after][1]))
        before = bisect_left(ends, (start + 1, 0)) - 1
        if before >= 0:
            first = bisect_left(ends, (ends[before][0], 0))
            found.append((start - ends[before][0], number, ends[first][1]))
    _, number, other = min(found, default=(0, -1, -1))
    return (subjects[number], objects[other]) if found else None


def _pair_distance(pair: SpanPair) -> Tuple[bool, int]:
    """Compute the sort key of pairs: apart before overlapping, then the characters between."""
    (subject_start, subject_end), (object_start, object_end) = pair
    gap = max(object_start - subject_end, subject_start - object_end)
    return gap < 0, max(gap, 0)


def _spans(mentions: Sequence[Mention]) -> List[CharSpan]:
    """List the spans of mentions, in the order of the text."""
    return sorted((start, end) for start, end, _ in mentions)


@lru_cache(maxsize=4096)
def _is_word_character(character: str) -> bool:
    """Return True for letters, digits, `_` and combining marks of scripts with spaces between words."""
    if _UNSPACED.match(character):
        return False
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


def _find_all(text: str, string: str) -> List[CharSpan]:
    """Find every occurrence, overlapping ones too."""
    spans = []
    start = text.find(string)
    while start >= 0:
        spans.append((start, start + len(string)))
        start = text.find(string, start + 1)
    return spans


def _on_boundaries(text: str, spans: Iterable[CharSpan]) -> List[CharSpan]:
    """Keep the spans that start and end on a word boundary."""
    return [(s, e) for s, e in spans if s < e and is_boundary(text, s) and is_boundary(text, e)]


@lru_cache(maxsize=8)
def _fold(text: str) -> Tuple[str, Sequence[int]]:
    """Fold case and accents; RETURNS also the place of each folded character in the text, since "ß" becomes two."""
    pieces = [_fold_character(character) for character in text]
    origin = [place for place, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), [*origin, len(text)]


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Fold one character; accents are removed, except in the scripts of `_UNSPACED`, whose marks make letters."""
    if _UNSPACED.match(character):
        return character.casefold()
    return _ACCENT.sub("", unicodedata.normalize("NFD", character.casefold()))


def _loose_pattern(string: str) -> "re.Pattern[str]":
    """Make a pattern that allows more or fewer spaces, but never where that would join or split words."""
    pattern = ""
    for place, character in enumerate(string):
        if character.isspace():
            continue
        before = string[:place].rstrip()[-1:]
        if before and _is_word_character(before) and _is_word_character(character):
            pattern += r"\s+" if string[place - 1].isspace() else ""
        elif before:
            pattern += r"\s*"
        pattern += re.escape(character)
    return re.compile(f"(?=({pattern}))")
