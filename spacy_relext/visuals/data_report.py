"""Tables about annotated corpora."""

from typing import Counter, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..corpora.overlap import Overlap
from ..corpora.report import share
from ..corpora.statistics import CorpusStatistics, list_shortages

_TYPES, _LONGEST = 3, 10


class Table(NamedTuple):
    """A title, the names of columns, and rows of as many cells."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def numbers(self) -> List[bool]:
        """Return for each column whether all cells begin with a digit."""
        return [all(row[column][:1].isdigit() for row in self.rows) for column in range(len(self.header))]


class Missed(NamedTuple):
    """Gold triples that a component cannot learn or find, by reason and relation.

    component (str): Name of the component.
    counts (Counter[Tuple[str, str]]): Triples by reason and relation.
    total (int): All gold triples.
    """

    component: str
    counts: "Counter[Tuple[str, str]]"
    total: int


class Compared(NamedTuple):
    """The counts of a corpus, what it shares with the training corpus, and what components miss."""

    statistics: CorpusStatistics
    overlap: Optional[Overlap]
    missed: Sequence[Missed]


def data_tables(corpora: Sequence[Compared]) -> List[Table]:
    """Make tables of the counts of corpora, a column each; the first one is the training corpus."""
    names = [each.statistics.name for each in corpora]
    every = [each.statistics for each in corpora]
    tables = [
        Table("Corpora", ("", *names), _size_rows(every)),
        Table("Relations", ("relation", *names), _label_rows(every)),
        Table("Argument lengths", ("tokens", *names), _length_rows(every)),
        Table("Argument types in the first corpus", ("relation", "subject → object"), list(_type_rows(every[0]))),
        Table("Shared with the first corpus", ("", *names[1:]), _overlap_rows(corpora)),
        Table("Triples that a component misses", ("component", "reason", *names), _missed_rows(corpora)),
    ]
    return [table for table in tables if table.rows]


def list_problems(corpora: Sequence[Compared]) -> List[str]:
    """List what should be looked at, one line each."""
    first, *others = (each.statistics for each in corpora)
    problems = list_shortages(first, others)
    for each, overlap, missed in corpora:
        unknown = sorted(set(each.labels) - set(first.labels))
        if unknown:
            problems.append(f"{each.name}: {', '.join(unknown)} not in {first.name}")
        for count, what in (
            (
                each.not_annotated - each.hinted,
                "documents are not annotated with triples; scores and losses leave them out",
            ),
            (each.overlapping, "triples whose subject and object overlap"),
            (each.no_token, "triples with an argument that covers no token"),
            (each.inside_tokens, "arguments begin or end inside a token, and are widened to whole tokens"),
        ):
            if count:
                problems.append(f"{each.name}: {count:,} {what}")
        if overlap is not None and len(overlap.exact) + len(overlap.near) > len(overlap.sentences) / 100:
            share = (len(overlap.exact | overlap.near)) / len(overlap.sentences)
            problems.append(f"{each.name}: {share:.1%} of the sentences are in {first.name}, or nearly so")
        for component, counts, total in missed:
            lost = sum(counts.values())
            if lost:
                problems.append(f"{each.name}: {component} misses {lost:,} of {total:,} triples ({lost / total:.1%})")
    return problems


def _size_rows(every: Sequence[CorpusStatistics]) -> List[Sequence[str]]:
    rows: List[Tuple[str, List[str]]] = [
        ("documents", [f"{each.documents:,}" for each in every]),
        ("not annotated", [share(each.not_annotated, each.documents) for each in every]),
        ("… with soft labels or refused triples", [share(each.hinted, each.documents) for each in every]),
        ("annotated, no triple", [share(each.empty_documents, each.annotated) for each in every]),
        ("with entities", [share(each.with_entities, each.annotated) for each in every]),
        ("texts that occurred before", [f"{each.repeated_texts:,}" for each in every]),
        ("sentences", [f"{each.sentences:,}" for each in every]),
        ("sentences without a triple", [share(each.empty_sentences, each.sentences) for each in every]),
        ("tokens", [f"{each.tokens:,}" for each in every]),
        ("triples", [f"{each.triples:,}" for each in every]),
        ("triples across sentences", [share(sum(each.across.values()), each.triples) for each in every]),
        ("subject and object overlap", [f"{each.overlapping:,}" for each in every]),
        ("arguments inside a token", [f"{each.inside_tokens:,}" for each in every]),
    ]
    return [(name, *cells) for name, cells in rows]


def _label_rows(every: Sequence[CorpusStatistics]) -> List[Sequence[str]]:
    labels = sorted({label for each in every for label in each.labels}, key=lambda each: (-every[0].labels[each], each))
    return [(label, *(f"{each.labels[label]:,}" for each in every)) for label in labels]


def _length_rows(every: Sequence[CorpusStatistics]) -> List[Sequence[str]]:
    """List the lengths of arguments, long ones together."""
    rows: List[Sequence[str]] = []
    for length in range(1, _LONGEST):
        counts = [each.lengths[length] for each in every]
        if any(counts):
            rows.append((str(length), *(share(n, sum(each.lengths.values())) for n, each in zip(counts, every))))
    more = [sum(count for length, count in each.lengths.items() if length >= _LONGEST) for each in every]
    if any(more):
        longest = max(length for each in every for length in each.lengths)
        cells = (share(count, sum(each.lengths.values())) for count, each in zip(more, every))
        rows.append((f"{_LONGEST} to {longest}", *cells))
    return rows


def _type_rows(first: CorpusStatistics) -> Iterator[Sequence[str]]:
    """List the most frequent entity types of the arguments of each relation, if there are entities."""
    if not first.with_entities:
        return
    for label, _ in first.labels.most_common():
        kinds, total = first.types[label], first.labels[label]
        shown = [f"{one} → {two} {count / total:.0%}" for (one, two), count in kinds.most_common(_TYPES)]
        more = [f"and {len(kinds) - _TYPES} more"] if len(kinds) > _TYPES else []
        yield label, ", ".join(shown + more)


def _overlap_rows(corpora: Sequence[Compared]) -> List[Sequence[str]]:
    counts = [each.overlap.counts() for each in corpora if each.overlap is not None]
    return [(name, *(share(*each[name]) for each in counts)) for name in counts[0]] if counts else []


def _missed_rows(corpora: Sequence[Compared]) -> List[Sequence[str]]:
    reasons = sorted({(m.component, reason) for each in corpora for m in each.missed for reason, _ in m.counts})
    rows: List[Sequence[str]] = []
    for component, reason in reasons:
        cells = []
        for each in corpora:
            (missed,) = [m for m in each.missed if m.component == component]
            found = sum(count for (why, _), count in missed.counts.items() if why == reason)
            cells.append(share(found, missed.total))
        rows.append((component, reason, *cells))
    return rows
