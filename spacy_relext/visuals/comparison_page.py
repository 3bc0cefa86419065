"""Pages about two pipelines, or two and more annotators: scores, and the sentences on which they differ."""

from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy.training import Example

from ..annotations.triple import CharSpan, Record
from ..scoring.agreement import Agreement
from ..scoring.comparison import OVERALL, Comparison, Difference, Dispute
from .templates import draw_page

# Maximum number of passages on the page.
MOST_DISPUTES = 2000

ROLES = ("subject", "object")


def render_comparison(comparison: Comparison, examples: Sequence[Example], *, names: Sequence[str], title: str) -> str:
    """Draw a comparison of two pipelines as a page that needs no network.

    examples (Sequence[Example]): Those of the first pipeline.
    names (Sequence[str]): Names of both pipelines.
    RETURNS (str): HTML; all text is escaped.
    """
    shown = comparison.disputes[:MOST_DISPUTES]
    outcomes = [f"{name} {outcome}" for name in "AB" for outcome in ("correct", "wrong")]
    return draw_page(
        "comparison.html",
        title=title,
        lang=examples[0].reference.lang_ if examples else "en",
        assets=("passages.css", "comparison.css", "passages.js", "comparison.js"),
        data={"disputes": [_plain_dispute(each, examples[each.document].reference.text) for each in shown]},
        names=names,
        comparison=comparison,
        overall={OVERALL[key]: each for key, each in comparison.overall.items()},
        relations=[(name, name) for name in comparison.relations],
        outcomes=[(name, name) for name in outcomes],
        hidden=len(comparison.disputes) - len(shown),
        scale=_scale,
    )


def _plain_dispute(dispute: Dispute, text: str) -> Record:
    sides: Dict[bool, List[Record]] = {False: [], True: []}
    for triple in dispute.triples:
        shown = show_triple(text, dispute.passages, triple.record, has_score=True)
        sides[triple.by_second].append({**shown, "outcome": "correct" if triple.is_correct else "wrong"})
    plain = show_triple(text, dispute.passages, None, has_score=False)
    return {"document": dispute.document, "plain": plain, "sides": [sides[False], sides[True]]}


def _scale(differences: Mapping[str, Difference]) -> float:
    """Compute how many pixels a difference of 1 is wide, so that all intervals fit their drawings."""
    return 76.0 / max([0.01, *(abs(end) for each in differences.values() for end in (each.low, each.high))])


def render_agreement(agreement: Agreement, *, rows: Sequence[Sequence[str]], header: Sequence[str], title: str) -> str:
    """Draw scores and disagreements of annotators as a page without a script; all text is escaped.

    rows (Sequence[Sequence[str]]), header (Sequence[str]): The table of scores.
    """
    assets = ("agreement.css",)
    return draw_page("agreement.html", title=title, assets=assets, agreement=agreement, rows=rows, header=header)


def show_triple(text: str, passages: Sequence[CharSpan], record: Optional[Record], *, has_score: bool) -> Record:
    """Make the data that the function `side` of `passages.js` shows: passages of a text, and a triple in them.

    record (Optional[Record]): The triple; None: there is none.
    has_score (bool): Show score and source, which gold triples do not have.
    RETURNS (Record): `pieces` of text, each with "subject", "object", both or "", and `triple`. Offsets would not do:
        JavaScript counts UTF-16 units.
    """
    pieces: List[Tuple[str, str]] = []
    for number, passage in enumerate(passages):
        pieces += [*([(" … ", "")] if number else []), *_cut(text, passage, record)]
    if record is None:
        return {"pieces": pieces, "triple": None}
    triple = {role: text[slice(*record[role])] for role in ROLES} | {"relation": record["relation"]}
    if has_score:
        triple |= {"score": record["score"], "source": record["source"]}
    return {"pieces": pieces, "triple": triple}


def _cut(text: str, passage: CharSpan, record: Optional[Record]) -> Iterator[Tuple[str, str]]:
    """Cut a passage where arguments begin and end, and name the role of each piece."""
    start, end = passage
    end = start + len(text[start:end].rstrip())
    spans = {role: record[role] for role in ROLES} if record is not None else {}
    cuts = sorted({start, end, *(min(max(each, start), end) for span in spans.values() for each in span)})
    for left, right in zip(cuts, cuts[1:]):
        roles = [role for role, span in spans.items() if span[0] <= left and right <= span[1]]
        yield text[left:right], " ".join(roles)
