"""The evidence of a triple as HTML: attended tokens, the rule, and bars for the parts of the score."""

from html import escape
from re import sub
from typing import List, Sequence

from spacy.tokens import Doc

from ..annotations.sentences import is_inside
from ..annotations.triple import CharSpan, Record
from .explanation import PRIOR, Attention, BagEvidence, RuleEvidence, read_evidence

STYLE = """
.read { line-height: 1.9; overflow-wrap: break-word; }
.read mark { color: inherit; border-radius: .2em; padding: .1em 0; }
.read .argument { font-weight: 600; border-bottom: 3px solid #e0b53a; } .read .object { border-bottom-color: #58aedd; }
.parts { display: grid; grid-template-columns: max-content 8rem max-content; gap: .1rem .5rem; align-items: center; }
.parts.mentions { grid-template-columns: auto 8rem max-content; }
.bar { position: relative; height: .7em; background: #8883; } .bar i { position: absolute; top: 0; bottom: 0; }
.bar .for { background: #2b5fb4; left: 50%; } .bar .against { background: #b4402b; right: 50%; }
.bar .share { background: #2b5fb4; left: 0; }
@media (prefers-color-scheme: dark) { .bar .for, .bar .share { background: #8db4f5; }
  .bar .against { background: #f0937f; } }
"""

# Logit at which a bar is full.
_FULL = 8.0
_CONTEXT = 60  # characters shown around the marked tokens


def draw_evidence(doc: Doc, record: Record) -> str:
    """Draw the evidence of one stored triple as escaped HTML; "" without evidence.

    Attention colours the tokens by weight. Bars show the logit of each part, to the right for the relation and to the
    left against it. The type prior, the similarity to a rule and the probabilities of a bag are shares of 1. Other
    evidence is listed.
    """
    evidence = read_evidence(record["evidence"])
    rule, bag = evidence.rule, evidence.bag
    bars = [_logit(name, value) for name, value in evidence.parts]
    if evidence.prior is not None:
        bars.append(_share(PRIOR, evidence.prior))
    if rule is not None and rule.match is not None:
        bars.append(_share("like the rule", rule.match))
    bars += [_share(name, value) for name, value in (bag.sides if bag else ())]
    parts = [
        _draw_attention(doc, record, evidence.attention) if evidence.attention else "",
        _draw_rule(rule) if rule else "",
        f'<div class="parts">{"".join(bars)}</div>' if bars else "",
        f"<div>{escape(evidence.types)}</div>" if evidence.types else "",
        *(_draw_bag(doc, bag) if bag else ()),
        escape(", ".join(evidence.rest)),
    ]
    return "\n".join(filter(None, parts))


def _draw_bag(doc: Doc, bag: BagEvidence) -> List[str]:
    """Draw the mentions of a pair with bars for their weights, and similar facts."""
    parts = [f"<div>{escape(bag.ids)}</div>"] if bag.ids else []
    if len(bag.mentions) > 1:
        bars = [_share(text, row[-1]) for text, row in zip(bag.snippets(doc), bag.mentions)]
        parts.append(f'<div class="parts mentions">{"".join(bars)}</div>')
    if bag.facts:
        parts.append(f"<div>facts like it: {escape(', '.join(bag.facts))}</div>")
    return parts


def _draw_rule(rule: RuleEvidence) -> str:
    """Draw a rule, its masks marked as the arguments are."""
    if not rule.pattern:
        return f"<div>{escape(rule.before)}</div>"
    pattern = sub(r"(?<!\S)SUBJ-\S+", r'<span class="argument subject">\g<0></span>', escape(rule.pattern))
    pattern = sub(r"(?<!\S)OBJ-\S+", r'<span class="argument object">\g<0></span>', pattern)
    return f'<div class="read">{escape(rule.before)} <code>{pattern}</code>{escape(rule.after)}</div>'


def _draw_attention(doc: Doc, record: Record, attention: Sequence[Attention]) -> str:
    """Draw the text around the arguments, darker with the weight of attention."""
    subject, obj = tuple(record["subject"]), tuple(record["object"])
    marked = [subject, obj, *((start, end) for start, end, _ in attention)]
    first = max(0, min(start for start, _ in marked) - _CONTEXT)
    last = min(len(doc.text), max(end for _, end in marked) + _CONTEXT)
    heaviest = max(weight for _, _, weight in attention) or 1.0
    weights = {(start, end): weight / heaviest for start, end, weight in attention}
    pieces, at = [], first
    for token in doc:
        start, end = token.idx, token.idx + len(token)
        if end <= first or start >= last:
            continue
        pieces.append(escape(doc.text[at:start]))
        pieces.append(_draw_token(escape(token.text), (start, end), subject, obj, weights.get((start, end), 0.0)))
        at = end
    pieces.append(escape(doc.text[at:last]))
    before, after = "… " * (first > 0), " …" * (last < len(doc.text))
    return f'<div class="read">{before}{"".join(pieces)}{after}</div>'


def _draw_token(text: str, place: CharSpan, subject: CharSpan, obj: CharSpan, weight: float) -> str:
    """Mark a token's role and weight."""
    if weight:
        text = f'<mark style="background: rgb(150 120 225 / {0.15 + 0.75 * weight:.2f})">{text}</mark>'
    if is_inside(place, subject):
        return f'<span class="argument subject">{text}</span>'
    return f'<span class="argument object">{text}</span>' if is_inside(place, obj) else text


def _logit(name: str, value: float) -> str:
    """Draw a bar from the middle to the right or left."""
    return _bar(name, "for" if value >= 0 else "against", min(abs(value) / _FULL, 1.0) * 50, f"{value:+.2f}")


def _share(name: str, value: float) -> str:
    """Draw a bar from the left."""
    return _bar(name, "share", max(0.0, min(value, 1.0)) * 100, f"{value:.2f}")


def _bar(name: str, kind: str, width: float, figure: str) -> str:
    """Draw a bar between its name and its figure; the width is in percent."""
    bar = f'<span class="bar"><i class="{kind}" style="width: {width:.1f}%"></i></span>'
    return f"<span>{escape(name)}</span>{bar}<span>{figure}</span>"
