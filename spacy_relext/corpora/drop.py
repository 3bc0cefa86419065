"""Drop triples of a corpus at random, to study training on incomplete annotation."""

import random
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Hashable, List, Sequence, Set, Tuple, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotations.entities import PAIRS_KEY
from ..annotations.store import get_records, store_triples
from ..annotations.triple import Record
from ..errors import Errors
from .report import format_table
from .shards import Progress, ShardWriter, list_shards, load_shard, make_docs

MODES = ("keep_empty", "drop_empty", "relation")


@dataclass
class DropReport:
    """Counts of one run: documents, triples, triples by label, and documents by number of triples (`sizes`)."""

    mode: str
    rate: float
    docs: int = 0
    docs_deleted: int = 0
    not_annotated: int = 0
    emptied: int = 0
    triples_before: int = 0
    triples_after: int = 0
    # Triples that the documents not deleted had before.
    kept_docs_before: int = 0
    labels: "Counter[str]" = field(default_factory=Counter)
    dropped: "Counter[str]" = field(default_factory=Counter)
    # How many triples are in documents with m triples that are dropped independently.
    sizes: "Counter[int]" = field(default_factory=Counter)

    @property
    def missing(self) -> float:
        """Share of the original triples of the kept documents that is missing."""
        return 1 - self.triples_after / self.kept_docs_before if self.kept_docs_before else 0.0

    @property
    def expected_missing(self) -> float:
        """The expectation of `missing`, given how many triples the documents had."""
        if self.mode != "drop_empty":
            return self.rate
        before = {m: triples * (1 - self.rate**m) for m, triples in self.sizes.items()}
        missing = sum(expected_missing(self.rate, m) * weight for m, weight in before.items())
        return missing / sum(before.values()) if missing else 0.0


def expected_missing(rate: float, triples: int) -> float:
    """Compute the expected share of missing triples of a sentence that is kept because at least one is left.

    (r - r^m) / (1 - r^m), for m triples that are dropped independently with probability r. It is 0 if m is 1, since a
    sentence without its one triple is deleted.

    rate (float): r, 0 to 1; 1 gives the limit (m - 1) / m.
    triples (int): m, at least 1.
    """
    if not 0 <= rate <= 1 or triples < 1:
        raise ValueError(Errors.R114.format(rate=rate, triples=triples))
    if rate == 1:
        return (triples - 1) / triples
    return (rate - rate**triples) / (1 - rate**triples)


def drop_triples(
    corpus: Union[str, Path],
    output: Union[str, Path],
    *,
    rate: float,
    mode: str = "keep_empty",
    seed: int = 0,
    progress: Progress = iter,
) -> DropReport:
    """Write a corpus without some of its triples.

    Documents that are not annotated or had no triples stay as they are.

    corpus (Union[str, Path]): A .spacy file, or a folder of them.
    output (Union[str, Path]): A file if the corpus is a file, else a folder.
    rate (float): Probability that a triple (mode `relation`: all triples of a relation in a sentence) is dropped.
    mode (str): `keep_empty` keeps documents that become empty, `drop_empty` deletes them, `relation` drops all
        triples of a relation in a sentence together and keeps documents that become empty.
    progress (Progress): Wraps the stream of Docs.
    RAISES (ValueError): If an option, the input or the output cannot be used.
    """
    source, target = Path(corpus), Path(output)
    _check_options(source, target, rate, mode)
    report, rng, vocab = DropReport(mode=mode, rate=rate), random.Random(seed), Vocab()
    for shard in list_shards(source):
        content = load_shard(shard)
        path = target / shard.relative_to(source) if source.is_dir() else target
        with ShardWriter(path, attrs=content.attrs) as writer:
            for doc in progress(make_docs(content, vocab)):
                if _drop_from_doc(doc, report, rng):
                    writer.add(doc)
    if report.docs == report.docs_deleted:
        raise ValueError(Errors.R117.format(path=str(source)))
    return report


def choose_dropped(groups: Sequence[Hashable], *, rate: float, rng: random.Random) -> Set[int]:
    """Choose triples to drop, a whole group at once, and return their numbers.

    groups (Sequence[Hashable]): The group of each triple.
    rate (float): Probability that a group is dropped.
    """
    is_dropped = {group: rng.random() < rate for group in dict.fromkeys(groups)}
    return {number for number, group in enumerate(groups) if is_dropped[group]}


def _drop_from_doc(doc: Doc, report: DropReport, rng: random.Random) -> bool:
    """Drop triples of one Doc; return False if the Doc itself is to be deleted."""
    report.docs += 1
    triples = get_records(doc)
    if not triples:
        report.not_annotated += triples is None
        return True
    # The same triple from two sources counts as one: both are dropped or neither.
    groups: List[Hashable] = [(t["subject"], t["relation"], t["object"]) for t in triples]
    if report.mode == "relation":
        starts = [sent.start_char for sent in doc.sents] if doc.has_annotation("SENT_START") else []
        groups = [(bisect_right(starts, t["subject"][0]), t["relation"]) for t in triples]
    chosen = choose_dropped(groups, rate=report.rate, rng=rng)
    dropped = [triple for number, triple in enumerate(triples) if number in chosen]
    remaining = [triple for number, triple in enumerate(triples) if number not in chosen]
    report.triples_before += len(triples)
    report.triples_after += len(remaining)
    report.sizes[len(set(groups))] += len(triples)
    report.labels.update(triple["relation"] for triple in triples)
    report.dropped.update(triple["relation"] for triple in dropped)
    report.emptied += not remaining
    if not remaining and report.mode == "drop_empty":
        report.docs_deleted += 1
        return False
    report.kept_docs_before += len(triples)
    store_triples(doc, remaining)
    if PAIRS_KEY in doc.user_data:
        # The labels of marked pairs would reveal the dropped triples.
        arguments = {_arguments(triple) for triple in dropped}
        pairs = [dict(pair) for pair in doc.user_data[PAIRS_KEY]]
        doc.user_data[PAIRS_KEY] = [{**p, "label": None} if _arguments(p) in arguments else p for p in pairs]
    return True


def _arguments(value: Record) -> frozenset[Tuple[int, ...]]:
    """Make a key of the two spans of a triple or a pair that ignores their order."""
    return frozenset((tuple(value["subject"]), tuple(value["object"])))


def _check_options(source: Path, target: Path, rate: float, mode: str) -> None:
    """Check the options, and that the output does not overwrite the corpus."""
    if not 0 <= rate <= 1:
        raise ValueError(Errors.R107.format(option="--rate", found=rate, expected="a number from 0 to 1"))
    if mode not in MODES:
        raise ValueError(Errors.R107.format(option="--mode", found=mode, expected=" or ".join(MODES)))
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError(Errors.R105.format(path=str(source)))
    if source.is_dir() and target.exists():
        written = {target / shard.relative_to(source) for shard in list_shards(source)}
        others = sorted(str(path.relative_to(target)) for path in set(target.rglob("*.spacy")) - written)
        if others:
            raise ValueError(Errors.R106.format(path=str(target), found=", ".join(others[:3])))


def format_drop_report(report: DropReport) -> str:
    """Format a report as two tables."""
    dropped = report.dropped.total()
    rows = [
        ("documents read", f"{report.docs:,}"),
        ("documents not annotated, unchanged", f"{report.not_annotated:,}"),
        ("documents that became empty", f"{report.emptied:,}"),
        ("documents deleted", f"{report.docs_deleted:,}"),
        ("triples before", f"{report.triples_before:,}"),
        ("triples after", f"{report.triples_after:,}"),
        ("triples gone", f"{dropped:,} ({dropped / max(report.triples_before, 1):.1%})"),
        ("missing from the documents kept", f"{report.missing:.1%}"),
        ("expected to be missing", f"{report.expected_missing:.1%}"),
    ]
    labels = [(f"  {label}", f"{report.dropped[label]:,} of {n:,}") for label, n in report.labels.most_common()]
    return "\n".join([format_table(rows), "Triples gone, by label", format_table(labels)])
