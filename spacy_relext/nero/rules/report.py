"""Reports on rules in words: what `spacy relext rules check` prints."""

from difflib import get_close_matches
from typing import Iterator, Sequence

from wasabi import table

from ...corpora.report import format_table
from .analysis import AnalysisReport, RuleReport, unseen_types
from .rules import NO_RELATION_LABEL

_HEADER = ("rule", "relation", "matches", "alone", "correct", "against", "pattern")
_WIDEST = 60


def unknown_labels(report: AnalysisReport) -> Iterator[str]:
    """Yield a line for each type and relation of rules that does not occur in the corpus: it may be misspelt."""
    rules = [each.rule for each in report.rules]
    for kind, those in unseen_types(rules, report.types).items():
        near = get_close_matches(kind, report.types, n=1)
        meant = f"; {near[0]!r}?" if near else ""
        yield f"{those[0].where}: no entity of the corpus has the type {kind!r} ({len(those)} rules){meant}"
    foreign = {rule.relation: rule for rule in reversed(rules)}
    for relation, rule in foreign.items() if report.relations else ():
        if relation not in report.relations and relation != NO_RELATION_LABEL:
            yield f"{rule.where}: no gold triple of the corpus has the relation {relation!r}"


def format_check(report: AnalysisReport) -> str:
    """Format totals, then a line for each rule, the most frequent matches first."""
    labelled, correct = (sum(getattr(each, name) for each in report.rules) for name in ("labelled", "correct"))
    totals = [
        ("rules", f"{len(report.rules):,}"),
        ("rules that match", f"{sum(each.matches > 0 for each in report.rules):,}"),
        ("pairs of entities", f"{report.pairs:,}"),
        ("pairs that a rule matches", f"{report.covered:,} ({report.covered / max(report.pairs, 1):.1%})"),
        ("pairs at which rules contradict each other", f"{report.conflicting:,}"),
        (
            "correct, where there is gold",
            f"{correct:,} of {labelled:,} ({correct / labelled:.1%})" if labelled else "no gold",
        ),
    ]
    rows = [_row(each) for each in sorted(report.rules, key=lambda each: -each.matches) if each.matches]
    if not rows:
        return format_table(totals) + "\n\nNo rule matches."
    return format_table(totals) + _format_rows(rows, _HEADER, "llrrrll").rstrip("\n")


def format_idle(reports: Sequence[RuleReport]) -> str:
    """List the rules that match nowhere, each with its near misses."""
    idle = [each for each in reports if not each.matches]
    lines = [f"\n{len(idle)} rules match nowhere:"] if idle else []
    for each in idle:
        lines.append(f"  {each.rule.id}  {each.rule.pattern}")
        for kinds, count in each.type_mismatches.most_common(2):
            lines.append(
                f"      has these words between {' and '.join(kind or 'no type' for kind in kinds)}: {count:,}"
            )
        lines.extend(f"      just misses: {text[:100]}" for text in each.near_misses)
    return "\n".join(lines)


def _format_rows(rows: Sequence[Sequence[str]], header: Sequence[str], aligns: str) -> str:
    """Format a table of rules, with an empty line before and after it; `aligns` has a letter for each column."""
    lines: str = table(rows, header=header, aligns=tuple(aligns), divider=True, max_col=_WIDEST)  # type: ignore[arg-type]
    return f"\n{lines}"


def _row(report: RuleReport) -> Sequence[str]:
    """Format a rule as a row of the table."""
    correct = f"{report.correct / report.labelled:.0%}" if report.labelled else ""
    against = ", ".join(f"{name} ×{count}" for name, count in report.conflicts.most_common(2))
    rule = report.rule
    return (rule.id, rule.relation, f"{report.matches:,}", f"{report.unique:,}", correct, against, str(rule.pattern))
