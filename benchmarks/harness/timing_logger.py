"""A training logger that also measures how long the updates take, evaluations and saving not counted.

It is given to `spacy train` by `--code`, so that what is timed is the training that a user runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.training.loggers import console_logger
from spacy.util import registry


@registry.loggers("relext_benchmarks.timing.v1")
def timing_logger(path: str) -> Callable[[Language, IO, IO], tuple[Callable, Callable]]:
    """Make the logger.

    path (str): JSON file that gets `seconds` and `cpu_seconds` of the updates, `steps`, and `history`: for each
        evaluation the step, the processor time of the updates so far, and the scores. It is written at the end.
    RETURNS (Callable): What spaCy's training loop calls.
    """

    def set_up(nlp: Language, stdout: IO, stderr: IO) -> tuple[Callable, Callable]:
        log, finish = console_logger()(nlp, stdout, stderr)
        clock, history = _Clock(), []
        nlp.evaluate = clock.aside(nlp.evaluate)  # type: ignore[method-assign]
        nlp.to_disk = clock.aside(nlp.to_disk)  # type: ignore[method-assign]

        def log_step(info: dict[str, Any] | None) -> None:
            clock.steps += 1
            if info is not None:
                numbers = {key: value for key, value in info["other_scores"].items() if isinstance(value, float)}
                history.append({"step": info["step"], "cpu_seconds": clock.read()["cpu_seconds"], **numbers})
            log(info)
            stdout.flush()

        def finalize() -> None:
            Path(path).write_text(json.dumps({**clock.read(), "history": history}) + "\n", encoding="utf8")
            finish()

        return log_step, finalize

    return set_up


class _Clock:
    """Counts steps, and the wall and processor time that is not spent in functions set aside."""

    def __init__(self) -> None:
        self.started = _now()
        self.aside_spent = [0.0, 0.0]
        self.steps = 0

    def aside(self, function: Callable) -> Callable:
        """Wrap a function whose time does not count."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            before = _now()
            try:
                return function(*args, **kwargs)
            finally:
                spent = [now - then for now, then in zip(_now(), before)]
                self.aside_spent = [total + more for total, more in zip(self.aside_spent, spent)]

        return timed

    def read(self) -> dict[str, float]:
        """Return the counts so far."""
        wall, cpu = (now - then - aside for now, then, aside in zip(_now(), self.started, self.aside_spent))
        return {"seconds": wall, "cpu_seconds": cpu, "steps": self.steps}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
