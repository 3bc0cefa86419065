"""The evidence of a triple as HTML: attended tokens, the rule, and bars for the parts of the score."""

import re
from typing import List, NamedTuple, Sequence, Tuple

from markupsafe import Markup
from spacy.tokens import Doc

from ..annotations.sentences import is_inside
from ..annotations.triple import Record
from .explanation import PRIOR, Attention, read_evidence
from .templates import fill_template

# Logit at which a bar is full.
_FULL = 8.0
_CONTEXT = 60  # characters shown around the marked tokens
_MASK = re.compile(r"(?<!\S)((?:SUBJ|OBJ)-\S+)")  # of an argument in the pattern of a rule


class _Bar(NamedTuple):
    """A bar between its name and its figure; the width is in percent."""

    name: str
    kind: str
    width: float
    figure: str


class _Word(NamedTuple):
    """A token with the text before it, its role, and the shade of its weight, 0 to 1."""

    before: str
    text: str
    role: str
    shade: float


def draw_evidence(doc: Doc, record: Record) -> Markup:
    """Draw the evidence of one stored triple as escaped HTML; "" without evidence.

    Attention colours the tokens by weight. Bars show the logit of each part, to the right for the relation and to the
    left against it. The type prior, the similarity to a rule and the probabilities of a bag are shares of 1. Other
    evidence is listed.
    """
    evidence = read_evidence(record["evidence"])
    rule, bag = evidence.rule, evidence.bag
    bars = [_logit(name, value) for name, value in evidence.parts]
    bars += [] if evidence.prior is None else [_share(PRIOR, evidence.prior)]
    bars += [] if rule is None or rule.match is None else [_share("like the rule", rule.match)]
    bars += [_share(name, value) for name, value in (bag.sides if bag else ())]
    mentions = bag.mentions if bag and len(bag.mentions) > 1 else ()
    words, after = _attended_words(doc, record, evidence.attention) if evidence.attention else ([], "")
    return fill_template(
        "evidence.html",
        words=words,
        after=after,
        rule=rule,
        pattern=[(part, _role_of_mask(part)) for part in _MASK.split(rule.pattern)] if rule else (),
        bars=bars,
        types=evidence.types,
        bag=bag,
        mentions=[_share(text, row[-1]) for text, row in zip(bag.snippets(doc) if bag else (), mentions)],
        rest=", ".join(evidence.rest),
    )


def _role_of_mask(part: str) -> str:
    """Return the role of the argument that a part of a pattern masks; "" if it masks none."""
    return "" if not _MASK.fullmatch(part) else "subject" if part.startswith("SUBJ") else "object"


def _attended_words(doc: Doc, record: Record, attention: Sequence[Attention]) -> Tuple[List[_Word], str]:
    """List the tokens around the arguments, darker with the weight of attention, and the text after the last one."""
    spans = {role: tuple(record[role]) for role in ("subject", "object")}
    marked = [*spans.values(), *((start, end) for start, end, _ in attention)]
    first = max(0, min(start for start, _ in marked) - _CONTEXT)
    last = min(len(doc.text), max(end for _, end in marked) + _CONTEXT)
    heaviest = max(weight for _, _, weight in attention) or 1.0
    shades = {(start, end): 0.15 + 0.75 * weight / heaviest for start, end, weight in attention if weight}
    words, at = [], first
    for token in doc:
        start, end = token.idx, token.idx + len(token)
        if end <= first or start >= last:
            continue
        role = next((role for role, span in spans.items() if is_inside((start, end), span)), "")
        words.append(_Word(doc.text[at:start], token.text, role, shades.get((start, end), 0.0)))
        at = end
    if first > 0 and words:
        words[0] = words[0]._replace(before="… " + words[0].before)
    return words, doc.text[at:last] + " …" * (last < len(doc.text))


def _logit(name: str, value: float) -> _Bar:
    """Make a bar from the middle to the right or left."""
    return _Bar(name, "for" if value >= 0 else "against", min(abs(value) / _FULL, 1.0) * 50, f"{value:+.2f}")


def _share(name: str, value: float) -> _Bar:
    """Make a bar from the left."""
    return _Bar(name, "share", max(0.0, min(value, 1.0)) * 100, f"{value:.2f}")
