"""Runs a target on damaged inputs: it may refuse one with a line that has a code, and do nothing else.

RELEXT_FUZZ is the number of inputs of each target (`make fuzz`), RELEXT_FUZZ_SEED gives other ones.
"""

import contextlib
import os
import random
import signal
import traceback
import warnings
from collections import Counter
from typing import Any, Callable, Iterator

COUNT = int(os.environ.get("RELEXT_FUZZ", "100"))
SEED = os.environ.get("RELEXT_FUZZ_SEED", "0")
SECONDS = 10


class Hang(BaseException):
    """An input took too long; no Exception, so that nothing catches it."""


def fuzz(name: str, run: Callable[[random.Random], object], *, count: int = COUNT) -> "Counter[str]":
    """Run a target on damaged inputs.

    run (Callable[[random.Random], object]): Makes an input of a generator of random numbers, and reads it.
    RETURNS (Counter[str]): How many inputs were read, and how many were refused, by code.
    """
    outcomes: Counter[str] = Counter()
    for number in range(count):
        seed = f"{name} {SEED} {number}"
        try:
            with _limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run(random.Random(seed))
            outcomes["read"] += 1
        except (ValueError, ImportError) as error:
            message = str(error)
            assert message.startswith("[R"), f"{seed!r}: no message of this package\n{traceback.format_exc()}"
            assert "\n" not in message.strip(), f"{seed!r}: several lines: {message!r}"
            outcomes[message[:6]] += 1
        except (Exception, Hang):
            raise AssertionError(f"{seed!r} ends in a traceback\n{traceback.format_exc()}") from None
    print(f"fuzz {name}: {dict(outcomes)}")
    return outcomes


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    """Raise `Hang` after some seconds, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise Hang(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
