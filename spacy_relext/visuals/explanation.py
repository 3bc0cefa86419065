"""What a triple is based on, in words: what `spacy relext explain` prints, and what the page draws."""

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ..annotations.store import get_records
from .bag_ground import BagGround, say_bag, take_bag

# Logits that a component names in its evidence, and what they are called.
PARTS = {"text": "text", "types": "types", "local": "sentence and entities", "auxiliary": "attended tokens"}

PRIOR = "share of the types"

_HOW = "how"

_EXACT, _SOFT = "exact", "soft"

_INDENT = "    "

Attention = Tuple[int, int, float]


class RuleGround(NamedTuple):
    """The rule behind a triple, as a sentence around its pattern.

    before (str): Which rule.
    pattern (str): Its pattern; "" where no rule says so.
    after (str): How it fits.
    match (Optional[float]): How like the text is to it; None where it fires.
    """

    before: str
    pattern: str
    after: str
    match: Optional[float] = None

    def __str__(self) -> str:
        return f'{self.before} "{self.pattern}"{self.after}' if self.pattern else self.before


class Evidence(NamedTuple):
    """The evidence of a triple, sorted by what it is.

    rule (Optional[RuleGround]): The rule that says so.
    types (str): Types of both arguments; "" without any.
    parts (List[Tuple[str, float]]): Names of what was added up, and logits.
    prior (Optional[float]): How often such types have the relation, 0 to 1.
    attention (List[Tuple[int, int, float]]): First character, character after the last, weight.
    bag (Optional[BagGround]): What text and knowledge base say of all mentions of a pair.
    rest (List[str]): All else as it is, `key: value` each.
    """

    rule: Optional[RuleGround]
    types: str
    parts: List[Tuple[str, float]]
    prior: Optional[float]
    attention: List[Attention]
    bag: Optional[BagGround]
    rest: List[str]


def read_evidence(evidence: Optional[Mapping[str, Any]]) -> Evidence:
    """Sort what a component says of a triple; what has not the form that is known is left as it is.

    evidence (Optional[Mapping[str, Any]]): As it is stored.
    RETURNS (Evidence): All of it.
    """
    rest: Dict[str, Any] = dict(evidence or {})
    rule, bag = _take_rule(rest), take_bag(rest)
    kinds, types = rest.get("entity_types"), ""
    if isinstance(kinds, list):
        del rest["entity_types"]
        types = " → ".join(str(kind) or "–" for kind in kinds) if any(kinds) else ""
    parts = [(PARTS[key], float(rest.pop(key))) for key in PARTS if _is_number(rest.get(key))]
    prior = float(rest.pop("prior")) if _is_number(rest.get("prior")) else None
    attention: List[Attention] = []
    if _is_attention(rest.get("attention")):
        attention = [(int(start), int(end), float(weight)) for start, end, weight in rest.pop("attention")]
    more = [f"{key}: {_plain(value)}" for key, value in rest.items()]
    return Evidence(rule, types, parts, prior, attention, bag, more)


def explain_doc(doc: Doc, *, reason: str = "") -> List[str]:
    """Say what each triple of a document is based on.

    doc (Doc): A processed document.
    reason (str): Why it has none, if so.
    RETURNS (List[str]): Lines, the triples with the highest scores first.
    """
    lines = [line for record in ranked_records(doc) for line in explain_record(doc, record)]
    return lines or [say_none(reason)]


def say_none(reason: str) -> str:
    """Say that there is no triple.

    reason (str): Why; "" where that is not known.
    RETURNS (str): A line.
    """
    return f"No triple: {_line(reason)}." if reason else "No triple."


def explain_record(doc: Doc, record: Mapping[str, Any]) -> List[str]:
    """Say what a triple is based on.

    doc (Doc): Its document.
    record (Mapping[str, Any]): The triple as it is stored; see `triples.store.get_records`.
    RETURNS (List[str]): The triple, then an indented line for each kind of evidence.
    """
    found = read_evidence(record["evidence"])
    subject, obj = (_line(doc.text[slice(*record[role])]) for role in ("subject", "object"))
    figures = [f"{name} {value:+.2f}" for name, value in found.parts]
    figures += [] if found.prior is None else [f"{PRIOR} {found.prior:.2f}"]
    words = [f"{_line(doc.text[start:end])} {weight:.2f}" for start, end, weight in found.attention]
    said = [
        str(found.rule or ""),
        f"types: {found.types}" if found.types else "",
        f"parts: {', '.join(figures)}" if figures else "",
        f"attended words: {', '.join(words)}" if words else "",
        *(say_bag(doc, found.bag) if found.bag is not None else ()),
        ", ".join(found.rest),
    ]
    head = describe_triple(subject, record["relation"], obj, score=record["score"], source=record["source"])
    return [head, *(_INDENT + _line(line) for line in said if line)]


def describe_triple(subject: str, relation: str, obj: str, *, score: float, source: str) -> str:
    """Put a triple into one line.

    subject (str): The subject's text.
    relation (str): The relation.
    obj (str): The object's text.
    score (float): The score.
    source (str): The component; "" for none.
    RETURNS (str): All of it, not escaped.
    """
    origin = f", from {source}" if source else ""
    return f"{subject} → {relation} → {obj} (score {score:.3f}{origin})"


def ranked_records(doc: Doc) -> List[Dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): The triples as they are stored, those with the highest scores first."""
    return sorted(get_records(doc) or [], key=lambda record: -record["score"])


def _take_rule(rest: Dict[str, Any]) -> Optional[RuleGround]:
    """Take the rule out of evidence that has one, or that says that none has a part in it."""
    how = rest.get(_HOW)
    if how not in (_EXACT, _SOFT):
        return None
    name, pattern = rest.get("rule"), rest.get("pattern")
    match: Any = rest.get("match")
    if not isinstance(pattern, str):
        del rest[_HOW]
        return RuleGround("no rule of this relation fits: by the classifier alone", "", "")
    for key in (_HOW, "rule", "pattern", "match"):
        rest.pop(key, None)
    if how == _EXACT:
        return RuleGround(f"rule {name}", pattern, " (exact)")
    if not _is_number(match):
        return RuleGround(f"like rule {name}", pattern, "")
    return RuleGround(f"like rule {name}", pattern, f", match {match:.2f}", match)


def _is_attention(value: Any) -> bool:
    """Say whether a value lists places with weights."""
    rows: Sequence[Any] = value if isinstance(value, list) else ()
    return bool(rows) and all(isinstance(row, list) and len(row) == 3 and all(map(_is_number, row)) for row in rows)


def _is_number(value: Any) -> bool:
    """Say whether a value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    """Write a value in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _line(text: str) -> str:
    """Put a text into one line."""
    return " ".join(text.split())
