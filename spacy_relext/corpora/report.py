"""What a conversion read, changed and left out, as counts and as a table."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import List, Mapping, Sequence, Tuple, Union

from spacy.tokens import Doc
from wasabi.tables import table

from ..annotations.store import get_coref, get_records, get_rejected, has_triples, is_incomplete
from ..annotations.triple import CharSpan
from .formats.checks import BLANK_SPANS, BLANK_TRIPLES
from .split import Part
from .statistics import list_shortages

_EXAMPLES = 5
_LABELS_SHOWN = 40

# What documents are counted by whose offsets cut words, and that have characters which tools count differently.
DOUBTFUL = "documents whose offsets may count otherwise"


@dataclass
class Report:
    """Counts of one conversion; every count is of documents, sentences, triples, entities or strings, as named.

    A document without sentence boundaries counts as one sentence. Strings are counted once per record.
    """

    records: int = 0
    skipped: int = 0
    problems: List[str] = field(default_factory=list)
    docs: int = 0
    not_annotated: int = 0
    incomplete: int = 0
    repeated_texts: int = 0
    copies: int = 0  # of texts with their annotation
    contradictions: int = 0  # pairs that one text relates in one record, and not in another
    sentences: int = 0
    sentences_without_triples: int = 0
    triples: int = 0
    labels: "Counter[str]" = field(default_factory=Counter)
    attributed: int = 0
    predicted: int = 0  # by a pipeline, so not gold
    rejected: int = 0
    clusters: int = 0
    across_sentences: int = 0
    duplicates: int = 0
    identical: int = 0
    not_located: int = 0
    pairs_left_out: int = 0
    strings: int = 0
    not_found: int = 0
    not_found_examples: List[str] = field(default_factory=list)
    ambiguous: int = 0
    entities: int = 0
    entities_linked: int = 0
    entities_widened: int = 0
    arguments_widened: int = 0
    entities_dropped: int = 0
    # In doc.ents after a pipeline has run.
    entities_found: int = 0
    sentences_moved: int = 0
    other_keys: "Counter[str]" = field(default_factory=Counter)
    is_bare: bool = False  # whether no document has triples, though the format has them
    lists_kept: int = 0  # documents with lists or objects under other keys
    # What an annotation tool has and a record has no place for, or the reverse, by kind.
    losses: "Counter[str]" = field(default_factory=Counter)
    # Ways other than the usual one in which files are read, by the number of their records.
    conventions: "Counter[str]" = field(default_factory=Counter)
    parts: List[Part] = field(default_factory=list)  # of a split
    # File and line of the record being read.
    where: str = ""

    def count_problem(self, where: str, what: str) -> None:
        """Count a malformed record at `file:line`, and store the first messages."""
        self.skipped += 1
        if len(self.problems) < _EXAMPLES:
            self.problems.append(f"{where}: {what}")

    def count_strings(self, places: Mapping[str, Sequence[CharSpan]]) -> None:
        """Count the strings of one record, each with its occurrences."""
        for string, spans in places.items():
            self.strings += 1
            self.ambiguous += len(spans) > 1
            if not spans:
                self.not_found += 1
                if len(self.not_found_examples) < _EXAMPLES:
                    self.not_found_examples.append(f"{self.where}: {string!r}")

    def count_missing_pair(self, subjects: Sequence[CharSpan], objects: Sequence[CharSpan]) -> None:
        """Count a triple without a pair of spans: an argument is not in the text, or both are one span."""
        is_located = bool(subjects and objects)
        self.not_located += not is_located
        self.identical += is_located

    def count_doc(self, doc: Doc, *, found: bool = False) -> None:
        """Count the sentences and triples of a document that is written, and the entities that a pipeline found."""
        self.docs += 1
        self.entities_found += len(doc.ents) if found else 0
        self.rejected += len(get_rejected(doc))
        self.clusters += len(get_coref(doc))
        annotated = len(doc) and doc.has_annotation("SENT_START")
        starts = [sent.start_char for sent in doc.sents] if annotated else [0]
        self.sentences += len(starts)
        records = get_records(doc)
        self.not_annotated += not has_triples(doc)
        if records is None:
            return
        self.incomplete += is_incomplete(doc)
        self.triples += len(records)
        self.labels.update(record["relation"] for record in records)
        self.attributed += sum(bool(record.get("attributes")) for record in records)
        self.predicted += sum(bool(record.get("source")) for record in records)
        filled = set()
        for record in records:
            sentences = {max(bisect_right(starts, record[role][0]) - 1, 0) for role in ("subject", "object")}
            self.across_sentences += len(sentences) > 1
            filled |= sentences
        self.sentences_without_triples += len(starts) - len(filled) if has_triples(doc) else 0


def format_report(report: Report) -> str:
    """Format a report as a table, the labels with their counts, and the first problems; most zeros are left out."""
    rows = [(name, value if isinstance(value, str) else f"{value:,}") for name, value in _rows(report)]
    parts = [format_table(rows)]
    if report.labels:
        shown = report.labels.most_common(_LABELS_SHOWN)
        parts.append(f"Labels ({len(report.labels)})")
        parts.append(format_table([(f"  {label}", f"{count:,}") for label, count in shown]))
        if len(report.labels) > len(shown):
            parts.append(f"  ... and {len(report.labels) - len(shown)} more labels")
    for title, total, lines in (
        ("Skipped, not read", report.skipped, report.problems),
        ("Strings not found", report.not_found, report.not_found_examples),
    ):
        if lines:
            more = [f"  ... and {total - len(lines)} more"] if total > len(lines) else []
            parts += [title, *(f"  {line}" for line in lines), *more]
    return "\n".join(parts)


def list_warnings(report: Report) -> List[str]:
    """List what a user should know before the corpus is used."""
    counts = (
        (report.docs if report.is_bare else 0, "documents, and not one of them is annotated with triples."),
        (report.contradictions, "pairs have a relation and none in one text: their labels contradict each other."),
        (report.incomplete, "documents have relations that could not be read: they count as not annotated."),
        (report.losses[DOUBTFUL], "documents have emoji or the like, and spans that cut words: check --offsets."),
        (report.losses[BLANK_SPANS] + report.losses[BLANK_TRIPLES], "spans or arguments of white space are left out."),
        (report.skipped, f"of {report.records} records were malformed and are not in the corpus."),
    )
    conventions = [f"In {count} records {note}." for note, count in report.conventions.items()]
    counted = [part.statistics for part in report.parts]
    shortages = list_shortages(counted[0], counted[1:]) if counted else []
    return [*conventions, *(f"{count} {what}" for count, what in counts if count), *shortages]


def format_table(rows: Sequence[Tuple[str, str]]) -> str:
    """Format names and figures as a table."""
    lines: str = table(rows, aligns=("l", "r"), max_col=100)
    return lines.strip("\n")


def share(part: int, whole: int) -> str:
    """Format a count with its percentage."""
    return f"{part:,} ({part / whole:.1%})" if whole else f"{part:,}"


def _rows(report: Report) -> List[Tuple[str, Union[int, str]]]:
    rows: List[Tuple[str, Union[int, str]]] = [
        ("documents", report.docs),
        ("malformed records skipped", report.skipped),
        ("sentences", report.sentences),
        ("sentences without triples", share(report.sentences_without_triples, report.sentences)),
        ("triples", report.triples),
        ("duplicate triples removed", report.duplicates),
        ("triples of one span twice, left out", report.identical),
    ]
    for each in report.parts:
        counts = each.statistics
        cell = f"{each.documents:,} documents, {counts.documents:,} records, {counts.triples:,} triples"
        rows.append((each.writer.output.name, cell))
    if report.strings:
        rows.append(("triples left out: string not found", report.not_located))
        if report.pairs_left_out:
            rows.append(("documents left out: no place for their pair", report.pairs_left_out))
        rows += [
            ("strings looked up", report.strings),
            ("strings not found", share(report.not_found, report.strings)),
            ("strings found more than once (ambiguous)", share(report.ambiguous, report.strings)),
        ]
    optional = [
        ("documents not annotated with triples", report.not_annotated),
        ("  of them, with relations that could not be read", report.incomplete),
        ("texts that occurred before", report.repeated_texts),
        ("  of them, exact copies with their annotation", report.copies),
        ("pairs with a relation and with none in one text", report.contradictions),
        ("triples across sentences", report.across_sentences),
        ("triples with attributes", report.attributed),
        ("triples of a pipeline, not gold (--pseudo-labels makes them gold)", report.predicted),
        ("rejected triples", report.rejected),
        ("coreference clusters", report.clusters),
        ("entities", report.entities),
        ("entities in doc.ents after the pipeline", report.entities_found),
        ("entities with an id of a knowledge base", report.entities_linked),
        ("entities widened to whole tokens in doc.ents", report.entities_widened),
        ("arguments widened to whole tokens", report.arguments_widened),
        ("entities left out of doc.ents (overlap)", report.entities_dropped),
        ("sentence boundaries moved to a token", report.sentences_moved),
    ]
    rows += [row for row in optional if row[1]]
    rows += [(f"offset convention: {note}", count) for note, count in sorted(report.conventions.items())]
    rows += [(f"other key kept: {key}", count) for key, count in sorted(report.other_keys.items())]
    return rows + list_losses(report.losses)


def list_losses(losses: "Counter[str]") -> List[Tuple[str, Union[int, str]]]:
    """List the rows of what is left out or changed."""
    return [(f"left out or changed: {kind}", count) for kind, count in sorted(losses.items()) if count]
