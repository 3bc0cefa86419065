"""Tables of a corpus's type patterns: how far the types of two entities determine their relation."""

from itertools import islice
from types import MappingProxyType
from typing import Dict, Mapping, TypeVar

from ..corpora.report import format_table

NO_TYPE, NO_TRIPLE = "(none)", "(no triple)"

Table = Mapping[str, Mapping[str, int]]
Value = TypeVar("Value")


def format_type_patterns(table: Table, unrelated: Mapping[str, int], *, top: int = 0) -> str:
    """Format how many triples each type pair and each relation has, and how far the one determines the other.

    table (Table): Type pair → relation → triples.
    unrelated (Mapping[str, int]): Type pair → pairs of entities without a triple.
    top (int): Entries of each list, the most frequent ones; 0: all.
    """
    total = _total(table)
    single = [counts for counts in table.values() if len(counts) == 1]
    covered = sum(sum(counts.values()) for counts in single)
    right = sum(max(counts.values()) for counts in table.values())
    by_relation: Dict[str, Dict[str, int]] = {}
    for pair, counts in table.items():
        for relation, count in counts.items():
            by_relation.setdefault(relation, {})[pair] = count
    rows = [
        ("triples", f"{total:,}"),
        ("type pairs", f"{len(table):,}"),
        ("relations", f"{len(by_relation):,}"),
        ("type pairs with a single relation", f"{len(single):,} ({len(single) / len(table):.1%})"),
        ("triples of such type pairs", f"{covered:,} ({covered / total:.1%})"),
        ("triples whose relation is the most frequent one of their type pair", f"{right:,} ({right / total:.1%})"),
    ]
    if any(unrelated.values()):
        never = sum(count for pair, count in unrelated.items() if pair not in table)
        rows.append(("pairs of entities without a triple", f"{sum(unrelated.values()):,}"))
        rows.append(("of these, of types that no triple has", f"{never:,}"))
    lists = [_format_list(table, "Type pairs", top, unrelated), _format_list(by_relation, "Relations", top)]
    return "\n\n".join([format_table(rows), *lists])


def _format_list(table: Table, title: str, top: int, unrelated: Mapping[str, int] = MappingProxyType({})) -> str:
    """List the entries of a table with their parts; the shares are those of the parts in the entry."""
    ordered = sort_by_count(table)
    rows = []
    for name, counts in first_entries(ordered, top).items():
        whole = sum(counts.values())
        rows.append((name, f"{whole:,}{' ' * 7}"))  # above the counts of its parts, not above their shares
        rows += [(f"  {part}", f"{count:,} {count / whole:6.1%}") for part, count in first_entries(counts, top).items()]
        if top and len(counts) > top:
            rows.append((f"  ... and {len(counts) - top} more", ""))
        if unrelated.get(name):
            rows.append((f"  {NO_TRIPLE}", f"{unrelated[name]:,}{' ' * 7}"))
    more = [f"... and {len(table) - top} more"] if top and len(table) > top else []
    lines = [line.rstrip() for line in format_table(rows).splitlines()]
    return "\n".join([f"{title} ({len(table)})", *lines, *more])


def sort_by_count(table: Table) -> Dict[str, Dict[str, int]]:
    """Put the most frequent entries, and the most frequent parts of each, first."""
    parts = {name: dict(sorted(counts.items(), key=lambda item: -item[1])) for name, counts in table.items()}
    return dict(sorted(parts.items(), key=lambda item: -sum(item[1].values())))


def first_entries(table: Mapping[str, Value], top: int) -> Dict[str, Value]:
    """Take the first entries; 0: all."""
    return dict(islice(table.items(), top or None))


def _total(table: Table) -> int:
    return sum(sum(counts.values()) for counts in table.values())
