"""Damaged files: whatever their readers raise becomes a one-line message that names the file."""

from contextlib import contextmanager
from typing import Iterator

from ..errors import Errors


def first_line(error: BaseException) -> str:
    """Return the first non-blank line of an error's message, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")


@contextmanager
def refuse_damage(path: object, *, message: str = Errors.R020, place: str = "", **values: object) -> Iterator[None]:
    """Turn errors of a block that reads a file into a ValueError; errors raised by this package pass unchanged.

    path (object): The file or folder, for the message.
    message (str): Template that takes `path`, `reason` and `values`.
    place (str): Place in the file, put before the reason.
    RAISES (ValueError): If anything in the block fails.
    """
    try:
        yield
    except Exception as error:  # readers of damaged files can raise almost any exception
        if isinstance(error, (ValueError, ImportError)) and str(error).startswith("[R"):
            raise
        reason = first_line(error)
        if isinstance(error, (KeyError, AttributeError, IndexError, MemoryError)):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(message.format(path=str(path), reason=place + reason[:200], **values)) from None
