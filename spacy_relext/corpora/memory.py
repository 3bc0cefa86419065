"""Memory of long runs."""

import ctypes
import gc
from contextlib import contextmanager
from typing import Iterator


@contextmanager
def freeze_objects() -> Iterator[None]:
    """Exempt existing objects from garbage collection: libraries, pipelines and facts take long to scan."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def release_memory() -> None:
    """Return free memory to the system: glibc keeps it, ever more fragmented in a long run."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass  # another C library
