"""What a triple of a bag is based on: text, knowledge base, mentions, and facts that are like it."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc

# Probabilities that a component names in its evidence, and what they are called.
SIDES = {"text": "the text alone", "kb": "the knowledge base alone"}

_CONTEXT = 30  # characters shown around a mention

MentionPlace = Tuple[int, int, int, int, float]


class BagGround(NamedTuple):
    """The evidence of a triple whose pair was read in all its mentions.

    ids (str): What subject and object are linked to; "" where neither is.
    sides (List[Tuple[str, float]]): What text and knowledge base say alone, as probabilities.
    mentions (List[Tuple[int, int, int, int, float]]): Characters of subject and object, and weight, of each mention.
    facts (List[str]): Facts of the knowledge base that are like the triple, with their likeness.
    """

    ids: str
    sides: List[Tuple[str, float]]
    mentions: List[MentionPlace]
    facts: List[str]


def take_bag(rest: Dict[str, Any]) -> Optional[BagGround]:
    """Take out of evidence what a classifier of bags has put there.

    rest (Dict[str, Any]): Evidence; what is understood is deleted.
    RETURNS (Optional[BagGround]): None, and nothing is deleted, where the evidence is another component's.
    """
    ids, mentions, facts = rest.get("ids"), rest.get("mentions"), rest.get("facts", [])
    if not (_is_rows(mentions, 5) and isinstance(ids, list) and len(ids) == 2 and _is_facts(facts)):
        return None
    sides = [(name, float(rest.pop(key))) for key, name in SIDES.items() if isinstance(rest.get(key), (int, float))]
    for key in ("ids", "mentions", "facts"):
        rest.pop(key, None)
    linked = " → ".join(str(each) or "–" for each in ids) if any(ids) else ""
    said = [f"{subject} {relation} {obj} {likeness:.2f}" for subject, relation, obj, likeness in facts]
    return BagGround(linked, sides, [tuple(row) for row in mentions or ()], said)


def say_bag(doc: Doc, ground: BagGround) -> List[str]:
    """Put it into lines.

    doc (Doc): The document.
    ground (BagGround): The evidence.
    RETURNS (List[str]): A line for each kind.
    """
    sides = ", ".join(f"{name} {value:.2f}" for name, value in ground.sides)
    said = [f"{share} {weight}" for share, weight in zip(snippets(doc, ground), _weights(ground))]
    return [
        f"probability by {sides}" if sides else "",
        f"linked to: {ground.ids}" if ground.ids else "",
        f"mentions: {'; '.join(said)}" if len(said) > 1 else "",
        f"facts like it: {', '.join(ground.facts)}" if ground.facts else "",
    ]


def snippets(doc: Doc, ground: BagGround) -> List[str]:
    """RETURNS (List[str]): The text of each mention and a little around it."""
    found = []
    for *places, _ in ground.mentions:
        first, last = max(0, min(places) - _CONTEXT), min(len(doc.text), max(places) + _CONTEXT)
        text = " ".join(doc.text[first:last].split())
        found.append("… " * (first > 0) + text + " …" * (last < len(doc.text)))
    return found


def _weights(ground: BagGround) -> List[str]:
    return [f"{weight:.2f}" for *_, weight in ground.mentions]


def _is_rows(value: Any, length: int) -> bool:
    """Say whether a value lists rows of so many numbers, one or more."""
    rows: Sequence[Any] = value if isinstance(value, list) else ()
    return bool(rows) and all(
        isinstance(row, list) and len(row) == length and all(isinstance(each, (int, float)) for each in row)
        for row in rows
    )


def _is_facts(value: Any) -> bool:
    """Say whether a value lists facts with their likeness."""
    return isinstance(value, list) and all(
        isinstance(row, list) and len(row) == 4 and isinstance(row[3], (int, float)) for row in value
    )
