"""The evidence of a triple in words: the output of `spacy relext explain`, and the values that the page draws."""

import json
from typing import List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ..annotations.assertion import describe_relation
from ..annotations.constraints import get_removed
from ..annotations.near_miss import NearMiss
from ..annotations.store import get_records
from ..annotations.triple import Record

PRIOR = "share of the types"

# Keys of evidence with logits, and their names.
_PARTS = {"text": "text", "types": "types", "local": "sentence and entities", "auxiliary": "attended tokens"}
# Keys of evidence with probabilities of a bag, and their names.
_SIDES = {"text": "the text alone", "kb": "the knowledge base alone"}
_INDENT = "    "
_CONTEXT = 30  # characters shown around a mention

Attention = Tuple[int, int, float]  # start and end character, and weight


class RuleEvidence(NamedTuple):
    """The rule behind a triple, as a sentence around its pattern."""

    before: str  # name of the rule
    pattern: str = ""  # "" without a rule
    after: str = ""  # how it matches
    match: Optional[float] = None  # similarity of the text; None if the rule matches exactly

    def __str__(self) -> str:
        return f'{self.before} "{self.pattern}"{self.after}' if self.pattern else self.before


class BagEvidence(NamedTuple):
    """The evidence of a triple whose pair was read in all its mentions."""

    ids: str  # of subject and object; "" if neither is linked
    sides: List[Tuple[str, float]]  # names and probabilities of the text and the knowledge base alone
    mentions: List[Tuple[float, ...]]  # characters of subject and object, and weight, of each

    def snippets(self, doc: Doc) -> List[str]:
        """List the text of each mention with some context."""
        snippets = []
        for *places, _ in self.mentions:
            first = max(0, int(min(places)) - _CONTEXT)
            last = min(len(doc.text), int(max(places)) + _CONTEXT)
            text = " ".join(doc.text[first:last].split())
            snippets.append("… " * (first > 0) + text + " …" * (last < len(doc.text)))
        return snippets


class Evidence(NamedTuple):
    """The evidence of a triple by kind."""

    rule: Optional[RuleEvidence]
    types: str  # of both arguments; "" without any
    parts: List[Tuple[str, float]]  # names and logits of the parts of the score
    prior: Optional[float]  # share of the relation among pairs of these types, 0 to 1
    attention: List[Attention]
    bag: Optional[BagEvidence]
    rest: List[str]  # anything else, `key: value` each


def read_evidence(evidence: Record) -> Evidence:
    """Sort the stored evidence of a component by kind; values of an unknown form become `rest`."""
    rest = dict(evidence)
    rule, bag = _pop_rule(rest), _pop_bag(rest)
    types = _join_pair(rest.pop("entity_types")) if isinstance(rest.get("entity_types"), list) else ""
    parts = [(name, float(rest.pop(key))) for key, name in _PARTS.items() if _is_number(rest.get(key))]
    prior = float(rest.pop("prior")) if _is_number(rest.get("prior")) else None
    attention: List[Attention] = []
    if _is_rows(rest.get("attention"), 3):
        attention = [(int(start), int(end), float(weight)) for start, end, weight in rest.pop("attention")]
    others = [
        f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)}"
        for key, value in rest.items()
    ]
    return Evidence(rule, types, parts, prior, attention, bag, others)


def explain_doc(
    doc: Doc, *, reason: str = "", misses: Optional[Sequence[NearMiss]] = None, hidden: int = 0
) -> List[str]:
    """Explain the triples of a processed document in lines, those with the highest scores first, then what was removed.

    reason (str): Why it has none; "" if unknown.
    misses (Optional[Sequence[NearMiss]]): Near misses to list, also those that were removed; None: not requested.
    hidden (int): Number of near misses that are not listed.
    """
    lines = [line for record in rank_records(doc) for line in _explain_record(doc, record)]
    lines = lines or [explain_absence(reason)]
    if misses is not None:
        return [*lines, *(line for miss in misses for line in _explain_miss(doc, miss)), count_misses(misses, hidden)]
    for record in get_removed(doc):
        removed = record["removed"]
        lines += [f"Removed by {removed['by']}: {_describe(doc, record)}", f"{_INDENT}{_one_line(removed['reason'])}"]
    return lines


def explain_absence(reason: str) -> str:
    """Write the line of a document without triples; `reason` may be ""."""
    return f"No triple: {_one_line(reason)}." if reason else "No triple."


def count_misses(misses: Sequence[NearMiss], hidden: int) -> str:
    """Write how many near misses are shown, and how many are not."""
    if not misses:
        return "No near miss."
    more = f"; {hidden} more with lower scores (--near-misses)" if hidden else ""
    return f"{len(misses)} near miss{'es' * (len(misses) != 1)}{more}."


def argument_texts(doc: Doc, miss: NearMiss) -> Tuple[str, str]:
    """Return subject and object of a near miss; "?" where none was searched for."""
    subject, obj = ("?" if span is None else _one_line(doc.text[slice(*span)]) for span in (miss.subject, miss.object))
    return subject, obj


def triple_line(subject: str, relation: str, obj: str, *, score: float, source: str) -> str:
    """Write a triple in one line, not escaped; `source` may be ""."""
    origin = f", from {source}" if source else ""
    return f"{subject} → {relation} → {obj} (score {score:.3f}{origin})"


def relation_text(record: Record) -> str:
    """Return the relation of a stored triple with its attributes, not escaped."""
    return describe_relation(record["relation"], record.get("attributes", {}))


def rank_records(doc: Doc) -> List[Record]:
    """List the stored triples, those with the highest scores first."""
    return sorted(get_records(doc) or [], key=lambda record: -record["score"])


def _explain_miss(doc: Doc, miss: NearMiss) -> List[str]:
    """Write a near miss, and what stopped it."""
    subject, obj = argument_texts(doc, miss)
    limit = "" if miss.stopped_by == "constraints" else f", threshold {miss.threshold:.3f}"
    return [
        f"Not stated: {subject} → {miss.relation} → {obj} (score {miss.score:.3f}{limit}, from {miss.source})",
        f"{_INDENT}{miss.stopped_by}: {_one_line(miss.text)}",
    ]


def _explain_record(doc: Doc, record: Record) -> List[str]:
    evidence = read_evidence(record["evidence"])
    bag = evidence.bag
    figures = [f"{name} {value:+.2f}" for name, value in evidence.parts]
    figures += [] if evidence.prior is None else [f"{PRIOR} {evidence.prior:.2f}"]
    words = [f"{_one_line(doc.text[start:end])} {weight:.2f}" for start, end, weight in evidence.attention]
    lines = [
        str(evidence.rule or ""),
        f"types: {evidence.types}" if evidence.types else "",
        f"parts: {', '.join(figures)}" if figures else "",
        f"attended words: {', '.join(words)}" if words else "",
        *(_explain_bag(doc, bag) if bag else ()),
        ", ".join(evidence.rest),
    ]
    return [_describe(doc, record), *(_INDENT + _one_line(line) for line in lines if line)]


def _describe(doc: Doc, record: Record) -> str:
    subject, obj = (_one_line(doc.text[slice(*record[role])]) for role in ("subject", "object"))
    return triple_line(subject, _one_line(relation_text(record)), obj, score=record["score"], source=record["source"])


def _explain_bag(doc: Doc, bag: BagEvidence) -> List[str]:
    sides = ", ".join(f"{name} {value:.2f}" for name, value in bag.sides)
    mentions = [f"{text} {row[-1]:.2f}" for text, row in zip(bag.snippets(doc), bag.mentions)]
    return [
        f"probability by {sides}" if sides else "",
        f"linked to: {bag.ids}" if bag.ids else "",
        f"mentions: {'; '.join(mentions)}" if len(mentions) > 1 else "",
    ]


def _pop_rule(rest: Record) -> Optional[RuleEvidence]:
    """Remove the evidence of a component with rules; None if it is another component's."""
    how = rest.get("how")
    if how not in ("exact", "soft"):
        return None
    name, pattern, match = rest.get("rule"), rest.get("pattern"), rest.get("match")
    if not isinstance(pattern, str):
        del rest["how"]
        return RuleEvidence("no rule of this relation fits: by the classifier alone")
    for key in ("how", "rule", "pattern", "match"):
        rest.pop(key, None)
    if how == "exact":
        return RuleEvidence(f"rule {name}", pattern, " (exact)")
    if match is None or not _is_number(match):
        return RuleEvidence(f"like rule {name}", pattern)
    return RuleEvidence(f"like rule {name}", pattern, f", match {match:.2f}", match)


def _pop_bag(rest: Record) -> Optional[BagEvidence]:
    """Remove the evidence of a classifier of bags; None if it is another component's."""
    ids, mentions = rest.get("ids"), rest.get("mentions")
    if not (_is_rows(mentions, 5) and isinstance(ids, list) and len(ids) == 2):
        return None
    sides = [(name, float(rest.pop(key))) for key, name in _SIDES.items() if isinstance(rest.get(key), (int, float))]
    for key in ("ids", "mentions"):
        rest.pop(key, None)
    return BagEvidence(_join_pair(ids), sides, [tuple(row) for row in mentions or ()])


def _join_pair(names: List[object]) -> str:
    """Write the values of subject and object with an arrow between them; "" if neither has one."""
    return " → ".join(str(name) or "–" for name in names) if any(names) else ""


def _is_rows(value: object, length: int) -> bool:
    """Return True if a value is a list of at least one row, each of `length` numbers."""
    rows = value if isinstance(value, list) else []
    return bool(rows) and all(isinstance(r, list) and len(r) == length and all(map(_is_number, r)) for r in rows)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _one_line(text: str) -> str:
    return " ".join(text.split())
