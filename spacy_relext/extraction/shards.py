"""Extraction of whole corpora in shards: what is finished stays finished, and several processes may share a folder.

Each shard is written under a temporary name, and renamed when all of it is on disk. What a killed run left
unfinished is done again; a shard never exists twice or in part.
"""

import json
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Callable, Deque, Dict, Iterable, Iterator, List, Optional, Sequence, cast

from filelock import FileLock, Timeout

from ..annotations.triple import Record
from ..corpora.formats.sources import to_json
from ..corpora.raw_text import RawText, TextLog
from ..corpora.texts import Source, Unit
from ..corpora.whole import remove_unfinished, write_whole
from ..errors import Errors
from .manifest import (
    ERRORS,
    MANIFEST,
    WORK,
    find_difference,
    read_manifest,
    write_errors,
    write_manifest,
)
from .outputs import write_records
from .workers import Extractor, Failure, Result

Progress = Callable[[Iterable[Result], Optional[int]], Iterable[Result]]


@dataclass
class ShardReport:
    """Counts of a folder of shards.

    documents (int): Texts with a record; `triples` counts the triples in these records.
    failures (int): Texts without a record, because of an error: the rows of errors.jsonl.
    blank, markup (int): Blank lines of text files, and texts that look like HTML or Markdown and were read as prose.
    shards (int): Finished shards; `before` counts those that were finished when this run started.
    elsewhere (int): Shards that other processes are working on; unless it is 0, the folder is not complete.
    """

    documents: int = 0
    triples: int = 0
    failures: int = 0
    blank: int = 0
    markup: int = 0
    shards: int = 0
    before: int = 0
    elsewhere: int = 0
    files: List[Path] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Return True if no shard is left to other processes."""
        return not self.elsewhere


@dataclass
class _Shard:
    """A shard that this process has taken."""

    name: str
    texts: List[RawText]
    errors: List[Record]
    counts: Record
    lock: ExitStack
    results: List[Record] = field(default_factory=list)
    done: int = 0


@dataclass
class Folder:
    """A folder of shards.

    path (Path): The folder.
    format (str): A key of `outputs.FORMATS`.
    size (int): Units of the input per shard: lines, paragraphs, rows or documents.
    options (Record): Options of the writer.
    report (Callable[[str], None]): Gets a message for each text that fails.
    strict (bool): Raise ValueError at the first such text.
    """

    path: Path
    format: str
    size: int = 1000
    options: Record = field(default_factory=dict)
    report: Callable[[str], None] = lambda message: None
    strict: bool = False

    def prepare(self, manifest: Record, *, overwrite: bool = False) -> None:
        """Make the folder ready for a run, or for resuming one.

        manifest (Record): Description of the run, as from `manifest.plan`.
        overwrite (bool): Remove the results of another run.
        RAISES (ValueError): If it is a file, or has other files or, without `overwrite`, the results of another run.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(Errors.R801.format(path=self.path, found="a file", expected="a folder"))
        self.path.mkdir(parents=True, exist_ok=True)
        old = read_manifest(self.path)
        if old is None:
            others = sorted(each.name for each in self.path.iterdir() if not each.name.startswith("."))
            if others:
                raise ValueError(Errors.R813.format(path=self.path, found=", ".join(others[:3])))
        elif (difference := find_difference(old, manifest)) and not overwrite:
            raise ValueError(Errors.R814.format(path=self.path, found=difference))
        elif difference:
            self.clear()
        (self.path / WORK).mkdir(exist_ok=True)
        if old is None or difference:
            write_manifest(self.path, manifest)

    def clear(self) -> None:
        """Remove the results of a run: the manifest first, so that leftovers are never mistaken for results."""
        (self.path / MANIFEST).unlink(missing_ok=True)
        (self.path / ERRORS).unlink(missing_ok=True)
        for path in [*self.path.glob("part-*"), *(self.path / WORK).glob("*")]:
            path.unlink(missing_ok=True)

    def run(
        self,
        extractor: Extractor,
        sources: Sequence[Source],
        *,
        progress: Optional[Progress] = None,
        count: bool = False,
    ) -> ShardReport:
        """Extract the missing shards, and complete the folder unless other processes are working on some.

        progress (Optional[Progress]): Wraps the stream of results; also gets their expected number.
        count (bool): Count the input first, for that number.
        """
        report, taken = ShardReport(), cast("Deque[_Shard]", deque())
        total = self._count_missing(sources) if count else None
        results = extractor.extract_windows(self._windows(extractor, sources, taken, report))
        try:
            for result in results if progress is None else progress(results, total):
                self._finish_empty(taken)
                self._add(taken[0], result)
                if taken[0].done == len(taken[0].texts):
                    self._finish(taken.popleft())
            self._finish_empty(taken)
        finally:
            for shard in taken:
                shard.lock.close()
        if report.is_complete:
            self.complete(report)
        return report

    def extract(self, extractor: Extractor, name: str, source: Source, units: Sequence[Unit]) -> None:
        """Extract one shard without a lock: another process would write the same."""
        shard = self._read(name, source, units, ExitStack())
        windows = (shard.texts[at : at + extractor.window] for at in range(0, len(shard.texts), extractor.window))
        for result in extractor.extract_windows(windows):
            self._add(shard, result)
        self._finish(shard)

    @staticmethod
    def name(source: int, index: int) -> str:
        """Name the shard of a source."""
        return f"part-{source:04d}-{index:06d}"

    def has(self, name: str) -> bool:
        """Return True if a shard is finished."""
        return self._file(name).exists()

    def _windows(
        self, extractor: Extractor, sources: Sequence[Source], taken: "Deque[_Shard]", report: ShardReport
    ) -> Iterator[List[RawText]]:
        """Lock one missing shard after the other, and yield its texts in windows."""
        for number, source in enumerate(sources):
            units = source.units()
            index = 0
            while piece := list(islice(units, self.size)):
                name, index = self.name(number, index), index + 1
                if self.has(name):
                    report.before += 1
                    continue
                lock = ExitStack()
                try:  # the lock of a process that ended is free
                    lock.enter_context(FileLock(self.path / WORK / f"{name}.lock", blocking=False))
                except Timeout:
                    report.elsewhere += 1
                    continue
                if self.has(name):  # another process has finished it meanwhile
                    lock.close()
                    continue
                shard = self._read(name, source, piece, lock)
                taken.append(shard)
                for start in range(0, len(shard.texts), extractor.window):
                    yield shard.texts[start : start + extractor.window]

    def _read(self, name: str, source: Source, units: Sequence[Unit], lock: ExitStack) -> _Shard:
        remove_unfinished(self._file(name))
        errors: List[Record] = []

        def add(message: str) -> None:
            self.report(message)
            errors.append({"shard": name, "reason": message})

        log = TextLog(strict=self.strict, report=add)
        texts = list(source.read(log, units))
        return _Shard(name, texts, errors, {"units": len(units), "blank": log.blank, "markup": log.markup}, lock)

    def _add(self, shard: _Shard, result: Result) -> None:
        shard.done += 1
        if not isinstance(result, Failure):
            shard.results.append(result)
            return
        message = Errors.R815.format(where=result.where, reason=result.reason)
        if self.strict:
            raise ValueError(message)
        self.report(message)
        shard.errors.append({"shard": shard.name, "where": result.where, "reason": result.reason})

    def _finish_empty(self, taken: "Deque[_Shard]") -> None:
        """Finish the shards whose units are all blank or unreadable."""
        while taken and not taken[0].texts:
            self._finish(taken.popleft())

    def _finish(self, shard: _Shard) -> None:
        """Write a shard: its counts first, since the existence of its file marks it as finished."""
        triples = sum(len(record["triples"]) for record in shard.results)
        counts = {**shard.counts, "documents": len(shard.results), "triples": triples, "errors": shard.errors}
        write_whole(self._counts(shard.name), to_json(counts))
        write_records(shard.results, self._file(shard.name), format=self.format, options=self.options)
        shard.lock.close()

    def complete(self, report: ShardReport) -> None:
        """Count the shards in a report, and write the manifest and the errors; two processes would write the same."""
        manifest = read_manifest(self.path) or {}
        report.files = sorted(self.path.glob(f"part-*.{self.format}"))
        report.shards = len(report.files)
        if manifest.get("complete"):
            counts = manifest["counts"]
            report.documents, report.triples = counts["documents"], counts["triples"]
            report.failures, report.blank, report.markup = counts["failures"], counts["blank"], counts.get("markup", 0)
            return
        shards: Dict[str, Record] = {}
        errors: List[Record] = []
        for path in report.files:
            name = path.name.removesuffix(f".{self.format}")
            counts = json.loads(self._counts(name).read_text(encoding="utf8"))
            errors += counts.pop("errors")
            shards[path.name] = {**counts, "bytes": path.stat().st_size}
            report.documents += counts["documents"]
            report.triples += counts["triples"]
            report.blank += counts["blank"]
            report.markup += counts.get("markup", 0)  # absent in shards of an earlier version
        report.failures = write_errors(self.path, errors)
        totals = {key: getattr(report, key) for key in ("documents", "triples", "failures", "blank", "markup")}
        write_manifest(self.path, {**manifest, "complete": True, "counts": totals, "shards": shards})

    def _count_missing(self, sources: Sequence[Source]) -> int:
        """Count the units of the input that belong to no finished shard."""
        done = sum(
            json.loads(path.read_text(encoding="utf8"))["units"]
            for path in (self.path / WORK).glob("part-*.json")
            if self.has(path.stem)
        )
        return max(0, sum(source.count() for source in sources) - done)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.{self.format}"

    def _counts(self, name: str) -> Path:
        return self.path / WORK / f"{name}.json"
