"""What a triple is based on, drawn: which tokens were looked at, which rule says so, which part said how much."""

from html import escape
from re import Match, sub
from typing import Any, List, Mapping, Sequence, Tuple

from spacy.tokens import Doc

from .bag_ground import BagGround, snippets
from .explanation import PRIOR, Attention, RuleGround, read_evidence

STYLE = """
.read { line-height: 1.9; overflow-wrap: break-word; }
.read mark { color: inherit; border-radius: .2em; padding: .1em 0; }
.read .argument { font-weight: 600; border-bottom: 2px solid #2b5fb4; } .read .object { border-bottom-color: #b4402b; }
.parts { display: grid; grid-template-columns: max-content 8rem max-content; gap: .1rem .5rem; align-items: center; }
.parts.mentions { grid-template-columns: auto 8rem max-content; }
.bar { position: relative; height: .7em; background: #8883; } .bar i { position: absolute; top: 0; bottom: 0; }
.bar .for { background: #2b5fb4; left: 50%; } .bar .against { background: #b4402b; right: 50%; }
.bar .share { background: #2b5fb4; left: 0; }
@media (prefers-color-scheme: dark) { .read .argument { border-bottom-color: #8db4f5; }
  .read .object { border-bottom-color: #f0937f; } .bar .for, .bar .share { background: #8db4f5; }
  .bar .against { background: #f0937f; } }
"""

# Beyond this many logits a bar is full.
FULL = 8.0

_CONTEXT = 60  # characters shown around what is marked

Span = Tuple[int, int]


def draw_evidence(doc: Doc, record: Mapping[str, Any]) -> str:
    """Draw the evidence of one triple.

    Attention colours the tokens by weight, bars show what each part says for (to the right) or against the relation, as
    logits. The type prior, the likeness to a rule, and what text and knowledge base say of a bag are shares of 1. What
    is none of these is listed as it is.

    doc (Doc): The document.
    record (Mapping[str, Any]): The triple as it is stored; see `triples.store.get_records`.
    RETURNS (str): HTML, escaped; "" without evidence.
    """
    evidence = read_evidence(record["evidence"])
    found: List[str] = []
    if evidence.attention:
        found.append(_read(doc, record, evidence.attention))
    if evidence.rule is not None:
        found.append(_rule(evidence.rule))
    bars = [_logit(name, value) for name, value in evidence.parts]
    if evidence.prior is not None:
        bars.append(_share(PRIOR, evidence.prior))
    if evidence.rule is not None and evidence.rule.match is not None:
        bars.append(_share("like the rule", evidence.rule.match))
    if evidence.bag is not None:
        bars += [_share(name, value) for name, value in evidence.bag.sides]
    if bars:
        found.append(f'<div class="parts">{"".join(bars)}</div>')
    if evidence.types:
        found.append(f"<div>{escape(evidence.types)}</div>")
    if evidence.bag is not None:
        found += _bag(doc, evidence.bag)
    if evidence.rest:
        found.append(escape(", ".join(evidence.rest)))
    return "\n".join(found)


def _bag(doc: Doc, bag: BagGround) -> List[str]:
    """Show the mentions of a pair, the heavier the longer their bar, and the facts that are like what is said of it."""
    found = [f"<div>{escape(bag.ids)}</div>"] if bag.ids else []
    if len(bag.mentions) > 1:
        bars = [_share(text, row[-1]) for text, row in zip(snippets(doc, bag), bag.mentions)]
        found.append(f'<div class="parts mentions">{"".join(bars)}</div>')
    if bag.facts:
        found.append(f"<div>facts like it: {escape(', '.join(bag.facts))}</div>")
    return found


def _rule(rule: RuleGround) -> str:
    """Show a rule, its masks marked as the arguments are."""
    if not rule.pattern:
        return f"<div>{escape(rule.before)}</div>"

    def mark(mask: "Match[str]") -> str:
        role = "subject" if mask[1] == "SUBJ" else "object"
        return f'<span class="argument {role}">{mask[0]}</span>'

    pattern = sub(r"(?<!\S)(SUBJ|OBJ)-\S+", mark, escape(rule.pattern))
    return f'<div class="read">{escape(rule.before)} <code>{pattern}</code>{escape(rule.after)}</div>'


def _read(doc: Doc, record: Mapping[str, Any], attention: Sequence[Attention]) -> str:
    """Show the text around the arguments, darker where attention is heavier."""
    subject, obj = tuple(record["subject"]), tuple(record["object"])
    marked = [subject, obj, *((start, end) for start, end, _ in attention)]
    first = max(0, min(start for start, _ in marked) - _CONTEXT)
    last = min(len(doc.text), max(end for _, end in marked) + _CONTEXT)
    heaviest = max(weight for _, _, weight in attention)
    weights = {(start, end): weight / heaviest for start, end, weight in attention}
    pieces, at = [], first
    for token in doc:
        start, end = token.idx, token.idx + len(token)
        if end <= first or start >= last:
            continue
        pieces.append(escape(doc.text[at:start]))
        pieces.append(_token(escape(token.text), (start, end), subject, obj, weights.get((start, end), 0.0)))
        at = end
    pieces.append(escape(doc.text[at:last]))
    before, after = "… " * (first > 0), " …" * (last < len(doc.text))
    return f'<div class="read">{before}{"".join(pieces)}{after}</div>'


def _token(text: str, place: Span, subject: Span, obj: Span, weight: float) -> str:
    """Mark a token's role and weight."""
    role = ""
    if subject[0] <= place[0] and place[1] <= subject[1]:
        role = "argument subject"
    elif obj[0] <= place[0] and place[1] <= obj[1]:
        role = "argument object"
    if weight:
        text = f'<mark style="background: rgb(245 190 60 / {0.15 + 0.75 * weight:.2f})">{text}</mark>'
    return f'<span class="{role}">{text}</span>' if role else text


def _logit(name: str, value: float) -> str:
    """A bar from the middle to the right or left."""
    width, side = min(abs(value) / FULL, 1.0) * 50, "for" if value >= 0 else "against"
    return (
        f"<span>{escape(name)}</span>"
        f'<span class="bar"><i class="{side}" style="width: {width:.1f}%"></i></span><span>{value:+.2f}</span>'
    )


def _share(name: str, value: float) -> str:
    """A bar from the left."""
    width = max(0.0, min(value, 1.0)) * 100
    return (
        f"<span>{escape(name)}</span>"
        f'<span class="bar"><i class="share" style="width: {width:.1f}%"></i></span><span>{value:.2f}</span>'
    )
