"""Where linked entities stand as arguments: a pair given by two strings, or facts between entities with mentions."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from ...annotations.triple import CharSpan
from ..report import Report
from .locate import Occurrences, choose_pairs, find_string, pair_distance

# The type of an entity of which a data set says no more than which one it is.
ENTITY = "ENTITY"

NO_RELATION = "NA"

# Start, end, number of the sentence.
Mention = Tuple[int, int, int]


def locate_pair(record: Dict[str, Any], report: Report, *, occurrences: str = "nearest") -> Optional[Dict[str, Any]]:
    """Turn a record whose one pair is two strings into a canonical one, and count what happened.

    record (Dict[str, Any]): `text`; `string_pair`, an object with `subject`, `object`, `subject_id`, `object_id` and
        `label`, where `NA` states no triple; and `places`, the spans of those strings whose places the file marks.
        Only other strings are searched for.
    report (Report): Gets the counts.
    occurrences (str): `nearest`, `first` or `all`; see `locate.choose_pairs`.
    RETURNS (Optional[Dict[str, Any]]): A canonical record with two linked entities, the marked pair, and its triple;
        None where the pair has no place, since nothing is said of the text then.
    """
    text, pair = record["text"], record["string_pair"]
    found = {string: Occurrences(spans, "exact") for string, spans in record["places"].items() if spans}
    for role in ("subject", "object"):
        found.setdefault(pair[role], find_string(text, pair[role]))
    report.count_strings(found.items())
    subject, obj = (found[pair[role]].spans for role in ("subject", "object"))
    chosen = choose_pairs(subject, obj, occurrences=occurrences)
    stated = pair["label"] != NO_RELATION
    if not chosen:
        report.pairs_left_out += 1
        report.not_located += stated and not (subject and obj)
        report.identical += stated and bool(subject and obj)
        return None
    linked = {(*first, pair["subject_id"]) for first, _ in chosen} | {(*last, pair["object_id"]) for _, last in chosen}
    arguments = [{"subject": list(first), "object": list(last)} for first, last in chosen]
    return {
        "text": text,
        "entities": [
            {"start": start, "end": end, "label": ENTITY, "kb_id": kb_id}
            for start, end, kb_id in sorted(linked, key=lambda entity: (entity[0], -entity[1], entity[2]))
        ],
        "triples": [{**both, "relation": pair["label"]} for both in arguments] if stated else [],
        "pairs": [{**both, "label": pair["label"]} for both in arguments],
    }


def locate_facts(record: Dict[str, Any], report: Report, *, occurrences: str = "nearest") -> Dict[str, Any]:
    """Turn a record whose facts hold between entities with several mentions into a canonical one.

    record (Dict[str, Any]): A canonical record but for its triples, and `facts`: objects with `relation`, `subject` and
        `object` (mentions as (start, end, sentence)) and `evidence` (numbers of sentences). Without facts it stays.
    report (Report): Gets the count of facts between one and the same span.
    occurrences (str): `nearest` takes two mentions of one sentence if there are any, of a sentence of the evidence if
        there are any, and of these the nearest; `first` the first mention of each entity; `all` every two mentions of
        one sentence, or, where none has both, of the document.
    RETURNS (Dict[str, Any]): A canonical record; the evidence of a triple says `sentences`.
    """
    if "facts" not in record:
        return record
    triples: List[Dict[str, Any]] = []
    for fact in record["facts"]:
        pairs = _choose_mentions(fact["subject"], fact["object"], fact["evidence"], occurrences=occurrences)
        report.identical += not pairs
        evidence = {"evidence": {"sentences": fact["evidence"]}} if fact["evidence"] else {}
        for subject, obj in pairs:
            triples.append({"subject": list(subject), "relation": fact["relation"], "object": list(obj), **evidence})
    return {**{key: value for key, value in record.items() if key != "facts"}, "triples": triples}


def _choose_mentions(
    subjects: Sequence[Mention], objects: Sequence[Mention], evidence: Sequence[int], *, occurrences: str
) -> List[Tuple[CharSpan, CharSpan]]:
    """Choose mentions for the arguments of a fact; empty where both are the same span."""
    if occurrences == "first":
        return choose_pairs(_spans(subjects), _spans(objects), occurrences="first")
    within: Dict[int, List[Tuple[CharSpan, CharSpan]]] = {}
    for sentence in sorted({mention[2] for mention in subjects} & {mention[2] for mention in objects}):
        here = [_spans([m for m in mentions if m[2] == sentence]) for mentions in (subjects, objects)]
        pairs = choose_pairs(*here, occurrences=occurrences)
        if pairs:
            within[sentence] = pairs
    if not within:
        return choose_pairs(_spans(subjects), _spans(objects), occurrences=occurrences)
    if occurrences == "all":
        return [pair for pairs in within.values() for pair in pairs]
    told = [pairs for sentence, pairs in within.items() if sentence in evidence]
    return [min((pair for pairs in told or within.values() for pair in pairs), key=pair_distance)]


def _spans(mentions: Sequence[Mention]) -> List[CharSpan]:
    """Drop the sentences, in the order of the text."""
    return sorted((start, end) for start, end, _ in mentions)
