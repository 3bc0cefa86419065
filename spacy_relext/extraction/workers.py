"""Batches of texts through a pipeline, in this process or in several; a text that fails does not stop the others."""

import gc
import os
import re
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Collection, Deque, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Union

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import import_file, minibatch

from ..annotations.parts import merge_docs
from ..annotations.triple import Record
from ..bridge.modules import use_one_thread
from ..corpora.damage import first_line
from ..corpora.loading import load_pipeline
from ..corpora.raw_text import RawText
from ..corpora.shards import freeze_objects, release_memory
from ..errors import Errors
from ..export.records import extraction_record

# Number of batches whose texts are sorted by length together.
WINDOW = 8

# Batches in flight per worker.
_BATCHES_PER_WORKER = 3

# How often a batch is retried before it is halved, or, if it is a single text, becomes a failure.
_MAX_RETRIES = 3

# Batches between two releases of free memory.
_RELEASE = 64
_batches_read = count(1)

# Seconds between a worker's checks that its parent process still runs.
_CHECK_SECONDS = 1.0

# What a piece may end with, the best first: a blank line, the end of a sentence, a line break, white space.
_ENDS = [re.compile(pattern) for pattern in (r"\n\s*\n", r"[.!?…]['\")\]’”»]*\s+|[。！？]", r"\n", r"\s+")]


@dataclass(frozen=True)
class Job:
    """What is done with each text.

    pipeline (str): Folder or name of the pipeline.
    code (Optional[Path]): Python file with registered functions that it needs.
    min_score (float): Lowest score of a triple, 0 to 1.
    relations (Optional[Collection[str]]): Relations to keep; None: all.
    batch_size (int): Maximum number of texts in a batch.
    """

    pipeline: str
    code: Optional[Path] = None
    min_score: float = 0.0
    relations: Optional[Collection[str]] = None
    batch_size: int = 64


class Failure(NamedTuple):
    """A text without a result, and why."""

    where: str
    reason: str


Result = Union[Record, Failure]


def process_each(nlp: Language, inputs: Sequence[Union[str, Doc]]) -> List[Union[Doc, Exception]]:
    """Run a pipeline on texts or Docs as one batch; if it fails on one, the error takes the place of its Doc."""
    try:
        return list(nlp.pipe(inputs, batch_size=max(1, len(inputs))))
    except Exception:  # whatever a component raises: one text at a time then shows which is to blame
        return [_process_alone(nlp, each) for each in inputs]


def _process_alone(nlp: Language, text: Union[str, Doc]) -> Union[Doc, Exception]:
    try:
        return nlp(text)
    except Exception as error:
        return error


def extract_batch(nlp: Language, texts: Sequence[RawText], job: Job) -> List[Result]:
    """Extract the triples of some texts; if a pipeline fails on one of them, that one becomes a `Failure`."""
    short = [number for number, each in enumerate(texts) if len(each.text) <= nlp.max_length]
    docs = dict(zip(short, process_each(nlp, [texts[number].text for number in short])))
    if next(_batches_read) % _RELEASE == 0:
        release_memory()
    return [_finish(nlp, each, docs.get(number), job) for number, each in enumerate(texts)]


def _finish(nlp: Language, raw: RawText, doc: Union[Doc, Exception, None], job: Job) -> Result:
    """Make the record of a text; `doc` is None if the text is too long for the pipeline, and is read in pieces."""
    try:
        if isinstance(doc, Exception):
            raise doc
        return extraction_record(
            process_long(nlp, raw.text) if doc is None else doc,
            number=raw.number,
            min_score=job.min_score,
            relations=job.relations,
            extra=raw.extra,
            text=raw.text,
        )
    except Exception as error:  # the text is reported, and the others continue
        return Failure(raw.where, f"{type(error).__name__}: {first_line(error)}")


def process_long(nlp: Language, text: str) -> Doc:
    """Run a pipeline on a text that is longer than it accepts: no triple spans two pieces."""
    return merge_docs(list(nlp.pipe(cut_text(text, nlp.max_length))), ensure_whitespace=False)


def cut_text(text: str, longest: int) -> List[str]:
    """Cut a text into consecutive pieces, each up to the best break near the limit; joined, they are the text again.

    longest (int): Maximum number of characters in a piece. White space stays at the end of a piece.
    """
    pieces, start = [], 0
    while len(text) - start > longest:
        end = _last_end(text, start, start + longest)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _last_end(text: str, start: int, limit: int) -> int:
    """Find the last break of the best kind in the second half of a piece, or its limit if there is no break."""
    middle = start + (limit - start) // 2
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(text, middle, limit)]
        if ends:
            return ends[-1]
    return limit


class _Window:
    """Texts that are sorted by length together, and their results in order."""

    def __init__(self, size: int) -> None:
        self.results: List[Result] = [Failure("", "")] * size
        self.missing = size

    @property
    def is_complete(self) -> bool:
        """Return True if all results are there."""
        return self.missing == 0

    def add(self, numbers: Sequence[int], results: Sequence[Result]) -> None:
        """Put the results of a batch into their places."""
        for number, result in zip(numbers, results):
            self.results[number] = result
        self.missing -= len(numbers)


class _Batch(NamedTuple):
    """Texts that are read together, and their places in a window."""

    window: _Window
    numbers: List[int]
    texts: List[RawText]


class _Flight(NamedTuple):
    """A submitted batch, and the future of its results."""

    batch: _Batch
    future: "Future[List[Result]]"


@dataclass
class Extractor:
    """Extracts the triples of a stream of texts, in order.

    job (Job): What is done with each text.
    nlp (Optional[Language]): The loaded pipeline, used if there is one process.
    n_process (int): Worker processes; they load the pipeline themselves, and use one thread each.
    """

    job: Job
    nlp: Optional[Language] = None
    n_process: int = 1
    _pool: Optional[ProcessPoolExecutor] = field(default=None, repr=False)

    def __enter__(self) -> "Extractor":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def extract(self, texts: Iterable[RawText]) -> Iterator[Result]:
        """Yield the result of each text, in order and as soon as its batch is read."""
        return self.extract_windows(minibatch(texts, self.job.batch_size))

    @property
    def window(self) -> int:
        """Return how many texts are sorted by length together."""
        return WINDOW * self.job.batch_size

    def extract_windows(self, texts: Iterable[Sequence[RawText]]) -> Iterator[Result]:
        """Yield the result of each text of each window, in order; no batch has texts of two windows."""
        with freeze_objects():
            yield from self._extract_windows(texts)

    def _extract_windows(self, texts: Iterable[Sequence[RawText]]) -> Iterator[Result]:
        windows: Deque[_Window] = deque()
        batches = self._batches(texts, windows)
        flights: Deque[_Flight] = deque()
        while True:
            for batch in islice(
                batches, _BATCHES_PER_WORKER * self.n_process - len(flights) if self.n_process > 1 else 1
            ):
                flights.append(_Flight(batch, self._submit(batch.texts)))
            if not flights:
                return
            batch, future = flights.popleft()
            try:
                done = future.result()
            except BrokenProcessPool:
                done = self._recover(batch.texts, flights)
            batch.window.add(batch.numbers, done)
            while windows and windows[0].is_complete:
                yield from windows.popleft().results

    def _batches(self, texts: Iterable[Sequence[RawText]], windows: "Deque[_Window]") -> "Iterator[_Batch]":
        """Yield the batches of each window, which is added to the others."""
        for window in texts:
            order = sorted(range(len(window)), key=lambda number: len(window[number].text))
            windows.append(_Window(len(window)))
            for numbers in minibatch(order, self.job.batch_size):
                yield _Batch(windows[-1], numbers, [window[number] for number in numbers])

    def _recover(self, texts: List[RawText], flights: "Deque[_Flight]") -> List[Result]:
        """Replace the workers after one has died, and rerun the batches without a result.

        If a text is to blame, it is in a batch that was being read: these are run alone.
        """
        self._stop()
        done = self._run_alone(texts)
        for number, (batch, future) in enumerate(list(flights)):
            if future.done() and future.exception() is None:
                continue
            if number < self.n_process:
                future = Future()
                future.set_result(self._run_alone(batch.texts))
            else:
                future = self._submit(batch.texts)
            flights[number] = _Flight(batch, future)
        return done

    def _run_alone(self, texts: List[RawText]) -> List[Result]:
        """Rerun texts after a worker has died; those on which one dies every time become failures."""
        # The same batch first: a different batch may change the last digit of scores.
        for _ in range(_MAX_RETRIES):
            try:
                return self._submit(texts).result()
            except BrokenProcessPool:
                self._stop()
        if len(texts) == 1:
            return [Failure(texts[0].where, Errors.R810)]
        middle = len(texts) // 2
        return [*self._run_alone(texts[:middle]), *self._run_alone(texts[middle:])]

    def _submit(self, texts: List[RawText]) -> "Future[List[Result]]":
        """Submit a batch to the workers; without workers, run it here."""
        if self.n_process <= 1:
            self.nlp = self.nlp or load_job(self.job)
            run: Future[List[Result]] = Future()
            run.set_result(extract_batch(self.nlp, texts, self.job))
            return run
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.n_process, mp_context=get_context("spawn"), initializer=_start, initargs=(self.job, os.getpid())
            )
        try:
            return self._pool.submit(_work, texts)
        except BrokenProcessPool as error:
            broken: Future[List[Result]] = Future()
            broken.set_exception(error)
            return broken

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class _Worker(NamedTuple):
    """What a worker process keeps."""

    nlp: Language
    job: Job


_workers: List[_Worker] = []


def _start(job: Job, parent: int) -> None:
    """Load the pipeline in a worker, which ends as soon as the process that started it has ended."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    use_one_thread()
    _workers.append(_Worker(load_job(job), job))
    gc.freeze()


def load_job(job: Job) -> Language:
    """Load the pipeline of a job, after the code that it needs."""
    if job.code is not None:
        import_file("python_code", job.code)
    return load_pipeline(job.pipeline, message=Errors.R200)


def _end_with(parent: int) -> None:
    """End this process when its parent has ended: otherwise it would wait for work forever."""
    while os.getppid() == parent:
        time.sleep(_CHECK_SECONDS)
    os._exit(1)


def _work(texts: List[RawText]) -> List[Result]:
    worker = _workers[0]
    return extract_batch(worker.nlp, texts, worker.job)
