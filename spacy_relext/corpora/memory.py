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
    """Give free memory back to the system: glibc keeps it in pieces, of which there are ever more in a long run."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass  # another C library
