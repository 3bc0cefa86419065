"""Texts with their places, and the log that counts those that cannot be read."""

import warnings
from dataclasses import dataclass, field, replace
from typing import Callable, Iterator, Optional, Union

from ..annotations.encoding import describe_bytes
from ..annotations.triple import Record
from ..errors import Errors, Warnings
from .canonical import KNOWN_KEYS
from .documents import PASSAGES_KEY, looks_like_markup, read_document


@dataclass(frozen=True)
class RawText:
    """A text, its file and line, and other keys of its JSON record or the name of its file in a folder.

    number (Union[int, str]): Its id if it has no other: the name of the source and the number of the unit, or only the
        number of the text in standard input.
    """

    text: str
    where: str
    extra: Record = field(default_factory=dict)
    path: str = ""
    line: int = 1
    number: Union[int, str] = 1


@dataclass
class TextLog:
    """Counts and reports the texts that cannot be read, which are skipped.

    strict (bool): Raise ValueError instead.
    max_length (Optional[int]): Maximum length of a text, in characters.
    report (Optional[Callable[[str], None]]): Gets a message for each text that is skipped.
    skipped, blank, markup (int): Texts skipped so far, blank lines of text files, and texts that were read as prose but
        look like HTML or Markdown.
    """

    strict: bool = False
    max_length: Optional[int] = None
    report: Optional[Callable[[str], None]] = None
    skipped: int = 0
    blank: int = 0
    markup: int = 0

    def skip(self, message: str) -> None:
        """Count and report a text; ValueError if strict."""
        if self.strict:
            raise ValueError(message)
        self.skipped += 1
        if self.report is not None:
            self.report(message)

    def accept(self, raw: RawText) -> bool:
        """Return True if a pipeline can process a text, which is skipped otherwise."""
        if self.max_length is not None and len(raw.text) > self.max_length:
            self.skip(Errors.R205.format(where=raw.where, length=len(raw.text), limit=self.max_length))
            return False
        try:
            raw.text.encode("utf-8")
        except UnicodeEncodeError:
            self.skip(Errors.R219.format(where=raw.where))
            return False
        if PASSAGES_KEY not in raw.extra and looks_like_markup(raw.text):
            if not self.markup:
                warnings.warn(Warnings.W203, stacklevel=2)  # Python shows it once
            self.markup += 1
        return True

    def convert(self, raw: RawText, content: Union[bytes, str], kind: str) -> Iterator[RawText]:
        """Yield a text with what a document says, and the places of its passages, unless it cannot be read."""
        extra = {f"input_{key}" if key in KNOWN_KEYS else key: value for key, value in raw.extra.items()}
        try:
            text, places = read_document(content, kind)
        except UnicodeEncodeError:
            self.skip(Errors.R219.format(where=raw.where))
        except ValueError as error:
            self.skip(Errors.R232.format(where=raw.where, found=error))
        else:
            yield replace(raw, text=text, extra={**extra, **places})

    def decode(self, raw: bytes, *, name: str, line: int = 1, encoding: str = "utf-8") -> Optional[str]:
        """Decode a text; None if that fails and the text is skipped."""
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            line, what = describe_bytes(error, first=line)
            self.skip(Errors.R203.format(path=name, line=line, what=what))
            return None
